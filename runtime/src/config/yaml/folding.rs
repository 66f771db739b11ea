//! How the lines of one scalar become one text.

/// Lines of one scalar as they become one: a line end is a blank, blank lines are line ends.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) text: String,
    pub(super) blank_lines: usize,
    /// Whether the last line ends in a backslash that is not escaped itself.
    ends_escaped: bool,
}

fn ends_escaped(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

impl Fold {
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim_end().to_owned();
        Self { ends_escaped: ends_escaped(&text), text, blank_lines: 0 }
    }

    /// Adds a line. In double quotes a backslash at the end of the one before joins the two.
    pub(super) fn push(&mut self, line: &str, has_escapes: bool) {
        let line = line.trim();
        if line.is_empty() {
            self.blank_lines += 1;
            return;
        }
        if has_escapes && self.ends_escaped {
            self.text.pop();
        } else if self.blank_lines == 0 {
            self.text.push(' ');
        }
        (0..self.blank_lines).for_each(|_| self.text.push('\n'));
        self.blank_lines = 0;
        self.ends_escaped = ends_escaped(line);
        self.text.push_str(line);
    }
}

/// Whether a quoted text, whose beginning has the quote, ends in this line of it.
pub(super) fn ends_quoted(line: &str, beginning: &str) -> bool {
    if beginning.starts_with('\'') {
        // A doubled quote is one of the text.
        let mut bytes = line.bytes().peekable();
        while let Some(byte) = bytes.next() {
            if byte == b'\'' && bytes.next_if_eq(&b'\'').is_none() {
                return true;
            }
        }
        return false;
    }
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => return true,
            _ => {}
        }
    }
    false
}

/// What is done with line ends behind a block of text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chomping {
    Clip,
    Strip,
    Keep,
}

pub(super) fn join(lines: &[&str], is_folded: bool, chomping: Chomping) -> String {
    let blank_ends = lines.iter().rev().take_while(|line| line.is_empty()).count();
    let body = lines.get(..lines.len() - blank_ends).unwrap_or_default();
    let mut text = String::new();
    for (at, line) in body.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| body.get(at));
        let is_flush = |line: &str| !line.is_empty() && !line.starts_with([' ', '\t']);
        match before {
            None => {}
            Some(before) if is_folded && is_flush(before) && is_flush(line) => text.push(' '),
            // One line end of a paragraph's end is folded away: the blank line itself gives it.
            Some(before) if is_folded && is_flush(before) && line.is_empty() => {}
            Some(_) => text.push('\n'),
        }
        text.push_str(line);
    }
    match chomping {
        Chomping::Strip => {}
        Chomping::Clip if body.is_empty() => {}
        Chomping::Clip => text.push('\n'),
        Chomping::Keep => (0..=blank_ends).for_each(|_| text.push('\n')),
    }
    text
}
