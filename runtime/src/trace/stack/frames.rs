//! Frames: entered, left in any order, ended.

use std::sync::Arc;

use super::Stack;
use crate::model::{ChunkHead, NO_INDEX};
use crate::trace::frame::{Entry, Frame, FrameKind};
use crate::trace::segment::{Ready, Segment};

/// Frames kept for futures and activations to come, by a thread and by a future; 1 KiB in all.
pub(super) const KEPT_FRAMES: usize = 4;

impl Stack {
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
    pub(super) fn keep_frame(&mut self, frame: Box<Frame>) {
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

    /// Ends the latest activation of a handle, for those who keep no guard.
    #[cfg(feature = "tracing")]
    pub(crate) fn leave_latest(&mut self, span_id: u64) {
        let is_handle =
            |frame: &Frame| matches!(&frame.kind, FrameKind::Entered(entry) if entry.handle.is_some());
        let mut frames = self.frames.iter().rev();
        if let Some(frame) = frames.find(|frame| frame.span_id == span_id && is_handle(frame)) {
            let token = frame.token;
            self.leave(token);
        }
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
            if self.is_visiting {
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
