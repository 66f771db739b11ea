//! The only names that generated code uses. Not part of the public face: it may change in every release, together with the macros.

use std::pin::Pin;

pub use core::{format_args, module_path};
pub use std::format;

#[cfg(feature = "log")]
pub use ::log;

pub use crate::log::{correlation, log_prefix};
pub use crate::model::{CallSite, TagValue};
pub use crate::trace::{
    AsContext, AsyncSite, AsyncStart, Entered, EnteredOwned, ErrorInfo, FieldText, Finding, Linked, NoTags,
    OwnedStart, Placed, ReturnText, Running, Start, TagSet, Tagged, in_scope, probe, shown, worded,
};

/// A span of a synchronous function.
#[inline]
pub const fn span(site: &'static CallSite) -> Start {
    Start::new(site)
}

/// A span of an asynchronous function.
#[inline]
pub const fn async_span(site: &'static CallSite) -> AsyncSite {
    AsyncSite::new(site)
}

/// A span outside of a line: of a future that a function returns, or with a place of its own in a trace.
#[inline]
pub const fn owned_span(site: &'static CallSite) -> OwnedStart {
    OwnedStart::new(site)
}

/// Puts a future on the heap.
#[inline]
pub fn boxed<F>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// Stands for a value of a type that is to be inferred. Never called: generated code puts it where control never comes.
pub fn returns<T>() -> T {
    unreachable!("generated code calls this under `if false`")
}

/// Stands for the end of a function that returns `!`, after a call that never came back.
pub fn never() -> ! {
    unreachable!("generated code calls this after a call that does not return")
}

/// Makes a `Result` of what a function finds in a returned value, perhaps borrowed from it, where the span is recorded: `err(function)`.
pub fn mapped<'a, R: ?Sized, E>(
    ret: &'a R,
    is_recorded: bool,
    error: impl FnOnce(&'a R) -> Option<E>,
) -> Result<(), E> {
    if is_recorded { error(ret).map_or(Ok(()), Err) } else { Ok(()) }
}
