//! The table of arguments: what is spelt how.

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
    Root,
    Parent,
    Links,
    Tags,
    Err,
    Ret,
    Crate,
}

impl Argument {
    /// The argument that this one makes no sense beside.
    pub(crate) fn excludes(self) -> Option<Self> {
        match self {
            Self::Root => Some(Self::Parent),
            Self::Parent => Some(Self::Root),
            _ => None,
        }
    }
}

/// One row of the table.
pub(crate) struct Keyword {
    pub(crate) spelling: &'static str,
    pub(crate) argument: Argument,
    /// Shown when the value is missing.
    pub(crate) usage: &'static str,
}

const fn row(spelling: &'static str, argument: Argument, usage: &'static str) -> Keyword {
    Keyword { spelling, argument, usage }
}

/// In the order in which they are listed to the user.
pub(crate) const KEYWORDS: &[Keyword] = &[
    row("name", Argument::Name, "name = \"...\""),
    row("service", Argument::Service, "service = \"...\""),
    row("resource", Argument::Resource, "resource = \"...\""),
    row("span_type", Argument::SpanType, "span_type = \"...\""),
    row("type", Argument::SpanType, "type = \"...\""),
    row("kind", Argument::Kind, "kind = \"...\""),
    row("measured", Argument::Measured, "measured"),
    row("root", Argument::Root, "root"),
    row("parent", Argument::Parent, "parent = ..."),
    row("links", Argument::Links, "links(...)"),
    row("tags", Argument::Tags, "tags(...)"),
    row("err", Argument::Err, "err = \"...\""),
    row("ret", Argument::Ret, "ret"),
    row("crate", Argument::Crate, "crate = path"),
];

/// The values of `kind`, as the tag `span.kind` has them.
pub(crate) const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];

/// The row with this spelling.
pub(crate) fn find(spelling: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.spelling == spelling)
}

/// How an argument is spelt in the first place.
pub(crate) fn spelling(argument: Argument) -> &'static str {
    let row = KEYWORDS.iter().find(|keyword| keyword.argument == argument);
    row.map_or("", |keyword| keyword.spelling)
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
