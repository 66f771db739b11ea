//! Batches taken from the queue and not settled yet, and how far payloads have come in them.
//!
//! Records stay until their payload is settled, so that a payload the agent finds too large can be written again in smaller
//! parts. Invariant: each span is between the settled and the unsettled exactly once.

use std::collections::VecDeque;

use super::prepare::Preparation;
use super::ruling::{DecidedChunk, Ruling};
use crate::clock::Timeline;
use crate::export::counters::DropReason;
use crate::export::queue::{Queue, recycle};
use crate::export::v04::{Chunk, Encoder, Limits, Payload};
use crate::model::{ChunkBatch, EntryKind, Record, SelectedSpan, TagLog};
use crate::sampling::{Sampler, is_kept};

/// Chunks that the worker has taken over.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    batches: VecDeque<Taken>,
    settled: Position,
    preparation: Preparation,
    /// Emptied buffers on their way back to the queue.
    pub(super) spare: Vec<ChunkBatch>,
}

/// A batch with what was decided about its chunks.
#[derive(Debug)]
pub(super) struct Taken {
    batch: ChunkBatch,
    /// In the order of the heads, as far as anybody asked.
    rulings: Vec<Option<Ruling>>,
}

/// What becomes of a chunk before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent.
    Whole,
    /// None of it is sent, for this reason.
    Dropped(DropReason),
    /// Of a trace that is not kept only these records are sent, by their places in the chunk, in ascending order.
    Only(Vec<u32>),
}

/// A place between two spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    batch: usize,
    head: usize,
    /// Spans of the head's chunk before the place.
    span: usize,
}

/// What a payload was filled with.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) payload: Payload,
    /// Where the next payload begins.
    pub(super) until: Position,
    /// Spans left out because one alone is above the limit.
    pub(super) too_large: usize,
    /// Chunks that those were of.
    pub(super) too_large_chunks: usize,
    /// Tags left out of the spans in the payload.
    pub(super) left_out_tags: u64,
    /// Events likewise.
    pub(super) left_out_events: u64,
}

/// How large a payload becomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// No chunk is begun from here on.
    pub(super) enough: usize,
    /// No span is added beyond.
    pub(super) limits: Limits,
}

