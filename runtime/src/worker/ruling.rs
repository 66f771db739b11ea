//! What the worker decides about a chunk: whether its trace is kept, and which of its spans where it is not.

use crate::diagnostics::{self, Level};
use crate::model::{ChunkHead, Decision, Record, SelectedSpan, SpanBuffer};
use crate::sampling::{Sampler, WhySampled};

/// What was decided about a chunk. It is decided once, however often the chunk is written.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    pub(super) decision: Decision,
    /// Spans kept of a trace that is not, by their ids in ascending order.
    pub(super) selected: Vec<SelectedSpan>,
}

/// A chunk with what was decided about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecidedChunk<'a> {
    pub(super) head: &'a ChunkHead,
    pub(super) buffer: &'a SpanBuffer,
    pub(super) decision: Decision,
    pub(super) selected: &'a [SelectedSpan],
}

impl Ruling {
    /// Decides about a chunk, unless its trace is decided about.
    pub(super) fn of(head: &ChunkHead, buffer: &SpanBuffer, sampler: &Sampler) -> Self {
        let decision = decide(head, buffer, sampler);
        let is_selecting = !decision.priority.is_keep() && sampler.has_span_rules();
        let selected =
            if is_selecting { sampler.select(head.records(buffer), &buffer.tags) } else { Vec::new() };
        if diagnostics::is_shown(Level::Debug) {
            tell(head.trace_id, &WhySampled::of(decision), selected.len());
        }
        Self { decision, selected }
    }
}

fn tell(trace_id: u128, why: &WhySampled, single_spans: usize) {
    match single_spans {
        0 => diagnostics::debug(format_args!("trace {trace_id:032x} {why}")),
        spans => diagnostics::debug(format_args!("trace {trace_id:032x} {why}; single spans kept: {spans}")),
    }
}

fn decide(head: &ChunkHead, buffer: &SpanBuffer, sampler: &Sampler) -> Decision {
    let local_root = || local_root(head, buffer).map(|root| (root, &buffer.tags));
    if let Some(facts) = &head.facts {
        return sampler.decide_trace(facts, local_root);
    }
    let local_root = local_root();
    // It has the name by which it is sent already.
    let service = local_root.and_then(|(root, tags)| tags.text(root.service));
    sampler.decide(head.trace_id, service, local_root)
}

/// The chunk's record of the trace's first span in this process, if it is in this chunk.
pub(super) fn local_root<'a>(head: &ChunkHead, buffer: &'a SpanBuffer) -> Option<&'a Record> {
    head.records(buffer).iter().find(|record| record.span_id == head.local_root_id)
}
