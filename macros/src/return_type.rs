//! What the tokens of a return type say about it.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

use crate::tokens::{Angles, is_ident, is_punct, last_segment, visible};

/// Whether it is a path whose last segment ends in `Result`.
pub(crate) fn is_result(written: &TokenStream) -> bool {
    let tokens = visible(written.clone());
    let is_path = tokens.first().is_some_and(|first| match first {
        TokenTree::Ident(word) => NOT_A_PATH.iter().all(|keyword| word != keyword),
        first => is_punct(first, ':') || is_punct(first, '<'),
    });
    is_path && last_segment(&tokens).is_some_and(|segment| segment.ends_with("Result"))
}

/// Words that begin a type which is no path.
const NOT_A_PATH: [&str; 6] = ["impl", "dyn", "fn", "for", "unsafe", "extern"];

/// The type as it can be named inside the function: each `impl Trait` is replaced by `_`. It is a copy, and as such foreign to lints.
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
            // A macro is found, and its arguments are read, where the user wrote them.
            TokenTree::Ident(_) if tokens.peek().is_some_and(|next| is_punct(next, '!')) => {
                nameable.extend([token]);
                nameable.extend(tokens.by_ref().take(2));
            }
            // So is a lifetime.
            token if is_punct(&token, '\'') => {
                nameable.extend([token]);
                nameable.extend(tokens.next());
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
            token => nameable.extend([foreign(token)]),
        }
    }
    nameable
}

/// The token at its place, but generated. What `$crate` means depends on its origin.
fn foreign(mut token: TokenTree) -> TokenTree {
    if !is_ident(&token, "$crate") {
        token.set_span(Span::mixed_site().located_at(token.span()));
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> TokenStream {
        source.parse().unwrap()
    }

    #[test]
    fn a_result_is_known_by_its_last_segment() {
        for result in ["Result<u8, E>", "::std::io::Result<()>", "PyResult<T>", "<T as Trait<A>>::Result"] {
            assert!(is_result(&tokens(result)), "{result}");
        }
        for other in
            ["Option<Result<u8, E>>", "&Result<u8, E>", "impl Into<Result<A, B>>", "(A, Result)", "Results"]
        {
            assert!(!is_result(&tokens(other)), "{other}");
        }
    }

    #[test]
    fn impl_trait_cannot_be_named() {
        let named = |source| nameable(tokens(source)).to_string().replace(' ', "");
        assert_eq!(named("impl Fn(u8) -> u8 + 'a"), "_");
        assert_eq!(named("Result<impl Iterator<Item = Vec<u8>> + Send, E>"), "Result<_,E>");
        assert_eq!(named("(impl A, &'a [impl B; 2])"), "(_,&'a[_;2])");
        assert_eq!(named("Box<dyn Iterator<Item = impl A>>"), "Box<dynIterator<Item=_>>");
    }
}
