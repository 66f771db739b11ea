//! Small steps over the argument tokens. None of them fails: what cannot be read is reported and passed over.

use proc_macro2::{Delimiter, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, Ident, Lit, LitStr, Token};

use crate::diagnostics::Diagnostics;

/// Whether the current argument ends here.
pub(super) fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Whether a single `=` follows.
pub(super) fn is_equals(input: ParseStream<'_>) -> bool {
    input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>])
}

/// The opening bracket that follows, if one does.
pub(super) fn opening_bracket(input: ParseStream<'_>) -> Option<Span> {
    match next_token(input)? {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => Some(group.span_open()),
        _ => None,
    }
}

/// Where an error about the next token belongs.
pub(super) fn place(input: ParseStream<'_>) -> Span {
    opening_bracket(input).unwrap_or_else(|| input.span())
}

/// The string literal that follows, left in place.
pub(super) fn peek_str(input: ParseStream<'_>) -> Option<LitStr> {
    input.fork().parse::<LitStr>().ok()
}

/// An identifier, keywords included.
pub(super) fn any_ident(input: ParseStream<'_>) -> Option<Ident> {
    if input.peek(Ident::peek_any) { input.call(Ident::parse_any).ok() } else { None }
}

/// An expression; errors of its syntax are reported as the parser words them.
pub(super) fn expression(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Option<Expr> {
    match input.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            diagnostics.foreign(error);
            None
        }
    }
}

/// Reads the parentheses that follow with `read`, which reports an error where it gives `None`. What it leaves otherwise is an error,
/// worded by `rest`.
pub(super) fn parenthesized<T>(
    input: ParseStream<'_>,
    diagnostics: &mut Diagnostics,
    rest: &str,
    read: impl FnOnce(ParseStream<'_>, &mut Diagnostics) -> Option<T>,
) -> Option<T> {
    let enter = || -> syn::Result<Option<T>> {
        let inside;
        syn::parenthesized!(inside in input);
        let value = read(&inside, diagnostics);
        if value.is_some() && !inside.is_empty() {
            diagnostics.error(place(&inside), rest);
        }
        skip(&inside, |_| false);
        Ok(value)
    };
    enter().ok().flatten()
}

/// Passes over the rest of the current argument.
pub(super) fn skip_to_comma(input: ParseStream<'_>) {
    skip(input, |input| input.peek(Token![,]));
}

/// Takes the comma after an argument, or reports that it is missing. Then reading goes on behind the next comma,
/// or right here if `is_next` knows what follows.
pub(super) fn comma(
    input: ParseStream<'_>,
    diagnostics: &mut Diagnostics,
    is_next: impl FnOnce(ParseStream<'_>) -> bool,
) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    diagnostics.error(place(input), "expected `,`");
    if !is_next(input) {
        skip_to_comma(input);
        let _: Option<Token![,]> = input.parse().ok();
    }
}

/// The expression without the invisible groups in which `macro_rules` fragments arrive.
pub(super) fn bare(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => bare(*group.expr),
        other => other,
    }
}

/// An expression, with literals told apart from everything else.
pub(super) enum Value {
    Literal(Lit),
    Computed(Expr),
}

impl Value {
    pub(super) fn of(expression: Expr) -> Self {
        match bare(expression) {
            Expr::Lit(literal) => Self::Literal(literal.lit),
            other => Self::Computed(other),
        }
    }
}

fn next_token(input: ParseStream<'_>) -> Option<TokenTree> {
    input.fork().parse().ok()
}

fn skip(input: ParseStream<'_>, stop: impl Fn(ParseStream<'_>) -> bool) {
    while !input.is_empty() && !stop(input) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
