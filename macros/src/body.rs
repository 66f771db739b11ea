//! The body of the user's function: put behind generated statements, never parsed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::item::Header;
use crate::tokens::{is_group, is_ident, is_punct, split_at, visible};

/// Words that begin an item, beside `const` and `union`, which begin something else as well.
const ITEM_KEYWORDS: [&str; 10] =
    ["fn", "static", "use", "struct", "enum", "trait", "impl", "type", "mod", "extern"];

/// A body, taken apart as far as needed.
pub(crate) struct Body {
    /// `#![...]` and `//!`, which have to stay in front.
    pub(crate) inner_attributes: TokenStream,
    /// The statements, without the inner attributes, in braces of the user's edition.
    pub(crate) block: Group,
}

impl Body {
    pub(crate) fn new(body: &Group) -> Self {
        let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        let attributes = inner_attributes_len(&tokens);
        if attributes == 0 {
            return Self { inner_attributes: TokenStream::new(), block: body.clone() };
        }
        let (inner_attributes, statements) = tokens.split_at(attributes);
        Self {
            inner_attributes: inner_attributes.iter().cloned().collect(),
            block: braces_like(body, statements.iter().cloned().collect()),
        }
    }

    /// The statements, ready to stand behind a generated one. Items among them stay in a block of their own,
    /// or they would be items after a statement.
    pub(crate) fn after_statement(&self) -> TokenStream {
        if has_items(self.block.stream()) {
            TokenTree::Group(self.block.clone()).into()
        } else {
            self.block.stream()
        }
    }

    /// `content` in the place of this body.
    pub(crate) fn replaced_by(&self, content: TokenStream) -> Group {
        let mut tokens = self.inner_attributes.clone();
        tokens.extend(content);
        braces_like(&self.block, tokens)
    }
}

/// A body that is nothing but `async { .. }` or `Box::pin(async { .. })`.
pub(crate) struct SoleFuture {
    /// `Box::pin`, or nothing.
    pub(crate) pin: TokenStream,
    /// The block, with its `async` and `move`.
    pub(crate) block: TokenStream,
}

impl SoleFuture {
    pub(crate) fn find(body: &Group) -> Option<Self> {
        let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        if is_async_block(&tokens) {
            return Some(Self { pin: TokenStream::new(), block: body.stream() });
        }
        let (last, path) = tokens.split_last()?;
        let TokenTree::Group(arguments) = last else { return None };
        let [.., boxed, _, _, pin] = path else { return None };
        let is_path = path.iter().all(|token| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':'));
        if !(is_path && is_ident(boxed, "Box") && is_ident(pin, "pin")) {
            return None;
        }
        let block = split_at(',', arguments.stream());
        let is_sole =
            is_group(last, Delimiter::Parenthesis) && matches!(&block[..], [block] if is_async_block(block));
        is_sole.then(|| Self {
            pin: path.iter().cloned().collect(),
            block: block.into_iter().flatten().collect(),
        })
    }
}

fn is_async_block(tokens: &[TokenTree]) -> bool {
    let (keyword, block) = match tokens {
        [keyword, block] => (keyword, block),
        [keyword, word, block] if is_ident(word, "move") => (keyword, block),
        _ => return false,
    };
    is_ident(keyword, "async") && is_group(block, Delimiter::Brace)
}

/// Braces with the span of `original`: its edition decides how long temporaries of the last expression live.
pub(crate) fn braces_like(original: &Group, content: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(original.span());
    group
}

pub(crate) fn inner_attributes_len(tokens: &[TokenTree]) -> usize {
    let mut len = 0;
    while let [hash, bang, group, ..] = &tokens[len..] {
        if !(is_punct(hash, '#') && is_punct(bang, '!') && is_group(group, Delimiter::Bracket)) {
            break;
        }
        len += 3;
    }
    len
}

/// Whether an item begins where a statement can: at the start, and behind a semicolon or braces.
fn has_items(statements: TokenStream) -> bool {
    let tokens = visible(statements);
    let mut begins = true;
    (0..tokens.len()).any(|index| {
        let is_item = begins && begins_item(&tokens[index..]);
        begins = match &tokens[index] {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => begins,
            token => is_punct(token, ';') || is_group(token, Delimiter::Brace),
        };
        is_item
    })
}

fn begins_item(statement: &[TokenTree]) -> bool {
    if let [TokenTree::Group(fragment), ..] = statement {
        if fragment.delimiter() == Delimiter::None && has_items(fragment.stream()) {
            return true;
        }
    }
    let Some(header) = Header::read(statement) else { return false };
    let behind = statement.get(header.keyword + 1);
    match &statement[header.keyword] {
        TokenTree::Ident(word) if word == "union" => matches!(behind, Some(TokenTree::Ident(_))),
        TokenTree::Ident(word) => {
            header.const_at.is_some() || ITEM_KEYWORDS.iter().any(|keyword| word == keyword)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> bool {
        has_items(body.parse().unwrap())
    }

    #[test]
    fn items_are_found_where_statements_begin() {
        for body in [
            "fn f() {} f()",
            "let a = 1; const B: u8 = 2; a + B",
            "if a { b() } #[cfg(test)] pub(crate) union U { a: u8 }",
            "const _: () = ();",
            "unsafe extern \"C\" fn f() {}",
            "extern crate alloc;",
            "const fn f() {}",
            "use a::b; b()",
        ] {
            assert!(found(body), "{body}");
        }
    }

    #[test]
    fn the_words_of_items_elsewhere_are_none() {
        for body in [
            "a.union(b).count()",
            "union",
            "union + 1",
            "const { 1 + 2 }",
            "main as fn() as usize",
            "let f: fn() = g; f()",
            "async move { a }",
            "unsafe { a }",
            "match a { _ => {} } union.len()",
        ] {
            assert!(!found(body), "{body}");
        }
    }
}
