//! Records of `#[traced]` functions: the fast path.

use super::Stack;
use crate::model::{CallSite, EntryKind, Flags, NO_INDEX, Record};
use crate::trace::error::ErrorInfo;
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::owned::{Edit, new_record};
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
        let start = self.port.as_ref()?.clock.ticks();
        let span_id = self.ids.span_id();
        let mut record = match self.spans.records.get(self.current as usize) {
            Some(parent) => {
                let mut record = new_record(site, span_id, parent.span_id, start);
                record.service = parent.service;
                record
            }
            None => self.first_record(site, span_id, start)?,
        };
        record.parent_index = self.current;
        Some(self.push_open(record, tags))
    }

    /// Finishes a record by its place and identity, wherever it is by now.
    #[inline]
    pub(crate) fn finish(&mut self, index: u32, span_id: u64, error: Option<&ErrorInfo>) {
        let place = self.spans.records.get_mut(index as usize);
        let Some(record) = place.filter(|record| record.span_id == span_id && !record.is_finished()) else {
            return self.finish_moved(span_id, error);
        };
        if let Some(error) = error {
            Edit { record, tags: &mut self.spans.tags }.error(error);
        }
        let Some(port) = &self.port else { return };
        record.end = port.clock.ticks();
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
        } else if self.finished >= port.partial_flush_spans {
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

    fn push_open(&mut self, mut record: Record, tags: Option<&dyn TagSet>) -> (u32, u64) {
        if let Some(service) = record.site.service {
            self.set_service(&mut record, service);
        }
        if let Some(tags) = tags {
            let inherited = record.service;
            tags.write(&mut Edit { record: &mut record, tags: &mut self.spans.tags });
            if record.service != inherited
                && self.spans.tags.text(record.service) != self.spans.tags.text(inherited)
            {
                record.flags = record.flags.with(Flags::TOP_LEVEL);
            }
        }
        let index = self.spans.records.len() as u32;
        let span_id = record.span_id;
        if self.spans.records.len() == self.spans.records.capacity() {
            self.grow();
        }
        self.spans.records.push(record);
        self.current = index;
        (index, span_id)
    }

    #[inline(never)]
    fn set_service(&mut self, record: &mut Record, service: &str) {
        if self.spans.tags.text(record.service) != Some(service) {
            record.service = self.spans.tags.field(0, EntryKind::Service, service);
            record.flags = record.flags.with(Flags::TOP_LEVEL);
        }
    }

    /// A record directly under a frame that was polled or entered.
    #[inline(never)]
    fn first_record(&mut self, site: &'static CallSite, span_id: u64, start: u64) -> Option<Record> {
        let frame = self.frames.last()?;
        let mut record = new_record(site, span_id, frame.span_id, start);
        if let FrameKind::Polled(polled, tags) = &frame.kind {
            record.service = self.spans.tags.copy_field(tags, polled.service);
        } else if let Some(service) = frame.service() {
            record.service = self.spans.tags.field(0, EntryKind::Service, &service);
        }
        if frame.begins_local_trace() {
            record.flags = record.flags.with(Flags::TOP_LEVEL);
            if let Some(segment) = &frame.segment {
                segment.facts.set_local_root(span_id);
            }
        }
        Some(record)
    }

    fn begin_line(&mut self, site: &'static CallSite, tags: Option<&dyn TagSet>) -> Option<(u32, u64)> {
        let port = self.attach()?;
        let start = port.clock.ticks();
        let (clock, is_wide) = (port.clock.clone(), port.is_wide);
        let trace_id = self.ids.trace_id(&clock, start, is_wide);
        let mut line = self.spare_line.take().unwrap_or_else(|| Frame::new(0, 0, None, FrameKind::Line));
        line.trace_id = trace_id;
        self.push_frame(line);
        let mut record = new_record(site, self.ids.span_id(), 0, start);
        record.flags = record.flags.with(Flags::TOP_LEVEL);
        Some(self.push_open(record, tags))
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