impl Backlog {
    pub(super) fn new(preparation: Preparation) -> Self {
        Self { preparation, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Takes over what is waiting in the queue; gives the number of batches that are new.
    pub(super) fn drain(&mut self, queue: &Queue) -> usize {
        let before = self.batches.len();
        let Self { batches, spare, preparation, .. } = self;
        queue.drain(spare, |batch| batches.push_back(Taken { batch, rulings: Vec::new() }));
        // Only now: the queue is locked while it is drained, and what is in the list is in the books if this fails.
        batches.range_mut(before..).for_each(|taken| preparation.prepare(&mut taken.batch, queue));
        let taken = self.batches.len() - before;
        if taken == 0 {
            // Idle: the memory goes back, a batch at a time.
            self.spare.pop();
        }
        taken
    }

    /// The latest `count` batches.
    pub(super) fn latest(&mut self, count: usize) -> impl Iterator<Item = &mut Taken> {
        let first = self.batches.len().saturating_sub(count);
        self.batches.iter_mut().skip(first)
    }

    /// Gives batches back of which nothing is left.
    pub(super) fn forget_empty(&mut self, queue: &Queue) {
        let Self { batches, spare, settled, .. } = self;
        if *settled != Position::default() {
            // Places in the list are remembered.
            return;
        }
        for _ in 0..batches.len() {
            match batches.pop_front() {
                Some(Taken { batch, .. }) if batch.is_empty() => {
                    queue.release(batch.credit);
                    recycle(spare, batch);
                }
                Some(taken) => batches.push_back(taken),
                None => {}
            }
        }
        queue.holds_chunks(self.chunks());
    }

    /// Writes the next payload into `memory`, without settling anything.
    pub(super) fn fill(
        &mut self,
        memory: Vec<u8>,
        encoder: &mut Encoder,
        timeline: &Timeline,
        size: Size,
        sampler: &Sampler,
    ) -> Filled {
        let mut filled = Filled {
            payload: Payload::reusing(memory),
            until: self.settled,
            too_large: 0,
            too_large_chunks: 0,
            left_out_tags: 0,
            left_out_events: 0,
        };
        let Filled { payload, until, too_large, too_large_chunks, left_out_tags, left_out_events } =
            &mut filled;
        while payload.is_empty() || payload.len() < size.enough {
            let Some(taken) = self.batches.get_mut(until.batch) else { break };
            let Some(decided) = taken.decided(until.head, sampler) else {
                *until = Position { batch: until.batch + 1, ..Position::default() };
                continue;
            };
            let DecidedChunk { head, buffer, decision, selected, .. } = decided;
            let (records, tags) = (head.records(buffer), &buffer.tags);
            let chunk = Chunk { head, records, tags, decision, selected };
            let part = encoder.chunk(payload, &chunk, timeline, until.span, size.limits);
            *too_large += part.too_large;
            *too_large_chunks += usize::from(part.too_large > 0);
            *left_out_tags += part.left_out_tags;
            *left_out_events += part.left_out_events;
            if part.until < chunk.records.len() {
                until.span = part.until;
                break;
            }
            *until = Position { batch: until.batch, head: until.head + 1, span: 0 };
        }
        filled
    }

    /// Forgets what lies before `until`: it is in the books.
    pub(super) fn settle(&mut self, until: Position, queue: &Queue) {
        self.settled = until;
        while let Some(taken) = self.batches.front() {
            if self.settled.batch == 0 && self.settled.head < taken.batch.heads.len() {
                break;
            }
            self.settled = if self.settled.batch == 0 {
                Position::default()
            } else {
                self.settled.in_the_batch_before()
            };
            if let Some(Taken { batch, .. }) = self.batches.pop_front() {
                queue.release(batch.credit);
                recycle(&mut self.spare, batch);
            }
        }
        if self.batches.is_empty() {
            self.settled = Position::default();
        }
        queue.holds_chunks(self.chunks());
    }

    /// Chunks of which something is not settled.
    pub(super) fn chunks(&self) -> usize {
        let chunks: usize = self.batches.iter().map(|taken| taken.batch.heads.len()).sum();
        chunks.saturating_sub(self.settled.head)
    }

    /// Chunks of the latest `count` batches.
    pub(super) fn latest_chunks(&self, count: usize) -> usize {
        self.batches.iter().rev().take(count).map(|taken| taken.batch.heads.len()).sum()
    }

    /// Forgets everything; gives the number of spans that were not settled.
    pub(super) fn clear(&mut self, queue: &Queue) -> usize {
        let spans: usize = self.batches.iter().map(|taken| taken.batch.spans()).sum();
        let first = self.batches.front().map_or(0, |taken| {
            let heads = taken.batch.heads.iter().take(self.settled.head);
            heads.map(|head| head.len as usize).sum::<usize>() + self.settled.span
        });
        let end = Position { batch: self.batches.len(), ..Position::default() };
        self.settle(end, queue);
        spans - first
    }
}

impl Taken {
    /// A chunk with the decision about it, taken at the first look.
    pub(super) fn decided(&mut self, index: usize, sampler: &Sampler) -> Option<DecidedChunk<'_>> {
        let head = self.batch.heads.get(index)?;
        let buffer = self.batch.buffer(head);
        if self.rulings.len() <= index {
            self.rulings.resize(index + 1, None);
        }
        let ruling = self.rulings.get_mut(index)?.get_or_insert_with(|| Ruling::of(head, buffer, sampler));
        let Ruling { decision, ref selected, is_wanted } = *ruling;
        Some(DecidedChunk { head, buffer, decision, selected, is_wanted })
    }
}

impl Taken {
    /// Leaves out what is not to be sent; tells `book` what was decided of a chunk of so many spans.
    pub(super) fn apply(&mut self, verdicts: &[Verdict], mut book: impl FnMut(&Verdict, usize)) {
        let Self { batch, rulings, .. } = self;
        let mut kept = 0;
        for (index, verdict) in verdicts.iter().enumerate() {
            let Some(head) = batch.heads.get(index) else { break };
            let spans = head.len as usize;
            match verdict {
                Verdict::Dropped(_) => {
                    book(verdict, spans);
                    continue;
                }
                Verdict::Only(places) => {
                    book(verdict, spans);
                    batch.shorten(index, places);
                }
                Verdict::Whole => {}
            }
            batch.heads.swap(kept, index);
            if index < rulings.len() {
                rulings.swap(kept, index);
            }
            kept += 1;
        }
        batch.heads.truncate(kept);
        rulings.truncate(kept);
    }
}

impl Verdict {
    /// The verdict on a chunk of a trace that is not kept: those spans are sent that a rule selected, and those that are analysed, by
    /// their own rate.
    ///
    /// Source: `_dd1.sr.eausr` in `pkg/trace/sampler` of DataDog/datadog-agent.
    pub(super) fn of_rejected(chunk: &DecidedChunk<'_>, has_analysed: bool) -> Self {
        let DecidedChunk { head, buffer, selected, .. } = *chunk;
        if selected.is_empty() && !has_analysed {
            return Self::Dropped(DropReason::P0);
        }
        let is_sent = |record: &Record| {
            let rate = if has_analysed { analysed_rate(record, &buffer.tags) } else { None };
            is_selected(selected, record) || rate.is_some_and(|rate| is_kept(head.trace_id as u64, rate))
        };
        let places = (0..).zip(head.records(buffer)).filter(|(_, record)| is_sent(record));
        let places: Vec<u32> = places.map(|(place, _)| place).collect();
        if places.is_empty() { Self::Dropped(DropReason::P0) } else { Self::Only(places) }
    }

