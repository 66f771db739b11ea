//! Writes the expansion: the user's function with a span around its body.
//!
//! Everything generated has the span `mixed_site`: its local names cannot meet the user's, and lints treat it
//! as foreign. Only what the user wrote keeps the user's spans.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use crate::args::{Args, Argument, ErrMode, RetMode};
use crate::body::{Body, SoleFuture, braces_like};
use crate::classify::{Shape, looks, sees_errors, sees_value};
use crate::function::{Function, Output};
use crate::return_type::nameable;
use crate::span;
use crate::tokens::{at, generated};

/// The function with its body in the given shape.
pub(crate) fn expand(function: &Function, args: &Args, shape: Shape) -> TokenStream {
    let body = Body::new(&function.body);
    let content = match shape {
        Shape::Guard => guard(function, args, &body),
        Shape::InScope => in_scope(function, args, &body),
        Shape::Async => future(function, args, &body),
        Shape::Returned { is_boxed } => returned(function, args, &body, is_boxed),
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
///     let span = span(SITE).enter();
///     let ret = in_scope(|| -> Result<User, LoadError> { find(id)?.user() });
///     span.found(probe(&ret, span.is_recorded()).__dd_describe());
///     return ret;
/// }
/// ```
///
/// Only the closure is a type of this function's own: what looks at the value is compiled once for a type of values.
fn in_scope(function: &Function, args: &Args, body: &Body) -> TokenStream {
    let runtime = &args.runtime;
    let output = written(&function.output);
    let (start, tags) = (span::start("span", function, args), span::tags(args));
    let block = &body.block;
    // In an error the closure is called by its type.
    let closure = quote_spanned!(at(&output)=> ||);
    let finding = finding(function, args, &generated!(&ret), &generated!(span.is_recorded()));
    generated! {
        let span = #start #tags.enter();
        let ret = #runtime::macro_support::in_scope(#closure -> #output #block);
        span.found(#finding);
        return ret;
    }
}

/// ```text
/// async fn load(id: u64) -> User { find(id).await }
/// async fn load(id: u64) -> User {
///     return async_span(SITE).run(async move { if false { return returns::<User>(); } find(id).await }).await;
/// }
/// ```
fn future(function: &Function, args: &Args, body: &Body) -> TokenStream {
    let runtime = &args.runtime;
    let (start, tags) = (span::start("async_span", function, args), span::tags(args));
    // The type of the block is fixed first, so that early returns coerce to it.
    let hint = match &function.output {
        Output::Unit => generated!(if false {
            return;
        }),
        Output::Never => TokenStream::new(),
        Output::Value(_) => {
            let output = written(&function.output);
            generated!(if false { return #runtime::macro_support::returns::<#output>(); })
        }
    };
    let statements = body.after_statement();
    let block = braces_like(&body.block, generated!(#hint #statements));
    let on_return = on_return(function, args, &generated!(ret));
    let call = generated!(#start #tags.run(async move #block)#on_return.await);
    if matches!(function.output, Output::Never) {
        generated!(#call; #runtime::macro_support::never())
    } else {
        generated!(return #call;)
    }
}

/// ```text
/// fn load(id: u64) -> impl Future<Output = User> { let key = key(id); async move { find(key).await } }
/// fn load(id: u64) -> impl Future<Output = User> {
///     return owned_span(SITE).run_fn(|| { let key = key(id); async move { find(key).await } });
/// }
///
/// fn load(id: u64) -> Pin<Box<dyn Future<Output = User>>> { Box::pin(async move { find(id).await }) }
/// fn load(id: u64) -> Pin<Box<dyn Future<Output = User>>> {
///     return Box::pin(owned_span(SITE).run(async move { find(id).await }));
/// }
/// ```
///
/// Statements and early returns stay in the closure, so that whatever future comes back is wrapped. A boxed one is boxed again, but
/// where the box is all there is.
fn returned(function: &Function, args: &Args, body: &Body, is_boxed: bool) -> TokenStream {
    let runtime = &args.runtime;
    let (start, tags) = (span::start("owned_span", function, args), span::tags(args));
    let output = written(function.result());
    // Its type is stated, because inference may know too little of it where the closure is checked.
    let on_return = on_return(function, args, &generated!(ret: &#output));
    let sole = SoleFuture::find(&body.block).filter(|sole| sole.pin.is_empty() != is_boxed);
    let block = &body.block;
    let future = match sole {
        Some(SoleFuture { pin, block }) if is_boxed => generated!(#pin(#start #tags.run(#block)#on_return)),
        Some(SoleFuture { block, .. }) => generated!(#start #tags.run(#block)#on_return),
        None if is_boxed => {
            let output = written(&function.output);
            generated!(#runtime::macro_support::boxed(#start #tags.run_fn(|| -> #output #block)#on_return))
        }
        None => generated!(#start #tags.run_fn(|| #block)#on_return),
    };
    generated!(return #future;)
}

/// The type as it can be named inside the function.
fn written(output: &Output) -> TokenStream {
    match output {
        Output::Unit => generated!(()),
        Output::Never => generated!(!),
        Output::Value(written) => nameable(written.clone()),
    }
}

/// `.on_return(|ret| ..)`, or nothing. It is called only where the span is recorded.
fn on_return(function: &Function, args: &Args, parameter: &TokenStream) -> TokenStream {
    if !looks(function, args) {
        return TokenStream::new();
    }
    let finding = finding(function, args, &generated!(ret), &generated!(true));
    generated!(.on_return(|#parameter| #finding))
}

/// What is found in the returned value: an error, its text, or both.
fn finding(function: &Function, args: &Args, ret: &TokenStream, is_recorded: &TokenStream) -> TokenStream {
    let value = generated!(#ret, #is_recorded);
    let error = sees_errors(function, args).then(|| error(args, &value));
    let shown = args.ret.filter(|_| sees_value(function, args)).map(|mode| match mode {
        RetMode::Display => described(args, Argument::Ret, "shown", "__dd_display", &value),
        RetMode::Debug => described(args, Argument::Ret, "shown", "__dd_debug", &value),
    });
    match (error, shown) {
        (Some(error), Some(shown)) => generated!((#error, #shown)),
        (error, shown) => generated!(#error #shown),
    }
}

fn error(args: &Args, value: &TokenStream) -> TokenStream {
    let runtime = &args.runtime;
    match &args.err {
        None | Some(ErrMode::ByType | ErrMode::Off) => {
            generated!(#runtime::macro_support::probe(#value).__dd_describe())
        }
        Some(ErrMode::Display) => described(args, Argument::Err, "worded", "__dd_display", value),
        Some(ErrMode::Debug) => described(args, Argument::Err, "worded", "__dd_debug", value),
        Some(ErrMode::Mapped(function)) => {
            let mapped = generated!(#runtime::macro_support::mapped(#value, #function));
            generated!(#runtime::macro_support::probe(&#mapped, true).__dd_describe())
        }
    }
}

/// A description by a method of its own choice. It stands where the user wrote the argument: a type that does not offer
/// that text is an error there.
fn described(args: &Args, argument: Argument, look: &str, method: &str, value: &TokenStream) -> TokenStream {
    let runtime = &args.runtime;
    let place = Span::mixed_site().located_at(args.written_at(argument).unwrap_or_else(Span::mixed_site));
    let (look, method) = (Ident::new(look, place), Ident::new(method, place));
    quote_spanned!(place=> #runtime::macro_support::#look(#value).#method())
}
