//! Finished spans on their way out.

use std::sync::Arc;

use super::facts::TraceFacts;
use super::record::{Record, SpanBuffer};
use super::tags::TagLog;

/// Where one trace chunk stands in a batch, and what holds for all of its spans.
#[derive(Debug, Clone)]
pub(crate) struct ChunkHead {
    pub(crate) trace_id: u128,
    pub(crate) local_root_id: u64,
    /// What was decided or received for the trace; `None` where nobody asked yet and nothing came from outside.
    pub(crate) facts: Option<Arc<TraceFacts>>,
    /// Its buffer in the batch: 0 for the common one, else the place among the large ones plus one.
    pub(crate) buffer: u32,
    /// Index of its first record in the buffer.
    pub(crate) first: u32,
    pub(crate) len: u32,
    /// Whether no span of the segment is left open.
    pub(crate) is_last: bool,
}

impl ChunkHead {
    /// The records of the chunk in its buffer.
    pub(crate) fn records<'a>(&self, buffer: &'a SpanBuffer) -> &'a [Record] {
        let first = self.first as usize;
        buffer.records.get(first..first + self.len as usize).unwrap_or_default()
    }
}

/// Chunks back to back in one buffer, and large ones in buffers of their own.
#[derive(Debug)]
pub(crate) struct ChunkBatch {
    pub(crate) heads: Vec<ChunkHead>,
    /// The records of all small chunks.
    pub(crate) common: SpanBuffer,
    large: Vec<SpanBuffer>,
    /// Large buffers without content, for large chunks to come.
    empty: Vec<SpanBuffer>,
    /// The thread that fills it, as any number of its own: its memory goes back there.
    pub(crate) home: usize,
    /// Bytes of the queue's limit that these chunks hold until they are delivered or dropped.
    pub(crate) credit: usize,
}

/// Empty buffers a batch keeps.
const KEPT_EMPTY: usize = 256;

impl Default for ChunkBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkBatch {
    pub(crate) const fn new() -> Self {
        Self {
            heads: Vec::new(),
            common: SpanBuffer { records: Vec::new(), tags: TagLog::of_finished() },
            large: Vec::new(),
            empty: Vec::new(),
            home: 0,
            credit: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The number of spans in all chunks.
    pub(crate) fn spans(&self) -> usize {
        self.heads.iter().map(|head| head.len as usize).sum()
    }

    /// The buffer a chunk is in.
    pub(crate) fn buffer(&self, head: &ChunkHead) -> &SpanBuffer {
        let large = (head.buffer as usize).checked_sub(1).and_then(|place| self.large.get(place));
        large.unwrap_or(&self.common)
    }

    /// Each chunk's records with the log that their tags are in.
    pub(crate) fn each_chunk(&mut self, mut f: impl FnMut(&mut [Record], &mut TagLog)) {
        for head in &self.heads {
            let large = (head.buffer as usize).checked_sub(1).and_then(|place| self.large.get_mut(place));
            let SpanBuffer { records, tags } = large.unwrap_or(&mut self.common);
            let first = head.first as usize;
            let records = records.get_mut(first..first + head.len as usize).unwrap_or_default();
            f(records, tags);
        }
    }

    /// Leaves the chunk of the head at this place with the records at these places of it, which ascend.
    pub(crate) fn shorten(&mut self, head: usize, places: &[u32]) {
        let Self { heads, common, large, .. } = self;
        let Some(head) = heads.get_mut(head) else { return };
        let large = (head.buffer as usize).checked_sub(1).and_then(|place| large.get_mut(place));
        let buffer = large.unwrap_or(common);
        let first = head.first as usize;
        let Some(records) = buffer.records.get_mut(first..first + head.len as usize) else { return };
        for (to, from) in places.iter().enumerate() {
            if (*from as usize) < records.len() {
                records.swap(to, *from as usize);
            }
        }
        head.len = head.len.min(places.len() as u32);
    }

    /// Appends the records of `spans` from `first` on (tags from `tag_byte` on) as one chunk.
    pub(crate) fn add(&mut self, head: ChunkHead, spans: &SpanBuffer, first: usize, tag_byte: usize) {
        let len = spans.len().saturating_sub(first) as u32;
        self.heads.push(ChunkHead { buffer: 0, first: self.common.len() as u32, len, ..head });
        self.common.append(spans, first, tag_byte);
    }

    /// Takes over a whole buffer, of which the records from `first` on are one chunk.
    pub(crate) fn add_whole(&mut self, head: ChunkHead, mut spans: SpanBuffer, first: usize) {
        spans.tags.has_left();
        let len = spans.len().saturating_sub(first) as u32;
        self.large.push(spans);
        self.heads.push(ChunkHead { buffer: self.large.len() as u32, first: first as u32, len, ..head });
    }

    /// Appends the chunks of another batch; not its credit.
    pub(crate) fn append(&mut self, other: Self) {
        let (first, large) = (self.common.len() as u32, self.large.len() as u32);
        self.heads.extend(other.heads.into_iter().map(|mut head| {
            match head.buffer {
                0 => head.first += first,
                _ => head.buffer += large,
            }
            head
        }));
        self.common.append(&other.common, 0, 0);
        self.large.extend(other.large);
    }

    /// Keeps the memory of a large buffer, within limits.
    pub(crate) fn keep(&mut self, buffer: SpanBuffer) {
        keep(&mut self.empty, buffer);
    }

    /// A large buffer without content, if one was kept.
    pub(crate) fn take_empty(&mut self) -> Option<SpanBuffer> {
        self.empty.pop()
    }

    /// Takes over the empty buffers of another batch, half of them where it needed none.
    pub(crate) fn keep_empty_of(&mut self, other: &mut Self) {
        if other.large.is_empty() {
            other.empty.truncate(other.empty.len() / 2);
        }
        other.empty.drain(..).for_each(|buffer| keep(&mut self.empty, buffer));
    }

    /// Forgets all content, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.common.clear();
        // What was read first is taken first: it has been gone from the worker's cache the longest.
        self.large.drain(..).rev().for_each(|buffer| keep(&mut self.empty, buffer));
        self.credit = 0;
    }

    /// Bytes of memory held beside the heads.
    pub(crate) fn capacity_bytes(&self) -> usize {
        let others = self.large.iter().chain(&self.empty);
        self.common.capacity_bytes() + others.map(SpanBuffer::capacity_bytes).sum::<usize>()
    }
}

fn keep(empty: &mut Vec<SpanBuffer>, mut buffer: SpanBuffer) {
    if empty.len() < KEPT_EMPTY && !buffer.is_huge() {
        buffer.clear();
        buffer.tags.is_back();
        empty.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emptied_buffers_are_taken_in_the_order_in_which_they_were_filled() {
        let mut batch = ChunkBatch::new();
        for records in [10, 20, 30] {
            let mut spans = SpanBuffer::new();
            spans.reserve(records);
            let facts = None;
            let head = ChunkHead {
                trace_id: 1,
                local_root_id: 1,
                facts,
                buffer: 0,
                first: 0,
                len: 0,
                is_last: true,
            };
            batch.add_whole(head, spans, 0);
        }
        batch.clear();
        let taken = std::iter::from_fn(|| batch.take_empty()).map(|spans| spans.records.capacity());
        assert_eq!(taken.collect::<Vec<_>>(), [10, 20, 30]);
    }
}
