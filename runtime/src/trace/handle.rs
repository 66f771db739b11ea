//! Spans by hand: the handle.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::as_context::Seen;
use super::context::{ActiveGuard, Place, SpanContext};
use super::error::ErrorInfo;
use super::frame::Entry;
use super::owned::{Edit, OwnedSpan};
use super::process::Home;
use super::segment::Segment;
use super::special::{Asked, is_special};
use super::stack::{Started, deliver};
use crate::model::{
    Baggage, COMPACT_FROM, Decision, EntryKind, Flags, ManualTag, Mechanism, Record, SamplingPriority,
    SourceLine, SpanEvent, SpanId, SpanLink, TagLog, TagValue,
};
use crate::sampling::WhySampled;

/// A span by hand, from [`span`](crate::span). It finishes at [`finish`](Span::finish), or when it is dropped.
///
/// ```
/// fn read(path: &str) -> std::io::Result<String> {
///     let span = dd_traced::span("file.read").resource(path).start();
///     let _active = span.activate(); // what starts meanwhile is its child
///     let text = std::fs::read_to_string(path).inspect_err(|error| span.set_error(error))?;
///     span.set_tag("file.bytes", text.len());
///     Ok(text)
/// }
/// # assert!(read("/there/is/no/such/file").is_err());
/// ```
///
/// `Send` and `Sync`: it may be finished on another thread than it was started on. Every setter works until the span is
/// finished and does nothing afterwards, nor where tracing is off.
#[must_use = "the span finishes as soon as it is dropped"]
#[derive(Debug)]
pub struct Span {
    cell: Option<Arc<SpanCell>>,
}

/// The shared inside of a handle and its activations.
pub(crate) struct SpanCell {
    segment: Arc<Segment>,
    span_id: u64,
    parent_id: u64,
    is_finished: AtomicBool,
    /// Whether the span's service may be another than the tracer's.
    has_service: AtomicBool,
    /// The baggage it started with.
    inherited: Option<Arc<Baggage>>,
    /// Whether it was given other baggage since.
    has_own_baggage: AtomicBool,
    own_baggage: Mutex<Option<Arc<Baggage>>>,
    life: Mutex<Life>,
}

/// A span while it is open, and what is left of it for contexts made later.
enum Life {
    Open(Record, TagLog),
    Finished { service: Option<Arc<str>> },
}

impl Span {
    pub(super) fn inert() -> Self {
        Self { cell: None }
    }

    pub(crate) fn new(started: Started) -> Self {
        let Started { span: OwnedSpan { record, tags, segment }, baggage } = started;
        Self {
            cell: Some(Arc::new(SpanCell {
                segment,
                span_id: record.span_id,
                parent_id: record.parent_id,
                is_finished: AtomicBool::new(false),
                has_service: AtomicBool::new(record.service != 0),
                inherited: baggage,
                has_own_baggage: AtomicBool::new(false),
                own_baggage: Mutex::new(None),
                life: Mutex::new(Life::Open(record, tags)),
            })),
        }
    }

    /// Lists the span as an open one, where open spans are asked for.
    #[inline]
    pub(super) fn list(&self, source: impl FnOnce() -> SourceLine) {
        if let Some(cell) = self.cell.as_ref().filter(|cell| cell.segment.core.is_inquisitive) {
            cell.list(source());
        }
    }

    /// Whether the span is recorded and not finished yet.
    pub fn is_recording(&self) -> bool {
        self.cell.as_ref().is_some_and(|cell| !cell.is_finished())
    }

    /// Changes the service, for this span and for children started later.
    pub fn set_service(&self, service: impl AsRef<str>) {
        if let Some(cell) = &self.cell {
            cell.set_service(service.as_ref());
        }
    }

    /// Makes the span the active one of this thread until the guard is dropped.
    ///
    /// A guard must not be held over an `.await`; see [`TraceFuture::traced`](crate::TraceFuture::traced).
    pub fn activate(&self) -> ActiveGuard {
        let Some(cell) = self.cell.as_ref().filter(|cell| !cell.is_finished()) else {
            return ActiveGuard::inert();
        };
        let entry = Entry { handle: Some(Arc::clone(cell)), service: None, baggage: None, is_remote: false };
        ActiveGuard::enter(&cell.segment, cell.span_id, entry)
    }

    pub(super) fn cell(&self) -> Option<&Arc<SpanCell>> {
        self.cell.as_ref()
    }

    /// The span's context, for children elsewhere. Where tracing is off its ids are 0.
    pub fn context(&self) -> SpanContext {
        let place = match &self.cell {
            None => Place::Root,
            Some(cell) => cell.place(),
        };
        SpanContext { place }
    }

    /// The span id, 0 where tracing is off.
    pub fn span_id(&self) -> SpanId {
        SpanId::new(self.cell.as_ref().map_or(0, |cell| cell.span_id))
    }

    /// Finishes the span now. A second call does nothing.
    pub fn finish(&self) {
        if let Some(cell) = &self.cell {
            cell.finish(None, true);
        }
    }

    /// Finishes the span with an end time of one's own. An end before the start gives a duration of 0.
    pub fn finish_at(&self, time: SystemTime) {
        if let Some(cell) = &self.cell {
            cell.finish(Some(time), true);
        }
    }

    /// What a log line says of the span: its tracer, trace id and span id, and its parent's id.
    pub(crate) fn identity(&self) -> (Option<Arc<Home>>, Option<(u128, u64)>, u64) {
        let Some(cell) = &self.cell else { return (None, None, 0) };
        let ids = (cell.segment.trace_id(), cell.span_id);
        (Some(Arc::clone(&cell.segment.core)), Some(ids), cell.parent_id)
    }

