//! The arguments of `#[traced(...)]`, parsed once into values that later steps trust.

mod borrow;
mod input;
mod keywords;
mod misspelt;
mod reader;
mod tag;

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitStr};

use crate::diagnostics::Diagnostics;
use crate::tokens::generated;

pub(crate) use self::keywords::Argument;
pub(crate) use self::tag::{Capture, Tag};

/// What the user wrote in the brackets.
pub(crate) struct Args {
    pub(crate) name: Option<Text>,
    pub(crate) service: Option<Text>,
    pub(crate) resource: Option<Text>,
    pub(crate) span_type: Option<Text>,
    pub(crate) kind: Option<LitStr>,
    pub(crate) measured: bool,
    /// Whether the span begins a new trace.
    pub(crate) root: bool,
    /// Borrowed unless it is temporary.
    pub(crate) parent: Option<TokenStream>,
    /// Each borrowed unless it is temporary.
    pub(crate) links: Vec<TokenStream>,
    pub(crate) tags: Vec<Tag>,
    /// `None` where nothing, or nothing that makes sense, was written.
    pub(crate) err: Option<ErrMode>,
    /// How the returned value is recorded, if it is.
    pub(crate) ret: Option<RetMode>,
    /// Path of the runtime crate.
    pub(crate) runtime: TokenStream,
    /// The arguments that were written, and where.
    written: Vec<(Argument, Span)>,
}

/// A text: constant data of the call site, or computed at each call.
pub(crate) enum Text {
    Literal(LitStr),
    /// A constant for the name; otherwise borrowed unless it is temporary.
    Computed(TokenStream),
}

/// How an `Err` is described.
pub(crate) enum ErrMode {
    /// By what the error type offers.
    ByType,
    /// Not at all.
    Off,
    Display,
    Debug,
    /// By a function from the returned value to an optional error.
    Mapped(Expr),
}

/// How a returned value becomes a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RetMode {
    Display,
    Debug,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            name: None,
            service: None,
            resource: None,
            span_type: None,
            kind: None,
            measured: false,
            root: false,
            parent: None,
            links: Vec::new(),
            tags: Vec::new(),
            err: None,
            ret: None,
            runtime: generated!(::dd_traced),
            written: Vec::new(),
        }
    }
}

impl Args {
    /// Parses what can be parsed and reports everything else.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut args = Self::default();
        let read = |input: ParseStream<'_>| {
            reader::Reader::new(input, diagnostics).read_into(&mut args);
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            diagnostics.foreign(error);
        }
        args
    }

    /// Where the user wrote the argument.
    pub(crate) fn written_at(&self, argument: Argument) -> Option<Span> {
        self.written.iter().find(|(written, _)| *written == argument).map(|(_, place)| *place)
    }

    /// Whether the span has a place of its own in a trace.
    pub(crate) fn is_placed(&self) -> bool {
        self.root || self.parent.is_some()
    }

    /// Where the user asked for errors in so many words.
    pub(crate) fn errors_wanted_at(&self) -> Option<Span> {
        let wanted = self.err.as_ref().is_some_and(|mode| !matches!(mode, ErrMode::Off));
        self.written_at(Argument::Err).filter(|_| wanted)
    }
}
