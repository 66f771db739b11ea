//! Records of `#[traced]` functions: the fast path.

use super::Stack;
use crate::model::{CallSite, EntryKind, Flags, NO_INDEX, Record, SpanBuffer, TagLog};
use crate::trace::error::ErrorInfo;
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::owned::Edit;
use crate::trace::recorder::TagSet;

impl Stack {
    /// Starts a record under the active span, or begins a trace. Gives its place and id.
    #[inline]
    pub(crate) fn start(&mut self, site: &'static CallSite, tags: Option<&dyn TagSet>) -> Option<(u32, u64)> {
        if self.current == NO_INDEX {
            self.settle();
            if self.frames.is_empty() {
                return self.begin_line(site, tags);
            }
        }
        let start = self.ticks()?;
        let span_id = self.ids.span_id();
        let flags = if site.measured { Flags::MEASURED } else { Flags::none() };
        let (parent_id, service, flags) = match self.spans.records.get(self.current as usize) {
            Some(parent) => (parent.span_id, parent.service, flags),
            None => self.under_frame(span_id, flags)?,
        };
        Some(self.push(site, (span_id, parent_id), start, service, flags, tags))
    }

    /// Finishes a record by its place and identity, wherever it is by now.
    #[inline]
    pub(crate) fn finish(&mut self, index: u32, span_id: u64, error: Option<&ErrorInfo>) {
        let Some(ticks) = self.ticks() else { return };
        let place = self.spans.records.get_mut(index as usize);
        let Some(record) = place.filter(|record| record.span_id == span_id && !record.is_finished()) else {
            return self.finish_moved(span_id, error);
        };
        if let Some(error) = error {
            mark(record, &mut self.spans.tags, error);
        }
        record.end = ticks;
        record.flags = record.flags.with(Flags::FINISHED);
        let parent = record.parent_index;
        let Some(frame) = self.frames.last() else { return };
        if index < frame.first {
            return self.finish_below(index, parent);
        }
        self.finished += 1;
        // A span that ends takes what was leaked above it off the stack.
        if self.current != NO_INDEX && index <= self.current {
            self.current = parent;
        }
        if self.current == NO_INDEX && frame.is_line() {
            self.end_line();
        } else if self.current == NO_INDEX && frame.is_over() {
            self.settle();
        } else if self.finished >= self.partial_flush_spans {
            self.flush_part();
        }
    }

    #[inline]
    pub(super) fn end_line(&mut self) {
        self.spare_line = self.end_frame().map(|mut line| {
            line.segment = None;
            line
        });
    }

    /// Appends an open record, which is the active one from now on.
    #[inline]
    fn push(
        &mut self,
        site: &'static CallSite,
        (span_id, parent_id): (u64, u64),
        start: u64,
        service: u32,
        flags: Flags,
        tags: Option<&dyn TagSet>,
    ) -> (u32, u64) {
        let index = self.spans.records.len() as u32;
        if self.spans.records.len() == self.spans.records.capacity() {
            self.grow();
        }
        let parent_index = self.current;
        self.spans.records.push(Record {
            site,
            span_id,
            parent_id,
            start,
            end: 0,
            tags: 0,
            service,
            parent_index,
            flags,
        });
        self.current = index;
        if tags.is_some() || site.service.is_some() {
            self.describe(tags);
        }
        (index, span_id)
    }

    /// Gives the record that was just appended its service and tags.
    fn describe(&mut self, tags: Option<&dyn TagSet>) {
        let SpanBuffer { records, tags: log } = &mut self.spans;
        let Some(record) = records.last_mut() else { return };
        let inherited = record.service;
        if let Some(service) = record.site.service {
            record.service = log.field(0, EntryKind::Service, service);
        }
        if let Some(tags) = tags {
            tags.write(&mut Edit { record, tags: log });
        }
        if record.service != inherited {
            if log.text(record.service) == log.text(inherited) {
                record.service = inherited;
            } else {
                record.flags = record.flags.with(Flags::TOP_LEVEL);
            }
        }
    }

    /// Parent, service and flags of a record directly under a frame that was polled or entered.
    #[inline(never)]
    fn under_frame(&mut self, span_id: u64, flags: Flags) -> Option<(u64, u32, Flags)> {
        let frame = self.frames.last()?;
        let service = match &frame.kind {
            FrameKind::Polled(polled, tags) => self.spans.tags.copy_field(tags, polled.service),
            _ => match frame.service() {
                Some(service) => self.spans.tags.field(0, EntryKind::Service, &service),
                None => 0,
            },
        };
        if !frame.begins_local_trace() {
            return Some((frame.span_id, service, flags));
        }
        if let Some(segment) = &frame.segment {
            segment.facts.set_local_root(span_id);
        }
        Some((frame.span_id, service, flags.with(Flags::TOP_LEVEL)))
    }

    fn begin_line(&mut self, site: &'static CallSite, tags: Option<&dyn TagSet>) -> Option<(u32, u64)> {
        self.attach()?;
        let start = self.ticks()?;
        let trace_id = self.new_trace_id(start);
        let mut line = self.spare_line.take().unwrap_or_else(|| Frame::new(0, 0, None, FrameKind::Line));
        line.trace_id = trace_id;
        self.push_frame(line);
        let flags = if site.measured { Flags::MEASURED } else { Flags::none() };
        let span_id = self.ids.span_id();
        Some(self.push(site, (span_id, 0), start, 0, flags.with(Flags::TOP_LEVEL), tags))
    }

    /// A record that finished while its frame was not on top: the frame's word is corrected where it is saved.
    #[cold]
    fn finish_below(&mut self, index: u32, parent: u32) {
        let Some(above) = self.frames.iter_mut().rev().take_while(|frame| frame.first > index).last() else {
            return;
        };
        above.outer.finished += 1;
        if above.outer.current != NO_INDEX && index <= above.outer.current {
            above.outer.current = parent;
        }
    }

    /// A record that is not where its guard left it: moved by a partial flush, or detached when its frame ended.
    #[cold]
    fn finish_moved(&mut self, span_id: u64, error: Option<&ErrorInfo>) {
        let is_it = |record: &Record| record.span_id == span_id && !record.is_finished();
        if let Some(index) = self.spans.records.iter().rposition(is_it) {
            return self.finish(index as u32, span_id, error);
        }
        if let Some(at) = self.detached.iter().position(|owned| owned.record.span_id == span_id) {
            let mut owned = self.detached.swap_remove(at);
            if let Some(error) = error {
                owned.edit().error(error);
            }
            let ticks = owned.segment.core.clock.ticks();
            owned.edit().end(ticks, None);
            self.deliver(owned);
        }
    }
}

#[cold]
fn mark(record: &mut Record, tags: &mut TagLog, error: &ErrorInfo) {
    Edit { record, tags }.error(error);
}
