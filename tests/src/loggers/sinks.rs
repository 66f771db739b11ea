//! Where lines end: each is kept under the name of its logger.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use log::kv::{Error, Key, Value, VisitSource};
use log::{Log, Metadata, Record};
use slog::Drain;

use super::Line;

pub(super) static KEPT: Mutex<Vec<Line>> = Mutex::new(Vec::new());

fn keep(logger: &'static str, text: String) {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(Line { logger, text });
}

/// Keeps what is written line by line.
#[derive(Debug)]
pub(super) struct Lines {
    logger: &'static str,
    begun: Vec<u8>,
}

impl Lines {
    pub(super) fn of(logger: &'static str) -> Self {
        Self { logger, begun: Vec::new() }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                keep(self.logger, String::from_utf8(std::mem::take(&mut self.begun)).expect("text"));
            } else {
                self.begun.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands each record to all.
pub(super) struct All(pub(super) [Box<dyn Log>; 4]);

impl Log for All {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.iter().any(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        self.0.iter().for_each(|logger| logger.log(record));
    }

    fn flush(&self) {
        self.0.iter().for_each(|logger| Log::flush(&**logger));
    }
}

pub(super) struct Text(pub(super) &'static str);

impl Log for Text {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        keep(self.0, format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

/// Key-values beside level and message.
pub(super) struct Json;

impl Log for Json {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut members =
            Members(vec![("message".to_owned(), serde_json::Value::String(record.args().to_string()))]);
        record.key_values().visit(&mut members).expect("members");
        // Each member as it came: a map would hide one that came twice.
        let member = |(key, value): &(String, serde_json::Value)| format!("{key:?}:{value}");
        let members: Vec<String> = members.0.iter().map(member).collect();
        keep("log json", format!("{{{}}}", members.join(",")));
    }

    fn flush(&self) {}
}

struct Members(Vec<(String, serde_json::Value)>);

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let text = value.to_borrowed_str().map(|text| serde_json::Value::String(text.to_owned()));
        let value = text.unwrap_or_else(|| value.to_i64().map_or(serde_json::Value::Null, Into::into));
        self.0.push((key.to_string(), value));
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct TextDrain;

impl Drain for TextDrain {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &slog::Record<'_>, _: &slog::OwnedKVList) -> Result<(), slog::Never> {
        keep("slog text", format!("{} {}", record.level(), record.msg()));
        Ok(())
    }
}

/// A writer of its own for each record, so that a message may log while it is formatted.
#[derive(Debug)]
pub(super) struct JsonDrain;

impl Drain for JsonDrain {
    type Ok = ();
    type Err = io::Error;

    fn log(&self, record: &slog::Record<'_>, values: &slog::OwnedKVList) -> io::Result<()> {
        slog_json::Json::default(Lines::of("slog json")).log(record, values)
    }
}

impl fmt::Debug for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("All").finish_non_exhaustive()
    }
}
