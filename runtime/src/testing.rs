//! A tracer for tests of instrumented code: in memory, for one thread and for what is carried from there.
//!
//! ```
//! use dd_traced::testing::ScopedTracer;
//!
//! let tracer = ScopedTracer::new();
//! {
//!     let order = dd_traced::span("order.place").resource("POST /orders").start();
//!     let _active = order.activate();
//!     dd_traced::span("payment.charge").start().finish();
//! }
//! assert_eq!(tracer.tree(), "order.place\n  payment.charge\n");
//! ```
//!
//! It is asked for where tests are built alone:
//!
//! ```toml
//! [dev-dependencies]
//! dd-traced = { version = "0.1", features = ["testing"] }
//! ```
//!
//! Spans with all that they say:
//!
//! ```
//! use dd_traced::testing::ScopedTracer;
//! use dd_traced::traced;
//!
//! #[traced("payment.charge", service = "payments", tags(cents))]
//! fn charge(cents: u32) -> Result<(), String> {
//!     if cents > 10_000 { Err("too much".to_owned()) } else { Ok(()) }
//! }
//!
//! let tracer = ScopedTracer::new();
//! let _ = charge(20_000);
//! let spans = tracer.finished();
//! assert_eq!((&*spans[0].name, spans[0].service.as_deref()), ("payment.charge", Some("payments")));
//! assert_eq!((spans[0].metrics["cents"], &*spans[0].meta["error.message"]), (20_000.0, "too much"));
//! assert!(spans[0].is_error);
//! ```
//!
//! # Threads and tasks
//!
//! Tests that run side by side, as those of one program do, do not see each other's spans. A test that starts threads or tasks has to hand the context on, as
//! a program has to: by [`carry`](crate::carry), [`carried`](crate::TraceFuture::carried) or [`Carried`](crate::Carried), under an active span.
//! Without one, spans of other threads go to the tracer of the process. `#[tokio::test]` runs all of its tasks on the thread of the test, unless it says
//! `flavor = "multi_thread"`, so that they are seen in any case.
//!
//! What is asked of a tracer is answered from spans that were shipped: those of whole traces, or of parts of 300 spans. A span that is still held is not among them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::{Anchor, Clock, Timeline};
use crate::config::{Identity, PartialFlush, Settings, SettingsTable};
use crate::diagnostics::settings::LogSettings;
use crate::export::Counters;
use crate::export::queue::Queue;
use crate::export::settings::AgentSettings;
use crate::export::statsd::settings::StatsdSettings;
use crate::export::v04::{Chunk, Encoder, Limits, Payload, SpanDefaults, Texts};
use crate::model::{
    Attribute, ChunkBatch, ChunkHead, EntryKind, EventView, FLAGS_KNOWN, Flags, LinkView, Record, SpanId,
    TagLog, TraceId,
};
use crate::propagation::{PropagationSettings, Propagator};
use crate::sampling::{OwnTags, Sampler, SamplingSettings};
use crate::stats::settings::StatsSettings;
use crate::trace::{Core, Scope};
use crate::worker::prepare::Preparation;
use crate::worker::rules::SpanRules;
use crate::worker::settings::WriterSettings;
use crate::worker::{Abandoned, Occasion};

/// Records the spans of its thread instead of the process's tracer, until it is dropped.
///
/// Contexts, handles and futures that are carried to other threads go on recording here. It stays on its thread itself. Its service is `test`;
/// the environment changes nothing of it. Of two on one thread the later one records.
#[derive(Debug)]
pub struct ScopedTracer {
    core: Arc<Core>,
    first_anchor: Anchor,
    held: Option<Arc<AtomicU64>>,
    finished: Mutex<Vec<FinishedSpan>>,
    _scope: Scope,
    stays_on_its_thread: PhantomData<*const ()>,
}

/// A finished span as a test sees it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FinishedSpan {
    /// The operation name.
    pub name: String,
    /// The service, where it is not the tracer's own, `test`.
    pub service: Option<String>,
    /// The resource, where it is not the name.
    pub resource: Option<String>,
    /// The span type, empty if there is none.
    pub span_type: String,
    /// The trace id.
    pub trace_id: TraceId,
    /// The span id.
    pub span_id: SpanId,
    /// The parent's id, 0 for the root of a trace.
    pub parent_id: SpanId,
    /// Nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// Nanoseconds.
    pub duration_ns: u64,
    /// Whether the span failed.
    pub is_error: bool,
    /// Whether the span is the entry span of its service.
    pub is_top_level: bool,
    /// Whether the span gets trace metrics of its own.
    pub is_measured: bool,
    /// String tags.
    pub meta: BTreeMap<String, String>,
    /// Number tags.
    pub metrics: BTreeMap<String, f64>,
    /// The links, in the order they were added.
    pub links: Vec<FinishedLink>,
    /// The events, in the order they were added.
    pub events: Vec<FinishedEvent>,
    /// Structured values by key, as MessagePack.
    pub structs: BTreeMap<String, Vec<u8>>,
    /// How many chunks had arrived when this one did; spans shipped together have the same.
    pub chunk: usize,
}

