//! Names that users are free to take: none of them reaches the generated code.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![expect(
    dead_code,
    non_camel_case_types,
    unused_macros,
    clippy::used_underscore_binding,
    reason = "the names are there to be in the way"
)]

mod core {}
mod std {}
mod log {}
mod dd_traced {}
struct Ok;
struct Err;
struct Some;
struct Option;
struct String;
struct Box;
struct Result<A, B>(A, B);
struct u8;

/// Methods that every value has, in front of those of the generated code where the names are the same.
trait Extension {
    fn describe(&self) {}
    fn display(&self) {}
    fn debug(&self) {}
    fn tag(&self) {}
    fn enter(&self) {}
    fn run(&self) {}
    fn on_return(&self) {}
    fn in_scope(&self) {}
    fn tags(&self) {}
}

impl<T: ?::core::marker::Sized> Extension for T {}

macro_rules! module_path {
    () => {
        compile_error!("the user's module_path")
    };
}
macro_rules! format_args {
    ($($all:tt)*) => {
        compile_error!("the user's format_args")
    };
}
macro_rules! format {
    ($($all:tt)*) => {
        compile_error!("the user's format")
    };
}
macro_rules! log {
    ($($all:tt)*) => {
        compile_error!("the user's log")
    };
}

#[::dd_traced::traced(tags(_span, tags, ret))]
fn plain(_span: i32, tags: i32, ret: i32) -> i32 {
    _span + tags + ret
}

#[::dd_traced::traced(tags(_span, tags, ret))]
fn fallible(_span: i32, tags: i32, ret: i32) -> ::core::result::Result<i32, ()> {
    ::core::result::Result::Ok(_span + tags + ret)
}

#[::dd_traced::traced(tags(_span, tags, ret))]
async fn asynchronous(_span: i32, tags: i32, ret: i32) -> ::core::result::Result<i32, ()> {
    ::core::result::Result::Ok(_span + tags + ret)
}

#[::dd_traced::traced(ret, root, tags(_span, tags, ret))]
fn returned(_span: i32, tags: i32, ret: i32) -> i32 {
    _span + tags + ret
}

#[::dd_traced::traced(ret = "debug", err = "debug", tags(_span, tags, ret))]
fn future(
    _span: i32,
    tags: i32,
    ret: i32,
) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = ::core::result::Result<i32, ()>>>>
{
    let sum = _span + tags + ret;
    ::std::boxed::Box::pin(async move { ::core::result::Result::Ok(sum) })
}

#[::dd_traced::traced(err(|ret| ret.checked_sub(5)), links(span))]
async fn mapped(span: &::dd_traced::Span) -> i32 {
    5
}

#[::dd_traced::traced]
fn not_a_result() -> Result<i32, i32> {
    Result(1, 2)
}

fn main() {
    plain(1, 2, 3);
    let _ = fallible(1, 2, 3);
    ::core::mem::drop(asynchronous(1, 2, 3));
    not_a_result();
    returned(1, 2, 3);
    ::core::mem::drop(future(1, 2, 3));
    ::core::mem::drop(mapped(&::dd_traced::span("a").start()));
    let lvl = 1;
    let target = 2;
    ::dd_traced::dd_log!(warn, "{lvl} {target} {}", lvl);
    ::dd_traced::dd_log!(warn, "{lvl} {target} {dd.span_id}");
    let _ = ::dd_traced::dd_format!("{lvl} {target} {}", lvl);
    let _ = ::dd_traced::dd_format!("{lvl} {target} {dd.span_id}");
}
