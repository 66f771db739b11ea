//! The spans of futures: on the stack for a poll, off it again.

use std::sync::Arc;

use super::Stack;
use super::buffers::KEPT_RECORDS;
use super::frames::KEPT_FRAMES;
use crate::model::{NO_INDEX, SpanBuffer};
use crate::trace::error::ErrorInfo;
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::owned::Edit;
use crate::trace::process;

/// Bytes of tags that the frame of a future that is over keeps.
const KEPT_TAGS: usize = 256;

impl Stack {
    /// Puts a future's span on the stack for one poll.
    #[inline]
    pub(crate) fn enter_poll(&mut self, mut frame: Box<Frame>) {
        if !self.is_ready_for(&frame) {
            self.get_ready_for(&mut frame);
        }
        self.push_frame(frame);
    }

    /// Whether a future's frame can be pushed as it is: mostly one future polls another of the same segment, or it is the first one
    /// here and the tracer that is connected is its own.
    #[inline]
    fn is_ready_for(&self, frame: &Frame) -> bool {
        let Some(segment) = &frame.segment else { return false };
        match (self.frames.last(), &self.port) {
            (Some(top), _) => {
                let is_settled = self.current != NO_INDEX || matches!(top.kind, FrameKind::Polled(..));
                is_settled && top.segment.as_ref().is_some_and(|below| Arc::ptr_eq(below, segment))
            }
            (None, Some(port)) => {
                self.generation == process::generation() && port.core.is_same(&segment.core)
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn get_ready_for(&mut self, frame: &mut Frame) {
        self.settle();
        if let Some(segment) = &frame.segment {
            frame.outer.port = self.connect(&segment.core);
        }
    }

    /// Takes a future's span back after a poll, with everything that was left above it.
    #[inline]
    pub(crate) fn leave_poll(&mut self, span_id: u64) -> Option<Box<Frame>> {
        // A tracer that came with the only future here leaves with it.
        let stays_connected = !self.is_visiting || self.frames.len() > 1;
        let top = self.frames.last()?;
        if top.token == span_id && top.outer.port.is_none() && stays_connected {
            // Most polls leave nothing behind. What waits for the lowest future waits with it.
            let left = self.spans.len() - top.first as usize;
            if left > 0 && left == self.finished as usize && top.first == 0 {
                self.keep_left();
            } else if left > 0 || (top.closes > 0 && top.first > 0) {
                return self.leave_records(span_id);
            }
            let top = self.frames.pop()?;
            (self.current, self.finished) = (top.outer.current, top.outer.finished);
            return Some(top);
        }
        self.leave_records(span_id)
    }

    /// Takes a future's span back after a poll that left records on top of others, or frames above it.
    #[inline(never)]
    fn leave_records(&mut self, span_id: u64) -> Option<Box<Frame>> {
        let top = self.frames.last()?;
        if top.token == span_id && self.is_merging() {
            return self.merge_frame();
        }
        self.uncover(span_id)?;
        self.end_frame()
    }

    /// Finishes a future's span after its last poll, together with what it left on the stack.
    pub(crate) fn finish_poll(&mut self, span_id: u64, error: Option<&ErrorInfo>) {
        if self.uncover(span_id).is_none() {
            return;
        }
        let Some(ticks) = self.end_ticks(span_id) else { return };
        self.count_open(-1);
        if let Some(error) = error {
            self.edit(NO_INDEX, span_id, |edit| edit.error(error));
        }
        let is_merging = self.is_merging();
        let is_kept = is_merging && self.finish_kept(ticks);
        if !is_kept {
            self.take_kept();
            let Some(frame) = self.frames.last_mut() else { return };
            if let Some(edit) = frame.edit() {
                finish_into(&mut self.spans, edit, ticks);
                self.finished += 1;
                frame.closes += 1 + std::mem::take(&mut frame.credit);
            }
        }
        let Some(frame) = (if is_merging { self.merge_frame() } else { self.end_frame() }) else { return };
        match self.frames.last_mut() {
            Some(below) if is_merging && below.takes_spare() => below.keep_spare(frame, KEPT_FRAMES),
            _ => self.keep_frame(frame),
        }
        if is_kept {
            self.flush_kept(0);
        }
    }

    /// Finishes the innermost span where it will wait: with the lowest future here, if that is of the same segment and nothing else
    /// was left on the stack.
    #[inline]
    fn finish_kept(&mut self, ticks: u64) -> bool {
        let [lowest, .., top] = &mut self.frames[..] else { return false };
        if top.first as usize != self.spans.len() || !lowest.keeps_for(top) {
            return false;
        }
        let Some(edit) = top.edit() else { return false };
        if lowest.kept.capacity_bytes() == 0 && self.spans.is_empty() {
            std::mem::swap(&mut self.spans, &mut lowest.kept);
        }
        finish_into(&mut lowest.kept, edit, ticks);
        lowest.closes += 1 + std::mem::take(&mut top.credit) + std::mem::take(&mut top.closes);
        true
    }

    /// Has what the lowest future left on the stack wait with it.
    #[inline(never)]
    fn keep_left(&mut self) {
        let Some((top, below)) = self.frames.split_last_mut() else { return };
        if top.kept.is_empty() && (self.spans.len() > KEPT_RECORDS || !self.spans.is_huge()) {
            std::mem::swap(&mut self.spans, &mut top.kept);
        } else {
            // A buffer for very many is not left with a future that waits with few.
            top.kept.append(&self.spans, 0, 0);
            self.spans.clear();
            if below.is_empty() {
                self.keep_little();
            }
        }
        self.late_tags = 0;
        self.flush_kept(self.frames.len() - 1);
    }

    /// Brings what waited with the innermost future back to the stack.
    #[inline]
    fn take_kept(&mut self) {
        let Some(top) = self.frames.last_mut().filter(|top| !top.kept.is_empty()) else { return };
        self.finished += top.kept.len() as u32;
        if self.spans.is_empty() {
            std::mem::swap(&mut self.spans, &mut top.kept);
        } else {
            self.spans.append(&top.kept, 0, 0);
            top.kept.clear();
        }
    }

    /// Ships what waits with a future, where it is enough for a part.
    #[inline]
    fn flush_kept(&mut self, frame: usize) {
        let kept = self.frames.get(frame).map_or(0, |frame| frame.kept.len());
        if kept >= self.partial_flush_spans as usize {
            self.ship_kept(frame);
        }
    }

    #[inline(never)]
    fn ship_kept(&mut self, frame: usize) {
        let (Some(frame), Some(port)) = (self.frames.get_mut(frame), &self.port) else { return };
        let Some(segment) = &frame.segment else { return };
        let mut next = port.outbox.as_ref().and_then(|outbox| outbox.take_empty()).unwrap_or_default();
        next.at_least(frame.kept.len());
        port.give(segment.head(false), std::mem::replace(&mut frame.kept, next));
        // Others may have left enough for a part, too.
        segment.take(&SpanBuffer::new(), std::mem::take(&mut frame.closes) as usize);
    }

    /// Whether the thread was unwinding when the drop of this future began.
    pub(crate) fn was_panicking(&self, span_id: u64) -> bool {
        self.frames.iter().any(|frame| frame.token == span_id && frame.was_panicking)
    }

    /// Whether the innermost frame can simply leave its records to the one below: all finished, of the same segment.
    #[inline]
    fn is_merging(&self) -> bool {
        let [.., below, top] = &self.frames[..] else { return false };
        let is_same = match (&below.segment, &top.segment) {
            (Some(below), Some(top)) => Arc::ptr_eq(below, top),
            _ => false,
        };
        is_same && self.finished as usize == self.spans.len() - top.first as usize && top.outer.port.is_none()
    }

    /// Takes the innermost frame off; its records and units become those of the one below.
    #[inline]
    fn merge_frame(&mut self) -> Option<Box<Frame>> {
        let mut frame = self.frames.pop()?;
        self.current = frame.outer.current;
        self.finished += frame.outer.finished;
        if let Some(below) = self.frames.last_mut() {
            below.closes += std::mem::take(&mut frame.closes);
        }
        if self.finished >= self.partial_flush_spans {
            self.flush_part();
        }
        Some(frame)
    }

    /// Ends what stands above a frame.
    #[inline]
    fn uncover(&mut self, token: u64) -> Option<()> {
        if self.frames.last()?.token == token { Some(()) } else { self.end_frames_above(token) }
    }

    #[cold]
    fn end_frames_above(&mut self, token: u64) -> Option<()> {
        let at = self.frames.iter().rposition(|frame| frame.token == token)?;
        while self.frames.len() > at + 1 {
            self.end_frame();
        }
        Some(())
    }
}

/// Finishes a future's span; its record is kept in `spans`.
#[inline]
fn finish_into(spans: &mut SpanBuffer, Edit { record, tags }: Edit<'_>, ticks: u64) {
    // Written after the copy: a copy of what was just written would wait for it.
    spans.push_from(*record, tags);
    if let Some(copy) = spans.records.last_mut() {
        copy.finish(ticks);
    }
    record.finish(ticks);
    tags.clear_to(KEPT_TAGS);
}
