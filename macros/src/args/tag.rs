//! The tags of `tags(...)`.

use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Index, Lit, LitFloat, LitInt, Token};

use super::borrow::{borrowed, borrowed_place, taken};
use super::input::{
    Value, any_ident, at_end, comma, expression, is_equals, opening_bracket, peek_str, place, skip_to_comma,
};
use super::misspelt;
use crate::diagnostics::Diagnostics;

/// One tag: a key and where its value comes from.
pub(crate) struct Tag {
    pub(crate) key: String,
    /// The key as it was written.
    written: TokenStream,
    pub(crate) capture: Capture,
    /// The value, borrowed unless it is temporary.
    pub(crate) value: TokenStream,
    /// The value is a string literal: it is the same at each call.
    pub(crate) is_constant: bool,
    /// The argument (or `self`) that a bare place starts at.
    pub(crate) root: Option<Ident>,
    /// The `cfg` attributes of that argument, known once the function has been seen.
    pub(crate) cfg: TokenStream,
}

/// How the value becomes a tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Capture {
    /// By its type: numbers are metrics, strings and booleans tags.
    Value,
    /// `?`
    Debug,
    /// `%`
    Display,
}

/// Reads `TAG, ...` up to the end, and goes on after a wrong tag.
pub(super) fn read_all(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    while !input.is_empty() {
        match read(input, diagnostics) {
            Some(tag) if tags.iter().any(|earlier| earlier.key == tag.key) => {
                diagnostics.error_on(&tag.written, format!("duplicate tag `{}`", tag.key));
            }
            Some(tag) if is_manual(&tag.key) && tag.capture != Capture::Value => {
                let key = &tag.key;
                let message =
                    format!("`{key}` decides about the trace and takes a plain value, without `?` or `%`");
                diagnostics.error_on(&tag.written, message);
            }
            Some(tag) => tags.push(tag),
            None => skip_to_comma(input),
        }
        comma(input, diagnostics, |_| false);
    }
    tags
}

fn read(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Option<Tag> {
    if let Some(key) = peek_str(input) {
        let _: syn::LitStr = input.parse().ok()?;
        if key.value().is_empty() {
            diagnostics.error(key.span(), "the key of a tag must not be empty");
        }
        return assigned(input, key.value(), key.into_token_stream(), diagnostics);
    }
    let capture = sigil(input);
    let Some(path) = DottedPath::read(input) else {
        diagnostics.error(place(input), "expected the name of an argument, or `key = value`");
        return None;
    };
    if capture == Capture::Value && is_equals(input) {
        if let Some(meant) = misspelt::meant(&path.key) {
            diagnostics.error_on(&path.tokens, format!("did you mean `{meant}`? quote the key to keep it"));
        }
        return assigned(input, path.key, path.tokens, diagnostics);
    }
    if let Some(message) = goes_on(input, &path, capture) {
        diagnostics.error_on(&path.tokens, message);
        return None;
    }
    Some(Tag {
        key: path.key,
        capture,
        value: borrowed_place(&path.tokens),
        is_constant: false,
        written: path.tokens,
        root: Some(path.root),
        cfg: TokenStream::new(),
    })
}

/// What is wrong where something begins like a place but goes on: `u.name()`, `list[0]`, or `?a = 1`.
fn goes_on(input: ParseStream<'_>, path: &DottedPath, capture: Capture) -> Option<String> {
    let sigil = match capture {
        Capture::Value => "",
        Capture::Debug => "?",
        Capture::Display => "%",
    };
    if is_equals(input) {
        return Some(format!("`{sigil}` belongs to the value: write `{} = {sigil}...`", path.key));
    }
    let ahead = input.fork();
    opening_bracket(&ahead)?;
    let group: TokenTree = ahead.parse().ok()?;
    let rest = if at_end(&ahead) { "" } else { "..." };
    Some(format!("what is computed needs a key: write `key = {sigil}{}{group}{rest}`", path.key))
}

/// `= EXPR`, `= ?EXPR` or `= %EXPR`
fn assigned(
    input: ParseStream<'_>,
    key: String,
    written: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Option<Tag> {
    if !is_equals(input) {
        let message = format!("expected `=` after `{key}`");
        if at_end(input) {
            diagnostics.error_on(&written, message);
        } else {
            diagnostics.error(place(input), message);
        }
        return None;
    }
    input.parse::<Token![=]>().ok()?;
    let capture = sigil(input);
    if at_end(input) {
        diagnostics.error_on(&written, format!("expected a value: `{key} = ...`"));
        return None;
    }
    let value = expression(input, diagnostics)?;
    if capture != Capture::Value {
        let value = borrowed(value);
        return Some(Tag {
            key,
            written,
            capture,
            value,
            is_constant: false,
            root: None,
            cfg: TokenStream::new(),
        });
    }
    let (value, is_constant) = match Value::of(value) {
        Value::Literal(literal) => {
            (literal.to_token_stream(), matches!(literal, Lit::Str(_)) && !is_manual(&key))
        }
        Value::Computed(value) => (taken(value), false),
    };
    Some(Tag { key, written, capture, value, is_constant, root: None, cfg: TokenStream::new() })
}

fn sigil(input: ParseStream<'_>) -> Capture {
    if input.parse::<Token![?]>().is_ok() {
        Capture::Debug
    } else if input.parse::<Token![%]>().is_ok() {
        Capture::Display
    } else {
        Capture::Value
    }
}

/// `a.b.c`, which is a key or a place, depending on what follows.
struct DottedPath {
    root: Ident,
    key: String,
    tokens: TokenStream,
}

impl DottedPath {
    fn read(input: ParseStream<'_>) -> Option<Self> {
        let root = any_ident(input)?;
        let mut key = root.unraw().to_string();
        let mut tokens = root.to_token_stream();
        while let Ok(dot) = input.parse::<Token![.]>() {
            dot.to_tokens(&mut tokens);
            key.push('.');
            if let Some(field) = any_ident(input) {
                key.push_str(&field.unraw().to_string());
                field.to_tokens(&mut tokens);
            } else if input.peek(LitInt) {
                let index: Index = input.parse().ok()?;
                key.push_str(&index.index.to_string());
                index.to_tokens(&mut tokens);
            } else {
                // `pair.0.1` arrives as `pair`, `.`, `0.1`.
                let indexes: LitFloat = input.parse().ok()?;
                key.push_str(indexes.base10_digits());
                indexes.to_tokens(&mut tokens);
            }
        }
        Some(Self { root, key, tokens })
    }
}

/// Whether a tag decides about the trace of its span, instead of being sent.
fn is_manual(key: &str) -> bool {
    matches!(key, "manual.keep" | "manual.drop" | "sampling.priority")
}

impl Tag {
    /// Whether it decides about the trace of its span.
    pub(crate) fn decides(&self) -> bool {
        is_manual(&self.key)
    }

    /// Whether the tag is one of the call site: it is the same at each call, and no more than a tag.
    pub(crate) fn is_of_site(&self) -> bool {
        self.is_constant && !self.is_special()
    }

    /// Whether the key may name more than a tag; the list of the runtime (`trace/special.rs`).
    pub(crate) fn is_special(&self) -> bool {
        const SPECIAL: [&str; 8] = [
            "span.name",
            "service.name",
            "resource.name",
            "span.type",
            "error",
            "analytics.event",
            "http.status_code",
            "peer.service",
        ];
        SPECIAL.contains(&self.key.as_str())
    }

    /// The key as a literal of the generated code.
    pub(crate) fn key_literal(&self) -> Literal {
        let mut literal = Literal::string(&self.key);
        literal.set_span(Span::mixed_site());
        literal
    }
}
