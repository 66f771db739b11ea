//! Values are borrowed where they are recorded, so that the body still has them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Expr;

use super::input::bare;

/// `&EXPR`, with parentheses where the `&` would take only a part of it.
pub(super) fn borrowed(value: Expr) -> TokenStream {
    let value = bare(value);
    let splits = matches!(value, Expr::Assign(_) | Expr::Binary(_) | Expr::Cast(_) | Expr::Range(_));
    let tokens = value.into_token_stream();
    if splits { borrowed_place(&quote_spanned!(at(&tokens)=> (#tokens))) } else { borrowed_place(&tokens) }
}

/// `&PLACE`
pub(super) fn borrowed_place(place: &TokenStream) -> TokenStream {
    quote_spanned!(at(place)=> &#place)
}

/// Generated, for lints and names, but where the user's first token stands: errors about the type of the value
/// are reported there.
fn at(tokens: &TokenStream) -> Span {
    let first = tokens.clone().into_iter().next();
    first.map_or_else(Span::mixed_site, |first| Span::mixed_site().located_at(first.span()))
}
