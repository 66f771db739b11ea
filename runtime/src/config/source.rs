//! Where settings come from: the one place that reads the environment, and what was wrong with what it found.

use crate::diagnostics::{Escaped, Level};
use std::path::{Path, PathBuf};

/// The surroundings settings are read from; in tests a closure over a table.
pub(crate) struct Source<'a> {
    /// The value of an environment variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a file of this path exists.
    pub(crate) exists: &'a dyn Fn(&Path) -> bool,
    /// The program that runs.
    pub(crate) executable: Option<PathBuf>,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("executable", &self.executable).finish_non_exhaustive()
    }
}

impl Source<'static> {
    /// The environment of this process, as it is at the moment of each question.
    pub(crate) fn process() -> Self {
        Self {
            variable: &environment,
            exists: &|path| path.exists(),
            executable: std::env::current_exe().ok(),
        }
    }
}

/// A value that is not Unicode is read with replacement characters, so that it is reported like any malformed one.
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Something about the settings that the user is to be told, once the level of messages is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// Reads variables and collects notices about those that can not be used.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    source: &'a Source<'a>,
    notices: Vec<Notice>,
}

/// Bytes of a value shown in a notice.
const MAX_SHOWN_BYTES: usize = 100;

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        Self { source, notices: Vec::new() }
    }

    pub(super) fn source(&self) -> &'a Source<'a> {
        self.source
    }

    pub(super) fn into_notices(self) -> Vec<Notice> {
        self.notices
    }

    /// The trimmed value; an empty one counts as unset.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = (self.source.variable)(name)?;
        let value = value.trim();
        if value.is_empty() { None } else { Some(value.to_owned()) }
    }

    /// The first name that is set, with its value. Further ones that are set too are reported.
    pub(super) fn text_of_names(&mut self, names: &[&'static str]) -> Option<(&'static str, String)> {
        let mut found = None;
        for name in names {
            match (&found, self.text(name)) {
                (None, Some(value)) => found = Some((*name, value)),
                (Some((winner, _)), Some(_)) => {
                    self.warn(format!("{name} is ignored because {winner} is set"));
                }
                (_, None) => {}
            }
        }
        found
    }

    /// The value if `parse` takes it. A notice says what was `expected` otherwise, and the variable counts as unset.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.parsed_of_names(&[name], expected, parse)
    }

    /// Like [`Reader::parsed`] for a variable of several names, the one that counts most first.
    pub(super) fn parsed_of_names<T>(
        &mut self,
        names: &[&'static str],
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let (name, text) = self.text_of_names(names)?;
        let value = parse(&text);
        if value.is_none() {
            let shown = Escaped::new(&text, MAX_SHOWN_BYTES);
            self.warn(format!("{name}: \"{shown}\" is not {expected}; it is ignored"));
        }
        value
    }

    /// A boolean: `true`, `1`, `t` or `false`, `0`, `f`, in any case.
    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        self.parsed(name, "a boolean", parse_flag).unwrap_or(default)
    }

    /// An integer within `range`.
    pub(super) fn integer(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<usize>,
        default: usize,
    ) -> usize {
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        let parse = |text: &str| text.parse().ok().filter(|value| range.contains(value));
        self.parsed(name, &expected, parse).unwrap_or(default)
    }

    pub(super) fn warn(&mut self, text: String) {
        self.notices.push(Notice { level: Level::Warn, text });
    }
}

pub(super) fn parse_flag(text: &str) -> Option<bool> {
    let is = |names: [&str; 3]| names.into_iter().any(|name| text.eq_ignore_ascii_case(name));
    match (is(["true", "1", "t"]), is(["false", "0", "f"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{notices_of, with_source};
    use super::*;

    #[test]
    fn flag_is_read_in_any_case_and_a_bad_one_is_reported() {
        for (text, expected) in
            [("TRUE", true), (" 1 ", true), ("t", true), ("False", false), ("0", false), ("F", false)]
        {
            with_source(&[("X", text)], |source| {
                assert_eq!(Reader::new(source).flag("X", !expected), expected);
            });
        }
        with_source(&[("X", "yes")], |source| {
            let mut reader = Reader::new(source);
            assert!(reader.flag("X", true) && !reader.flag("UNSET", false));
            assert_eq!(notices_of(reader.into_notices()), ["X: \"yes\" is not a boolean; it is ignored"]);
        });
    }

    #[test]
    fn hostile_value_is_shown_short_and_on_one_line() {
        let value = format!("a\nb\u{1b}{}", "x".repeat(1000));
        with_source(&[("X", &value)], |source| {
            let mut reader = Reader::new(source);
            reader.flag("X", true);
            let notices = notices_of(reader.into_notices());
            assert!(notices[0].starts_with(r#"X: "a\nb\u{1b}xxx"#) && notices[0].len() < 200, "{notices:?}");
        });
    }

    #[test]
    fn main_name_wins_over_its_alias_with_a_notice() {
        with_source(&[("MAIN", "1"), ("ALIAS", "2")], |source| {
            let mut reader = Reader::new(source);
            assert_eq!(reader.text_of_names(&["MAIN", "ALIAS"]), Some(("MAIN", "1".to_owned())));
            assert_eq!(notices_of(reader.into_notices()), ["ALIAS is ignored because MAIN is set"]);
        });
        with_source(&[("MAIN", " "), ("ALIAS", "2")], |source| {
            assert_eq!(
                Reader::new(source).text_of_names(&["MAIN", "ALIAS"]),
                Some(("ALIAS", "2".to_owned()))
            );
        });
    }

    #[test]
    fn integer_holds_at_the_ends_of_its_range() {
        for (text, expected) in
            [("0", 7), ("1", 1), ("9", 9), ("10", 7), ("-1", 7), ("x", 7), ("99999999999999999999", 7)]
        {
            with_source(&[("X", text)], |source| {
                assert_eq!(Reader::new(source).integer("X", 1..=9, 7), expected);
            });
        }
    }
}
