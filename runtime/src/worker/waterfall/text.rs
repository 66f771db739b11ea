//! Text on a terminal: how wide it is, where it is cut, its colour, and durations as people read them.

use std::fmt::{self, Write};

use crate::diagnostics::Escaped;

/// A line of so many columns that grows to the right, in pieces of their own colour.
#[derive(Debug)]
pub(super) struct Line<'a> {
    out: &'a mut String,
    column: usize,
    has_colours: bool,
}

/// A text and how it looks. Its control characters are escaped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    text: String,
    columns: usize,
    colour: Colour,
}

/// What terminals show, by the number of its escape sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Plain,
    Bold,
    Dim,
    Failed,
    Warning,
    /// A service's, by its place in the order of appearance.
    Service(usize),
}

impl Piece {
    pub(super) fn new(colour: Colour, text: &str) -> Self {
        let text = Escaped::new(text, MAX_BYTES).to_string();
        Self { columns: columns_of(&text), text, colour }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }
}

impl<'a> Line<'a> {
    pub(super) fn new(out: &'a mut String, has_colours: bool) -> Self {
        Self { out, column: 0, has_colours }
    }

    /// Writes the pieces, cut with `…` where they would pass the column `end`.
    pub(super) fn put(&mut self, end: usize, pieces: &[Piece]) {
        let room = end.saturating_sub(self.column);
        let wanted = pieces.iter().map(Piece::columns).sum::<usize>();
        if wanted <= room {
            for piece in pieces {
                self.write(piece.colour, &piece.text);
            }
        } else if room > 0 {
            let mut left = room - 1;
            for piece in pieces {
                let text = first_columns(&piece.text, left);
                self.write(piece.colour, text);
                left -= columns_of(text);
                if text.len() < piece.text.len() {
                    break;
                }
            }
            self.write(Colour::Dim, "…");
        }
    }

    /// Leaves blanks up to a column.
    pub(super) fn move_to(&mut self, column: usize) {
        let blanks = column.saturating_sub(self.column);
        self.out.extend(std::iter::repeat_n(' ', blanks));
        self.column += blanks;
    }

    pub(super) fn end(self) {
        self.out.push('\n');
    }

    fn write(&mut self, colour: Colour, text: &str) {
        if text.is_empty() {
            return;
        }
        self.column += columns_of(text);
        match colour.code().filter(|_| self.has_colours) {
            // Writing to a `String` does not fail.
            Some(code) => drop(write!(self.out, "\x1b[{code}m{text}\x1b[0m")),
            None => self.out.push_str(text),
        }
    }
}

impl Colour {
    fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Bold => Some(1),
            Self::Dim => Some(2),
            Self::Failed => Some(31),
            Self::Warning => Some(33),
            // Cyan, magenta, blue, green: red and yellow say something else.
            Self::Service(place) => [36, 35, 34, 32].get(place % 4).copied(),
        }
    }
}

/// Nanoseconds in the unit that fits, with three digits: `850 µs`, `12.3 ms`, `1.20 s`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Duration(pub(super) u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = u128::from(self.0);
        if ns < 1000 {
            return write!(f, "{ns} ns");
        }
        for (unit, name, below) in UNITS {
            let rounded = |factor| (ns * factor + unit / 2) / unit;
            let (hundredths, tenths, whole) = (rounded(100), rounded(10), rounded(1));
            if hundredths < 1000 {
                return write!(f, "{}.{:02} {name}", hundredths / 100, hundredths % 100);
            }
            if tenths < 1000 && tenths < below * 10 {
                return write!(f, "{}.{} {name}", tenths / 10, tenths % 10);
            }
            if whole < below {
                return write!(f, "{whole} {name}");
            }
        }
        Ok(())
    }
}

/// Nanoseconds of a unit, its name, and how many of it are shown in the next one.
const UNITS: [(u128, &str, u128); 5] = [
    (1_000, "µs", 1000),
    (1_000_000, "ms", 1000),
    (1_000_000_000, "s", 60),
    (60_000_000_000, "min", 60),
    (3_600_000_000_000, "h", u128::MAX / 10),
];

/// The longest text looked at, in bytes: more than any line shows.
const MAX_BYTES: usize = 4096;

fn columns_of(text: &str) -> usize {
    text.chars().map(columns_of_char).sum()
}

/// As much of a text as fits.
fn first_columns(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        used += columns_of_char(character);
        (used > columns).then_some(at)
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// How wide terminals draw a character, by the blocks of Unicode: marks that combine, and those of East Asia and emoji.
/// A character in none of the blocks is one column.
const fn columns_of_char(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200d}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str, end: usize) -> String {
        let mut out = String::new();
        Line::new(&mut out, false).put(end, &[Piece::new(Colour::Plain, text)]);
        out
    }

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let shown = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (850_000, "850 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (9_994_999, "9.99 ms"),
            (9_995_000, "10.0 ms"),
            (12_345_678, "12.3 ms"),
            (1_200_000_000, "1.20 s"),
            (59_949_999_999, "59.9 s"),
            (59_950_000_000, "1.00 min"),
            (5_400_000_000_000, "1.50 h"),
            (u64::MAX, "5124096 h"),
        ];
        for (ns, expected) in shown {
            assert_eq!(Duration(ns).to_string(), expected, "{ns}");
        }
    }

    #[test]
    fn text_is_cut_at_its_column() {
        assert_eq!(cut("twelve chars", 12), "twelve chars");
        assert_eq!(cut("twelve chars", 11), "twelve cha…");
        assert_eq!(cut("twelve chars", 1), "…");
        assert_eq!(cut("twelve chars", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(cut("注文を確認", 10), "注文を確認");
        assert_eq!(cut("注文を確認", 9), "注文を確…");
        assert_eq!(cut("注文を確認", 8), "注文を…");
    }

    #[test]
    fn pieces_cut_at_their_border_show_it() {
        let mut out = String::new();
        let pieces = [Piece::new(Colour::Plain, "name"), Piece::new(Colour::Dim, " rest")];
        Line::new(&mut out, false).put(5, &pieces);
        assert_eq!(out, "name…");
    }

    #[test]
    fn colours_are_closed_and_take_no_columns() {
        let mut out = String::new();
        let mut line = Line::new(&mut out, true);
        line.put(20, &[Piece::new(Colour::Failed, "\u{1b}[0m")]);
        line.move_to(12);
        line.put(20, &[Piece::new(Colour::Plain, "|")]);
        line.end();
        assert_eq!(out, "\u{1b}[31m\\u{1b}[0m\u{1b}[0m   |\n");
    }

    proptest! {
        #[test]
        fn no_text_passes_its_column(text: String, end in 0_usize..40) {
            let shown = cut(&text, end);
            prop_assert!(columns_of(&shown) <= end);
            prop_assert!(!shown.chars().any(char::is_control));
        }

        #[test]
        fn durations_are_short(ns: u64) {
            prop_assert!(Duration(ns).to_string().chars().count() <= 9);
        }
    }
}
