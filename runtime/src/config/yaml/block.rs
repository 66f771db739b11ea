//! Block collections: what the indentation of lines says.

use super::folding::{Chomping, Fold, ends_quoted, join};
use super::scalar::{Reason, is_mark, plain, quoted, without_comment};
use super::{Entries, MAX_DEPTH, Node, YamlError, flow, insert};
use std::borrow::Cow;

/// The lines of a document, and the place of the reader in them.
#[derive(Debug)]
pub(super) struct Blocks<'a> {
    lines: Vec<&'a str>,
    at: usize,
    /// What is left of the line `at`, where a part of it was read: its column and text.
    rest: Option<Line<'a>>,
}

/// A line that holds something.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    indent: usize,
    text: &'a str,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
        Self { lines, at: 0, rest: None }
    }

    pub(super) fn document(&mut self) -> Result<Node, YamlError> {
        self.read().map_err(|reason| YamlError { line: (self.at + 1).min(self.lines.len()), reason })
    }

    fn read(&mut self) -> Result<Node, Reason> {
        let is_start = |line: &Line<'_>| line.indent == 0 && is_marker(line.text, "---");
        if self.line()?.as_ref().is_some_and(is_start) {
            self.at += 1;
        }
        let node = self.block(0, 0)?;
        match self.line()? {
            None => Ok(node),
            Some(_) => Err("this belongs to nothing before it"),
        }
    }

    /// The next line that holds something.
    fn line(&mut self) -> Result<Option<Line<'a>>, Reason> {
        if self.rest.is_some() {
            return Ok(self.rest);
        }
        while let Some(line) = self.lines.get(self.at) {
            let text = line.trim_start_matches(' ');
            let is_blank = text.trim_start().is_empty() || text.trim_start().starts_with('#');
            match () {
                () if is_blank => self.at += 1,
                () if text.starts_with('\t') => return Err("a tab as indentation"),
                () if is_marker(line, "...") => self.at = self.lines.len(),
                () => return Ok(Some(Line { indent: line.len() - text.len(), text: text.trim_end() })),
            }
        }
        Ok(None)
    }

    fn advance(&mut self) {
        self.rest = None;
        self.at += 1;
    }

    /// What stands at a column of at least `min_indent`.
    fn block(&mut self, min_indent: usize, depth: usize) -> Result<Node, Reason> {
        if depth > MAX_DEPTH {
            return Err("collections are nested too deeply");
        }
        let Some(line) = self.line()?.filter(|line| line.indent >= min_indent) else { return Ok(Node::Null) };
        if is_mark(line.text, '-') {
            return self.sequence(line.indent, depth);
        }
        if !line.text.starts_with(['[', '{']) && split_key(line.text)?.is_some() {
            return self.mapping(line.indent, depth);
        }
        self.value(line.text, min_indent.saturating_sub(1), depth)
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Result<Node, Reason> {
        let mut entries = Entries::default();
        while let Some(line) = self.line()?.filter(|line| line.indent >= indent) {
            if line.indent > indent {
                return Err("a line is indented like none before it");
            }
            let Some((key, rest)) = split_key(line.text)? else {
                return Err("a key with a colon was expected");
            };
            let value = self.value(rest, indent, depth)?;
            if !insert(&mut entries, key, value) {
                return Err("a key stands twice");
            }
        }
        Ok(Node::Map(entries.list))
    }

    fn sequence(&mut self, indent: usize, depth: usize) -> Result<Node, Reason> {
        let mut list = Vec::new();
        while let Some(line) = self.line()?.filter(|line| line.indent == indent && is_mark(line.text, '-')) {
            let rest = line.text.get(1..).unwrap_or_default();
            let text = rest.trim_start_matches(' ');
            if text.starts_with('\t') {
                return Err("a tab as indentation");
            }
            let is_block = is_mark(text, '-')
                || !text.is_empty() && !text.starts_with(['#', '[', '{']) && split_key(text)?.is_some();
            list.push(if is_block {
                let column = indent + 1 + rest.len() - text.len();
                self.rest = Some(Line { indent: column, text });
                self.block(column, depth + 1)?
            } else {
                self.value_of_item(text, indent, depth)?
            });
        }
        if self.line()?.is_some_and(|line| line.indent > indent) {
            return Err("a line is indented like none before it");
        }
        Ok(Node::List(list))
    }

    fn value_of_item(&mut self, text: &'a str, indent: usize, depth: usize) -> Result<Node, Reason> {
        if text.is_empty() || text.starts_with('#') {
            self.advance();
            return self.block(indent + 1, depth + 1);
        }
        self.value(text, indent, depth)
    }

    /// What follows a key or a dash in its line, or in the lines below it.
    fn value(&mut self, text: &'a str, indent: usize, depth: usize) -> Result<Node, Reason> {
        let text = text.trim_start();
        match text.chars().next() {
            None | Some('#') => {
                self.advance();
                match self.line()? {
                    // The dashes of a sequence may stand below their key.
                    Some(line) if line.indent == indent && is_mark(line.text, '-') => {
                        self.sequence(indent, depth + 1)
                    }
                    _ => self.block(indent + 1, depth + 1),
                }
            }
            Some('[' | '{') => {
                let more = self.lines.get(self.at + 1..).unwrap_or_default();
                let (node, rest, used) = flow::collection(text, more)?;
                self.at += used;
                only_comment(rest)?;
                self.advance();
                Ok(node)
            }
            Some('"' | '\'') => {
                let text = self.whole_quoted(text);
                let (value, rest) = quoted(&text)?;
                only_comment(rest)?;
                self.advance();
                Ok(Node::Scalar(value))
            }
            Some('|' | '>') => self.block_scalar(text, indent),
            Some(_) => {
                let bare = without_comment(text);
                let node = plain(bare)?;
                self.advance();
                if bare.len() < text.len() {
                    return Ok(node);
                }
                plain(&self.whole_plain(bare, indent)?)
            }
        }
    }

    /// A quoted text with the lines in which it goes on, folded into one; the reader stands at the last of them.
    fn whole_quoted(&mut self, text: &'a str) -> Cow<'a, str> {
        if ends_quoted(text.get(1..).unwrap_or_default(), text) {
            return text.into();
        }
        let mut fold = Fold::new(text);
        while let Some(line) = self.lines.get(self.at + 1) {
            self.at += 1;
            fold.push(line, text.starts_with('"'));
            if ends_quoted(line, text) {
                break;
            }
        }
        fold.text.into()
    }

    /// A plain text with the lines in which it goes on: those that are indented further than what it belongs to.
    fn whole_plain(&mut self, text: &'a str, indent: usize) -> Result<Cow<'a, str>, Reason> {
        let mut fold = None;
        while let Some(line) = self.line()?.filter(|line| line.indent > indent) {
            let bare = without_comment(line.text);
            let blank_lines = self.blank_lines_before();
            let fold = fold.get_or_insert_with(|| Fold::new(text));
            fold.blank_lines = blank_lines;
            fold.push(bare, false);
            self.advance();
            if bare.len() < line.text.len() {
                break;
            }
        }
        Ok(fold.map_or(Cow::Borrowed(text), |fold| Cow::Owned(fold.text)))
    }

    fn blank_lines_before(&self) -> usize {
        let before = self.lines.get(..self.at).unwrap_or_default();
        before.iter().rev().take_while(|line| line.trim().is_empty()).count()
    }

    /// A literal (`|`) or folded (`>`) text: the lines that are indented further than what it belongs to.
    fn block_scalar(&mut self, header: &str, indent: usize) -> Result<Node, Reason> {
        let is_folded = header.starts_with('>');
        let chomping = match without_comment(header.get(1..).unwrap_or_default()) {
            "" => Chomping::Clip,
            "-" => Chomping::Strip,
            "+" => Chomping::Keep,
            _ => return Err("the header of a block of text is not read"),
        };
        self.advance();
        let mut lines: Vec<&str> = Vec::new();
        let mut column = None;
        while let Some(line) = self.lines.get(self.at) {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let is_blank = spaces == line.len();
            if !is_blank && (spaces <= indent || column.is_some_and(|column| spaces < column)) {
                break;
            }
            if !is_blank {
                column.get_or_insert(spaces);
            }
            lines.push(line.get(column.unwrap_or(spaces)..).unwrap_or_default());
            self.at += 1;
        }
        Ok(Node::Scalar(join(&lines, is_folded, chomping)))
    }
}

/// Whether a line begins or ends a document, and holds nothing else.
fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| only_comment(rest).is_ok())
}

fn only_comment(rest: &str) -> Result<(), Reason> {
    let is_comment = rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#');
    if is_comment || rest.trim().is_empty() { Ok(()) } else { Err("text behind the end of a value") }
}

/// A key and what follows its colon, where a line begins with such.
fn split_key(text: &str) -> Result<Option<(String, &str)>, Reason> {
    if text.starts_with(['"', '\'']) {
        // A text that goes on in the next line is no key.
        let Ok((key, rest)) = quoted(text) else { return Ok(None) };
        let rest = rest.trim_start().strip_prefix(':').filter(|rest| is_gap(rest));
        return Ok(rest.map(|rest| (key, rest)));
    }
    if is_mark(text, '?') {
        return Err("complex keys are not read");
    }
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let rest = text.get(at + character.len_utf8()..).unwrap_or_default();
        if character == ':' && is_gap(rest) {
            return match plain(text.get(..at).unwrap_or_default().trim_end())? {
                Node::Scalar(key) => Ok(Some((key, rest))),
                _ => Err("a key is missing"),
            };
        }
        if character == '#' && matches!(before, ' ' | '\t') {
            return Ok(None);
        }
        before = character;
    }
    Ok(None)
}

fn is_gap(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t'])
}
