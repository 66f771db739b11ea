//! What the tokens of a return type say about it.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

use crate::tokens::{Angles, is_ident, is_punct, visible};

/// Whether it is a path whose last segment ends in `Result`.
pub(crate) fn is_result(written: &TokenStream) -> bool {
    let tokens = visible(written.clone());
    let mut angles = Angles::default();
    let mut last = None;
    for token in &tokens {
        angles.step(token);
        match token {
            TokenTree::Ident(word) if angles.is_outside() => {
                let word = word.to_string();
                if matches!(word.as_str(), "impl" | "dyn" | "fn" | "for" | "unsafe" | "extern") {
                    return false;
                }
                last = Some(word);
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), '&' | '*' | '!') => return false,
            _ => {}
        }
    }
    last.is_some_and(|word| word.ends_with("Result"))
}

/// The type with each `impl Trait` replaced by `_`, so that it can be named inside the function.
pub(crate) fn nameable(written: TokenStream) -> TokenStream {
    let mut nameable = TokenStream::new();
    let mut tokens = written.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let mut copy = Group::new(group.delimiter(), self::nameable(group.stream()));
                copy.set_span(group.span());
                nameable.extend([TokenTree::Group(copy)]);
            }
            token if is_ident(&token, "impl") => {
                let mut angles = Angles::default();
                while let Some(next) = tokens.peek() {
                    let ends = is_punct(next, ',') || is_punct(next, ';') || is_punct(next, '=');
                    if (ends && angles.is_outside()) || !angles.step(next) {
                        break;
                    }
                    tokens.next();
                }
                nameable.extend([TokenTree::Ident(Ident::new("_", Span::mixed_site()))]);
            }
            token => nameable.extend([token]),
        }
    }
    nameable
}
