//! What leaves the buffer before its frame ends: parts of long traces, and records whose guards outlive their frame.

use std::sync::Arc;

use super::{Stack, push};
use crate::model::{NO_INDEX, SpanBuffer, TagLog};
use crate::trace::owned::OwnedSpan;
use crate::trace::segment::Ready;

/// Detached spans kept a thread; beyond, the oldest is given up.
const MAX_DETACHED: usize = 1_024;

impl Stack {
    /// Ships the finished records of the innermost frame while others go on.
    #[cold]
    pub(super) fn flush_part(&mut self) {
        let Some(segment) = self.promote(self.frames.len().wrapping_sub(1)) else { return };
        let Some(frame) = self.frames.last() else { return };
        let (first, first_tag) = (frame.first as usize, frame.first_tag as usize);
        let mut done = SpanBuffer::new();
        let mut open = SpanBuffer::new();
        let mut parents: Vec<(u64, u32)> = Vec::new();
        for record in self.spans.records.get(first..).unwrap_or_default() {
            let into = if record.is_finished() { &mut done } else { &mut open };
            let mut moved = *record;
            moved.service = into.tags.copy_field(&self.spans.tags, record.service);
            moved.tags = into.tags.copy_chain(&self.spans.tags, record.tags);
            if !record.is_finished() {
                let parent = parents.iter().rev().find(|(id, _)| *id == record.parent_id);
                moved.parent_index = parent.map_or(NO_INDEX, |(_, index)| *index);
                parents.push((record.span_id, (first + into.len()) as u32));
            }
            into.records.push(moved);
        }
        let current = self.spans.records.get(self.current as usize).map(|record| record.span_id);
        self.current =
            parents.iter().find(|(id, _)| Some(*id) == current).map_or(NO_INDEX, |(_, index)| *index);
        self.spans.truncate(first, first_tag);
        self.spans.append(&open, 0, 0);
        self.finished = 0;
        let closes = self.frames.last_mut().map_or(0, |frame| std::mem::take(&mut frame.closes));
        let Some(port) = &self.port else { return };
        match segment.join(&done, 0, 0, closes as usize) {
            Ready::No => {}
            Ready::Own(head) => push(port, head, &done, 0, 0),
            Ready::Joined(head, spans) => push(port, head, &spans, 0, 0),
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
            segment.open();
            self.detached.push(OwnedSpan { record, tags, segment: Arc::clone(&segment) });
        }
        if self.detached.len() > MAX_DETACHED {
            let given_up = self.detached.remove(0);
            given_up.segment.close_empty();
        }
    }
}
