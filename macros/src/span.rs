//! The expression that starts a span: its call site, and the closure for what is computed from the arguments.

use proc_macro2::{Ident, Literal, Span, TokenStream};

use crate::args::{Args, Capture, Tag, Text};
use crate::function::Function;
use crate::tokens::{at, generated};

/// `span(SITE)`, or another entry of the runtime. A span with a place of its own is always an owned one.
pub(crate) fn start(entry: &str, function: &Function, args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    let entry = if args.is_placed() { "owned_span" } else { entry };
    let entry = Ident::new(entry, Span::mixed_site());
    let site = call_site(function, args);
    generated!(#runtime::macro_support::#entry(const { &#site }))
}

/// `.tags(|tags| tags.tag("key", &value))`, or nothing. It runs only when the span is recorded.
pub(crate) fn tags(args: &Args) -> TokenStream {
    let mut steps: Vec<(TokenStream, TokenStream)> = Vec::new();
    let texts = [("service", &args.service), ("resource", &args.resource), ("span_type", &args.span_type)];
    for (method, text) in texts {
        if let Some(Text::Computed(value)) = text {
            let method = Ident::new(method, at(value));
            steps.push((TokenStream::new(), generated!(.#method(#value))));
        }
    }
    let computed = args.tags.iter().filter(|tag| !tag.is_of_site());
    steps.extend(computed.map(|tag| (tag.cfg.clone(), tag_step(tag))));
    steps.extend(args.links.iter().map(|link| (TokenStream::new(), generated!(.link(#link)))));
    // The place is the end of the chain.
    if args.root {
        steps.push((TokenStream::new(), generated!(.root())));
    } else if let Some(parent) = &args.parent {
        steps.push((TokenStream::new(), generated!(.parent(#parent))));
    }
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

/// One link of the chain.
fn tag_step(tag: &Tag) -> TokenStream {
    let method = match tag.capture {
        _ if tag.decides() => "decide",
        Capture::Value => "tag",
        Capture::Debug => "debug",
        Capture::Display => "display",
    };
    let method = Ident::new(method, at(&tag.value));
    let (key, value) = (tag.key_literal(), &tag.value);
    let special = tag.is_special().then(|| generated!(.special()));
    generated!(.#method(#key, #value) #special)
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
    let kind = args.kind.iter().map(|kind| generated!(("span.kind", #kind)));
    let constant = args.tags.iter().filter(|tag| tag.is_of_site()).map(|tag| {
        let (key, value) = (tag.key_literal(), &tag.value);
        generated!((#key, #value))
    });
    let tags: Vec<TokenStream> = kind.chain(constant).collect();
    if !tags.is_empty() {
        site.extend(generated!(.tags(&[#(#tags),*])));
    }
    site
}
