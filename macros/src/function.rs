//! A function as token trees: the few places in it that matter here are found, nothing is parsed.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::future_type::FutureType;
use crate::item::{Header, Item};
use crate::tokens::{generics_len, is_ident, is_punct, visible};

/// A function with a body.
pub(crate) struct Function {
    /// Everything before the body, as it came.
    head: TokenStream,
    pub(crate) name: Ident,
    /// The type or trait it belongs to, as far as that is known.
    pub(crate) owner: Option<String>,
    pub(crate) is_async: bool,
    pub(crate) is_track_caller: bool,
    pub(crate) parameters: Group,
    pub(crate) output: Output,
    /// What `output` says, where it is a future of a function that is not `async`.
    pub(crate) future: Option<FutureType>,
    pub(crate) body: Group,
}

/// What stands after `->`.
pub(crate) enum Output {
    /// Nothing, or `()`.
    Unit,
    /// `!`
    Never,
    Value(TokenStream),
}

impl Function {
    /// Finds the parts of `tokens`, of which `header` has been read.
    pub(crate) fn find(tokens: &[TokenTree], header: &Header) -> Item {
        if let Some(place) = header.const_at {
            let message = "`#[traced]` cannot be used on a `const fn`: a span cannot start at compile time";
            return Item::Refused(syn::Error::new(place, message));
        }
        let Some((last, rest)) = tokens.split_last() else { return Item::HalfTyped };
        if is_punct(last, ';') {
            let message = "`#[traced]` needs a function body; annotate the implementations";
            return Item::Refused(syn::Error::new(last.span(), message));
        }
        let signature = rest.get(header.keyword + 1..).unwrap_or_default();
        let found = braces(last).and_then(|body| Self::assemble(rest, signature, header, body));
        found.map_or(Item::HalfTyped, |function| Item::Function(Box::new(function)))
    }

    fn assemble(head: &[TokenTree], signature: &[TokenTree], header: &Header, body: Group) -> Option<Self> {
        let (TokenTree::Ident(name), rest) = signature.split_first()? else { return None };
        let (TokenTree::Group(parameters), rest) = rest.get(generics_len(rest)..)?.split_first()? else {
            return None;
        };
        if parameters.delimiter() != Delimiter::Parenthesis {
            return None;
        }
        let output = Output::find(rest);
        let future = match &output {
            Output::Value(written) if !header.is_async => FutureType::find(&visible(written.clone())),
            _ => None,
        };
        Some(Self {
            head: head.iter().cloned().collect(),
            name: name.clone(),
            owner: None,
            is_async: header.is_async,
            is_track_caller: header.is_track_caller,
            parameters: parameters.clone(),
            output,
            future,
            body,
        })
    }

    /// What the span is called by default, behind the module.
    pub(crate) fn label(&self) -> String {
        let name = self.name.unraw();
        match &self.owner {
            Some(owner) => format!("{owner}.{name}"),
            None => name.to_string(),
        }
    }

    /// What a call gives in the end, itself or by its future.
    pub(crate) fn result(&self) -> &Output {
        self.future.as_ref().map_or(&self.output, |future| &future.output)
    }

    /// The function with `body` in place of its own.
    pub(crate) fn with_body(&self, body: &Group) -> TokenStream {
        let mut tokens = self.head.clone();
        body.to_tokens(&mut tokens);
        tokens
    }
}

impl Output {
    /// From the tokens between the arguments and the body.
    fn find(tokens: &[TokenTree]) -> Self {
        let [dash, angle, rest @ ..] = tokens else { return Self::Unit };
        if !(is_punct(dash, '-') && is_punct(angle, '>')) {
            return Self::Unit;
        }
        let end = rest.iter().position(|token| is_ident(token, "where")).unwrap_or(rest.len());
        Self::of(rest[..end].iter().cloned().collect())
    }

    /// From a type.
    pub(crate) fn of(written: TokenStream) -> Self {
        match &visible(written.clone())[..] {
            [] => Self::Unit,
            [TokenTree::Group(group)] if group.stream().is_empty() => Self::Unit,
            [bang] if is_punct(bang, '!') => Self::Never,
            _ => Self::Value(written),
        }
    }
}

/// The brace group, perhaps inside the invisible group of a `$body:block`.
fn braces(token: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => braces(visible(group.stream()).last()?),
        _ => None,
    }
}