    /// Under which reason spans of the chunk are dropped.
    pub(super) fn reason(&self) -> DropReason {
        if let Self::Dropped(reason) = self { *reason } else { DropReason::P0 }
    }

    /// How many of so many spans are dropped.
    pub(super) fn dropped(&self, spans: usize) -> usize {
        match self {
            Self::Whole => 0,
            Self::Dropped(_) => spans,
            Self::Only(kept) => spans.saturating_sub(kept.len()),
        }
    }
}

fn is_selected(selected: &[SelectedSpan], record: &Record) -> bool {
    selected.binary_search_by_key(&record.span_id, |span| span.span_id).is_ok()
}

fn analysed_rate(record: &Record, tags: &TagLog) -> Option<f64> {
    let latest = tags.entries(record.tags).find(|entry| {
        matches!(entry.kind, EntryKind::Meta | EntryKind::Metric | EntryKind::Unset)
            && entry.key() == "_dd1.sr.eausr"
    })?;
    latest.number().filter(|_| latest.kind == EntryKind::Metric)
}

impl Position {
    fn in_the_batch_before(self) -> Self {
        Self { batch: self.batch - 1, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::export::v04::SpanDefaults;
    use crate::export::v04::testing::{batch, decode, timeline};
    use crate::model::CallSite;
    use crate::sampling::{OwnTags, SamplingSettings};
    use std::collections::BTreeMap;

    static SITE: CallSite = CallSite::named("work");

    fn size(enough: usize, max_bytes: usize) -> Size {
        Size { enough, limits: Limits { max_bytes, max_alone: max_bytes } }
    }

    fn sampler() -> Sampler {
        let clock = Clock::system();
        let start = clock.anchor();
        Sampler::new(&SamplingSettings::default(), OwnTags::default(), clock, start)
    }

    fn backlog() -> Backlog {
        let batches = [batch(&SITE, 3, 4), batch(&SITE, 0, 0), batch(&SITE, 1, 30), batch(&SITE, 5, 1)];
        let taken = batches.map(|batch| Taken { batch, rulings: Vec::new() });
        Backlog { batches: taken.into(), ..Backlog::default() }
    }

    #[test]
    fn every_span_is_in_one_payload_whatever_its_size() {
        let queue = Queue::new(1 << 20, 1 << 20, Box::new(|| ()));
        for (enough, max) in [(1, 1_000), (2_000, 3_000), (5_000, 5_000), (1 << 20, 1 << 20)] {
            let (mut backlog, mut encoder) = (backlog(), Encoder::new(&SpanDefaults::default()));
            let mut spans = 0;
            while !backlog.is_empty() {
                let size = size(enough, max);
                let filled = backlog.fill(Vec::new(), &mut encoder, &timeline(), size, &sampler());
                assert_eq!(filled.too_large, 0);
                assert!(filled.payload.len() <= max);
                let count = filled.payload.spans();
                let decoded: usize = decode(&filled.payload.into_body()).iter().map(Vec::len).sum();
                assert_eq!(decoded, count);
                spans += count;
                backlog.settle(filled.until, &queue);
            }
            assert_eq!(spans, 3 * 4 + 30 + 5);
            assert_eq!(backlog.settled, Position::default());
        }
    }

    #[test]
    fn payload_can_be_written_again_before_it_is_settled() {
        let (mut backlog, mut encoder) = (backlog(), Encoder::new(&SpanDefaults::default()));
        let mut fill = |max| {
            let filled = backlog.fill(Vec::new(), &mut encoder, &timeline(), size(max, max), &sampler());
            filled.payload.spans()
        };
        let whole = fill(8_000);
        assert!(fill(4_000) < whole);
        assert_eq!(fill(8_000), whole);
    }

    /// An answer of the agent between two parts of a trace must not tear it apart.
    #[test]
    fn parts_of_a_chunk_share_one_decision_whatever_the_agent_answers() {
        let queue = Queue::new(1 << 20, 1 << 20, Box::new(|| ()));
        let taken = Taken { batch: batch(&SITE, 2, 30), rulings: Vec::new() };
        let mut backlog = Backlog { batches: [taken].into(), ..Backlog::default() };
        let (sampler, mut encoder) = (sampler(), Encoder::new(&SpanDefaults::default()));
        let (mut priorities, mut answers) = (BTreeMap::<u64, Vec<_>>::new(), 0);
        while !backlog.is_empty() {
            let filled = backlog.fill(Vec::new(), &mut encoder, &timeline(), size(1, 1_000), &sampler);
            for chunk in decode(&filled.payload.into_body()) {
                let priority = chunk[0].metric("_sampling_priority_v1");
                priorities.entry(chunk[0].int("trace_id")).or_default().push(priority);
            }
            backlog.settle(filled.until, &queue);
            let answer = format!("{{\"rate_by_service\":{{\"service:,env:\":{}}}}}", answers % 2);
            sampler.learn(answer.as_bytes());
            answers += 1;
        }
        for parts in priorities.values() {
            assert!(parts.len() > 5 && parts.iter().all(|part| *part == parts[0]), "{priorities:?}");
        }
    }

    #[test]
    fn clearing_counts_what_was_not_settled() {
        let queue = Queue::new(1 << 20, 1 << 20, Box::new(|| ()));
        let (mut backlog, mut encoder) = (backlog(), Encoder::new(&SpanDefaults::default()));
        let size = size(2_000, 2_000);
        let filled = backlog.fill(Vec::new(), &mut encoder, &timeline(), size, &sampler());
        backlog.settle(filled.until, &queue);
        assert_eq!(backlog.clear(&queue), 47 - filled.payload.spans());
        assert!(backlog.is_empty());
        assert_eq!(backlog.clear(&queue), 0);
    }
}
