//! Flow collections: `[a, "b"]` and `{a: b}`, and with them JSON.

use super::scalar::{Reason, plain, quoted, without_comment};
use super::{Entries, MAX_DEPTH, Node, insert};

/// A flow collection, or a quoted scalar, at the start of the first text; it may go on in the following ones. Gives it, what follows it in its last
/// line, and the number of further lines that were used.
pub(super) fn collection<'a>(first: &'a str, more: &'a [&'a str]) -> Result<(Node, &'a str, usize), Reason> {
    let mut flow = Flow { rest: first.trim_start(), more, used: 0 };
    let node = flow.node(0)?;
    Ok((node, flow.rest, flow.used))
}

#[derive(Debug)]
struct Flow<'a> {
    rest: &'a str,
    more: &'a [&'a str],
    used: usize,
}

impl Flow<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, Reason> {
        self.skip();
        match self.rest.chars().next() {
            Some('[') => self.list(depth + 1),
            Some('{') => self.map(depth + 1),
            Some('"' | '\'') => Ok(Node::Scalar(self.quoted()?)),
            Some(',') => Err("an entry is missing"),
            _ => plain(self.plain_text()),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Reason> {
        self.open(depth)?;
        let mut list = Vec::new();
        loop {
            if self.take(']') {
                return Ok(Node::List(list));
            }
            list.push(self.node(depth)?);
            if !self.take(',') && !self.rest.starts_with(']') {
                return Err("a sequence in brackets is not closed");
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, Reason> {
        self.open(depth)?;
        let mut entries = Entries::default();
        loop {
            if self.take('}') {
                return Ok(Node::Map(entries.list));
            }
            let key = if self.rest.starts_with(['"', '\'']) { self.quoted()? } else { self.key()? };
            if !self.take(':') {
                return Err("a key without a value");
            }
            let value = self.node(depth)?;
            if !insert(&mut entries, key, value) {
                return Err("a key stands twice");
            }
            if !self.take(',') && !self.rest.starts_with('}') {
                return Err("a mapping in braces is not closed");
            }
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Reason> {
        if depth > MAX_DEPTH {
            return Err("collections are nested too deeply");
        }
        self.rest = self.rest.get(1..).unwrap_or_default();
        Ok(())
    }

    fn quoted(&mut self) -> Result<String, Reason> {
        let (text, rest) = quoted(self.rest)?;
        self.rest = rest;
        Ok(text)
    }

    fn key(&mut self) -> Result<String, Reason> {
        match plain(self.plain_text())? {
            Node::Scalar(key) => Ok(key),
            _ => Err("a key is missing"),
        }
    }

    /// A plain scalar: up to what ends it in a flow collection.
    fn plain_text(&mut self) -> &str {
        let mut end = self.rest.len();
        for (at, character) in self.rest.char_indices() {
            let next = self.rest.get(at + 1..).and_then(|rest| rest.chars().next());
            let is_gap = next.is_none_or(|next| next.is_whitespace() || ",[]{}".contains(next));
            if ",[]{}".contains(character) || character == ':' && is_gap {
                end = at;
                break;
            }
        }
        let (text, rest) = self.rest.split_at(end);
        let bare = without_comment(text);
        // What is behind a comment belongs to it.
        self.rest = if bare.len() < text.trim_end().len() { "" } else { rest };
        bare
    }

    /// Takes a character and what may stand before it.
    fn take(&mut self, character: char) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Goes to the next character that is neither blank nor comment, in this line or a following one.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.is_empty() && !self.rest.starts_with('#') {
                return;
            }
            let Some(next) = self.more.get(self.used) else {
                self.rest = "";
                return;
            };
            self.used += 1;
            self.rest = next;
        }
    }
}