/// A link of a finished span as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FinishedLink {
    /// The trace id of the other span.
    pub trace_id: TraceId,
    /// The id of the other span.
    pub span_id: SpanId,
    /// The W3C trace flags, where they are known.
    pub flags: Option<u8>,
    /// The `tracestate` header, empty without one.
    pub tracestate: String,
    /// The attributes as they are sent: as text.
    pub attributes: BTreeMap<String, String>,
}

impl FinishedLink {
    fn of(link: LinkView<'_>) -> Self {
        let attributes = link.attributes.texts().into_iter();
        Self {
            trace_id: TraceId::new(link.trace_id),
            span_id: SpanId::new(link.span_id),
            flags: (link.flags & FLAGS_KNOWN != 0).then_some(link.flags as u8),
            tracestate: link.tracestate.to_owned(),
            attributes: attributes.map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
        }
    }
}

/// An event of a finished span as a test sees it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FinishedEvent {
    /// What happened.
    pub name: String,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The attributes, with their types.
    pub attributes: BTreeMap<String, FinishedValue>,
}

/// The value of an event's attribute as a test sees it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FinishedValue {
    /// A text.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// Values of one type.
    List(Vec<FinishedValue>),
}

impl FinishedEvent {
    fn of(event: EventView<'_>, timeline: &Timeline) -> Self {
        let attributes = event.attributes.latest().into_iter();
        Self {
            name: event.name.to_owned(),
            time_ns: event.time.unix_ns(|ticks| timeline.unix_ns(ticks)),
            attributes: attributes.map(|(key, value)| (key.to_owned(), FinishedValue::of(value))).collect(),
        }
    }
}

impl FinishedValue {
    fn of(value: Attribute<'_>) -> Self {
        match value {
            Attribute::Text(text) => Self::Text(text.to_owned()),
            Attribute::Bool(value) => Self::Bool(value),
            Attribute::Int(value) => Self::Int(value),
            Attribute::Double(value) => Self::Double(value),
            Attribute::List(list) => Self::List(list.values().map(Self::of).collect()),
        }
    }
}

impl ScopedTracer {
    /// A tracer with real time.
    #[expect(clippy::new_without_default, reason = "it changes its thread until it is dropped")]
    pub fn new() -> Self {
        Self::with_clock(Clock::system(), None, settings(300))
    }

    /// A tracer with real time that ships an open trace in parts of so many finished spans, instead of 300.
    pub fn with_parts_of(spans: usize) -> Self {
        Self::with_clock(Clock::system(), None, settings(spans))
    }

    /// A tracer whose time stands still at `unix_ns` nanoseconds since the epoch, until [`ScopedTracer::advance`].
    pub fn at(unix_ns: u64) -> Self {
        let held = Arc::new(AtomicU64::new(unix_ns));
        Self::with_clock(Clock::Held(Arc::clone(&held)), Some(held), settings(300))
    }

    /// As [`ScopedTracer::at`], with open spans known to [`abandoned_spans`](Self::abandoned_spans) and [`open_spans`](Self::open_spans).
    pub fn debugging_abandoned_spans(unix_ns: u64, timeout: Duration) -> Self {
        let held = Arc::new(AtomicU64::new(unix_ns));
        let mut settings = settings(300);
        settings.writer.abandoned_after = Some(timeout);
        Self::with_clock(Clock::Held(Arc::clone(&held)), Some(held), settings)
    }

    /// What the look for abandoned spans would tell now, line by line: those that are open for longer than the timeout and were not told of
    /// before, the oldest first, with the source lines that started them. Empty unless they are
    /// [looked for](Self::debugging_abandoned_spans).
    pub fn abandoned_spans(&self) -> Vec<String> {
        self.abandoned_lines(Occasion::Check)
    }

    /// What would be told of all spans that are open, at the end of the tracer. As [`ScopedTracer::abandoned_spans`] otherwise.
    pub fn open_spans(&self) -> Vec<String> {
        self.abandoned_lines(Occasion::Shutdown)
    }

    fn abandoned_lines(&self, occasion: Occasion) -> Vec<String> {
        let Core { settings, clock, queue, open_spans, .. } = &*self.core;
        let (Some(open), Some(timeout)) = (open_spans, settings.writer.abandoned_after) else {
            return Vec::new();
        };
        let timeline = Timeline::new(clock, self.first_anchor, clock.anchor());
        Abandoned::new(Arc::clone(open), timeout, Instant::now()).lines(occasion, &timeline, queue.ledger())
    }

