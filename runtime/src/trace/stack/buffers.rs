//! The memory of records and tags: how it grows, leaves and comes back.

use super::Stack;
use crate::model::{ChunkHead, SpanBuffer};
use crate::trace::frame::Port;

/// What an idle thread keeps of its buffers, 4.7 KiB in all; a larger trace gives its memory back at its end.
pub(super) const KEPT_RECORDS: usize = 48;
const KEPT_TAG_BYTES: usize = 2 << 10;

impl Stack {
    /// After tags of the record at `place` were written: they stay when the frames above it end.
    pub(super) fn keep_late_tags(&mut self, place: usize) {
        if self.frames.last().is_some_and(|top| place < top.first as usize) {
            self.late_tags = self.spans.tags.len();
        }
    }

    /// Forgets records from `first` on and their tags, but not what lower records were given meanwhile. Without a record there
    /// are no tags.
    #[inline]
    pub(super) fn forget(&mut self, first: usize, first_tag: usize) {
        self.spans.records.truncate(first);
        if first == 0 {
            self.late_tags = 0;
            return self.spans.tags.truncate(0);
        }
        self.spans.tags.truncate(first_tag.max(self.late_tags));
    }

    /// Hands records and tags from these places on over as one chunk: with the buffer, if it is large and has nothing else in it.
    pub(super) fn ship(&mut self, head: ChunkHead, first: usize, first_tag: usize) {
        let Some(port) = &self.port else { return };
        if first == 0 && self.spans.len() > KEPT_RECORDS && !self.spans.is_wasteful() {
            port.give(head, std::mem::replace(&mut self.spans, std::mem::take(&mut self.small)));
            self.leave_room();
        } else {
            port.copy(head, &self.spans, first, first_tag);
        }
    }

    /// Puts a large buffer away, whose trace is over.
    #[inline]
    pub(super) fn keep_little(&mut self) {
        if self.spans.records.capacity() > KEPT_RECORDS {
            let large = std::mem::replace(&mut self.spans, std::mem::take(&mut self.small));
            if let Some(outbox) = self.port.as_ref().and_then(|port| port.outbox.as_ref()) {
                outbox.keep(large);
            }
            self.leave_room();
        } else {
            self.spans.tags.clear_to(KEPT_TAG_BYTES);
        }
    }

    /// Makes room for one more record, where there is none. `None` where too many spans are open.
    #[inline]
    pub(super) fn make_room(&mut self) -> Option<()> {
        if self.spans.records.len() == self.spans.records.capacity() { self.grow() } else { Some(()) }
    }

    /// Makes room for one more record: few at first, then twice as many, in a buffer that others used before where there is one.
    /// `None` where too many spans are open.
    #[cold]
    fn grow(&mut self) -> Option<()> {
        let capacity = self.spans.records.capacity();
        let more = if capacity < KEPT_RECORDS { KEPT_RECORDS } else { self.count_room(capacity)? };
        let outbox = self.port.as_ref().and_then(|port| port.outbox.as_ref());
        if let Some(outbox) = outbox.filter(|_| capacity == KEPT_RECORDS) {
            let mut large = outbox.take_empty().unwrap_or_default();
            large.at_least(3 * KEPT_RECORDS);
            large.append(&self.spans, 0, 0);
            self.small = std::mem::replace(&mut self.spans, large);
            self.small.records.clear();
            self.small.tags.clear_to(KEPT_TAG_BYTES);
            return Some(());
        }
        self.spans.reserve(more);
        Some(())
    }
}

impl Port {
    /// Hands a chunk over by a copy, through the thread's own outbox where it has one.
    #[inline]
    pub(super) fn copy(&self, head: ChunkHead, spans: &SpanBuffer, first: usize, tag_byte: usize) {
        if let Some(outbox) = &self.outbox {
            self.core.queue.push(outbox, head, spans, first, tag_byte);
        } else if first == 0 && tag_byte == 0 {
            self.core.ship(head, spans);
        } else {
            let mut own = SpanBuffer::new();
            own.append(spans, first, tag_byte);
            self.core.ship(head, &own);
        }
    }

    /// Hands a chunk over with its buffer where the buffer is large.
    pub(super) fn give(&self, head: ChunkHead, spans: SpanBuffer) {
        match &self.outbox {
            Some(outbox) if spans.len() > KEPT_RECORDS && !spans.is_wasteful() => {
                self.core.queue.push_whole(outbox, head, spans, 0, 0);
            }
            _ => self.copy(head, &spans, 0, 0),
        }
    }
}
