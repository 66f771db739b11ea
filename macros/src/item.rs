//! What the attribute stands on: a function, or something to refuse.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::block::Block;
use crate::function::Function;
use crate::tokens::{is_group, is_ident, is_punct, mentions, visible};

/// The item under the attribute.
pub(crate) enum Item {
    Function(Box<Function>),
    Block(Block),
    /// An item the attribute does not work on.
    Refused(syn::Error),
    /// Not a whole item; the compiler says what is missing.
    HalfTyped,
}

/// What stands before the keyword of an item, and where the keyword is.
#[derive(Default)]
pub(crate) struct Header {
    /// Index of `fn`, `struct`, ...
    pub(crate) keyword: usize,
    pub(crate) is_async: bool,
    pub(crate) const_at: Option<Span>,
    pub(crate) is_track_caller: bool,
}

impl Item {
    pub(crate) fn find(item: TokenStream) -> Self {
        let tokens = visible(item);
        let Some(header) = Header::read(&tokens) else { return Self::HalfTyped };
        let keyword = &tokens[header.keyword];
        if is_ident(keyword, "fn") {
            return Function::find(&tokens, &header);
        }
        if is_ident(keyword, "impl") || is_ident(keyword, "trait") {
            return Block::find(&tokens, &header).map_or(Self::HalfTyped, Self::Block);
        }
        let (found, place) = match header.const_at {
            Some(place) => ("const".to_owned(), place),
            None => (keyword.to_string(), keyword.span()),
        };
        let hint = if found == "mod" { "; annotate the functions inside" } else { "" };
        let message =
            format!("`#[traced]` works on functions, `impl` blocks and traits; found `{found}`{hint}");
        Self::Refused(syn::Error::new(place, message))
    }
}

impl Header {
    /// Passes over attributes, visibility and qualifiers. `None` if no keyword follows.
    pub(crate) fn read(tokens: &[TokenTree]) -> Option<Self> {
        let mut header = Self::default();
        loop {
            let token = tokens.get(header.keyword)?;
            let next = tokens.get(header.keyword + 1);
            header.keyword += match token {
                TokenTree::Punct(_) if is_punct(token, '#') => {
                    let Some(TokenTree::Group(attribute)) = next else { return None };
                    header.is_track_caller |= mentions(attribute.stream(), "track_caller");
                    2
                }
                // The invisible group of a `$vis:vis`.
                TokenTree::Group(group) if group.delimiter() == Delimiter::None => 1,
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "pub" if next.is_some_and(|next| is_group(next, Delimiter::Parenthesis)) => 2,
                    "extern" if is_abi(tokens.get(header.keyword + 1..)) => 2,
                    "pub" | "default" | "unsafe" | "safe" => 1,
                    "extern" if next.is_some_and(|next| is_ident(next, "fn")) => 1,
                    "async" => {
                        header.is_async = true;
                        1
                    }
                    "const" => {
                        header.const_at = Some(word.span());
                        1
                    }
                    _ => return Some(header),
                },
                _ => return header.const_at.map(|_| header),
            };
        }
    }
}

/// Whether a literal follows, and it is not the head of an `extern` block.
fn is_abi(behind: Option<&[TokenTree]>) -> bool {
    matches!(behind, Some([TokenTree::Literal(_), next, ..]) if !is_group(next, Delimiter::Brace))
}
