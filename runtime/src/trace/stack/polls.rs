//! The spans of futures: on the stack for a poll, off it again.

use std::sync::Arc;

use super::Stack;
use super::buffers::KEPT_RECORDS;
use super::frames::KEPT_FRAMES;
use crate::model::NO_INDEX;
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
                self.generation == process::generation() && Arc::ptr_eq(&port.core, &segment.core)
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
        let stays_connected =
            self.frames.len() > 1 || self.port.as_ref().is_none_or(|port| port.outbox.is_some());
        let [.., top] = &mut self.frames[..] else { return None };
        if top.token == span_id && top.outer.port.is_none() && stays_connected {
            // Most polls leave nothing behind. What the only one on the stack leaves waits with it for the next.
            let left = self.spans.len() - top.first as usize;
            if left > 0 && left == self.finished as usize && top.first == 0 {
                if left <= KEPT_RECORDS && top.kept.is_empty() && self.spans.is_huge() {
                    // A buffer for very many is not left with a future that waits with few.
                    top.kept.append(&self.spans, 0, 0);
                    self.spans.clear();
                    self.spans.give_back_memory();
                } else {
                    std::mem::swap(&mut self.spans, &mut top.kept);
                }
                self.late_tags = 0;
            } else if left > 0 || top.closes > 0 {
                return self.leave_records(span_id);
            }
            (self.current, self.finished) = (top.outer.current, top.outer.finished);
            return self.frames.pop();
        }
        self.leave_records(span_id)
    }

    /// Takes a future's span back after a poll that left records on top of others, or frames above it.
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
        let ticks = self.ticks();
        let (Some(frame), Some(ticks)) = (self.frames.last_mut(), ticks) else { return };
        if let Some(mut edit) = frame.edit() {
            if let Some(error) = error {
                edit.error(error);
            }
            let Edit { record, tags } = edit;
            // Written after the copy: a copy of what was just written would wait for it.
            self.spans.push_from(*record, tags);
            if let Some(copy) = self.spans.records.last_mut() {
                copy.finish(ticks);
            }
            record.finish(ticks);
            tags.clear_to(KEPT_TAGS);
            self.finished += 1;
            frame.closes += 1 + std::mem::take(&mut frame.credit);
        }
        let is_merging = self.is_merging();
        let Some(frame) = (if is_merging { self.merge_frame() } else { self.end_frame() }) else { return };
        match self.frames.last_mut() {
            Some(below) if is_merging && below.takes_spare() => below.keep_spare(frame, KEPT_FRAMES),
            _ => self.keep_frame(frame),
        }
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
        if self.frames.last()?.token == token {
            return Some(());
        }
        let at = self.frames.iter().rposition(|frame| frame.token == token)?;
        while self.frames.len() > at + 1 {
            self.end_frame();
        }
        Some(())
    }
}
