//! A message with its level and its moment, and the lines that it becomes: text, or an object of JSON.

use std::fmt::{self, Write};
use std::time::SystemTime;

use super::Level;
use super::escape::{self, MAX_LINE_BYTES, is_hostile};

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) level: Level,
    /// Whether a switch of its own decides, and no level does.
    pub(super) is_asked_for: bool,
    time: SystemTime,
    /// As it was given, but for its length.
    text: String,
}

impl Entry {
    /// A message of now, cut to the length of a line.
    pub(super) fn new(level: Level, message: fmt::Arguments<'_>) -> Self {
        let mut text = Cut(String::new());
        // The only error is that of the limit; a message cut short is still one.
        let _ = text.write_fmt(message);
        text.0.shrink_to_fit();
        Self { level, is_asked_for: false, time: SystemTime::now(), text: text.0 }
    }

    /// The same, told whatever the level.
    pub(super) fn asked_for(self) -> Self {
        Self { is_asked_for: true, ..self }
    }

    /// Whether it is shown up to this level.
    pub(super) fn is_within(&self, level: Level) -> bool {
        self.is_asked_for || self.level <= level
    }

    /// Bytes of memory that it holds.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.capacity()
    }

    /// The message alone, on one line without its end.
    pub(super) fn message(&self) -> String {
        let mut line = escape::line(format_args!("{}", self.text));
        line.truncate(line.len() - 1);
        line
    }

    /// `dd-traced WARN: message`.
    pub(super) fn line(&self) -> String {
        escape::line(format_args!("dd-traced {}: {}", self.level.name(), self.text))
    }

    /// `2026-07-01T12:00:00.123Z dd-traced WARN: message`, for a file, which has no clock of its own.
    pub(super) fn dated_line(&self) -> String {
        let Self { level, time, text, .. } = self;
        escape::line(format_args!("{} dd-traced {}: {text}", Date(*time), level.name()))
    }

    /// `{"date":"…","level":"WARN","logger":"dd-traced","pid":1,"message":"…"}`.
    ///
    /// Source: the names of `date`, `level`, `logger` and `message` are those of the JSON log of DataDog/dd-trace-java (`DD_LOG_FORMAT_JSON`).
    pub(super) fn json_line(&self) -> String {
        let (date, level, pid) = (Date(self.time), self.level.name(), std::process::id());
        let mut line =
            format!(r#"{{"date":"{date}","level":"{level}","logger":"dd-traced","pid":{pid},"message":""#);
        for character in self.text.chars() {
            if line.len() > MAX_LINE_BYTES - 20 {
                line.push('…');
                break;
            }
            match character {
                '"' | '\\' => line.extend(['\\', character]),
                // All of them are of the basic plane. Writing to a string does not fail.
                _ if is_hostile(character) => drop(write!(line, "\\u{:04x}", u32::from(character))),
                _ => line.push(character),
            }
        }
        line.push_str("\"}\n");
        line
    }
}

struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_LINE_BYTES - self.0.len().min(MAX_LINE_BYTES);
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(text.get(..end).unwrap_or_default());
        self.0.push('…');
        Err(fmt::Error)
    }
}

/// A time as `2026-07-01T12:00:00.000Z`.
struct Date(SystemTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = date(u32::try_from(since.as_secs()).unwrap_or(u32::MAX));
        write!(f, "{}.{:03}Z", seconds.trim_end_matches('Z'), since.subsec_millis())
    }
}

/// A time as `2026-07-01T12:00:00Z`. The calendar is Howard Hinnant's `civil_from_days`.
pub(crate) fn date(unix_seconds: u32) -> String {
    let (days, second) = (unix_seconds / 86_400 + 719_468, unix_seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(1_783_000_000), "2026-07-02T13:46:40Z");
        assert_eq!(date(u32::MAX), "2106-02-07T06:28:15Z");
    }

    fn entry(text: &str) -> Entry {
        Entry {
            level: Level::Warn,
            is_asked_for: false,
            time: SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_782_907_200_123),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_message_is_one_line_in_each_form() {
        let entry = entry("two\n\"lines\" \u{1b}[31m");
        assert_eq!(entry.line(), "dd-traced WARN: two\\n\"lines\" \\u{1b}[31m\n");
        assert_eq!(entry.message(), "two\\n\"lines\" \\u{1b}[31m");
        assert_eq!(
            entry.dated_line(),
            "2026-07-01T12:00:00.123Z dd-traced WARN: two\\n\"lines\" \\u{1b}[31m\n"
        );
        let expected = format!(
            r#"{{"date":"2026-07-01T12:00:00.123Z","level":"WARN","logger":"dd-traced","pid":{},"message":"two\u000a\"lines\" \u001b[31m"}}"#,
            std::process::id()
        );
        assert_eq!(entry.json_line(), expected + "\n");
    }

    #[test]
    fn no_form_is_longer_than_a_line() {
        for length in [MAX_LINE_BYTES - 100, MAX_LINE_BYTES, 5 * MAX_LINE_BYTES] {
            for filling in ["x", "\n", "é", "\""] {
                let entry = Entry::new(Level::Warn, format_args!("{}", filling.repeat(length)));
                assert!(entry.bytes() <= MAX_LINE_BYTES + 200);
                for line in [entry.line(), entry.dated_line(), entry.json_line()] {
                    assert!(line.len() <= MAX_LINE_BYTES && line.ends_with('\n'), "{length} {filling:?}");
                }
            }
        }
    }

    proptest! {
        #[cfg(feature = "enable")]
        #[test]
        fn any_message_is_an_object_of_json(text: String) {
            let line = entry(&text).json_line();
            prop_assert!(!line.trim_end_matches('\n').contains(is_hostile));
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read["message"].as_str(), Some(text.as_str()));
        }
    }
}
