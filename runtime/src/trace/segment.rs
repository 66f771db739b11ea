//! The part of a trace that lives in this process while spans are open.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::process::Home;
use crate::model::{
    ChunkHead, Flags, OpenSpan, Record, SourceLine, SpanBuffer, TagLog, TraceFacts, Upstream,
};

/// Made when a span leaves its line: for another thread, a future, a context. Until then a trace needs none.
///
/// Invariant: `open` counts everything that may still bring spans (owned spans, entered frames, promoted lines); whoever
/// takes it to zero ships what is there as the last chunk.
pub(crate) struct Segment {
    pub(crate) core: Arc<Home>,
    pub(crate) facts: Arc<TraceFacts>,
    open: AtomicUsize,
    finished: Mutex<SpanBuffer>,
}

/// Spans that are ready to leave.
#[derive(Debug)]
pub(crate) enum Ready {
    /// Nothing: others are still open.
    No,
    /// The caller's own spans as they are; no others were waiting.
    Own(ChunkHead),
    /// The spans that waited in the segment, the caller's among them.
    Joined(ChunkHead, SpanBuffer),
}

impl Segment {
    /// A segment with one open unit, which is the caller's.
    pub(crate) fn new(core: Arc<Home>, facts: Arc<TraceFacts>) -> Self {
        Self { core, facts, open: AtomicUsize::new(1), finished: Mutex::new(SpanBuffer::new()) }
    }

    pub(crate) fn trace_id(&self) -> u128 {
        self.facts.trace_id
    }

    /// What came with a span of another process under which the trace goes on here: its children are the first here. None of ours.
    pub(crate) fn remote(&self, span_id: u64) -> Option<&Upstream> {
        self.facts.upstream.as_deref().filter(|upstream| upstream.parent_id.as_u64() == span_id)
    }

    /// Has the trace told of its local root, where sampling rules look at that: now, and whenever it changes.
    #[inline]
    pub(crate) fn watch(&self, record: &mut Record, tags: &TagLog) {
        if self.core.sampler.looks_at_local_root() {
            self.watch_now(record, tags);
        }
    }

    #[cold]
    #[inline(never)]
    fn watch_now(&self, record: &mut Record, tags: &TagLog) {
        if self.facts.local_root_id() == record.span_id && self.facts.decision().is_none() {
            record.flags = record.flags.with(Flags::WATCHED);
            self.facts.tell_local_root(record, tags, 0);
        }
    }

    /// Lists a span of the segment that has started now, where open spans are listed, and tells of it in the debug log.
    pub(crate) fn list(&self, record: &Record, tags: &TagLog, source: SourceLine) {
        self.core.tell_start(self.trace_id(), record, tags);
        if let Some(open) = &self.core.open_spans {
            open.start(OpenSpan::new(self.trace_id(), record, tags, self.core.clock.ticks(), source));
        }
    }

    /// Announces more units. Called while another one is open, or by somebody who comes late and opens it again.
    pub(crate) fn open(&self, units: usize) {
        // Relaxed: the count is compared only under the lock below.
        self.open.fetch_add(units, Ordering::Relaxed);
    }

    /// Takes finished spans (`spans` from `first` and `tag_byte` on) and closes so many units.
    pub(crate) fn join(&self, spans: &SpanBuffer, first: usize, tag_byte: usize, closes: usize) -> Ready {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = self.close(closes);
        if !is_last && finished.len() + spans.len() - first < self.core.partial_flush_spans as usize {
            finished.append(spans, first, tag_byte);
            return Ready::No;
        }
        if finished.is_empty() {
            return if spans.len() == first { Ready::No } else { Ready::Own(self.head(is_last)) };
        }
        finished.append(spans, first, tag_byte);
        Ready::Joined(self.head(is_last), std::mem::take(&mut finished))
    }

    /// Takes one finished span with tags of its own and closes its unit.
    pub(crate) fn join_one(&self, record: Record, tags: &TagLog) -> Ready {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = self.close(1);
        finished.push_from(record, tags);
        self.take_if_ready(&mut finished, is_last)
    }

    /// Takes one finished span from a thread that has no stack any more.
    pub(crate) fn take_one(&self, record: Record, tags: &TagLog) {
        if let Ready::Joined(head, spans) = self.join_one(record, tags) {
            self.core.ship(head, &spans);
        }
    }

    /// Closes a unit that brings nothing.
    pub(crate) fn close_empty(&self) {
        self.take(&SpanBuffer::new(), 1);
    }

    /// Takes finished spans and closes units for somebody without a stack.
    pub(crate) fn take(&self, spans: &SpanBuffer, closes: usize) {
        match self.join(spans, 0, 0, closes) {
            Ready::No => {}
            Ready::Own(head) => self.core.ship(head, spans),
            Ready::Joined(head, spans) => self.core.ship(head, &spans),
        }
    }

    /// Facts of a chunk that leaves now. A chunk that leaves before the last one carries a decision.
    pub(crate) fn head(&self, is_last: bool) -> ChunkHead {
        if !is_last {
            self.core.decide(&self.facts);
        }
        ChunkHead {
            trace_id: self.facts.trace_id,
            local_root_id: self.facts.local_root_id(),
            facts: Some(Arc::clone(&self.facts)),
            buffer: 0,
            first: 0,
            len: 0,
            is_last,
        }
    }

    fn close(&self, units: usize) -> bool {
        // Under the lock of `finished`, so that exactly one closer sees zero after all spans are in. AcqRel is not needed
        // for the same reason.
        units > 0 && self.open.fetch_sub(units, Ordering::Relaxed) == units
    }

    fn take_if_ready(&self, finished: &mut SpanBuffer, is_last: bool) -> Ready {
        if !is_last && finished.len() < self.core.partial_flush_spans as usize || finished.is_empty() {
            return Ready::No;
        }
        Ready::Joined(self.head(is_last), std::mem::take(finished))
    }
}

impl Drop for Segment {
    /// What waits for a span that was forgotten (`mem::forget`) leaves when nobody can bring more.
    fn drop(&mut self) {
        let finished = std::mem::take(self.finished.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !finished.is_empty() {
            self.core.ship(self.head(true), &finished);
        }
    }
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("facts", &self.facts)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
