//! Writes the expansion: the user's function with a span around its body.
//!
//! Everything generated has the span `mixed_site`: its local names cannot meet the user's, and lints treat it
//! as foreign. Only what the user wrote keeps the user's spans.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote_spanned;

use crate::args::{Args, Capture, ErrMode, Tag, Text};
use crate::body::{Body, braces_like};
use crate::classify::{FutureOutput, Shape};
use crate::function::Function;

macro_rules! generated {
    ($($tokens:tt)*) => { quote_spanned!(Span::mixed_site()=> $($tokens)*) };
}

/// The function with its body in the given shape.
pub(crate) fn expand(function: &Function, args: &Args, shape: &Shape) -> TokenStream {
    let body = Body::new(&function.body);
    let content = match shape {
        Shape::Guard => guard(function, args, &body),
        Shape::InScope { output } => in_scope(function, args, &body, output),
        Shape::Future { output, sees_return } => future(function, args, &body, output, *sees_return),
    };
    function.with_body(&body.replaced_by(content))
}

/// ```text
/// fn area(w: u32, h: u32) -> u32 { w * h }
/// fn area(w: u32, h: u32) -> u32 { let _span = span(SITE).enter(); w * h }
/// ```
fn guard(function: &Function, args: &Args, body: &Body) -> TokenStream {
    let span = span_expression("span", function, args);
    let statements = body.after_statement();
    generated!(let _span = #span.enter(); #statements)
}

/// ```text
/// fn load(id: u64) -> Result<User, LoadError> { find(id)?.user() }
/// fn load(id: u64) -> Result<User, LoadError> {
///     return span(SITE).in_scope(|| -> Result<User, LoadError> { find(id)?.user() }, |ret| error_of!(ret));
/// }
/// ```
fn in_scope(function: &Function, args: &Args, body: &Body, output: &TokenStream) -> TokenStream {
    let span = span_expression("span", function, args);
    let block = &body.block;
    let on_return = on_return(args);
    generated!(return #span.in_scope(|| -> #output #block, #on_return);)
}

/// ```text
/// async fn load(id: u64) -> User { find(id).await }
/// async fn load(id: u64) -> User {
///     return async_span(SITE).run(async move { if false { return returns::<User>(); } find(id).await }).await;
/// }
/// ```
fn future(
    function: &Function,
    args: &Args,
    body: &Body,
    output: &FutureOutput,
    sees_return: bool,
) -> TokenStream {
    let runtime = &args.runtime;
    let span = span_expression("async_span", function, args);
    // The type of the block is fixed first, so that early returns coerce to it.
    let hint = match output {
        FutureOutput::Unit => generated!(if false {
            return;
        }),
        FutureOutput::Never => TokenStream::new(),
        FutureOutput::Value(output) => {
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
    let call = generated!(#span.run(async move #block)#on_return.await);
    if matches!(output, FutureOutput::Never) {
        generated!(#call; #runtime::macro_support::never())
    } else {
        generated!(return #call;)
    }
}

/// The closure that looks at the returned value.
fn on_return(args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    match &args.err {
        ErrMode::ByType | ErrMode::Off => generated!(|ret| #runtime::macro_support::error_of!(ret)),
        ErrMode::Display => generated!(|ret| #runtime::macro_support::error_display(ret)),
        ErrMode::Debug => generated!(|ret| #runtime::macro_support::error_debug(ret)),
        ErrMode::Mapped(function) => generated!(
            |ret| #runtime::macro_support::error_of!(&#runtime::macro_support::mapped(ret, #function))
        ),
    }
}

/// `span(SITE)`, with a closure for what is computed from the arguments.
fn span_expression(entry: &str, function: &Function, args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    let entry = Ident::new(entry, Span::mixed_site());
    let site = call_site(function, args);
    let tags = tags_closure(args);
    generated!(#runtime::macro_support::#entry(const { &#site }) #tags)
}

/// The data of the call site that never changes.
fn call_site(function: &Function, args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    let mut site = match &args.name {
        Some(Text::Literal(name)) => generated!(#runtime::macro_support::CallSite::named(#name)),
        Some(Text::Computed(name)) => generated!(#runtime::macro_support::CallSite::named(#name)),
        None => {
            let mut name = Literal::string(&function.label());
            name.set_span(Span::mixed_site());
            generated!(#runtime::macro_support::CallSite::function(
                #runtime::macro_support::module_path!(),
                #name
            ))
        }
    };
    if let Some(Text::Literal(service)) = &args.service {
        site.extend(generated!(.service(#service)));
    }
    if let Some(Text::Literal(resource)) = &args.resource {
        site.extend(generated!(.resource(#resource)));
    }
    if let Some(Text::Literal(span_type)) = &args.span_type {
        site.extend(generated!(.span_type(#span_type)));
    }
    if args.measured {
        site.extend(generated!(.measured(true)));
    }
    site
}

/// `.tags(|tags| tags.tag("key", &value))`, or nothing. It runs only when the span is recorded.
fn tags_closure(args: &Args) -> TokenStream {
    let mut steps: Vec<(TokenStream, TokenStream)> = Vec::new();
    let texts = [("service", &args.service), ("resource", &args.resource), ("span_type", &args.span_type)];
    for (method, text) in texts {
        if let Some(Text::Computed(value)) = text {
            let method = Ident::new(method, Span::mixed_site());
            steps.push((TokenStream::new(), generated!(.#method(#value))));
        }
    }
    if let Some(kind) = &args.kind {
        steps.push((TokenStream::new(), generated!(.tag("span.kind", #kind))));
    }
    steps.extend(args.tags.iter().map(|tag| (tag.cfg.clone(), tag_step(tag))));
    if steps.is_empty() {
        return TokenStream::new();
    }
    if steps.iter().all(|(cfg, _)| cfg.is_empty()) {
        let steps = steps.iter().map(|(_, step)| step);
        return generated!(.tags(|tags| tags #(#steps)*));
    }
    // An attribute can stand on a statement, but not inside a chain.
    let steps = steps.iter().map(|(cfg, step)| generated!(#cfg let tags = tags #step;));
    generated!(.tags(|tags| { #(#steps)* tags }))
}

/// One link of the chain. Values are borrowed, so that the body still has them.
fn tag_step(tag: &Tag) -> TokenStream {
    let method = match tag.capture {
        Capture::Value => "tag",
        Capture::Debug => "debug",
        Capture::Display => "display",
    };
    let method = Ident::new(method, Span::mixed_site());
    let (key, value) = (tag.key_literal(), &tag.value);
    generated!(.#method(#key, &#value))
}
