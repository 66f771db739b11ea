//! The debug log of spans: each as it starts, each as it is sent, and each trace with its counts.
//!
//! Made on the worker's thread, but for the starts, and only where messages of that level are shown. Values under names of secrets, and credentials within any
//! other text, are left out.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Display, Write};

use super::backlog::Taken;
use super::run::Worker;
use crate::clock::Timeline;
use crate::diagnostics::{self, Escaped, Level, REDACTED, names_secret, without_secrets};
use crate::export::v04::{Texts, times};
use crate::model::{ChunkHead, EntryKind, Flags, Record, SpanBuffer, TagLog, ToldStarts, is_other_service};
use crate::sampling::Sampler;

/// Bytes of one name, resource or value that are shown.
const MAX_TEXT_BYTES: usize = 500;
/// Tags of a span that are shown.
const MAX_TAGS: usize = 100;
/// Spans of a chunk that are shown; of the others the line of the trace tells how many they are.
const MAX_SPANS: usize = 1_000;

impl Worker {
    /// Tells of the spans of the latest `count` batches, and of their traces.
    pub(super) fn tell(&mut self, count: usize) {
        if count == 0 || !diagnostics::is_shown(Level::Debug) {
            return;
        }
        let timeline = self.timeline();
        let Self { backlog, sampler, told_starts, .. } = self;
        for taken in backlog.latest(count) {
            tell_batch(taken, sampler, &timeline, told_starts.as_deref());
        }
    }
}

/// Tells of a span that has just started.
pub(crate) fn tell_start(trace_id: u128, record: &Record, tags: &TagLog, service: &str, start_ns: u64) {
    let identity = Identity { trace_id, record, tags, service };
    diagnostics::debug(format_args!("span started: {identity} start_ns={start_ns}"));
}

fn tell_batch(taken: &mut Taken, sampler: &Sampler, timeline: &Timeline, told_starts: Option<&ToldStarts>) {
    let mut index = 0;
    while let Some(chunk) = taken.decided(index, sampler) {
        let (head, buffer) = (chunk.head, chunk.buffer);
        let records = head.records(buffer);
        for record in records.iter().take(MAX_SPANS) {
            let (start, duration_ns) = times(record, timeline);
            let start_ns = told_starts.and_then(|told| told.take(record.span_id)).unwrap_or(start);
            let (trace_id, service) = (head.trace_id, sampler.service());
            let span = Told { trace_id, record, buffer, service, start_ns, duration_ns };
            diagnostics::debug(format_args!("{span}"));
        }
        diagnostics::debug(format_args!("{}", Handed { head, records }));
        index += 1;
    }
}

/// A trace that was handed over, or a part of it.
struct Handed<'a> {
    head: &'a ChunkHead,
    records: &'a [Record],
}

impl Display for Handed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, records } = self;
        let spans = records.len();
        let errors = records.iter().filter(|record| record.flags.has(Flags::ERROR)).count();
        let part = if head.is_last { "" } else { ", spans of it are still open" };
        write!(f, "trace handed over: trace_id={:032x} spans={spans} errors={errors}{part}", head.trace_id)?;
        match spans.saturating_sub(MAX_SPANS) {
            0 => Ok(()),
            hidden => write!(f, ", {hidden} of them not listed"),
        }
    }
}

/// A finished span.
struct Told<'a> {
    trace_id: u128,
    record: &'a Record,
    buffer: &'a SpanBuffer,
    /// That of the tracer.
    service: &'a str,
    start_ns: u64,
    duration_ns: u64,
}

impl Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, record, buffer, service, start_ns, duration_ns } = *self;
        let identity = Identity { trace_id, record, tags: &buffer.tags, service };
        write!(f, "span finished: {identity} start_ns={start_ns} duration_ns={duration_ns}")?;
        write!(f, " error={}", u8::from(record.flags.has(Flags::ERROR)))?;
        let (meta, metrics) = tags(record, buffer);
        write!(f, " tags={{{meta}}} metrics={{{metrics}}}")
    }
}

/// What a span is called, and where it belongs.
struct Identity<'a> {
    trace_id: u128,
    record: &'a Record,
    tags: &'a TagLog,
    /// That of the tracer.
    service: &'a str,
}

impl Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, record, tags, service } = *self;
        let Texts { name, resource, span_type } = Texts::of(record, tags);
        let own = tags.text(record.service).filter(|own| is_other_service(own.as_bytes(), service));
        write!(f, "name={} trace_id={trace_id:032x}", Quoted(&name))?;
        write!(f, " span_id={} parent_id={}", record.span_id, record.parent_id)?;
        write!(f, " service={} resource={}", Quoted(own.unwrap_or(service)), Quoted(&resource))?;
        write!(f, " type={}", Quoted(span_type))
    }
}

/// The latest value of each key, as `key="text", …` and `key=1, …`.
fn tags(record: &Record, buffer: &SpanBuffer) -> (String, String) {
    let (mut meta, mut metrics) = (String::new(), String::new());
    let mut seen = HashSet::new();
    for entry in buffer.tags.entries(record.tags) {
        let is_tag = matches!(entry.kind, EntryKind::Meta | EntryKind::Metric | EntryKind::Unset);
        if !is_tag || seen.len() >= MAX_TAGS || !seen.insert(entry.key()) {
            continue;
        }
        if let (EntryKind::Meta, Some(text)) = (entry.kind, entry.text()) {
            push(&mut meta, entry.key(), format_args!("{}", Quoted(&shown(entry.key(), text))));
        } else if let (EntryKind::Metric, Some(number)) = (entry.kind, entry.number()) {
            push(&mut metrics, entry.key(), format_args!("{number}"));
        }
    }
    for (key, text) in record.site.tags.iter().rev() {
        if seen.insert(key) {
            push(&mut meta, key, format_args!("{}", Quoted(&shown(key, text))));
        }
    }
    (meta, metrics)
}

