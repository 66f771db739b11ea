//! Baggage of the spans on the stack.
//!
//! A span has the baggage that its parent had when it started, until it changes its own. Nothing is done for that when a record
//! starts: whoever asks walks up to the nearest span that has an entry in its frame, and whoever changes baggage leaves the old
//! one with the children that are open by then.

use std::sync::Arc;

use super::Stack;
use crate::model::{Baggage, NO_INDEX, Record, Upstream};
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::handle::SpanCell;
use crate::trace::owned::Edit;
use crate::trace::segment::Segment;

/// Gives the local root of a context from elsewhere the tags that the baggage of that context asks for, below those it has.
#[inline]
pub(super) fn put_baggage_tags(edit: &mut Edit<'_>, segment: &Segment) {
    if let Some(upstream) = segment.facts.upstream.as_deref().filter(|upstream| upstream.baggage_tags != 0) {
        put_tags(edit, upstream);
    }
}

#[cold]
fn put_tags(edit: &mut Edit<'_>, upstream: &Upstream) {
    for (key, value) in upstream.tagged_baggage() {
        let key = format!("baggage.{key}");
        if !edit.has(&key) {
            let shown = |character: char| if character.is_control() { '_' } else { character };
            edit.meta(&key, &value.chars().map(shown).collect::<String>());
        }
    }
}

/// Who has baggage on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// The open span of this id, of a record or of a future that is polled.
    Span(u64),
    /// The context of the activation with this token; its span may be open here as well, with baggage of its own.
    Activation(u64),
}

impl Stack {
    /// The baggage of an open record, of the span of a polled future, or of an entered context.
    pub(crate) fn baggage(&self, bearer: Bearer) -> Option<Arc<Baggage>> {
        let (frame, index) = self.find_open(bearer)?;
        self.baggage_at(frame, index)
    }

    /// The baggage of the active span.
    pub(super) fn active_baggage(&self) -> Option<Arc<Baggage>> {
        self.baggage_at(self.frames.len().checked_sub(1)?, self.current)
    }

    /// Gives a span other baggage; nothing once it has finished.
    pub(crate) fn set_baggage(&mut self, bearer: Bearer, baggage: Arc<Baggage>) {
        let Some((at, index)) = self.find_open(bearer) else { return };
        self.leave_baggage(at, index);
        let Some(frame) = self.frames.get_mut(at) else { return };
        match &mut frame.kind {
            _ if index != NO_INDEX => {
                let Some(record) = self.spans.records.get(index as usize) else { return };
                frame.baggage.get_or_insert_default().set(record.span_id, baggage);
            }
            FrameKind::Polled(..) => frame.set_own_baggage(baggage),
            FrameKind::Entered(entry) if entry.handle.is_none() => entry.baggage = Some(baggage),
            _ => {}
        }
    }

    /// Leaves the present baggage of a handle, which is about to change, with the records that were started under it here.
    pub(crate) fn leave_baggage_of(&mut self, cell: &Arc<SpanCell>) {
        for at in 0..self.frames.len() {
            let kind = self.frames.get(at).map(|frame| &frame.kind);
            if let Some(FrameKind::Entered(entry)) = kind {
                if entry.handle.as_ref().is_some_and(|handle| Arc::ptr_eq(handle, cell)) {
                    self.leave_baggage(at, NO_INDEX);
                }
            }
        }
    }

    /// The frame where it is, and its record there; [`NO_INDEX`] for the frame's own span.
    fn find_open(&self, bearer: Bearer) -> Option<(usize, u32)> {
        let is_its = |frame: &Frame| match (&frame.kind, bearer) {
            (FrameKind::Polled(record, _), Bearer::Span(id)) => frame.span_id == id && !record.is_finished(),
            (FrameKind::Entered(_), Bearer::Activation(token)) => frame.token == token,
            _ => false,
        };
        if let Bearer::Span(id) = bearer {
            let is_it = |record: &Record| record.span_id == id && !record.is_finished();
            if let Some(index) = self.spans.records.iter().rposition(is_it) {
                let frame = self.frames.iter().rposition(|frame| frame.first as usize <= index)?;
                return Some((frame, index as u32));
            }
        }
        Some((self.frames.iter().rposition(|frame| is_its(frame))?, NO_INDEX))
    }

    /// The baggage of a record, or below all records of a frame.
    pub(super) fn baggage_at(&self, frame: usize, mut index: u32) -> Option<Arc<Baggage>> {
        let frame = self.frames.get(frame)?;
        if let Some(entries) = &frame.baggage {
            while let Some(record) = self.spans.records.get(index as usize) {
                if let Some(baggage) = entries.of(record.span_id) {
                    return Some(Arc::clone(baggage));
                }
                index = record.parent_index;
            }
        }
        frame.inherited_baggage()
    }

    /// Gives the open children of a span in this frame what they inherited, before that changes.
    fn leave_baggage(&mut self, at: usize, index: u32) {
        let inherited = self.baggage_at(at, index).unwrap_or_default();
        let end = self.frames.get(at + 1).map_or(self.spans.len(), |above| above.first as usize);
        let Some(frame) = self.frames.get_mut(at) else { return };
        let first = frame.first as usize;
        let records = self.spans.records.get(first..end).unwrap_or_default();
        let open = || records.iter().filter(|record| !record.is_finished());
        let span_id = frame.span_id;
        if let Some(entries) = &mut frame.baggage {
            entries.retain(|id| id == span_id || open().any(|record| record.span_id == id));
        }
        for child in open().filter(|record| record.parent_index == index) {
            let entries = frame.baggage.get_or_insert_default();
            if entries.of(child.span_id).is_none() {
                entries.set(child.span_id, Arc::clone(&inherited));
            }
        }
    }
}
