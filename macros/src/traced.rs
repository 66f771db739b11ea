//! The attribute as a function from tokens to tokens: parse, classify, expand.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::block::Block;
use crate::classify::{bind_tags, check, check_block, check_member, classify};
use crate::diagnostics::Diagnostics;
use crate::expand::expand;
use crate::function::Function;
use crate::item::Item;

/// The expansion; on an error, the diagnostics and the item untouched. Where tracing is compiled out, the
/// arguments are checked all the same.
pub(crate) fn traced(args: TokenStream, item: TokenStream, enabled: bool) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let mut args = Args::parse(args, &mut diagnostics);
    let (plain, expanded) = match Item::find(item.clone()) {
        Item::Function(function) => {
            check(&function, &args, &mut diagnostics);
            (item, traced_function(&function, &mut args, &mut diagnostics))
        }
        Item::Block(block) => {
            check_block(&block, &args, &mut diagnostics);
            (block.map_items(|_| None), traced_block(&block, &mut args, &mut diagnostics))
        }
        Item::Refused(error) => {
            diagnostics.foreign(error);
            (item, TokenStream::new())
        }
        Item::HalfTyped => (item.clone(), item),
    };
    if enabled && diagnostics.is_empty() {
        return expanded;
    }
    let mut tokens = diagnostics.into_tokens();
    tokens.extend(plain);
    tokens
}

fn traced_function(function: &Function, args: &mut Args, diagnostics: &mut Diagnostics) -> TokenStream {
    bind_tags(function, args, diagnostics);
    expand(function, args, classify(function, args))
}

/// Every function of the block; `const fn`s and declarations without a body are passed over.
fn traced_block(block: &Block, args: &mut Args, diagnostics: &mut Diagnostics) -> TokenStream {
    block.map_items(|item| {
        let Item::Function(mut function) = Item::find(item) else { return None };
        function.owner.clone_from(&block.owner);
        check_member(&function, args, diagnostics);
        Some(traced_function(&function, args, diagnostics))
    })
}

#[cfg(test)]
mod tests;
