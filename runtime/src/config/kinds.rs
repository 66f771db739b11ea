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

/// What a duration is called in notices.
pub(super) const EXPECTED_DURATION: &str = "a duration such as 10m or 1ms";

/// A duration above 0 in the syntax of Go: `10m`, `1h30m`, `1.5ms`.
///
/// Source: `time.ParseDuration` of Go.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("μs", 1e-6),
        ("ms", 1e-3),
        ("h", 3600.0),
        ("m", 60.0),
        ("s", 1.0),
    ];
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, unit) = rest.split_at(end);
        let (name, factor) = UNITS.into_iter().find(|(name, _)| unit.starts_with(name))?;
        seconds += number.parse::<f64>().ok()? * factor;
        rest = unit.get(name.len()..)?;
    }
    // Go counts nanoseconds in 63 bits.
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (seconds < 9_223_372_036.0 && !duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_written_as_in_go() {
        for (text, nanoseconds) in [
            ("10m", 600_000_000_000),
            ("1ms", 1_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("100µs", 100_000),
            ("1ns", 1),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_nanos(nanoseconds)), "{text}");
        }
        assert!(parse_duration("2562047h").is_some());
        for text in ["", "10", "m", "1d", "-1s", "0s", "0.1ns", "1.2.3s", "1m 1s", "1e300h", "2562048h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_above_zero_or_none(text in "[0-9.hmnuµs]{0,12}|.*") {
            prop_assert!(parse_duration(&text).is_none_or(|duration| !duration.is_zero()));
        }
    }
}
