//! Keeping a message on one line, whatever it carries: line ends, terminal escapes and characters that turn the direction
//! of text are shown as Rust escapes, and the line is cut at 64 KiB.

use std::fmt::{self, Write};

/// The longest line written, its end included.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// Shows text from outside without its control characters and cut to a number of bytes, with `…` where it was cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a> {
    text: &'a str,
    max_bytes: usize,
}

impl<'a> Escaped<'a> {
    /// At most `max_bytes` of the text are shown, cut at a character.
    pub(crate) const fn new(text: &'a str, max_bytes: usize) -> Self {
        Self { text, max_bytes }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.len() <= self.max_bytes {
            return write_escaped(f, self.text);
        }
        let end = (0..=self.max_bytes).rev().find(|end| self.text.is_char_boundary(*end)).unwrap_or(0);
        write_escaped(f, self.text.get(..end).unwrap_or_default())?;
        f.write_char('…')
    }
}

/// A text as one line, ended by its only line feed.
pub(super) fn line(text: fmt::Arguments<'_>) -> String {
    let mut line = Line(String::with_capacity(128));
    // The only error is that of the limit; a line cut short is still written.
    let _ = line.write_fmt(text);
    line.0.push('\n');
    line.0
}

struct Line(String);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() < MAX_LINE_BYTES {
            write_escaped(&mut self.0, text)?;
        } else {
            let room = MAX_LINE_BYTES.saturating_sub(self.0.len() + '…'.len_utf8() + 1);
            write!(self.0, "{}", Escaped::new(text, room))?;
        }
        if self.0.len() < MAX_LINE_BYTES {
            return Ok(());
        }
        // Escapes are longer than what they stand for.
        let end = (0..MAX_LINE_BYTES).rev().find(|end| self.0.is_char_boundary(*end)).unwrap_or(0);
        self.0.truncate(end);
        Err(fmt::Error)
    }
}

fn write_escaped(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut plain_from = 0;
    for (at, character) in text.char_indices().filter(|(_, character)| is_hostile(*character)) {
        out.write_str(text.get(plain_from..at).unwrap_or_default())?;
        write!(out, "{}", character.escape_default())?;
        plain_from = at + character.len_utf8();
    }
    out.write_str(text.get(plain_from..).unwrap_or_default())
}

/// Whether a character ends a line, drives a terminal, or changes the direction of what follows.
pub(crate) const fn is_hostile(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            | '\u{61c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_are_escaped() {
        let text = "a\r\n\t\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\u{2066}é ✓";
        assert_eq!(
            Escaped::new(text, 100).to_string(),
            r"a\r\n\t\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\u{2066}é ✓"
        );
    }

    #[test]
    fn text_is_cut_at_a_character() {
        assert_eq!(Escaped::new("aéb", 2).to_string(), "a…");
        assert_eq!(Escaped::new("aéb", 3).to_string(), "aé…");
        assert_eq!(Escaped::new("aéb", 4).to_string(), "aéb");
    }

    #[test]
    fn line_never_passes_its_limit() {
        for length in [MAX_LINE_BYTES - 20, MAX_LINE_BYTES, 5 * MAX_LINE_BYTES] {
            for filling in ["x", "\n", "é"] {
                let line = line(format_args!("{} {}", filling.repeat(length), "tail"));
                assert!(line.len() <= MAX_LINE_BYTES && line.ends_with('\n'), "{length} {filling:?}");
                assert_eq!(line.matches('\n').count(), 1);
            }
        }
    }

    proptest! {
        #[test]
        fn anything_stays_one_clean_line(text: String) {
            let line = line(format_args!("{text}"));
            let body = line.strip_suffix('\n').unwrap();
            prop_assert!(!body.chars().any(is_hostile));
        }
    }
}
