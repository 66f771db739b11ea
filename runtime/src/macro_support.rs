//! The only names that generated code uses. Not part of the public face: it may change in every release, together with the macros.

pub use core::{format_args, module_path};

#[cfg(feature = "log")]
pub use ::log;

pub use crate::log::{correlation, log_prefix};
pub use crate::model::{CallSite, TagValue};
pub use crate::trace::{AsyncStart, Entered, ErrorInfo, NoTags, Start, TagSet, Tagged, Traced, describe};

/// A span of a synchronous function.
#[inline]
pub const fn span(site: &'static CallSite) -> Start {
    Start::new(site)
}

/// A span of an asynchronous function.
#[inline]
pub fn async_span(site: &'static CallSite) -> AsyncStart {
    AsyncStart::new(site)
}

/// Stands for a value of a type that is to be inferred. Never called: generated code puts it where control never comes.
pub fn returns<T>() -> T {
    unreachable!("generated code calls this under `if false`")
}

/// Describes the error of a returned value, by what its type offers.
#[doc(hidden)]
#[macro_export]
macro_rules! __error_of {
    ($ret:expr) => {{
        use $crate::macro_support::describe::{
            ByDebug as _, ByDisplay as _, ByError as _, ByType as _, NoError as _,
        };
        (&&&&&$crate::macro_support::describe::Probe($ret)).describe()
    }};
}
pub use crate::__error_of as error_of;
