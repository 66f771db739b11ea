//! What leaves the buffer before its frame ends: parts of long traces, and records whose guards outlive their frame.

use std::sync::Arc;

use super::Stack;
use super::buffers::KEPT_RECORDS;
use crate::model::{ChunkHead, Record, SpanBuffer, TagLog};
use crate::trace::owned::OwnedSpan;

/// Detached spans kept a thread; beyond, the oldest is given up.
const MAX_DETACHED: usize = 1_024;
/// Open spans of a line for which one more finished one waits for its part, and the most that wait for that: what a part costs is paid by its spans.
const OPEN_PER_FINISHED: usize = 16;
const LARGEST_PART: usize = 10_000;
/// Dead or foreign tag bytes among living ones that are not worth a copy.
const TOLERATED: usize = 4 << 10;

impl Stack {
    /// Ships the finished records of the innermost frame while others go on.
    #[inline(never)]
    pub(super) fn flush_part(&mut self) {
        let Some(segment) = self.promote(self.frames.len().wrapping_sub(1)) else { return };
        let Some(frame) = self.frames.last_mut() else { return };
        let (first, first_tag) = (frame.first as usize, frame.first_tag as usize);
        let closes = std::mem::take(&mut frame.closes);
        if first == 0 {
            // There are no lower records that tags could be late for.
            self.late_tags = 0;
        }
        // What is open stands in front, mostly: the callers of what has finished since.
        let kept = self.first_finished(first);
        let head = segment.head(false);
        if let Some(head) = self.give_part(head, kept, first_tag) {
            self.copy_part(head, first, kept, first_tag);
        }
        self.finished = 0;
        self.space_parts();
        if closes > 0 {
            // The frame's own unit is still open, but others may have left enough for a part.
            segment.take(&SpanBuffer::new(), closes as usize);
        }
    }

    /// The place of the first finished record from `first` on: as many as have finished are looked for from the end, past the open ones between
    /// them, and not past all that stand in front.
    fn first_finished(&self, first: usize) -> usize {
        let records = self.spans.records.iter().enumerate().skip(first).rev();
        let finished = records.filter(|(_, record)| record.is_finished());
        let looked_for = (self.finished as usize).saturating_sub(1);
        finished.map(|(place, _)| place).nth(looked_for).unwrap_or(self.spans.len())
    }

    /// Has the next part wait for more spans where very many are open: each part looks at the tags of those, too.
    fn space_parts(&mut self) {
        let Some(port) = &self.port else { return };
        let by_open = (self.spans.len() / OPEN_PER_FINISHED).min(LARGEST_PART) as u32;
        self.partial_flush_spans = port.partial_flush_spans.max(by_open);
    }

    /// Has the next part be of common size, and look at all tags.
    pub(super) fn reset_parts(&mut self) {
        self.living_tags = 0;
        self.partial_flush_spans = self.port.as_ref().map_or(u32::MAX, |port| port.partial_flush_spans);
    }

    /// Ships the records from `kept` on with their buffer, and goes on in another one with a copy of what stands before them. Gives
    /// the head back where that is too much to copy, or some of the records are open.
    fn give_part(&mut self, head: ChunkHead, kept: usize, first_tag: usize) -> Option<ChunkHead> {
        let outbox = self.port.as_ref().and_then(|port| Some((&port.core.queue, port.outbox.as_ref()?)));
        let Some((queue, outbox)) = outbox else { return Some(head) };
        let SpanBuffer { records, tags } = &self.spans;
        let open = records.get(..kept).unwrap_or_default();
        let part = records.len() - kept;
        if part != self.finished as usize || part <= KEPT_RECORDS || kept > KEPT_RECORDS {
            return Some(head);
        }
        let end = tags.end_of_all(open).max(first_tag).max(self.late_tags);
        if end > TOLERATED || self.spans.is_wasteful() {
            return Some(head);
        }
        let mut next = outbox.take_empty().unwrap_or_default();
        next.at_least(records.len());
        next.records.extend_from_slice(open);
        next.tags.copy_start(tags, end);
        queue.push_whole(outbox, head, std::mem::replace(&mut self.spans, next), kept, end);
        self.leave_room();
        None
    }

