//! What the first span of a chunk says for the whole trace, and a single span of how it was kept.

use super::block::TagBlock;
use super::chunk::Chunk;
use crate::model::ids::hex;
use crate::model::priority::rate_text;
use crate::model::{Decision, Mechanism, SelectedSpan, TraceId, Upstream};

/// The tags of a chunk's first span, kept as long as they are the same: traces of one second that nobody decided apart
/// differ in nothing here.
#[derive(Debug, Default)]
pub(super) struct FirstTags {
    of: Option<(u64, Decision, bool)>,
    tags: TagBlock,
}

impl FirstTags {
    pub(super) fn of(
        &mut self,
        chunk: &Chunk<'_>,
        upstream: Option<&Upstream>,
        is_root: bool,
        constants: &TagBlock,
    ) -> &TagBlock {
        let wanted = (TraceId::new(chunk.head.trace_id).high_u64(), chunk.decision, is_root);
        let error = chunk.head.facts.as_ref().and_then(|facts| facts.propagation_error());
        if self.of != Some(wanted) || upstream.is_some() || error.is_some() {
            self.tags.copy_from(constants);
            chunk_tags(&mut self.tags, chunk, upstream);
            put_origin(&mut self.tags, upstream);
            if is_root {
                root_tags(&mut self.tags, chunk.decision, upstream);
                if let Some(error) = &error {
                    self.tags.meta("_dd.propagation_error", &error.tag_value());
                }
            }
            self.of = (upstream.is_none() && error.is_none()).then_some(wanted);
        }
        &self.tags
    }
}

/// Adds what every span of a trace says that came from outside.
pub(super) fn put_origin(block: &mut TagBlock, upstream: Option<&Upstream>) {
    if let Some(origin) = upstream.and_then(|upstream| upstream.origin.as_deref()) {
        block.meta("_dd.origin", origin);
    }
}

/// The tags given to a span that is kept by itself, beside those it has from its chunk.
///
/// Source: `ext/tags.go` of DataDog/dd-trace-go for the keys.
pub(super) fn with_selection(given: &TagBlock, selected: &SelectedSpan) -> TagBlock {
    /// Single spans have a mechanism of their own, whatever decided about the trace.
    const SINGLE_SPAN: f64 = 8.0;
    let mut block = given.clone();
    block.metric("_dd.span_sampling.mechanism", SINGLE_SPAN);
    block.metric("_dd.span_sampling.rule_rate", selected.rate);
    if let Some(limit) = selected.max_per_second {
        block.metric("_dd.span_sampling.max_per_second", limit);
    }
    block
}

/// Adds what the first span of each chunk says of the trace.
///
/// Source: `ddtrace/tracer/spancontext.go` of DataDog/dd-trace-go (`setTraceTags`) for keys and place.
fn chunk_tags(block: &mut TagBlock, chunk: &Chunk<'_>, upstream: Option<&Upstream>) {
    let trace_id = TraceId::new(chunk.head.trace_id);
    if trace_id.high_u64() != 0 {
        let digits = hex(trace_id.high_u64());
        block.meta("_dd.p.tid", std::str::from_utf8(&digits).unwrap_or_default());
    }
    let Decision { priority, mechanism, rate } = chunk.decision;
    block.metric("_sampling_priority_v1", f64::from(priority.as_i32()));
    if let Some(mechanism) = mechanism {
        block.meta("_dd.p.dm", mechanism.decision_maker().as_str());
    }
    if let Some(applied) = rate {
        block.meta("_dd.p.ksr", rate_text(applied.rate).as_str());
    }
    let received = upstream.into_iter().flat_map(|upstream| upstream.tags.iter());
    for (key, value) in received {
        let is_replaced = match key {
            "_dd.p.dm" => mechanism.is_some(),
            "_dd.p.ksr" => rate.is_some(),
            "_dd.p.tid" => true,
            _ => false,
        };
        if !is_replaced {
            block.meta(key, value);
        }
    }
}

/// Adds what only the local root says.
fn root_tags(block: &mut TagBlock, decision: Decision, upstream: Option<&Upstream>) {
    if let (Some(mechanism), Some(applied)) = (decision.mechanism, decision.rate) {
        let is_agents = mechanism == Mechanism::AGENT_RATE;
        block.metric(if is_agents { "_dd.agent_psr" } else { "_dd.rule_psr" }, applied.rate);
        if let Some(effective) = applied.limiter {
            block.metric("_dd.limit_psr", effective);
        }
    }
    let Some(upstream) = upstream else { return };
    if let Some(parent_id) = &upstream.last_parent_id {
        block.meta("_dd.parent_id", parent_id);
    }
}
