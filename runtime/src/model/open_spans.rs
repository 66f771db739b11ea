//! The spans of a tracer that are open, for whoever looks for abandoned ones. Kept only where somebody asked for that.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::EntryKind;
use super::record::Record;
use super::site::{CallSite, SiteName};
use super::tags::TagLog;

/// Locks that threads share, so that they seldom meet.
const SHARDS: usize = 16;
/// Open spans that are listed at a time, about 10 MiB of them; further ones are counted.
const MAX_LISTED: usize = 1 << 16;

/// The open spans by their ids. Any thread starts and finishes them, the worker looks.
#[derive(Debug, Default)]
pub(crate) struct OpenSpans {
    shards: [Mutex<HashMap<u64, OpenSpan>>; SHARDS],
    /// Spans that started when the list was full.
    unlisted: AtomicU64,
}

/// An open span.
#[derive(Debug, Clone)]
pub(crate) struct OpenSpan {
    name: Name,
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// When it was started, in ticks of its tracer, whatever start time it was given.
    pub(crate) started: u64,
    pub(crate) source: SourceLine,
    /// Whether it was told of.
    is_told: bool,
}

/// A line of the program's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceLine {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

#[derive(Debug, Clone)]
enum Name {
    Site(SiteName),
    Given(Box<str>),
}

impl OpenSpans {
    /// Lists a span that has started.
    pub(crate) fn start(&self, span: OpenSpan) {
        let mut shard = self.shard(span.span_id);
        if shard.len() < MAX_LISTED / SHARDS {
            shard.insert(span.span_id, span);
        } else {
            drop(shard);
            // Relaxed: a count that stands alone.
            self.unlisted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a span that finishes off the list.
    pub(crate) fn finish(&self, span_id: u64) {
        self.shard(span_id).remove(&span_id);
    }

    /// Spans that are not listed, since there were too many.
    pub(crate) fn unlisted(&self) -> u64 {
        self.unlisted.load(Ordering::Relaxed)
    }

    /// Those that are `wanted`, by their start and by whether they were told of before, the oldest first. They are told of from here on.
    pub(crate) fn tell(&self, wanted: impl Fn(u64, bool) -> bool) -> Vec<(OpenSpan, IsNew)> {
        let mut told = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            for span in shard.values_mut().filter(|span| wanted(span.started, span.is_told)) {
                told.push((span.clone(), IsNew(!std::mem::replace(&mut span.is_told, true))));
            }
        }
        told.sort_by_key(|(span, _)| (span.started, span.span_id));
        told
    }

    fn shard(&self, span_id: u64) -> MutexGuard<'_, HashMap<u64, OpenSpan>> {
        // Ids are random.
        lock(&self.shards[span_id as usize % SHARDS])
    }
}

/// Whether a span is told of for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IsNew(pub(crate) bool);

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OpenSpan {
    /// A span that started at `started`, under the name it has now.
    pub(crate) fn new(
        trace_id: u128,
        record: &Record,
        tags: &TagLog,
        started: u64,
        source: SourceLine,
    ) -> Self {
        let given = tags.entries(record.tags).find(|entry| entry.kind == EntryKind::Name);
        let given = given.map(|entry| entry.field()).filter(|name| !name.is_empty());
        let name = given.map_or(Name::Site(record.site.name), |name| Name::Given(name.into()));
        Self { name, trace_id, span_id: record.span_id, started, source, is_told: false }
    }

    /// The operation name.
    pub(crate) fn name(&self) -> std::borrow::Cow<'_, str> {
        match &self.name {
            Name::Site(name) => name.text(),
            Name::Given(name) => name.as_ref().into(),
        }
    }
}

impl SourceLine {
    /// The line of a call.
    pub(crate) fn of(at: &'static Location<'static>) -> Self {
        Self { file: at.file(), line: at.line() }
    }

    /// The line of the attribute.
    pub(crate) fn of_site(site: &CallSite) -> Self {
        Self::of(site.location)
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SITE: CallSite = CallSite::function("shop", "pay");

    fn span(span_id: u64, started: u64) -> OpenSpan {
        let record = Record::open(&SITE, span_id, 0, 0);
        OpenSpan::new(7, &record, &TagLog::new(), started, SourceLine::of_site(&SITE))
    }

    fn ids(told: &[(OpenSpan, IsNew)]) -> Vec<(u64, bool)> {
        told.iter().map(|(span, is_new)| (span.span_id, is_new.0)).collect()
    }

    #[test]
    fn spans_are_told_by_age_and_are_new_once() {
        let open = OpenSpans::default();
        for (id, started) in [(1, 30), (2, 10), (3, 20), (4, 5)] {
            open.start(span(id, started));
        }
        open.finish(4);
        open.finish(99);
        assert_eq!(ids(&open.tell(|started, _| started <= 20)), [(2, true), (3, true)]);
        assert_eq!(ids(&open.tell(|_, is_told| !is_told)), [(1, true)]);
        assert_eq!(ids(&open.tell(|_, _| true)), [(2, false), (3, false), (1, false)]);
    }

    #[test]
    fn the_latest_name_that_is_given_counts() {
        let (mut record, mut tags) = (Record::open(&SITE, 1, 0, 0), TagLog::new());
        let name = |record: &Record, tags: &TagLog| {
            OpenSpan::new(7, record, tags, 0, SourceLine::of_site(&SITE)).name().into_owned()
        };
        assert_eq!(name(&record, &tags), "shop.pay");
        record.tags = tags.field(0, EntryKind::Name, "first");
        record.tags = tags.meta(record.tags, "key", "value");
        assert_eq!(name(&record, &tags), "first");
        record.tags = tags.field(record.tags, EntryKind::Name, "second");
        assert_eq!(name(&record, &tags), "second");
    }

    #[test]
    fn list_is_bounded_and_counts_what_it_leaves_out() {
        let open = OpenSpans::default();
        let limit = MAX_LISTED / SHARDS;
        // All of one shard.
        let ids = |count: usize| (0..count as u64).map(|number| number * SHARDS as u64);
        ids(limit + 2).for_each(|id| open.start(span(id, id)));
        assert_eq!((open.tell(|_, _| true).len(), open.unlisted()), (limit, 2));
        ids(limit + 2).for_each(|id| open.finish(id));
        assert_eq!(open.tell(|_, _| true).len(), 0);
        open.start(span(0, 0));
        assert_eq!((open.tell(|_, _| true).len(), open.unlisted()), (1, 2));
    }
}
