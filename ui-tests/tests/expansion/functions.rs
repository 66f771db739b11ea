//! The functions of a file, those in blocks included.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{File, ImplItem, Item, ItemFn, TraitItem};

/// The functions with a body, by name; `Type::name` within a block.
pub(crate) fn functions(file: &File) -> BTreeMap<String, ItemFn> {
    file.items.iter().flat_map(of_item).collect()
}

fn of_item(item: &Item) -> Vec<(String, ItemFn)> {
    match item {
        Item::Fn(function) => vec![(function.sig.ident.to_string(), free(function))],
        Item::Impl(block) => {
            let owner = block.self_ty.to_token_stream();
            let functions = block.items.iter().filter_map(|item| match item {
                ImplItem::Fn(function) => Some(free(function)),
                _ => None,
            });
            functions.map(|function| (format!("{owner}::{}", function.sig.ident), function)).collect()
        }
        Item::Trait(block) => {
            let functions = block.items.iter().filter_map(|item| match item {
                TraitItem::Fn(function) if function.default.is_some() => Some(free(function)),
                _ => None,
            });
            functions.map(|function| (format!("{}::{}", block.ident, function.sig.ident), function)).collect()
        }
        _ => Vec::new(),
    }
}

/// The same function outside of its block.
fn free(function: impl ToTokens) -> ItemFn {
    syn::parse2(function.to_token_stream()).expect("a method reads as a function")
}

/// As `cargo expand` prints it.
pub(crate) fn printed(function: ItemFn) -> String {
    let mut file = crate::recording::parse("");
    file.items.push(Item::Fn(function));
    prettyplease::unparse(&file)
}

/// With short paths and `SITE` for the call site: no line is broken because a name is long.
pub(crate) fn shortened(function: &ItemFn) -> ItemFn {
    syn::parse2(shorten(function.to_token_stream())).expect("a shorter function is a function")
}

fn shorten(tokens: TokenStream) -> TokenStream {
    let mut shortened = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "macro_support" => {
                // The `::` behind it.
                tokens.next();
                tokens.next();
            }
            TokenTree::Ident(word) if word == "const" && tokens.peek().is_some_and(is_call_site) => {
                tokens.next();
                shortened.extend([TokenTree::Ident(Ident::new("SITE", Span::call_site()))]);
            }
            TokenTree::Group(group) => {
                let inside = shorten(group.stream());
                shortened.extend([TokenTree::Group(Group::new(group.delimiter(), inside))]);
            }
            token => shortened.extend([token]),
        }
    }
    shortened
}

fn is_call_site(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group)
        if group.delimiter() == Delimiter::Brace && group.to_string().contains("CallSite"))
}
