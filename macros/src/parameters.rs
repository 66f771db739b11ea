//! The names a function's arguments bind, read from the argument tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tokens::{is_group, is_ident, is_punct, mentions, split_at, visible};

/// One name that an argument binds.
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// The `#[cfg(...)]` attributes of its argument.
    pub(crate) cfg: TokenStream,
}

/// All names that the arguments bind, `self` included.
pub(crate) fn names(parameters: &Group) -> Vec<Parameter> {
    let mut names = Vec::new();
    for argument in split_at(',', parameters.stream()) {
        let (cfg, argument) = split_attributes(&argument);
        let mut bound = Vec::new();
        match colon(argument) {
            Some(colon) => bindings(&argument[..colon], &mut bound),
            None if mentions(argument.iter().cloned().collect(), "self") => bound.push("self".to_owned()),
            None => {}
        }
        names.extend(bound.into_iter().map(|name| Parameter { name, cfg: cfg.clone() }));
    }
    names
}

/// The `cfg` attributes in front, and what follows all attributes.
fn split_attributes(argument: &[TokenTree]) -> (TokenStream, &[TokenTree]) {
    let mut cfg = TokenStream::new();
    let mut rest = argument;
    while let [hash, attribute, behind @ ..] = rest {
        let TokenTree::Group(group) = attribute else { break };
        if !is_punct(hash, '#') {
            break;
        }
        if visible(group.stream()).first().is_some_and(|word| is_ident(word, "cfg")) {
            cfg.extend([hash.clone(), attribute.clone()]);
        }
        rest = behind;
    }
    (cfg, rest)
}

/// The colon between pattern and type, which is not half of a `::`.
fn colon(argument: &[TokenTree]) -> Option<usize> {
    let is_colon = |index: usize| argument.get(index).is_some_and(|token| is_punct(token, ':'));
    (0..argument.len())
        .find(|&index| is_colon(index) && !is_colon(index + 1) && !(index > 0 && is_colon(index - 1)))
}

/// The names that a pattern binds. Paths, constructors and field names in front of a colon are none.
fn bindings(pattern: &[TokenTree], names: &mut Vec<String>) {
    for (index, token) in pattern.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                bindings(&inside, names);
            }
            TokenTree::Ident(word) => {
                let names_something_else = pattern.get(index + 1).is_some_and(|next| {
                    is_punct(next, ':')
                        || is_punct(next, '!')
                        || is_group(next, Delimiter::Parenthesis)
                        || is_group(next, Delimiter::Brace)
                });
                let keyword = word == "mut" || word == "ref" || word == "_" || word == "box";
                if !names_something_else && !keyword {
                    names.push(word.to_string());
                }
            }
            _ => {}
        }
    }
}
