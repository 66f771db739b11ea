//! A chunk as an array of spans: the local root first, what belongs to the whole trace on its first span.

use super::block::TagBlock;
use super::defaults::{Constants, SpanDefaults};
use super::first::{FirstTags, put_origin, with_selection};
use super::span::{SpanWriter, Surroundings, Unwritten};
use super::times::Pace;
use super::{ARRAY_32, Payload, patch};
use crate::clock::Timeline;
use crate::model::{ChunkHead, Decision, Record, SelectedSpan, TagLog};

/// A chunk to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) head: &'a ChunkHead,
    /// The chunk's own records.
    pub(crate) records: &'a [Record],
    /// The log their tags are in.
    pub(crate) tags: &'a TagLog,
    pub(crate) decision: Decision,
    /// Spans kept of a trace that is not, by their ids in ascending order.
    pub(crate) selected: &'a [SelectedSpan],
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
    /// Tags left out of the spans that are written.
    pub(crate) left_out_tags: u64,
    /// Events likewise.
    pub(crate) left_out_events: u64,
}

impl Part {
    #[inline]
    fn leave_out(&mut self, unwritten: Unwritten) {
        if unwritten.is_any() {
            self.left_out_tags += unwritten.tags();
            self.left_out_events += unwritten.events();
        }
    }
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

    /// From now on for an agent that reads events as they are, or one that does not.
    pub(crate) fn set_reads_events(&mut self, reads_events: bool) {
        self.spans.reads_events = reads_events;
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
        let mut given = TagBlock::default();
        put_origin(&mut given, upstream);
        let chunk_at = payload.bytes.len();
        payload.bytes.put(&ARRAY_32);
        let start = order.get(chunk.records, from).map_or(0, |(record, _)| record.start);
        let around = Surroundings {
            trace_id_low: chunk.head.trace_id as u64,
            pace: Pace::new(timeline, start),
            given: &given,
            received: None,
        };
        let mut part = Part { until: from, too_large: 0, left_out_tags: 0, left_out_events: 0 };
        let mut written = 0;
        // The first span carries the tags of the chunk. It alone may be above the limit; then the next one is the first.
        while let Some((record, is_local_root)) = order.get(chunk.records, part.until) {
            let span_at = payload.bytes.len();
            let received = upstream.filter(|upstream| is_local_root && !upstream.links.is_empty());
            let given =
                self.first.of(chunk, upstream, is_local_root, self.spans.constants.first(is_local_root));
            let own;
            let given = match chunk.selection(record) {
                None => given,
                Some(selected) => {
                    own = with_selection(given, selected);
                    &own
                }
            };
            let around = Surroundings { given, received, ..around };
            let left_out = self.spans.append(&mut payload.bytes, record, chunk.tags, &around);
            let is_alone = payload.spans == 0;
            if payload.bytes.len() <= if is_alone { limits.max_alone } else { limits.max_bytes } {
                part.until += 1;
                part.leave_out(left_out);
                written = 1;
                break;
            }
            payload.bytes.truncate(span_at);
            if !is_alone {
                break;
            }
            part.until += 1;
            part.too_large += 1;
        }
        while let (1.., Some((record, _))) = (written, order.get(chunk.records, part.until)) {
            let span_at = payload.bytes.len();
            let left_out = if let Some(selected) = chunk.selection(record) {
                let given = with_selection(around.given, selected);
                let around = Surroundings { given: &given, ..around };
                self.spans.append(&mut payload.bytes, record, chunk.tags, &around)
            } else {
                self.spans.append(&mut payload.bytes, record, chunk.tags, &around)
            };
            if payload.bytes.len() > limits.max_bytes {
                payload.bytes.truncate(span_at);
                break;
            }
            written += 1;
            part.until += 1;
            part.leave_out(left_out);
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

impl Chunk<'_> {
    /// What a rule for single spans says of a span, if it keeps it.
    #[inline]
    fn selection(&self, record: &Record) -> Option<&SelectedSpan> {
        if self.selected.is_empty() {
            return None;
        }
        let at = self.selected.binary_search_by_key(&record.span_id, |span| span.span_id).ok()?;
        self.selected.get(at)
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
