//! The macros of `dd-traced`.
#![forbid(unsafe_code)]

mod args;
mod block;
mod body;
mod classify;
mod dd_log;
mod diagnostics;
mod expand;
mod function;
mod item;
mod parameters;
mod return_type;
mod spelling;
mod tokens;
mod traced;

use proc_macro::TokenStream;

/// Makes a function a span.
#[proc_macro_attribute]
pub fn traced(args: TokenStream, item: TokenStream) -> TokenStream {
    traced::traced(args.into(), item.into(), cfg!(feature = "enable")).into()
}

/// Logs a line that carries the ids of the active span.
#[proc_macro]
pub fn dd_log(tokens: TokenStream) -> TokenStream {
    dd_log::dd_log(tokens.into()).into()
}
