//! What leaves the buffer before its frame ends: parts of long traces, and records whose guards outlive their frame.

use std::sync::Arc;

use super::Stack;
use super::buffers::KEPT_RECORDS;
use crate::model::{ChunkHead, Record, SpanBuffer, TagLog};
use crate::trace::owned::OwnedSpan;

/// Detached spans kept a thread; beyond, the oldest is given up.
const MAX_DETACHED: usize = 1_024;
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
        let records = &self.spans.records;
        let leading = records.iter().skip(first).take_while(|record| !record.is_finished()).count();
        let kept = first + leading;
        let head = segment.head(false);
        if let Some(head) = self.give_part(head, kept, first_tag) {
            self.copy_part(head, first, kept, first_tag);
        }
        self.finished = 0;
        if closes > 0 {
            // The frame's own unit is still open, but others may have left enough for a part.
            segment.take(&SpanBuffer::new(), closes as usize);
        }
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

    /// Drops the tag bytes of a frame that no record of it points to any more.
    fn forget_tags(&mut self, first: usize, first_tag: usize) {
        if self.spans.is_empty() {
            return self.forget(0, 0);
        }
        let SpanBuffer { records, tags } = &mut self.spans;
        let open = records.get_mut(first..).unwrap_or_default();
        let end = tags.end_of_all(open).max(first_tag);
        if end - first_tag <= TOLERATED || self.late_tags > first_tag {
            return tags.truncate(end.max(self.late_tags));
        }
        let mut living = TagLog::new();
        for record in &mut *open {
            record.service = living.copy_field(tags, record.service);
            record.tags = living.copy_chain(tags, record.tags);
        }
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
            let mut tags = TagLog::new();
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
