//! Writes the expansion: the user's function with a span around its body.
//!
//! Everything generated has the span `mixed_site`: its local names cannot meet the user's, and lints treat it
//! as foreign. Only what the user wrote keeps the user's spans.

use proc_macro2::TokenStream;

use crate::args::{Args, ErrMode};
use crate::body::{Body, braces_like};
use crate::classify::Shape;
use crate::function::{Function, Output};
use crate::return_type::nameable;
use crate::span;
use crate::tokens::generated;

/// The function with its body in the given shape.
pub(crate) fn expand(function: &Function, args: &Args, shape: &Shape) -> TokenStream {
    let body = Body::new(&function.body);
    let content = match shape {
        Shape::Guard => guard(function, args, &body),
        Shape::InScope { output } => in_scope(function, args, &body, output),
        Shape::Future { sees_return } => future(function, args, &body, *sees_return),
    };
    function.with_body(&body.replaced_by(content))
}

/// ```text
/// fn area(w: u32, h: u32) -> u32 { w * h }
/// fn area(w: u32, h: u32) -> u32 { let _span = span(SITE).enter(); w * h }
/// ```
fn guard(function: &Function, args: &Args, body: &Body) -> TokenStream {
    let (start, tags) = (span::start("span", function, args), span::tags(args));
    let statements = body.after_statement();
    generated!(let _span = #start #tags.enter(); #statements)
}

/// ```text
/// fn load(id: u64) -> Result<User, LoadError> { find(id)?.user() }
/// fn load(id: u64) -> Result<User, LoadError> {
///     return span(SITE).in_scope(|| -> Result<User, LoadError> { find(id)?.user() }, |ret| error_of!(ret));
/// }
/// ```
///
/// With tags the span is entered first: their closure looks at the arguments that the body's closure takes.
fn in_scope(function: &Function, args: &Args, body: &Body, output: &TokenStream) -> TokenStream {
    let (start, tags) = (span::start("span", function, args), span::tags(args));
    let enter = if tags.is_empty() { TokenStream::new() } else { generated!(.enter()) };
    let block = &body.block;
    let on_return = on_return(args);
    generated!(return #start #tags #enter.in_scope(|| -> #output #block, #on_return);)
}

/// ```text
/// async fn load(id: u64) -> User { find(id).await }
/// async fn load(id: u64) -> User {
///     return async_span(SITE).run(async move { if false { return returns::<User>(); } find(id).await }).await;
/// }
/// ```
fn future(function: &Function, args: &Args, body: &Body, sees_return: bool) -> TokenStream {
    let runtime = &args.runtime;
    let (start, tags) = (span::start("async_span", function, args), span::tags(args));
    // The type of the block is fixed first, so that early returns coerce to it.
    let hint = match &function.output {
        Output::Unit => generated!(if false {
            return;
        }),
        Output::Never => TokenStream::new(),
        Output::Value(written) => {
            let output = nameable(written.clone());
            generated!(if false { return #runtime::macro_support::returns::<#output>(); })
        }
    };
    let statements = body.after_statement();
    let block = braces_like(&body.block, generated!(#hint #statements));
    let on_return = if sees_return {
        let on_return = on_return(args);
        generated!(.on_return(#on_return))
    } else {
        TokenStream::new()
    };
    let call = generated!(#start #tags.run(async move #block)#on_return.await);
    if matches!(function.output, Output::Never) {
        generated!(#call; #runtime::macro_support::never())
    } else {
        generated!(return #call;)
    }
}

/// The closure that looks at the returned value.
fn on_return(args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    match &args.err {
        None | Some(ErrMode::ByType | ErrMode::Off) => {
            generated!(|ret| #runtime::macro_support::error_of!(ret))
        }
        Some(ErrMode::Display) => generated!(|ret| #runtime::macro_support::error_display(ret)),
        Some(ErrMode::Debug) => generated!(|ret| #runtime::macro_support::error_debug(ret)),
        Some(ErrMode::Mapped(function)) => generated!(
            |ret| #runtime::macro_support::error_of!(&#runtime::macro_support::mapped(ret, #function))
        ),
    }
}
