//! What holds for all spans of one trace in this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compact::COMPACT_FROM;
use super::priority::Decision;
use super::record::Record;
use super::tags::TagLog;
use super::upstream::{PropagationError, Upstream};

/// Facts that a trace's spans, contexts and chunks share. The sampling decision is taken once, late, and stays.
#[derive(Debug)]
pub(crate) struct TraceFacts {
    pub(crate) trace_id: u128,
    /// What came with the headers, if the trace began elsewhere.
    pub(crate) upstream: Option<Arc<Upstream>>,
    /// 0 until the first span starts.
    local_root_id: AtomicU64,
    service: Mutex<Option<Arc<str>>>,
    decision: Mutex<Option<Decision>>,
    /// What sampling rules look at of the local root, which is on another thread perhaps. Absent where no rule does.
    local_root: Mutex<Option<Box<(Record, TagLog)>>>,
    propagation_error: Mutex<Option<PropagationError>>,
}

impl TraceFacts {
    /// A trace that begins here, or continues one from outside; an inherited priority is the decision.
    pub(crate) fn new(trace_id: u128, upstream: Option<Arc<Upstream>>, service: Option<Arc<str>>) -> Self {
        let decision = upstream.as_ref().and_then(|upstream| upstream.priority).map(Decision::inherited);
        Self {
            trace_id,
            upstream,
            service: Mutex::new(service),
            local_root_id: AtomicU64::new(0),
            decision: Mutex::new(decision),
            local_root: Mutex::default(),
            propagation_error: Mutex::default(),
        }
    }

    /// The local root's service where it is not the tracer's own.
    pub(crate) fn service(&self) -> Option<Arc<str>> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what a span's service is by now; only the local root's matters for the trace.
    pub(crate) fn set_service(&self, span_id: u64, service: &str) {
        if span_id == self.local_root_id() {
            *self.service.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(service));
        }
    }

    /// Says which span is the first of the trace in this process; the first word holds.
    pub(crate) fn set_local_root(&self, span_id: u64) {
        // Relaxed: the id travels with the records, under the segment's lock.
        let _ = self.local_root_id.compare_exchange(0, span_id, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The first span of the trace in this process, 0 before there is one.
    pub(crate) fn local_root_id(&self) -> u64 {
        self.local_root_id.load(Ordering::Relaxed)
    }

    /// The decision, taken now by `decide` if none was taken before.
    pub(crate) fn decide(&self, decide: impl FnOnce() -> Decision) -> Decision {
        *self.lock().get_or_insert_with(decide)
    }

    /// The decision so far.
    pub(crate) fn decision(&self) -> Option<Decision> {
        *self.lock()
    }

    /// Keeps or drops by hand, over every earlier decision.
    pub(crate) fn overrule(&self, decision: Decision) {
        *self.lock() = Some(decision);
    }

    /// Says what the local root is like by now: its entries in `tags` behind the one at `before` are new. Nothing once the
    /// trace is decided about.
    pub(crate) fn tell_local_root(&self, record: &Record, tags: &TagLog, before: u32) {
        let is_decided = self.decision().is_some();
        let mut local_root = self.local_root.lock().unwrap_or_else(PoisonError::into_inner);
        if is_decided {
            *local_root = None;
            return;
        }
        let blank = || Box::new((Record { tags: 0, service: 0, ..*record }, TagLog::new()));
        let (copy, log) = &mut **local_root.get_or_insert_with(blank);
        copy.flags = record.flags;
        let capacity = log.capacity();
        copy.tags = log.copy_later(copy.tags, tags, record.tags, before);
        if log.capacity() > capacity.max(COMPACT_FROM) {
            (*log, copy.tags, _) = log.compacted(copy.tags);
        }
    }

    /// Looks at the local root as it was last told.
    pub(crate) fn with_local_root<R>(&self, look: impl FnOnce(Option<(&Record, &TagLog)>) -> R) -> R {
        let local_root = self.local_root.lock().unwrap_or_else(PoisonError::into_inner);
        look(local_root.as_deref().map(|(record, tags)| (record, tags)))
    }

    /// What went wrong while headers were written; the first word holds.
    pub(crate) fn set_propagation_error(&self, error: PropagationError) {
        self.propagation_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// What went wrong with the trace's headers, on the way out or in.
    pub(crate) fn propagation_error(&self) -> Option<PropagationError> {
        let outgoing = self.propagation_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        outgoing.or_else(|| self.upstream.as_ref().and_then(|upstream| upstream.propagation_error.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Decision>> {
        self.decision.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
