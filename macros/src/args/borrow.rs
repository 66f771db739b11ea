//! What is recorded is taken where it is computed and borrowed where it lives, so that the body still has it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{Expr, UnOp};

use super::input::bare;
use crate::tokens::at;

/// A value that outlives the closure it is written in: `&PLACE`, and any other expression by value, because a
/// reference to something temporary could not leave the closure.
pub(super) fn taken(value: Expr) -> TokenStream {
    let value = bare(value);
    if is_place(&value) { borrowed_place(&value.into_token_stream()) } else { value.into_token_stream() }
}

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

/// Whether the expression names something that exists already: a path, and what is reached from one by fields,
/// indexes and `*`.
fn is_place(value: &Expr) -> bool {
    match value {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => is_place(&index.expr),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)) && is_place(&unary.expr),
        Expr::Paren(inner) => is_place(&inner.expr),
        Expr::Group(inner) => is_place(&inner.expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(take: fn(Expr) -> TokenStream, source: &str) -> String {
        take(syn::parse_str(source).unwrap()).to_string().replace(' ', "")
    }

    #[test]
    fn places_are_borrowed_and_values_are_taken() {
        for place in ["id", "self.shard", "self.items[0].name", "*id", "crate::NAME", "(pair).0.1"] {
            assert_eq!(by(taken, place), format!("&{place}"));
        }
        for value in
            ["items.len()", "find().name", "*guard.lock()", "1", "&id", "-id", "a+b", "format!(\"x\")"]
        {
            assert_eq!(by(taken, value), value);
        }
    }

    #[test]
    fn what_is_only_read_is_always_borrowed() {
        assert_eq!(by(borrowed, "items.len()"), "&items.len()");
        assert_eq!(by(borrowed, "a + b"), "&(a+b)");
        assert_eq!(by(borrowed, "a as u8"), "&(aasu8)");
    }
}
