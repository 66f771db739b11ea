//! What the worker decides about a chunk: whether its trace is kept, and which of its spans where it is not.

use crate::diagnostics::{self, Level};
use crate::model::{ChunkHead, Decision, Record, SelectedSpan, SpanBuffer, TagLog};
use crate::sampling::{Sampler, WhySampled};

/// What was decided about a chunk. It is decided once, however often the chunk is written.
#[derive(Clone, Debug)]
pub(crate) struct Ruling {
    pub(crate) decision: Decision,
    /// Spans kept of a trace that is not, by their ids in ascending order.
    pub(crate) selected: Vec<SelectedSpan>,
    /// Whether the agent wants it at all, by its own filters.
    pub(crate) is_wanted: bool,
}

/// A chunk with what was decided about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecidedChunk<'a> {
    pub(super) head: &'a ChunkHead,
    pub(super) buffer: &'a SpanBuffer,
    pub(super) decision: Decision,
    pub(super) selected: &'a [SelectedSpan],
    pub(super) is_wanted: bool,
}

impl Ruling {
    /// Decides about a chunk, unless its trace is decided about. What the agent does not want uses up no limiter.
    pub(crate) fn of(head: &ChunkHead, buffer: &SpanBuffer, sampler: &Sampler) -> Self {
        let is_wanted = sampler.is_wanted(|| local_root(head, buffer));
        let decision = if is_wanted {
            decide(head, buffer, sampler)
        } else {
            sampler.foresee(head.trace_id, head.facts.as_deref(), || local_root(head, buffer))
        };
        let is_selecting = is_wanted && !decision.priority.is_keep() && sampler.has_span_rules();
        let selected =
            if is_selecting { sampler.select(head.records(buffer), &buffer.tags) } else { Vec::new() };
        let ruling = Self { decision, selected, is_wanted };
        if diagnostics::is_shown(Level::Debug) {
            ruling.tell(head.trace_id);
        }
        ruling
    }

    fn tell(&self, trace_id: u128) {
        let why = WhySampled::of(self.decision);
        match self.selected.len() {
            _ if !self.is_wanted => {
                diagnostics::debug(format_args!("trace {trace_id:032x} is left out by the agent's filters"));
            }
            0 => diagnostics::debug(format_args!("trace {trace_id:032x} {why}")),
            spans => {
                diagnostics::debug(format_args!("trace {trace_id:032x} {why}; single spans kept: {spans}"));
            }
        }
    }
}

fn decide(head: &ChunkHead, buffer: &SpanBuffer, sampler: &Sampler) -> Decision {
    let local_root = || local_root(head, buffer);
    if let Some(facts) = &head.facts {
        return sampler.decide_trace(facts, local_root);
    }
    let local_root = local_root();
    // It has the name by which it is sent already.
    let service = local_root.and_then(|(root, tags)| tags.text(root.service));
    sampler.decide(head.trace_id, service, local_root)
}

/// The chunk's record of the trace's first span in this process and its tags, if it is in this chunk.
fn local_root<'a>(head: &ChunkHead, buffer: &'a SpanBuffer) -> Option<(&'a Record, &'a TagLog)> {
    let mut records = head.records(buffer).iter();
    records.find(|record| record.span_id == head.local_root_id).map(|root| (root, &buffer.tags))
}
