//! The table of arguments: what is spelt how, and what its value looks like.

use crate::spelling::{list, nearest};

/// One argument of `#[traced]`; two spellings of the same argument share it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Argument {
    Name,
    Service,
    Resource,
    SpanType,
    Kind,
    Measured,
    Tags,
    Err,
    Crate,
}

/// What may follow the spelling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// `= "text"` or `= EXPR`
    Text,
    /// nothing, `= true` or `= false`
    Flag,
    /// `= "one of a few"`
    Kind,
    /// `(TAG, ...)`
    Tags,
    /// `= false`, `= "display"`, `= "debug"` or `(EXPR)`
    Err,
    /// `= path`
    Path,
}

/// One row of the table.
pub(crate) struct Keyword {
    pub(crate) spelling: &'static str,
    pub(crate) argument: Argument,
    pub(crate) form: Form,
    /// Shown when the value is missing.
    pub(crate) usage: &'static str,
}

const fn row(spelling: &'static str, argument: Argument, form: Form, usage: &'static str) -> Keyword {
    Keyword { spelling, argument, form, usage }
}

/// In the order in which they are listed to the user.
pub(crate) const KEYWORDS: &[Keyword] = &[
    row("name", Argument::Name, Form::Text, "name = \"...\""),
    row("service", Argument::Service, Form::Text, "service = \"...\""),
    row("resource", Argument::Resource, Form::Text, "resource = \"...\""),
    row("span_type", Argument::SpanType, Form::Text, "span_type = \"...\""),
    row("type", Argument::SpanType, Form::Text, "type = \"...\""),
    row("kind", Argument::Kind, Form::Kind, "kind = \"...\""),
    row("measured", Argument::Measured, Form::Flag, "measured"),
    row("tags", Argument::Tags, Form::Tags, "tags(...)"),
    row("err", Argument::Err, Form::Err, "err = \"...\""),
    row("crate", Argument::Crate, Form::Path, "crate = path"),
];

/// The values of `kind`, as the tag `span.kind` has them.
pub(crate) const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];

/// The row with this spelling.
pub(crate) fn find(spelling: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.spelling == spelling)
}

/// The message for a spelling that is not in the table.
pub(crate) fn unknown(spelling: &str) -> String {
    match nearest(spelling, KEYWORDS.iter().map(|keyword| keyword.spelling)) {
        Some(meant) => format!("unknown argument `{spelling}`; did you mean `{meant}`?"),
        None => format!("unknown argument `{spelling}`; expected one of {}", every_spelling()),
    }
}

/// All spellings, as a list for messages.
pub(crate) fn every_spelling() -> String {
    list(KEYWORDS.iter().map(|keyword| keyword.spelling))
}