    pub(crate) fn edit(&self, f: impl FnOnce(&mut Edit<'_>)) {
        if let Some(cell) = &self.cell {
            cell.edit(f);
        }
    }

    /// Why the trace is kept or not; `None` where that is not decided yet, as until an injection or the end of the trace, or where tracing is
    /// off. Asking decides nothing.
    pub fn why_sampled(&self) -> Option<WhySampled> {
        self.cell.as_ref().and_then(|cell| cell.decision()).map(WhySampled::of)
    }

    fn ticks(&self) -> Option<u64> {
        self.cell.as_ref().map(|cell| cell.ticks())
    }

    fn overrule(&self, priority: SamplingPriority) {
        if let Some(cell) = &self.cell {
            cell.overrule(priority);
        }
    }
}

super::setters::setters!(Span);

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(cell) = &self.cell {
            cell.finish(None, false);
        }
    }
}

impl SpanCell {
    pub(crate) fn is_finished(&self) -> bool {
        // Relaxed: a hint for the stack; the record itself is taken under the lock.
        self.is_finished.load(Ordering::Relaxed)
    }

    /// Lists the span as an open one.
    #[cold]
    #[inline(never)]
    fn list(&self, source: SourceLine) {
        if let Life::Open(record, tags) = &*self.life() {
            self.segment.list(record, tags, source);
        }
    }

    pub(crate) fn span_id(&self) -> u64 {
        self.span_id
    }

    /// The time on the span's clock.
    pub(crate) fn ticks(&self) -> u64 {
        self.segment.core.clock.ticks()
    }

    pub(crate) fn edit(&self, f: impl FnOnce(&mut Edit<'_>)) {
        if let Life::Open(record, tags) = &mut *self.life() {
            let before = tags.capacity();
            Edit { record, tags }.told(&self.segment, f);
            // Looked at as often as the memory doubles.
            if tags.capacity() > before.max(COMPACT_FROM) {
                Edit { record, tags }.compact();
            }
        }
    }

    pub(crate) fn set_service(&self, service: &str) {
        self.has_service.store(true, Ordering::Relaxed);
        self.edit(|edit| edit.field(EntryKind::Service, service));
        if !self.is_finished() {
            self.segment.facts.set_service(self.span_id, service);
        }
    }

    pub(crate) fn decision(&self) -> Option<Decision> {
        self.segment.facts.decision()
    }

    pub(crate) fn overrule(&self, priority: SamplingPriority) {
        if !self.is_finished() {
            overrule(&self.segment, priority);
        }
    }

    pub(crate) fn place(&self) -> Place {
        let (service, baggage) = (self.service(), self.baggage());
        Place::Within { segment: Arc::clone(&self.segment), span_id: self.span_id, service, baggage }
    }

    pub(crate) fn look(&self, f: &mut dyn FnMut(Seen<'_>)) {
        let own = self.own_baggage();
        // What was inherited needs no lock and no share: it stays as long as the span.
        let baggage = own.as_deref().or(self.inherited.as_deref());
        f(Seen::Own { segment: &self.segment, span_id: self.span_id, baggage });
    }

    pub(crate) fn baggage(&self) -> Option<Arc<Baggage>> {
        self.own_baggage().or_else(|| self.inherited.clone())
    }

    fn own_baggage(&self) -> Option<Arc<Baggage>> {
        // Relaxed: baggage that another thread sets at this moment may be met or not.
        if !self.has_own_baggage.load(Ordering::Relaxed) {
            return None;
        }
        self.own_baggage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the span other baggage; nothing once it has finished.
    pub(crate) fn set_baggage(&self, baggage: Arc<Baggage>) {
        if !self.is_finished() {
            self.has_own_baggage.store(true, Ordering::Relaxed);
            *self.own_baggage.lock().unwrap_or_else(PoisonError::into_inner) = Some(baggage);
        }
    }

    pub(crate) fn service(&self) -> Option<Arc<str>> {
        // Relaxed: a service that another thread sets at this moment may be met or not.
        if !self.has_service.load(Ordering::Relaxed) {
            return None;
        }
        match &*self.life() {
            Life::Open(record, tags) => tags.text(record.service).map(Arc::from),
            Life::Finished { service } => service.clone(),
        }
    }

    /// Finishes the span. Contexts made afterwards have to know its service, unless nobody `may_ask` for one.
    fn finish(&self, time: Option<SystemTime>, may_ask: bool) {
        let mut life = self.life();
        let service = match &*life {
            Life::Finished { .. } => return,
            Life::Open(record, tags) if may_ask => tags.text(record.service).map(Arc::from),
            Life::Open(..) => None,
        };
        let Life::Open(record, tags) = std::mem::replace(&mut *life, Life::Finished { service }) else {
            return;
        };
        drop(life);
        self.is_finished.store(true, Ordering::Relaxed);
        let mut owned = OwnedSpan { record, tags, segment: Arc::clone(&self.segment) };
        let ticks = owned.end_ticks();
        owned.edit().end(ticks, time);
        deliver(owned);
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SpanCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpanCell").field("span_id", &self.span_id).finish_non_exhaustive()
    }
}

/// Decides for a trace by hand.
pub(crate) fn overrule(segment: &Segment, priority: SamplingPriority) {
    segment.facts.overrule(Decision { priority, mechanism: Some(Mechanism::MANUAL), rate: None });
}
