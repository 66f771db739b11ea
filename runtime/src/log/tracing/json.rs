//! Members for a JSON object that somebody else writes.

use std::fmt::{self, Write};

use crate::log::correlation::Fields;

/// Passes a JSON object on, with these fields as its first members. What is no object passes as it is.
pub(super) struct Inserting<'a, W> {
    fields: &'a Fields<'a>,
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
    pub(super) fn new(fields: &'a Fields<'a>, writer: &'a mut W) -> Self {
        Self { fields, writer, place: Place::Before }
    }

    /// Writes the fields; whether there were some.
    fn insert(&mut self) -> Result<bool, fmt::Error> {
        let mut is_first = true;
        for (key, value) in self.fields.iter() {
            let comma = if is_first { "" } else { "," };
            // Neither has a character that JSON escapes, but for backslashes in settings.
            write!(self.writer, "{comma}\"{key}\":\"")?;
            for (at, part) in value.split('\\').enumerate() {
                self.writer.write_str(if at > 0 { "\\\\" } else { "" })?;
                self.writer.write_str(part)?;
            }
            self.writer.write_str("\"")?;
            is_first = false;
        }
        Ok(!is_first)
    }
}

impl<W: Write> Write for Inserting<'_, W> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
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