    /// Moves a held clock on. Does nothing on one with real time.
    pub fn advance(&self, by: Duration) {
        if let Some(held) = &self.held {
            held.fetch_add(crate::clock::saturating_ns(by), Ordering::Relaxed);
        }
    }

    /// All spans that were shipped so far, in the order they were shipped. The spans of a trace are shipped when the last of them is finished.
    pub fn finished(&self) -> Vec<FinishedSpan> {
        let mut finished = self.finished.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let timeline = Timeline::new(&self.core.clock, self.first_anchor, self.core.clock.anchor());
        let mut chunk = finished.last().map_or(0, |span| span.chunk + 1);
        self.take_shipped(|batch| {
            for head in &batch.heads {
                finished.extend(read_chunk(&batch, head, &timeline, chunk));
                chunk += 1;
            }
        });
        finished.clone()
    }

    /// Bytes of memory of each batch that was shipped since the last look.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> Vec<usize> {
        let mut held = Vec::new();
        self.take_shipped(|batch| held.push(batch.capacity_bytes()));
        held
    }

    /// The shipped spans as indented names, one line each: children below their parents, siblings by start. A failed span ends in ` !`.
    pub fn tree(&self) -> String {
        let mut spans = self.finished();
        spans.sort_by_key(|span| span.start_ns);
        let mut children: BTreeMap<SpanId, Vec<&FinishedSpan>> = BTreeMap::new();
        let ids: std::collections::BTreeSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
        let mut waiting = Vec::new();
        for span in spans.iter().rev() {
            if ids.contains(&span.parent_id) && span.parent_id != span.span_id {
                children.entry(span.parent_id).or_default().push(span);
            } else {
                waiting.push((0, span));
            }
        }
        let mut tree = String::new();
        while let Some((depth, span)) = waiting.pop() {
            let mark = if span.is_error { " !" } else { "" };
            // Writing to a string does not fail.
            let _ = writeln!(tree, "{:indent$}{}{mark}", "", span.name, indent = 2 * depth);
            waiting
                .extend(children.remove(&span.span_id).into_iter().flatten().map(|child| (depth + 1, child)));
        }
        tree
    }

    /// Takes what was shipped since the last look and gives what encodes it as an agent payload, again and again, for
    /// measurements. Each call gives the length in bytes.
    #[doc(hidden)]
    pub fn payload_encoder(&self) -> impl FnMut() -> usize + use<> {
        let mut batches = Vec::new();
        self.take_shipped(|batch| batches.push(batch));
        let timeline = Timeline::new(&self.core.clock, self.first_anchor, self.core.clock.anchor());
        let settings = &self.core.settings;
        let mut encoder = Encoder::new(&SpanDefaults {
            service: settings.identity.service.clone(),
            ..SpanDefaults::default()
        });
        let decision = self.core.sampler.decide(0, None, None);
        let mut memory = Vec::new();
        move || {
            let mut payload = Payload::reusing(std::mem::take(&mut memory));
            let limits = Limits { max_bytes: usize::MAX, max_alone: usize::MAX };
            for batch in &batches {
                for head in &batch.heads {
                    let buffer = batch.buffer(head);
                    let records = head.records(buffer);
                    let chunk = Chunk { head, records, tags: &buffer.tags, decision, selected: &[] };
                    encoder.chunk(&mut payload, &chunk, &timeline, 0, limits);
                }
            }
            let len = payload.len();
            memory = payload.into_body();
            len
        }
    }

    /// What became of the spans so far.
    pub fn counters(&self) -> Counters {
        self.core.queue.counters()
    }

    /// Takes what was shipped since the last look out of the queue, which books it as delivered.
    fn take_shipped(&self, mut take: impl FnMut(ChunkBatch)) {
        let queue = &self.core.queue;
        let Settings { identity, spans, .. } = &*self.core.settings;
        let preparation = Preparation { service: identity.service.clone(), rules: spans.clone() };
        queue.drain(&mut Vec::new(), |mut batch| {
            preparation.prepare(&mut batch, queue);
            queue.acknowledge(batch.spans());
            queue.release(batch.credit);
            take(batch);
        });
    }

    /// A tracer with real time that decides by these settings, and ships an open trace in parts of so many finished spans.
    #[cfg(test)]
    pub(crate) fn sampling(sampling: SamplingSettings, part: usize) -> Self {
        Self::with_clock(Clock::system(), None, Settings { sampling, ..settings(part) })
    }

    fn with_clock(clock: Clock, held: Option<Arc<AtomicU64>>, settings: Settings) -> Self {
        let queue = Arc::new(Queue::new(16 << 20, 2 << 20, Box::new(|| {})));
        let first_anchor = clock.anchor();
        let own = OwnTags { service: settings.identity.service.clone(), ..OwnTags::default() };
        let sampler = Arc::new(Sampler::new(&settings.sampling, own, clock.clone(), first_anchor));
        let propagator = Propagator::new(&settings.propagation, Arc::default());
        let core = Arc::new(Core::new(Arc::new(settings), clock, queue, sampler, propagator));
        let scope = Scope::enter(Arc::clone(&core));
        Self {
            core,
            first_anchor,
            held,
            finished: Mutex::default(),
            _scope: scope,
            stays_on_its_thread: PhantomData,
        }
    }
}

