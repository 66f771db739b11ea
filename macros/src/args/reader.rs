//! Reads the arguments one by one and goes on after a wrong one.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Lit, LitStr, Path, Token};

use super::borrow::taken;
use super::input::{
    Value, any_ident, at_end, comma, expression, is_equals, opening_bracket, parenthesized, peek_str, place,
    skip_to_comma,
};
use super::keywords::{self, Argument, KINDS, Keyword};
use super::{Args, ErrMode, RetMode, Text, tag};
use crate::diagnostics::Diagnostics;

/// Reads one comma separated list of arguments.
pub(super) struct Reader<'a, 'input> {
    input: ParseStream<'input>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a, 'input> Reader<'a, 'input> {
    pub(super) fn new(input: ParseStream<'input>, diagnostics: &'a mut Diagnostics) -> Self {
        Self { input, diagnostics }
    }

    pub(super) fn read_into(mut self, args: &mut Args) {
        while !self.input.is_empty() {
            if self.argument(args).is_none() {
                skip_to_comma(self.input);
            }
            comma(self.input, self.diagnostics, |next| {
                any_ident(&next.fork()).is_some_and(|word| keywords::find(&word.to_string()).is_some())
            });
        }
    }

    /// One argument; `None` when the rest of it is to be passed over.
    fn argument(&mut self, args: &mut Args) -> Option<()> {
        if let Some(name) = peek_str(self.input) {
            return self.positional_name(args, name);
        }
        let Some(word) = any_ident(self.input) else {
            let expected = format!("expected one of {}", keywords::every_spelling());
            return self.fail(place(self.input), expected);
        };
        let spelling = word.to_string();
        let Some(keyword) = keywords::find(&spelling) else {
            return self.fail(word.span(), keywords::unknown(&spelling));
        };
        self.mark_written(args, keyword.argument, &spelling, word.span());
        self.value(keyword, word.span(), args)
    }

    fn positional_name(&mut self, args: &mut Args, name: LitStr) -> Option<()> {
        if !args.written.is_empty() && args.written_at(Argument::Name).is_none() {
            self.diagnostics.error(name.span(), "a name without `name =` must be the first argument");
        }
        self.mark_written(args, Argument::Name, "name", name.span());
        self.input.parse::<LitStr>().ok()?;
        args.name = Some(self.text_of("name", Text::Literal(name)));
        Some(())
    }

    fn mark_written(&mut self, args: &mut Args, argument: Argument, spelling: &str, place: Span) {
        if args.written_at(argument).is_some() {
            self.diagnostics.error(place, format!("duplicate argument `{spelling}`"));
        }
        if let Some(other) = argument.excludes().filter(|other| args.written_at(*other).is_some()) {
            let other = keywords::spelling(other);
            self.diagnostics.error(place, format!("`{spelling}` cannot be combined with `{other}`"));
        }
        args.written.push((argument, place));
    }

    fn value(&mut self, keyword: &Keyword, word: Span, args: &mut Args) -> Option<()> {
        match keyword.argument {
            Argument::Name => args.name = Some(self.text(keyword, word)?),
            Argument::Service => args.service = Some(self.text(keyword, word)?),
            Argument::Resource => args.resource = Some(self.text(keyword, word)?),
            Argument::SpanType => args.span_type = Some(self.text(keyword, word)?),
            Argument::Kind => args.kind = Some(self.kind(keyword, word)?),
            Argument::Measured => args.measured = self.flag(keyword, word)?,
            Argument::Root => args.root = self.flag(keyword, word)?,
            Argument::Parent => args.parent = Some(self.parent(keyword, word)?),
            Argument::Links => args.links = self.links(keyword, word)?,
            Argument::Tags => args.tags = self.tags(keyword, word)?,
            Argument::Err => args.err = Some(self.err(keyword, word)?),
            Argument::Ret => args.ret = Some(self.ret(keyword, word)?),
            Argument::Crate => args.runtime = self.path(keyword, word)?,
        }
        Some(())
    }

    fn path(&mut self, keyword: &Keyword, word: Span) -> Option<TokenStream> {
        self.equals(keyword, word)?;
        let at = place(self.input);
        match self.input.call(Path::parse_mod_style) {
            Ok(path) => Some(path.into_token_stream()),
            Err(_) => self.fail(at, format!("expected `{}`", keyword.usage)),
        }
    }

    /// `=` with something behind it.
    fn equals(&mut self, keyword: &Keyword, word: Span) -> Option<()> {
        let missing = || format!("expected `{}`", keyword.usage);
        if at_end(self.input) {
            return self.fail(word, missing());
        }
        if !is_equals(self.input) {
            return self.fail(place(self.input), format!("expected `=` after `{}`", keyword.spelling));
        }
        self.input.parse::<Token![=]>().ok()?;
        if at_end(self.input) { self.fail(word, missing()) } else { Some(()) }
    }

    fn text(&mut self, keyword: &Keyword, word: Span) -> Option<Text> {
        self.equals(keyword, word)?;
        let text = match Value::of(expression(self.input, self.diagnostics)?) {
            Value::Computed(value) if keyword.argument == Argument::Name => {
                Text::Computed(value.into_token_stream())
            }
            Value::Computed(value) => Text::Computed(taken(value)),
            Value::Literal(Lit::Str(text)) => Text::Literal(text),
            Value::Literal(other) => {
                let instead = match keyword.argument {
                    Argument::Name => "a constant",
                    _ => "an expression that gives a string",
                };
                let message = format!("`{}` must be a string literal or {instead}", keyword.spelling);
                return self.fail(other.span(), message);
            }
        };
        Some(self.text_of(keyword.spelling, text))
    }

    fn text_of(&mut self, spelling: &str, text: Text) -> Text {
        if let Text::Literal(literal) = &text {
            if literal.value().is_empty() {
                self.diagnostics.error(literal.span(), format!("`{spelling}` must not be empty"));
            }
        }
        text
    }

    fn flag(&mut self, keyword: &Keyword, word: Span) -> Option<bool> {
        let assigned = is_equals(self.input);
        if !assigned && opening_bracket(self.input).is_none() {
            return Some(true);
        }
        if assigned {
            self.input.parse::<Token![=]>().ok()?;
        }
        let message = format!("`{}` takes no value, or `true` or `false`", keyword.spelling);
        if at_end(self.input) {
            return self.fail(word, message);
        }
        let value = expression(self.input, self.diagnostics)?;
        let written = value.to_token_stream();
        match Value::of(value) {
            Value::Literal(Lit::Bool(value)) if assigned => Some(value.value),
            _ => self.fail_on(&written, message),
        }
    }

    fn kind(&mut self, keyword: &Keyword, word: Span) -> Option<LitStr> {
        self.equals(keyword, word)?;
        let value = expression(self.input, self.diagnostics)?;
        let written = value.to_token_stream();
        match Value::of(value) {
            Value::Literal(Lit::Str(kind)) if KINDS.contains(&kind.value().as_str()) => Some(kind),
            _ => {
                let kinds = KINDS.map(|kind| format!("`\"{kind}\"`")).join(", ");
                self.fail_on(&written, format!("unknown kind `{written}`; expected {kinds}"))
            }
        }
    }

    fn parent(&mut self, keyword: &Keyword, word: Span) -> Option<TokenStream> {
        self.equals(keyword, word)?;
        expression(self.input, self.diagnostics).map(taken)
    }

    fn links(&mut self, keyword: &Keyword, word: Span) -> Option<Vec<TokenStream>> {
        self.parentheses(keyword, word)?;
        parenthesized(self.input, self.diagnostics, "expected `)`", |inside, diagnostics| {
            let mut links = Vec::new();
            while !inside.is_empty() {
                links.push(taken(expression(inside, diagnostics)?));
                comma(inside, diagnostics, |_| false);
            }
            Some(links)
        })
    }

    fn tags(&mut self, keyword: &Keyword, word: Span) -> Option<Vec<tag::Tag>> {
        self.parentheses(keyword, word)?;
        parenthesized(self.input, self.diagnostics, "expected `)`", |inside, diagnostics| {
            Some(tag::read_all(inside, diagnostics))
        })
    }

    /// Whether parentheses follow.
    fn parentheses(&mut self, keyword: &Keyword, word: Span) -> Option<()> {
        if self.input.peek(syn::token::Paren) {
            return Some(());
        }
        let at = if at_end(self.input) { word } else { place(self.input) };
        self.fail(at, format!("expected `{}`", keyword.usage))
    }

    fn err(&mut self, keyword: &Keyword, word: Span) -> Option<ErrMode> {
        let usage =
            "expected `err = true`, `err = false`, `err = \"display\"`, `err = \"debug\"` or `err(function)`";
        if self.input.peek(syn::token::Paren) {
            let bracket = place(self.input);
            let rest = "expected `)`: `err` takes one function";
            return parenthesized(self.input, self.diagnostics, rest, |inside, diagnostics| {
                if inside.is_empty() {
                    diagnostics.error(bracket, usage);
                    return None;
                }
                let function = expression(inside, diagnostics)?;
                let _: Option<Token![,]> = inside.parse().ok()?;
                Some(ErrMode::Mapped(function))
            });
        }
        if at_end(self.input) || opening_bracket(self.input).is_some() {
            return self.fail(if at_end(self.input) { word } else { place(self.input) }, usage);
        }
        self.equals(keyword, word)?;
        let value = expression(self.input, self.diagnostics)?;
        let written = value.to_token_stream();
        match Value::of(value) {
            Value::Literal(Lit::Bool(on)) => Some(if on.value { ErrMode::ByType } else { ErrMode::Off }),
            Value::Literal(Lit::Str(text)) if text.value() == "display" => Some(ErrMode::Display),
            Value::Literal(Lit::Str(text)) if text.value() == "debug" => Some(ErrMode::Debug),
            _ => self.fail_on(&written, usage),
        }
    }

    fn ret(&mut self, keyword: &Keyword, word: Span) -> Option<RetMode> {
        let assigned = is_equals(self.input);
        if !assigned && opening_bracket(self.input).is_none() {
            return Some(RetMode::Display);
        }
        let usage = "`ret` takes no value, or `\"debug\"`";
        if !assigned {
            return self.fail(place(self.input), usage);
        }
        self.equals(keyword, word)?;
        let value = expression(self.input, self.diagnostics)?;
        let written = value.to_token_stream();
        match Value::of(value) {
            Value::Literal(Lit::Str(text)) if text.value() == "debug" => Some(RetMode::Debug),
            _ => self.fail_on(&written, usage),
        }
    }

    fn fail_on<T>(&mut self, syntax: &impl ToTokens, message: impl Into<String>) -> Option<T> {
        self.diagnostics.error_on(syntax, message);
        None
    }

    /// Reports, and gives the `None` that has the rest of the argument passed over.
    fn fail<T>(&mut self, place: Span, message: impl Into<String>) -> Option<T> {
        self.diagnostics.error(place, message);
        None
    }
}