    /// Ships the records from `kept` on by a copy, but for those that are open.
    fn copy_part(&mut self, head: ChunkHead, first: usize, kept: usize, first_tag: usize) {
        let open = self.part_from(kept);
        self.copy_finished(head, first, kept, first_tag);
        self.spans.records.truncate(kept);
        // Where the open ones go on, in the same order.
        let moved = |old: u32| {
            let place = open.binary_search_by_key(&old, |(old, _)| *old).ok();
            place.map_or(old, |place| (kept + place) as u32)
        };
        self.current = moved(self.current);
        let records =
            open.iter().map(|(_, record)| Record { parent_index: moved(record.parent_index), ..*record });
        self.spans.records.extend(records);
        self.forget_tags(first, first_tag);
        self.spans.give_back_memory();
    }

    /// Ships the records from `kept` on. The tags of spans that stay open go along only where they are few.
    fn copy_finished(&self, head: ChunkHead, first: usize, kept: usize, first_tag: usize) {
        let Some(port) = &self.port else { return };
        let SpanBuffer { records, tags } = &self.spans;
        if tags.len().saturating_sub(first_tag) <= TOLERATED {
            return port.copy(head, &self.spans, kept, first_tag);
        }
        let open = records.get(first..kept).unwrap_or_default();
        if tags.end_of_all(open).saturating_sub(first_tag) <= TOLERATED {
            return port.copy(head, &self.spans, kept, first_tag);
        }
        let mut own = SpanBuffer::new();
        for record in records.get(kept..).unwrap_or_default() {
            let mut record = *record;
            record.service = own.tags.copy_field(tags, record.service);
            record.tags = own.tags.copy_chain(tags, record.tags);
            own.records.push(record);
        }
        port.copy(head, &own, 0, 0);
    }

    /// Drops the tag bytes of a frame that no record of it points to any more, where they are many.
    fn forget_tags(&mut self, first: usize, first_tag: usize) {
        if self.spans.is_empty() {
            return self.forget(0, 0);
        }
        let SpanBuffer { records, tags } = &mut self.spans;
        if tags.len().saturating_sub(first_tag) <= TOLERATED {
            return;
        }
        let open = records.get_mut(first..).unwrap_or_default();
        let end = tags.end_of_all(open).max(first_tag);
        let len = end - first_tag;
        // What is dead may grow to as much as what is not before anybody looks again, so that copies are few.
        if len <= TOLERATED.max(2 * self.living_tags) || self.late_tags > first_tag {
            self.living_tags = self.living_tags.min(len);
            return tags.truncate(end.max(self.late_tags));
        }
        if open.iter().map(|record| tags.len_of(record.tags)).sum::<usize>() >= len / 2 {
            self.living_tags = len;
            return tags.truncate(end);
        }
        let mut living = TagLog::new();
        for record in &mut *open {
            record.service = living.copy_field(tags, record.service);
            record.tags = living.copy_chain(tags, record.tags);
        }
        self.living_tags = living.len();
        tags.truncate(first_tag);
        let moved = tags.append(&living, 0);
        for record in open {
            *record = record.joined(moved);
        }
    }

    /// Moves records that are still open out of the innermost frame, so that their guards can finish them later.
    #[cold]
    pub(super) fn detach_open(&mut self) {
        let Some(segment) = self.promote(self.frames.len().wrapping_sub(1)) else { return };
        let Some(first) = self.frames.last().map(|frame| frame.first as usize) else { return };
        let mut index = first;
        while let Some(record) = self.spans.records.get(index) {
            if record.is_finished() {
                index += 1;
                continue;
            }
            let mut record = self.spans.records.remove(index);
            let mut tags = TagLog::of_one();
            record.service = tags.copy_field(&self.spans.tags, record.service);
            record.tags = tags.copy_chain(&self.spans.tags, record.tags);
            segment.open(1);
            self.detached.push(OwnedSpan { record, tags, segment: Arc::clone(&segment) });
            self.count_open(1);
        }
        let excess = self.detached.len().saturating_sub(MAX_DETACHED);
        self.count_open(-(excess as i32));
        for given_up in self.detached.drain(..excess) {
            given_up.segment.close_empty();
        }
    }

    /// Takes the open records from `from` on out, with the places they had; the finished ones close up.
    ///
    /// Their parents are open ones from there on: a parent that finished before its child leaves without it.
    fn part_from(&mut self, from: usize) -> Vec<(u32, Record)> {
        let mut open = Vec::new();
        for index in from..self.spans.len() {
            let Some(record) = self.spans.records.get(index).filter(|record| !record.is_finished()) else {
                continue;
            };
            open.push((
                index as u32,
                Record { parent_index: self.open_from(record.parent_index), ..*record },
            ));
        }
        let mut index = 0;
        self.spans.records.retain(|record| {
            index += 1;
            index <= from || record.is_finished()
        });
        open
    }
}
