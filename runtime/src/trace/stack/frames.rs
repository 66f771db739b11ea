//! Frames: entered, left in any order, ended.

use std::sync::Arc;

use super::Stack;
use super::buffers::KEPT_RECORDS;
use crate::model::{ChunkHead, NO_INDEX};
use crate::trace::error::ErrorInfo;
use crate::trace::frame::{Entry, Frame, FrameKind};
use crate::trace::owned::Edit;
use crate::trace::process;
use crate::trace::segment::{Ready, Segment};

/// Frames kept for futures and activations to come, by a thread and by a future; 1 KiB in all.
const KEPT_FRAMES: usize = 4;
/// Bytes of tags that such a frame keeps.
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

    /// A frame, in the memory of one that is over where there is one.
    pub(super) fn new_frame(
        &mut self,
        trace_id: u128,
        span_id: u64,
        segment: Arc<Segment>,
        kind: FrameKind,
    ) -> Box<Frame> {
        let Some(mut frame) = self.spare_frames.pop() else {
            return Frame::new(trace_id, span_id, Some(segment), kind);
        };
        (frame.trace_id, frame.span_id, frame.token) = (trace_id, span_id, span_id);
        (frame.segment, frame.kind) = (Some(segment), kind);
        frame
    }

    /// Keeps the memory of a frame that is over, and of those that it kept.
    fn keep_frame(&mut self, frame: Box<Frame>) {
        let mut next = Some(frame);
        while let Some(mut frame) = next.take().filter(|_| self.spare_frames.len() < KEPT_FRAMES) {
            (frame.segment, frame.kind) = (None, FrameKind::Blank);
            next = frame.take_spare();
            let kept = std::mem::take(&mut frame.kept);
            if self.spans.capacity_bytes() == 0 {
                self.spans = kept;
            }
            self.spare_frames.push(frame);
        }
    }

    /// Whether the thread was unwinding when the drop of this future began.
    pub(crate) fn was_panicking(&self, span_id: u64) -> bool {
        self.frames.iter().any(|frame| frame.token == span_id && frame.was_panicking)
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

    /// Makes a handle or a context the active one until [`Stack::leave`].
    pub(crate) fn enter(&mut self, segment: Arc<Segment>, span_id: u64, entry: Entry) -> u64 {
        self.settle();
        let port = self.connect(&segment.core);
        segment.open(1);
        self.tokens += 1;
        let mut frame = self.new_frame(segment.trace_id(), span_id, segment, FrameKind::Entered(entry));
        frame.token = self.tokens;
        frame.outer.port = port;
        self.push_frame(frame);
        self.tokens
    }

    /// Ends an activation, wherever it stands.
    pub(crate) fn leave(&mut self, token: u64) {
        let Some(at) = self.frames.iter().rposition(|frame| frame.token == token) else { return };
        if at + 1 == self.frames.len() && self.current == NO_INDEX {
            if let Some(frame) = self.end_frame() {
                self.keep_frame(frame);
            }
        } else if let Some(frame) = self.frames.get_mut(at) {
            frame.kind = FrameKind::Ended;
        }
        self.settle();
    }

    #[inline]
    pub(super) fn push_frame(&mut self, mut frame: Box<Frame>) {
        debug_assert!(self.late_tags <= self.spans.tags.len(), "late tags beyond all tags");
        debug_assert!(!self.spans.is_empty() || self.spans.tags.len() == 0, "tags without a record");
        frame.first = self.spans.len() as u32;
        frame.first_tag = self.spans.tags.len() as u32;
        frame.outer.current = self.current;
        frame.outer.finished = self.finished;
        (self.current, self.finished) = (NO_INDEX, 0);
        if !frame.kept.is_empty() {
            self.finished = frame.kept.len() as u32;
            if self.spans.is_empty() {
                std::mem::swap(&mut self.spans, &mut frame.kept);
            } else {
                self.spans.append(&frame.kept, 0, 0);
                frame.kept.clear();
            }
        }
        self.frames.push(frame);
    }

    /// Takes the innermost frame off and sends its records on their way.
    #[inline]
    pub(super) fn end_frame(&mut self) -> Option<Box<Frame>> {
        let first = self.frames.last()?.first as usize;
        if self.finished as usize != self.spans.len() - first {
            self.detach_open();
        }
        let mut frame = self.frames.pop()?;
        let (finished, units) = (self.finished, frame.units());
        (self.current, self.finished) = (frame.outer.current, frame.outer.finished);
        if finished > 0 || units > 0 {
            self.hand_over(&mut frame, finished, units);
        } else {
            self.forget(first, frame.first_tag as usize);
        }
        if frame.outer.port.is_some() {
            let port = frame.outer.port.take().map(|port| *port);
            self.set_port(port);
        }
        if self.frames.is_empty() {
            self.keep_little();
            if self.port.as_ref().is_some_and(|port| port.outbox.is_none()) {
                // It came with a context from elsewhere, which is left.
                self.set_port(None);
            }
        }
        Some(frame)
    }

    /// Sends the records of a frame that was taken off: to the frame below if it is of the same segment, to the segment,
    /// or straight to the queue.
    fn hand_over(&mut self, frame: &mut Frame, finished: u32, units: usize) {
        let (first, first_tag) = (frame.first as usize, frame.first_tag as usize);
        frame.closes = 0;
        match &frame.segment {
            None => {
                let local_root_id = self.spans.records.get(first).map_or(0, |record| record.span_id);
                let trace_id = frame.trace_id;
                let (facts, is_last) = (None, true);
                let head = ChunkHead { trace_id, local_root_id, facts, buffer: 0, first: 0, len: 0, is_last };
                self.ship(head, first, first_tag);
            }
            Some(segment) => {
                let below = self
                    .frames
                    .last_mut()
                    .and_then(|below| Some((below.segment.as_ref()?, &mut below.closes)));
                if let Some((_, closes)) = below.filter(|(below, _)| Arc::ptr_eq(below, segment)) {
                    *closes += units as u32;
                    self.finished += finished;
                    if self.finished >= self.partial_flush_spans {
                        self.flush_part();
                    }
                    return;
                }
                match segment.join(&self.spans, first, first_tag, units) {
                    Ready::No => {}
                    Ready::Own(head) => self.ship(head, first, first_tag),
                    Ready::Joined(head, spans) => {
                        if let Some(port) = &self.port {
                            port.give(head, spans);
                        }
                    }
                }
            }
        }
        self.forget(first, first_tag);
    }

    /// Ends frames on top that are over, or whose span was finished under a guard that nobody dropped.
    #[inline]
    pub(super) fn settle(&mut self) {
        let is_settled = self.frames.last().is_none_or(|top| matches!(top.kind, FrameKind::Polled(..)));
        if self.current == NO_INDEX && !is_settled {
            self.settle_slowly();
        }
    }

    #[inline(never)]
    fn settle_slowly(&mut self) {
        while self.current == NO_INDEX
            && self.frames.last().is_some_and(|frame| !frame.is_live() || frame.is_line())
        {
            self.end_frame();
        }
    }
}