/// Settings that no environment touches.
fn settings(part: usize) -> Settings {
    Settings {
        identity: Identity {
            service: "test".into(),
            env: None,
            version: None,
            tags: Vec::new(),
            git_repository_url: None,
            git_commit_sha: None,
            process_tags: None,
            hostname: None,
        },
        agent: AgentSettings::default(),
        spans: SpanRules::default(),
        writer: WriterSettings::default(),
        propagation: PropagationSettings::default(),
        sampling: SamplingSettings::default(),
        sampling_rules_error: String::new(),
        statistics: StatsSettings::default(),
        metrics: StatsdSettings::default(),
        is_enabled: true,
        is_debug: false,
        messages: LogSettings::default(),
        has_startup_line: false,
        partial_flush: PartialFlush::At(part.max(1)),
        generates_128_bit_ids: true,
        logs_128_bit_ids: true,
        correlates_logs: true,
        table: SettingsTable::default(),
    }
}

fn read_chunk(batch: &ChunkBatch, head: &ChunkHead, timeline: &Timeline, chunk: usize) -> Vec<FinishedSpan> {
    let buffer = batch.buffer(head);
    let records = head.records(buffer);
    records.iter().map(|record| read_span(record, &buffer.tags, head, timeline, chunk)).collect()
}

fn read_span(
    record: &Record,
    log: &TagLog,
    head: &ChunkHead,
    timeline: &Timeline,
    chunk: usize,
) -> FinishedSpan {
    let start_ns =
        if record.flags.has(Flags::START_GIVEN) { record.start } else { timeline.unix_ns(record.start) };
    let end_ns = if record.flags.has(Flags::END_GIVEN) { record.end } else { timeline.unix_ns(record.end) };
    let Texts { name, resource, span_type } = Texts::of(record, log);
    let structs = log.structures(record.tags).into_iter();
    let mut span = FinishedSpan {
        service: log.text(record.service).map(str::to_owned),
        resource: Some(resource).filter(|resource| *resource != name),
        name,
        span_type: span_type.to_owned(),
        trace_id: TraceId::new(head.trace_id),
        span_id: SpanId::new(record.span_id),
        parent_id: SpanId::new(record.parent_id),
        start_ns,
        duration_ns: end_ns.saturating_sub(start_ns),
        is_error: record.flags.has(Flags::ERROR),
        is_top_level: record.flags.has(Flags::TOP_LEVEL),
        is_measured: record.flags.has(Flags::MEASURED),
        meta: record.site.tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        metrics: BTreeMap::new(),
        links: log.links(record.tags).into_iter().map(FinishedLink::of).collect(),
        events: log.events(record.tags).into_iter().map(|event| FinishedEvent::of(event, timeline)).collect(),
        structs: structs.map(|entry| (entry.key().to_owned(), entry.structure().to_owned())).collect(),
        chunk,
    };
    let mut entries: Vec<_> = log.entries(record.tags).collect();
    entries.reverse();
    for entry in entries {
        let key = entry.key().to_owned();
        match entry.kind {
            EntryKind::Unset => {
                span.meta.remove(&key);
                span.metrics.remove(&key);
            }
            EntryKind::Meta => {
                span.metrics.remove(&key);
                span.meta.insert(key, entry.text().unwrap_or_default().to_owned());
            }
            EntryKind::Metric => {
                span.meta.remove(&key);
                span.metrics.insert(key, entry.number().unwrap_or_default());
            }
            _ => {}
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Their part of the queue is given back.
    #[test]
    fn spans_taken_for_encoding_are_delivered() {
        let tracer = ScopedTracer::new();
        crate::span("work").start().finish();
        let mut encode = tracer.payload_encoder();
        assert!(encode() > 0 && encode() == encode());
        assert_eq!((tracer.counters().acknowledged(), tracer.counters().waiting()), (1, 0));
    }
}
