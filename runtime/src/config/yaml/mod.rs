//! A strict reader for the part of YAML that configuration files are written in.
//!
//! Block and flow mappings and sequences, plain and quoted scalars, literal and folded blocks, comments, one document. Anchors, aliases, tags, complex
//! keys, more than one document and tabs as indentation are refused: a file is understood as a whole or not at all.
//!
//! Source: YAML 1.2.2, <https://yaml.org/spec/1.2.2/>. Any bytes are read in linear time.

mod block;
mod flow;
mod folding;
mod scalar;

use std::fmt::{self, Display};

/// What a document holds. Scalars are texts as they were written: what they mean is decided by the setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Nothing, `~` or `null`.
    Null,
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the document, each key once.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find_map(|(found, value)| (found == key).then_some(value))
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Scalar(text) = self { Some(text) } else { None }
    }
}

/// Why a document is not read, and in which line, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) line: usize,
    pub(super) reason: &'static str,
}

impl Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Collections inside of each other.
const MAX_DEPTH: usize = 16;

/// Reads a document.
///
/// # Errors
///
/// For the first place that is no YAML, or none of the part that is read.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, YamlError> {
    let text = std::str::from_utf8(bytes).map_err(|error| YamlError {
        line: 1 + bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count(),
        reason: "not UTF-8",
    })?;
    block::Blocks::new(text.strip_prefix('\u{feff}').unwrap_or(text)).document()
}

/// Adds an entry; `false` where the key is taken.
fn insert(entries: &mut Entries, key: String, value: Node) -> bool {
    let is_new = entries.keys.insert(key.clone());
    if is_new {
        entries.list.push((key, value));
    }
    is_new
}

/// The entries of a mapping while it is read.
#[derive(Debug, Default)]
struct Entries {
    list: Vec<(String, Node)>,
    keys: std::collections::BTreeSet<String>,
}

#[cfg(test)]
#[cfg(feature = "enable")]
mod tests;
