//! `[LEVEL,] [target: EXPR,] [KEY_VALUES;] FORMAT [, ARGUMENTS]`, as far as it has to be understood.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, Token};

use crate::diagnostics::Diagnostics;
use crate::spelling::nearest;
use crate::tokens::{generated, is_punct};

/// The parts of one call. Each optional part ends in its own separator.
pub(super) struct Call {
    pub(super) level: TokenStream,
    pub(super) target: TokenStream,
    pub(super) key_values: TokenStream,
    pub(super) message: Message,
}

/// What is formatted.
pub(super) struct Message {
    /// A string literal, or a macro that gives one.
    pub(super) format: TokenStream,
    /// Empty, or with a comma at the end.
    pub(super) arguments: TokenStream,
}

/// Each level with the variant of `log::Level`.
const LEVELS: [(&str, &str); 5] =
    [("error", "Error"), ("warn", "Warn"), ("info", "Info"), ("debug", "Debug"), ("trace", "Trace")];

/// What other loggers call theirs.
const OTHER_LEVELS: [&str; 7] = ["warning", "err", "fatal", "critical", "crit", "notice", "verbose"];

impl Call {
    /// Reports an error and gives `None` where the call makes no sense.
    pub(super) fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Self> {
        parse(Self::read, tokens, diagnostics)
    }

    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let level = level(input)?;
        let target = target(input)?;
        let key_values = key_values(input)?;
        let is_level = |word: &Ident| LEVELS.iter().any(|(level, _)| word == level);
        if let Some(word) = lone_word(input).filter(|word| !target.is_empty() && is_level(word)) {
            return Err(syn::Error::new(
                word.span(),
                format!("the level `{word}` belongs in front of `target:`"),
            ));
        }
        Ok(Self { level, target, key_values, message: Message::read(input)? })
    }
}

impl Message {
    /// Reports an error and gives `None` where there is no format string.
    pub(super) fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Self> {
        parse(Self::read, tokens, diagnostics)
    }

    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        if !is_format(input) {
            return Err(rest_is_no_format(input));
        }
        let mut format = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            format.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Option<Token![,]>>()?;
        let mut arguments: TokenStream = input.parse()?;
        if arguments.clone().into_iter().last().is_some_and(|last| !is_punct(&last, ',')) {
            arguments.extend(generated!(,));
        }
        Ok(Self { format, arguments })
    }
}

fn parse<T>(
    read: fn(ParseStream<'_>) -> syn::Result<T>,
    tokens: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    match read.parse2(tokens) {
        Ok(call) => Some(call),
        Err(error) => {
            diagnostics.foreign(error);
            None
        }
    }
}

fn level(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if input.is_empty() || is_format(input) || is_target(input) || is_key_value(input) {
        return Ok(variant("Info"));
    }
    if let Some(word) = lone_word(input) {
        let spelling = word.to_string();
        if let Some((_, name)) = LEVELS.iter().find(|(level, _)| *level == spelling) {
            input.call(Ident::parse_any)?;
            comma_after_level(input)?;
            return Ok(variant(name));
        }
        if is_misspelt(&spelling) {
            let message =
                format!("unknown level `{spelling}`; expected `error`, `warn`, `info`, `debug` or `trace`");
            return Err(syn::Error::new(word.span(), message));
        }
    }
    let level = bare(input.parse()?);
    comma_after_level(input)?;
    // The block states the type first, so that a wrong one is a single error.
    Ok(generated!({
        let level: ::dd_traced::macro_support::log::Level = #level;
        level
    }))
}

/// The expression without the parentheses that tell it from a misspelling: the compiler would call them unused.
fn bare(level: Expr) -> Expr {
    match level {
        Expr::Paren(inner) => bare(*inner.expr),
        other => other,
    }
}

fn variant(name: &str) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site());
    generated!(::dd_traced::macro_support::log::Level::#name)
}

fn comma_after_level(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() {
        return Err(rest_is_no_format(input));
    }
    input.parse::<Token![,]>().map(drop)
}

/// Whether the word is nearly a level. `Info` is a variant that was imported, and as such an expression.
fn is_misspelt(word: &str) -> bool {
    let is_variant = word.starts_with(char::is_uppercase);
    let is_in_capitals = LEVELS.iter().any(|(level, _)| level.to_uppercase() == word);
    let is_near = nearest(word, LEVELS.map(|(level, _)| level)).is_some() || OTHER_LEVELS.contains(&word);
    is_in_capitals || is_near && !is_variant
}

/// A single word in front of a comma.
fn lone_word(input: ParseStream<'_>) -> Option<Ident> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    (ahead.is_empty() || ahead.peek(Token![,])).then_some(word)
}

fn target(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if !is_target(input) {
        return Ok(TokenStream::new());
    }
    let word: Ident = input.parse()?;
    let colon: Token![:] = input.parse()?;
    let value: Expr = input.parse()?;
    let comma: Token![,] = input.parse().map_err(|_| rest_is_no_format(input))?;
    Ok(generated!(#word #colon #value #comma))
}

fn is_target(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Ident>().is_ok_and(|word| word == "target")
        && ahead.peek(Token![:])
        && !ahead.peek(Token![::])
}

/// `key = value`, or `key:` with a capture.
fn is_key_value(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let is_key = ahead.call(Ident::parse_any).is_ok() || ahead.parse::<LitStr>().is_ok();
    let captured = ahead.peek(Token![:]) && !ahead.peek(Token![::]);
    let assigned = ahead.peek(Token![=]) && !ahead.peek(Token![==]);
    is_key && (captured || assigned || ahead.peek(Token![;]))
}

/// Everything up to a semicolon, if there is one; `log!` says what is wrong with it.
fn key_values(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut pairs = TokenStream::new();
    let ahead = input.fork();
    while !ahead.is_empty() {
        let token: TokenTree = ahead.parse()?;
        let ends = is_punct(&token, ';');
        pairs.extend([token]);
        if ends {
            syn::parse::discouraged::Speculative::advance_to(input, &ahead);
            return Ok(pairs);
        }
    }
    Ok(TokenStream::new())
}

/// A string literal or a macro call that ends the argument.
fn is_format(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let whole = if ahead.parse::<LitStr>().is_ok() {
        true
    } else {
        ahead.call(Path::parse_mod_style).is_ok()
            && ahead.parse::<Token![!]>().is_ok()
            && matches!(ahead.parse(), Ok(TokenTree::Group(_)))
    };
    whole && (ahead.is_empty() || ahead.peek(Token![,]))
}

fn rest_is_no_format(input: ParseStream<'_>) -> syn::Error {
    let message = if is_key_value(input) {
        "expected `;` between the key-values and the format string"
    } else {
        "expected a format string"
    };
    syn::Error::new(input.span(), message)
}
