//! Members for a JSON object that somebody else writes.

use std::fmt::{self, Write};

use crate::log::correlation::CorrelationFields;

/// Passes a JSON object on, with these fields as its first members. What is no object passes as it is.
pub(super) struct Inserting<'a, W> {
    fields: &'a CorrelationFields<'a>,
    writer: &'a mut W,
    place: Place,
}

/// How far the object was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    /// The fields are written: a comma follows if a member does.
    AfterFields,
    Beyond,
}

impl<'a, W: Write> Inserting<'a, W> {
    pub(super) fn new(fields: &'a CorrelationFields<'a>, writer: &'a mut W) -> Self {
        Self { fields, writer, place: Place::Before }
    }

    /// Writes the fields; whether there were some.
    fn insert(&mut self) -> Result<bool, fmt::Error> {
        let mut is_first = true;
        for (key, value) in self.fields.iter() {
            self.writer.write_str(if is_first { "\"" } else { "\",\"" })?;
            is_first = false;
            self.writer.write_str(key)?;
            self.writer.write_str("\":\"")?;
            // Of what JSON escapes, settings have nothing left but backslashes.
            let mut parts = value.split('\\');
            self.writer.write_str(parts.next().unwrap_or_default())?;
            for part in parts {
                self.writer.write_str("\\\\")?;
                self.writer.write_str(part)?;
            }
        }
        if !is_first {
            self.writer.write_str("\"")?;
        }
        Ok(!is_first)
    }
}

impl<W: Write> Write for Inserting<'_, W> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.place == Place::Beyond { self.writer.write_str(text) } else { self.begin(text) }
    }
}

impl<W: Write> Inserting<'_, W> {
    fn begin(&mut self, mut text: &str) -> fmt::Result {
        if self.place == Place::Before {
            let Some(start) = text.find(|character: char| !character.is_ascii_whitespace()) else {
                return self.writer.write_str(text);
            };
            self.place = Place::Beyond;
            if let Some(rest) = text.get(start..).and_then(|text| text.strip_prefix('{')) {
                self.writer.write_str(text.get(..=start).unwrap_or_default())?;
                if self.insert()? {
                    self.place = Place::AfterFields;
                }
                text = rest;
            }
        }
        if self.place == Place::AfterFields {
            if let Some(next) = text.trim_ascii_start().chars().next() {
                self.place = Place::Beyond;
                if next != '}' {
                    self.writer.write_str(",")?;
                }
            }
        }
        self.writer.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::correlation::Correlation;
    use proptest::prelude::*;
    use serde_json::Value;

    fn inserted(parts: &[&str], correlation: &Correlation) -> String {
        let (fields, mut line) = (correlation.fields(), String::new());
        let mut inserting = Inserting::new(&fields, &mut line);
        for part in parts {
            inserting.write_str(part).unwrap();
        }
        line
    }

    fn of_span() -> Correlation {
        Correlation::new(None, Some((1 << 64, 7)))
    }

    #[test]
    fn members_come_first() {
        let ids = r#""dd.trace_id":"00000000000000010000000000000000","dd.span_id":"7""#;
        assert_eq!(inserted(&["{\"a\":", "1}\n"], &of_span()), format!("{{{ids},\"a\":1}}\n"));
        assert_eq!(inserted(&[" ", "{", " ", "}"], &of_span()), format!(" {{{ids} }}"));
        assert_eq!(inserted(&["{", "\n", "\"a\":{}}"], &of_span()), format!("{{{ids}\n,\"a\":{{}}}}"));
    }

    #[test]
    fn what_is_no_object_and_lines_without_fields_stay_as_they_are() {
        assert_eq!(inserted(&["[", "{}]"], &of_span()), "[{}]");
        assert_eq!(inserted(&["", "text {"], &of_span()), "text {");
        let none = Correlation::new(None, None);
        assert_eq!(inserted(&["{\"a\"", ":1}"], &none), "{\"a\":1}");
    }

    proptest! {
        #[test]
        fn any_object_in_any_pieces_keeps_its_members(members: Vec<(String, String)>, cuts: Vec<usize>) {
            let object: serde_json::Map<String, Value> =
                members.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
            let text = Value::Object(object.clone()).to_string();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.retain(|cut| text.is_char_boundary(*cut));
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let parts: Vec<&str> = cuts.windows(2).map(|ends| &text[ends[0]..ends[1]]).collect();
            let read: serde_json::Map<String, Value> =
                serde_json::from_str(&inserted(&parts, &of_span())).unwrap();
            prop_assert_eq!(read.get("dd.span_id").and_then(Value::as_str), Some("7"));
            for (key, value) in object {
                prop_assert!(read.get(&key) == Some(&value) || key.starts_with("dd."));
            }
        }
    }
}
