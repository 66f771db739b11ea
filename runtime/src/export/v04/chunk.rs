//! A chunk as an array of spans: the local root first, what belongs to the whole trace on its first span.

use super::block::TagBlock;
use super::defaults::{Constants, SpanDefaults};
use super::span::{SpanWriter, Surroundings};
use super::{ARRAY_32, Payload, links, patch};
use crate::clock::Timeline;
use crate::model::ids::hex;
use crate::model::priority::rate_text;
use crate::model::{ChunkHead, Decision, Mechanism, Record, TagLog, TraceId, Upstream};

/// A chunk to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) head: &'a ChunkHead,
    /// The chunk's own records.
    pub(crate) records: &'a [Record],
    /// The log their tags are in.
    pub(crate) tags: &'a TagLog,
    pub(crate) decision: Decision,
}

/// How large a payload may become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a payload of several spans.
    pub(crate) max_bytes: usize,
    /// Bytes of a payload of one span; never below `max_bytes`.
    pub(crate) max_alone: usize,
}

/// How far a chunk was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Spans of the chunk that are dealt with; the rest goes into another payload, from here on.
    pub(crate) until: usize,
    /// Spans left out because one alone is above the limit.
    pub(crate) too_large: usize,
}

/// Turns chunks into bytes.
#[derive(Debug)]
pub(crate) struct Encoder {
    spans: SpanWriter,
    first: FirstTags,
}

impl Encoder {
    pub(crate) fn new(defaults: &SpanDefaults) -> Self {
        Self { spans: SpanWriter::new(Constants::new(defaults)), first: FirstTags::default() }
    }

    /// Appends the spans of a chunk from the `from`th on, as far as the limits of the payload allow.
    ///
    /// Spans are counted in the order they are written: the local root, then the rest as they finished.
    pub(crate) fn chunk(
        &mut self,
        payload: &mut Payload,
        chunk: &Chunk<'_>,
        timeline: &Timeline,
        from: usize,
        limits: Limits,
    ) -> Part {
        let order = Order::new(chunk);
        let upstream = chunk.head.facts.as_ref().and_then(|facts| facts.upstream.as_deref());
        let mut all = TagBlock::default();
        if let Some(origin) = upstream.and_then(|upstream| upstream.origin.as_deref()) {
            all.meta("_dd.origin", origin);
        }
        let chunk_at = payload.bytes.len();
        payload.bytes.extend_from_slice(&ARRAY_32);
        let around = Surroundings {
            trace_id_low: chunk.head.trace_id as u64,
            timeline,
            chunk: None,
            all: &all,
            links: &[],
        };
        let mut part = Part { until: from, too_large: 0 };
        let mut written = 0;
        while let Some((record, is_local_root)) = order.get(chunk.records, part.until) {
            let span_at = payload.bytes.len();
            if written == 0 {
                let links = upstream.filter(|_| is_local_root).map(links::encode).unwrap_or_default();
                let first = self.first.of(chunk, upstream, is_local_root, &self.spans.constants.chunk);
                let around = Surroundings { chunk: Some(first), links: &links, ..around };
                self.spans.span(&mut payload.bytes, record, chunk.tags, &around);
            } else {
                self.spans.span(&mut payload.bytes, record, chunk.tags, &around);
            }
            let is_alone = payload.spans == 0 && written == 0;
            if payload.bytes.len() > if is_alone { limits.max_alone } else { limits.max_bytes } {
                payload.bytes.truncate(span_at);
                if !is_alone {
                    break;
                }
                part.too_large += 1;
            } else {
                written += 1;
            }
            part.until += 1;
        }
        if written == 0 {
            payload.bytes.truncate(chunk_at);
        } else {
            patch(&mut payload.bytes, chunk_at, written);
            payload.chunks += 1;
            payload.spans += written as usize;
        }
        part
    }
}

/// The order in which a chunk's records are written.
#[derive(Clone, Copy, Debug)]
struct Order {
    local_root: Option<usize>,
}

impl Order {
    fn new(chunk: &Chunk<'_>) -> Self {
        let root_id = chunk.head.local_root_id;
        let is_root = |record: &Record| record.span_id == root_id;
        // It is the first of a line, the last to finish of anything else.
        let local_root = match chunk.records {
            [first, ..] if is_root(first) => Some(0),
            records => records.iter().rposition(is_root),
        };
        Self { local_root }
    }

    /// The record written as the `index`th, and whether it is the local root.
    #[inline]
    fn get<'a>(&self, records: &'a [Record], index: usize) -> Option<(&'a Record, bool)> {
        let place = match self.local_root {
            Some(root) if index == 0 => return records.get(root).map(|record| (record, true)),
            Some(root) if index <= root => index - 1,
            _ => index,
        };
        records.get(place).map(|record| (record, false))
    }
}

/// The tags of a chunk's first span, kept as long as they are the same: traces of one second that nobody decided apart
/// differ in nothing here.
#[derive(Debug, Default)]
struct FirstTags {
    of: Option<(u64, Decision, bool)>,
    tags: TagBlock,
}

impl FirstTags {
    fn of(
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
    if let Some(rate) = rate {
        block.meta("_dd.p.ksr", rate_text(rate).as_str());
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
    if let (Some(mechanism), Some(rate)) = (decision.mechanism, decision.rate) {
        let is_agents = mechanism == Mechanism::AGENT_RATE;
        block.metric(if is_agents { "_dd.agent_psr" } else { "_dd.rule_psr" }, rate);
    }
    let Some(upstream) = upstream else { return };
    if let Some(parent_id) = &upstream.last_parent_id {
        block.meta("_dd.parent_id", parent_id);
    }
}