fn shown<'a>(key: &str, text: &'a str) -> Cow<'a, str> {
    if names_secret(key) && !text.is_empty() { REDACTED.into() } else { text.into() }
}

fn push(list: &mut String, key: &str, value: fmt::Arguments<'_>) {
    let separator = if list.is_empty() { "" } else { ", " };
    // Writing to a string does not fail.
    let _ = if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte)) {
        write!(list, "{separator}{}={value}", Escaped::new(key, MAX_TEXT_BYTES))
    } else {
        write!(list, "{separator}{}={value}", Quoted(key))
    };
}

/// A text from outside, in quotes: nothing in it can look like the next field.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = without_secrets(self.0).replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{}\"", Escaped::new(&text, MAX_TEXT_BYTES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::v04::testing::{head, record, timeline};
    use crate::model::CallSite;
    use proptest::prelude::*;

    static SITE: CallSite =
        CallSite::function("shop", "pay").resource("POST /pay").tags(&[("team", "core"), ("kept", "no")]);

    fn told(buffer: &SpanBuffer) -> String {
        let record = &buffer.records[0];
        let (start_ns, duration_ns) = times(record, &timeline());
        Told { trace_id: 0xab, record, buffer, service: "shop", start_ns, duration_ns }.to_string()
    }

    #[test]
    fn span_is_told_as_it_is_sent() {
        let mut buffer = SpanBuffer::new();
        let mut span = record(&SITE, 2, 1);
        span.flags = span.flags.with(Flags::ERROR);
        span.tags = buffer.tags.meta(0, "user", "first");
        span.tags = buffer.tags.meta(span.tags, "user", "a \"b\"\nc");
        span.tags = buffer.tags.unset(span.tags, "kept");
        span.tags = buffer.tags.metric(span.tags, "count", 1.5);
        buffer.records.push(span);
        let told = told(&buffer);
        let (before, after) = told.split_once(" start_ns=").unwrap();
        assert_eq!(
            before,
            "span finished: name=\"shop.pay\" trace_id=000000000000000000000000000000ab span_id=2 parent_id=1 \
             service=\"shop\" resource=\"POST /pay\" type=\"\""
        );
        let (_, after) = after.split_once(' ').unwrap();
        let expected = r#"duration_ns=500 error=1 tags={user="a \"b\"\nc", team="core"} metrics={count=1.5}"#;
        assert_eq!(after, expected);
    }

    /// What follows a text in quotes.
    fn behind_quoted(text: &str) -> &str {
        let mut is_escaped = false;
        let inside = text.strip_prefix('"').unwrap();
        let end = inside.find(|character: char| {
            let is_end = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            is_end
        });
        &inside[end.unwrap() + 1..]
    }

    proptest! {
        #[test]
        fn no_tag_looks_like_the_next_field(key in "[\"\\\\=, {}\na]{1,20}", value in "[\"\\\\=, {}\na]{0,600}") {
            static BARE: CallSite = CallSite::function("shop", "pay");
            let mut buffer = SpanBuffer::new();
            let mut span = record(&BARE, 2, 1);
            span.tags = buffer.tags.meta(0, &key, &value);
            buffer.records.push(span);
            let told = told(&buffer);
            let tags = told.split_once(" tags={").unwrap().1;
            let after_key = if tags.starts_with('"') { behind_quoted(tags) } else { tags.trim_start_matches('a') };
            prop_assert_eq!(behind_quoted(after_key.strip_prefix('=').unwrap()), "} metrics={}");
        }
    }

    #[test]
    fn secrets_are_not_told() {
        let mut buffer = SpanBuffer::new();
        let mut span = record(&SITE, 2, 1);
        span.flags = span.flags.with(Flags::FIELDS);
        span.tags = buffer.tags.meta(0, "http.request.headers.authorization", "s3cret");
        span.tags = buffer.tags.meta(span.tags, "api_key", "s3cret");
        span.tags = buffer.tags.meta(span.tags, "http.url", "http://me:s3cret@shop/?token=s3cret");
        span.tags = buffer.tags.field(span.tags, EntryKind::Resource, "GET /?api-key=s3cret");
        buffer.records.push(span);
        let told = told(&buffer);
        assert!(!told.contains("s3cret") && told.contains("resource=\"GET /?api-key=<redacted>\""), "{told}");
    }

    #[test]
    fn many_tags_and_long_texts_are_cut() {
        let mut buffer = SpanBuffer::new();
        let mut span = record(&SITE, 2, 1);
        for index in 0..2 * MAX_TAGS {
            span.tags = buffer.tags.meta(span.tags, &format!("key{index}"), &"x".repeat(10_000));
        }
        buffer.records.push(span);
        assert!(told(&buffer).len() < (MAX_TAGS + 2) * (MAX_TEXT_BYTES + 20));
    }

    #[test]
    fn trace_is_told_with_its_counts() {
        let mut failed = record(&SITE, 1, 0);
        failed.flags = failed.flags.with(Flags::ERROR);
        let records = [failed, record(&SITE, 2, 1)];
        let mut head = ChunkHead { len: 2, ..head(0xab, 1, None) };
        let told = |head: &ChunkHead| Handed { head, records: &records }.to_string();
        let expected = "trace handed over: trace_id=000000000000000000000000000000ab spans=2 errors=1";
        assert_eq!(told(&head), expected);
        head.is_last = false;
        assert_eq!(told(&head), format!("{expected}, spans of it are still open"));
    }
}
