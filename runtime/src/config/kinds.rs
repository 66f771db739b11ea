//! The kinds of values that most settings have.

use super::reader::Reader;
use super::row::Row;
use std::fmt::Display;
use std::time::Duration;

impl Reader<'_> {
    /// Any text, trimmed.
    pub(super) fn text(&mut self, row: impl Into<Row>) -> Option<String> {
        self.parsed(row, "a text", |text| Some(text.to_owned()))
    }

    /// A boolean: `true`, `1`, `t` or `false`, `0`, `f`, in any case.
    pub(super) fn flag(&mut self, row: impl Into<Row>, default: bool) -> bool {
        self.or(row, default, "a boolean", parse_flag)
    }

    /// An integer within `range`.
    pub(super) fn integer(
        &mut self,
        row: impl Into<Row>,
        range: std::ops::RangeInclusive<usize>,
        default: usize,
    ) -> usize {
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        self.or(row, default, &expected, |text| text.parse().ok().filter(|value| range.contains(value)))
    }

    /// A decimal number of seconds above 0, at most `max`.
    pub(super) fn seconds(&mut self, row: impl Into<Row>, max: f64, default: Duration) -> Duration {
        let row = row.into().default(default.as_secs_f64().to_string());
        let expected = format!("a number of seconds above 0, at most {max}");
        self.parsed(row, &expected, |text| parse_seconds(text, max)).unwrap_or(default)
    }

    /// A value that shows its default by itself.
    pub(super) fn or<T: Display>(
        &mut self,
        row: impl Into<Row>,
        default: T,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let row = row.into().default(default.to_string());
        self.parsed(row, expected, parse).unwrap_or(default)
    }

    /// A decimal number within `range`.
    pub(super) fn number(
        &mut self,
        row: impl Into<Row>,
        range: std::ops::RangeInclusive<f64>,
        default: f64,
    ) -> f64 {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.or(row, default, &expected, |text| text.parse().ok().filter(|value| range.contains(value)))
    }

    /// One of some words, in any case; the place of the word.
    pub(super) fn word(&mut self, row: impl Into<Row>, words: &[&'static str]) -> Option<usize> {
        let expected = format!("one of {}", words.join(", "));
        self.parsed(row, &expected, |text| words.iter().position(|word| text.eq_ignore_ascii_case(word)))
    }
}

/// `true`, `1`, `t` or `false`, `0`, `f`, in any case.
pub(super) fn parse_flag(text: &str) -> Option<bool> {
    let is = |names: [&str; 3]| names.into_iter().any(|name| text.eq_ignore_ascii_case(name));
    match (is(["true", "1", "t"]), is(["false", "0", "f"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// A decimal number of seconds above zero.
pub(super) fn parse_seconds(text: &str, max: f64) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (seconds <= max && !duration.is_zero()).then_some(duration)
}
