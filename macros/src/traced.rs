//! The attribute as a function from tokens to tokens: parse, classify, expand.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::classify::{check, classify};
use crate::diagnostics::Diagnostics;
use crate::expand::expand;
use crate::item::Item;

/// The expansion; on an error, the diagnostics and the item untouched. Where tracing is compiled out, the
/// arguments are checked all the same.
pub(crate) fn traced(args: TokenStream, item: TokenStream, enabled: bool) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let mut args = Args::parse(args, &mut diagnostics);
    let expanded = match Item::find(item.clone()) {
        Item::Function(function) => {
            check(&function, &mut args, &mut diagnostics);
            (enabled && diagnostics.is_empty()).then(|| expand(&function, &args, &classify(&function, &args)))
        }
        Item::Refused(error) => {
            diagnostics.foreign(error);
            None
        }
        Item::HalfTyped => None,
    };
    let mut tokens = diagnostics.into_tokens();
    tokens.extend(expanded.unwrap_or(item));
    tokens
}

#[cfg(test)]
mod tests;
