//! Looking at token trees without parsing them.

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// Quotes tokens that lints take for foreign code and whose local names cannot meet the user's.
macro_rules! generated {
    ($($tokens:tt)*) => { ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*) };
}
pub(crate) use generated;

/// Generated, for lints and names, but where the user's first token stands: errors about the type of the value
/// are reported there.
pub(crate) fn at(tokens: &TokenStream) -> Span {
    let first = tokens.clone().into_iter().next();
    first.map_or_else(Span::mixed_site, |first| Span::mixed_site().located_at(first.span()))
}

pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

pub(crate) fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

pub(crate) fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// The tokens, taken out of an invisible group that holds all of them: `macro_rules` fragments arrive in one.
pub(crate) fn visible(tokens: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => visible(group.stream()),
        _ => tokens,
    }
}

/// Whether the tokens, groups included, contain the word.
pub(crate) fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), word),
        other => is_ident(&other, word),
    })
}

/// The pieces between separators that stand outside of `<...>`.
pub(crate) fn split_at(separator: char, tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut pieces = vec![Vec::new()];
    let mut angles = Angles::default();
    for token in tokens {
        angles.step(&token);
        if is_punct(&token, separator) && angles.is_outside() {
            pieces.push(Vec::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(token);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// How many tokens the `<...>` at the start takes; none if there is none.
pub(crate) fn generics_len(tokens: &[TokenTree]) -> usize {
    if !tokens.first().is_some_and(|token| is_punct(token, '<')) {
        return 0;
    }
    let mut angles = Angles::default();
    let closes = |token: &TokenTree| {
        angles.step(token);
        angles.is_outside()
    };
    tokens.iter().position(closes).map_or(tokens.len(), |closing| closing + 1)
}

/// The last word outside of `<...>`, without `r#`: the last segment of a path.
pub(crate) fn last_segment(tokens: &[TokenTree]) -> Option<String> {
    let mut angles = Angles::default();
    let mut last = None;
    for token in tokens {
        angles.step(token);
        if let TokenTree::Ident(word) = token {
            if angles.is_outside() {
                last = Some(word.unraw().to_string());
            }
        }
    }
    last
}

/// The last segment of a path, with its generic arguments.
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Vec<TokenTree>>,
}

impl Segment {
    /// `None` if the tokens are no path.
    pub(crate) fn last_of(tokens: &[TokenTree]) -> Option<Self> {
        let mut last = None;
        let mut rest = tokens;
        while let Some(token) = rest.first() {
            let len = match token {
                TokenTree::Ident(word) => {
                    last = Some(Self { name: word.unraw().to_string(), arguments: Vec::new() });
                    1
                }
                token if is_punct(token, ':') => 1,
                token if is_punct(token, '<') => {
                    let len = generics_len(rest);
                    if let (Some(last), Some(inside)) = (&mut last, rest.get(1..len - 1)) {
                        last.arguments = split_at(',', inside.iter().cloned().collect());
                    }
                    len
                }
                _ => return None,
            };
            rest = &rest[len..];
        }
        last
    }

    /// The generic arguments without the lifetimes, which come first.
    pub(crate) fn types(&self) -> &[Vec<TokenTree>] {
        let is_lifetime =
            |argument: &&Vec<TokenTree>| argument.first().is_some_and(|first| is_punct(first, '\''));
        &self.arguments[self.arguments.iter().take_while(is_lifetime).count()..]
    }
}

/// The depth of `<...>`; the `>` of an arrow closes nothing.
#[derive(Default)]
pub(crate) struct Angles {
    depth: usize,
    after_dash: bool,
}

impl Angles {
    /// Moves past `token`. False when it closes more than was opened.
    pub(crate) fn step(&mut self, token: &TokenTree) -> bool {
        let TokenTree::Punct(punct) = token else {
            self.after_dash = false;
            return true;
        };
        let is_arrow = self.after_dash;
        self.after_dash = punct.as_char() == '-' && punct.spacing() == Spacing::Joint;
        match punct.as_char() {
            '<' => self.depth += 1,
            '>' if is_arrow => {}
            '>' if self.depth == 0 => return false,
            '>' => self.depth -= 1,
            _ => {}
        }
        true
    }

    pub(crate) fn is_outside(&self) -> bool {
        self.depth == 0
    }
}
