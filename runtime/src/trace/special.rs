//! Keys that name more than a tag, or none: their values are a field of the span, its failure, or something that more follows from.
//!
//! Source: `ddtrace/tracer/span.go` (`SetTag`) and `ext/tags.go` of DataDog/dd-trace-go.

use super::owned::Edit;
use crate::model::{EntryKind, Flags, TagLog, WriteTag};

/// Whether a key may name more than a tag. For most it does not: the length tells already.
#[inline]
pub(crate) fn is_special(key: &str) -> bool {
    matches!(
        key,
        "span.name"
            | "service.name"
            | "resource.name"
            | "span.type"
            | "error"
            | "analytics.event"
            | "http.status_code"
            | "peer.service"
    )
}

/// What a value under a special key asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Another service, also for children to come.
    Service(String),
    /// Something of the span alone.
    Change(Change),
    /// A tag as any other.
    Tag,
}

/// Something of the span alone.
#[derive(Debug)]
pub(crate) enum Change {
    Field(EntryKind, String),
    Failed(bool),
    Metric(&'static str, f64),
    /// A tag from which the worker concludes more.
    Telling(&'static str, String),
}

impl Asked {
    #[cold]
    pub(crate) fn of(key: &str, value: &impl WriteTag) -> Self {
        let mut log = TagLog::new();
        let anchor = value.write(&mut log, 0, key);
        let Some(entry) = log.entries(anchor).next().filter(|entry| entry.key() == key) else {
            return Self::Tag;
        };
        match entry.kind {
            EntryKind::Metric => number_of(key, entry.number().unwrap_or_default()),
            _ => text_of(key, entry.text().unwrap_or_default()),
        }
    }
}

fn text_of(key: &str, text: &str) -> Asked {
    let is_true = !(text.is_empty() || text == "0" || text.eq_ignore_ascii_case("false"));
    let field = |kind| Asked::Change(Change::Field(kind, text.to_owned()));
    match key {
        "service.name" => Asked::Service(text.to_owned()),
        "span.name" => field(EntryKind::Name),
        "resource.name" => field(EntryKind::Resource),
        "span.type" => field(EntryKind::SpanType),
        "http.status_code" => Asked::Change(Change::Telling("http.status_code", text.to_owned())),
        "peer.service" => Asked::Change(Change::Telling("peer.service", text.to_owned())),
        _ => switch(key, is_true),
    }
}

fn number_of(key: &str, number: f64) -> Asked {
    match key {
        "http.status_code" => Asked::Change(Change::Telling("http.status_code", number.to_string())),
        "error" | "analytics.event" => switch(key, number != 0.0),
        _ => Asked::Tag,
    }
}

fn switch(key: &str, is_on: bool) -> Asked {
    Asked::Change(match key {
        "error" => Change::Failed(is_on),
        _ => Change::Metric("_dd1.sr.eausr", f64::from(u8::from(is_on))),
    })
}

impl Edit<'_> {
    /// Does what was asked of the span.
    pub(crate) fn change(&mut self, change: &Change) {
        match change {
            Change::Field(kind, text) => self.field(*kind, text),
            Change::Failed(is_failed) => self.failed(*is_failed),
            Change::Metric(key, value) => self.tag(key, value),
            Change::Telling(key, text) => {
                self.meta(key, text);
                self.flag(Flags::TELLING, true);
            }
        }
    }

    /// A tag under a special key.
    #[cold]
    pub(crate) fn special_tag(&mut self, key: &str, value: &impl WriteTag) {
        match Asked::of(key, value) {
            Asked::Service(service) => self.field(EntryKind::Service, &service),
            Asked::Change(change) => self.change(&change),
            Asked::Tag => self.tag(key, value),
        }
    }
}
