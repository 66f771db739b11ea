//! `{dd.trace_id}` and its like, found in and replaced within the source text of a literal.
//!
//! The text between the quotes is rewritten, not its value: raw strings, escapes and line continuations stay as
//! they are. Everything but the ids is left to `format_args!`.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};

use crate::diagnostics::Diagnostics;
use crate::tokens::visible;

/// What can be named after `dd.`; each is a method of the runtime's correlation value.
const FIELDS: [&str; 5] = ["trace_id", "span_id", "service", "env", "version"];

/// A literal without placeholders, and the fields it takes as named arguments instead.
pub(super) struct Rewritten {
    pub(super) literal: Literal,
    pub(super) fields: Vec<&'static str>,
}

/// The named argument that carries a field; nobody writes such a name by accident.
pub(super) fn argument(field: &str) -> Ident {
    Ident::new(&format!("__dd_{field}"), Span::mixed_site())
}

/// The rewritten literal; `None` if the format has no placeholder, or is a macro.
pub(super) fn rewrite(format: &TokenStream, diagnostics: &mut Diagnostics) -> Option<Rewritten> {
    let tokens = visible(format.clone());
    let [TokenTree::Literal(literal)] = &tokens[..] else { return None };
    let source = literal.to_string();
    let found = find(&source);
    if found.is_empty() {
        return None;
    }
    let (mut text, mut fields, mut copied) = (String::new(), Vec::new(), 0);
    for placeholder in found {
        let name = &source[placeholder.start..placeholder.end];
        let Some(field) = FIELDS.into_iter().find(|field| name.strip_prefix("dd.") == Some(field)) else {
            let expected = FIELDS.map(|field| format!("`{{dd.{field}}}`")).join(", ");
            let message = format!("unknown placeholder `{{{name}}}`; expected {expected}");
            diagnostics.error(literal.span(), message);
            continue;
        };
        text.push_str(&source[copied..placeholder.start]);
        text.push_str(&argument(field).to_string());
        copied = placeholder.end;
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    text.push_str(&source[copied..]);
    let mut literal_with_arguments: Literal = text.parse().ok()?;
    literal_with_arguments.set_span(literal.span());
    Some(Rewritten { literal: literal_with_arguments, fields })
}

/// Where `dd.name` stands in the source text of a literal.
struct Placeholder {
    start: usize,
    end: usize,
}

/// The placeholders in the source text of a literal, braces excluded.
fn find(source: &str) -> Vec<Placeholder> {
    let is_raw = source.starts_with('r');
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['{', '\\']) {
        let here = source.len() - rest.len() + at;
        let behind = &rest[at + 1..];
        let skipped = if rest[at..].starts_with('\\') {
            if is_raw { 0 } else { escape_len(behind) }
        } else if behind.starts_with('{') {
            1
        } else if behind.starts_with("dd.") {
            let Some(len) = behind.find([':', '}', '{', '"']) else { break };
            if !matches!(behind.as_bytes()[len], b'{' | b'"') {
                found.push(Placeholder { start: here + 1, end: here + 1 + behind[..len].trim_end().len() });
            }
            len
        } else {
            0
        };
        rest = &behind[skipped..];
    }
    found
}

/// What belongs to a backslash: one character, or the braces of `\u{...}`.
fn escape_len(behind: &str) -> usize {
    if behind.starts_with("u{") {
        behind.find('}').map_or(behind.len(), |closing| closing + 1)
    } else {
        behind.chars().next().map_or(0, char::len_utf8)
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn rewritten(format: &str) -> Option<(String, Vec<&'static str>)> {
        let tokens: TokenStream = format.parse().unwrap();
        let mut diagnostics = Diagnostics::default();
        let rewritten = rewrite(&tokens, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{}", diagnostics.into_tokens());
        rewritten.map(|rewritten| (rewritten.literal.to_string(), rewritten.fields))
    }

    #[test]
    fn placeholders_become_named_arguments_and_keep_their_specs() {
        let (literal, fields) = rewritten(r#""{} {dd.span_id:>20} {dd.trace_id} {dd.span_id}""#).unwrap();
        assert_eq!(literal, r#""{} {__dd_span_id:>20} {__dd_trace_id} {__dd_span_id}""#);
        assert_eq!(fields, ["span_id", "trace_id"]);
    }

    #[test]
    fn doubled_braces_are_text() {
        assert!(rewritten(r#""{{dd.trace_id}} {x}""#).is_none());
        let (literal, _) = rewritten(r#""{{{dd.env}}}""#).unwrap();
        assert_eq!(literal, r#""{{{__dd_env}}}""#);
    }

    #[test]
    fn the_source_text_stays_as_written() {
        let (literal, _) = rewritten(r#"r"\{dd.service} \\{dd.env}""#).unwrap();
        assert_eq!(literal, r#"r"\{__dd_service} \\{__dd_env}""#);
        let (literal, _) = rewritten("\"\\u{41}{dd.env}\\\n    \\\"{dd.version }\"").unwrap();
        assert_eq!(literal, "\"\\u{41}{__dd_env}\\\n    \\\"{__dd_version }\"");
    }

    #[test]
    fn what_is_left_open_is_left_to_the_compiler() {
        assert!(rewritten(r#""{dd.trace_id""#).is_none());
        assert!(rewritten(r#""{dd.trace_id {x}""#).is_none());
        assert!(rewritten(r#"concat!("{dd.", "x}")"#).is_none());
    }

    #[test]
    fn an_unknown_placeholder_names_the_known_ones() {
        let mut diagnostics = Diagnostics::default();
        rewrite(&quote!("{dd.trace} {dd.span}"), &mut diagnostics);
        let errors = diagnostics.into_tokens().to_string();
        assert!(
            errors.contains("unknown placeholder `{dd.trace}`; expected `{dd.trace_id}`, `{dd.span_id}`")
        );
        assert!(errors.contains("unknown placeholder `{dd.span}`"));
    }
}
