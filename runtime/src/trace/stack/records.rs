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
    pub(crate) fn start(&mut self, site: &'static CallSite) -> Option<(u32, u64)> {
        let Some(parent) = self.spans.records.get(self.current as usize) else {
            return self.start_first(site);
        };
        let (parent_id, service) = (parent.span_id, parent.service);
        let flags = if site.measured { Flags::MEASURED } else { Flags::none() };
        let started = self.push(site, parent_id, self.ticks()?, service, flags);
        if site.service.is_some() {
            self.describe(None);
        }
        Some(started)
    }

    /// As [`Stack::start`], with tags.
    #[inline]
    pub(crate) fn start_tagged(&mut self, site: &'static CallSite, tags: &dyn TagSet) -> Option<(u32, u64)> {
        let started = self.start(site)?;
        self.describe(Some(tags));
        if self.frames.last().is_some_and(|frame| started.0 == frame.first) {
            self.tell_local_root();
        }
        Some(started)
    }

    /// Tells the trace of the record that was just started, if it is its first one here.
    fn tell_local_root(&self) {
        let (Some(record), Some(frame)) = (self.spans.records.last(), self.frames.last()) else { return };
        if let Some(segment) = frame.segment.as_ref().filter(|_| frame.begins_local_trace()) {
            segment.facts.set_local_root(record.span_id);
            if let Some(service) = self.spans.tags.text(record.service) {
                segment.facts.set_service(record.span_id, service);
            }
        }
    }

    /// Starts a record directly under a frame, or as the first of a trace.
    #[inline(never)]
    fn start_first(&mut self, site: &'static CallSite) -> Option<(u32, u64)> {
        self.settle();
        if self.frames.is_empty() {
            self.begin_line()?;
        }
        let start = self.ticks()?;
        let frame = self.frames.last()?;
        let service = match &frame.kind {
            FrameKind::Polled(polled, tags) => self.spans.tags.copy_field(tags, polled.service),
            _ => match frame.service() {
                Some(service) => self.spans.tags.field(0, EntryKind::Service, &service),
                None => 0,
            },
        };
        let mut flags = if site.measured { Flags::MEASURED } else { Flags::none() };
        let is_first = frame.begins_local_trace();
        if is_first {
            flags = flags.with(Flags::TOP_LEVEL);
        }
        let started = self.push(site, frame.span_id, start, service, flags);
        if site.service.is_some() {
            self.describe(None);
        }
        if is_first {
            self.tell_local_root();
        }
        Some(started)
    }

    /// Begins a trace on this thread.
    fn begin_line(&mut self) -> Option<()> {
        self.attach()?;
        let ticks = self.ticks()?;
        let trace_id = self.new_trace_id(ticks);
        let mut line = self.spare_line.take().unwrap_or_else(|| Frame::new(0, 0, None, FrameKind::Line));
        line.trace_id = trace_id;
        self.push_frame(line);
        Some(())
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
            self.keep_late_tags(index as usize);
            return self.finish_below(index, parent);
        }
        self.finished += 1;
        // A span that ends takes what was leaked above it off the stack.
        if self.current != NO_INDEX && index <= self.current {
            self.current = if index == self.current { parent } else { self.open_from(parent) };
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
        parent_id: u64,
        start: u64,
        service: u32,
        flags: Flags,
    ) -> (u32, u64) {
        let index = self.spans.records.len() as u32;
        if self.spans.records.len() == self.spans.records.capacity() {
            self.grow();
        }
        let span_id = self.ids.span_id();
        self.spans.records.push(Record {
            service,
            parent_index: self.current,
            flags,
            ..Record::open(site, span_id, parent_id, start)
        });
        self.current = index;
        (index, span_id)
    }

    /// Gives the record that was just appended its tags, or the service of its call site.
    fn describe(&mut self, tags: Option<&dyn TagSet>) {
        let SpanBuffer { records, tags: log } = &mut self.spans;
        let Some(record) = records.last_mut() else { return };
        let inherited = record.service;
        match tags {
            Some(tags) => tags.write(&mut Edit { record, tags: log }),
            None => {
                if let Some(service) = record.site.service {
                    record.service = log.field(0, EntryKind::Service, service);
                }
            }
        }
        if record.service != inherited {
            if log.text(record.service) == log.text(inherited) {
                record.service = inherited;
            } else {
                record.flags = record.flags.with(Flags::TOP_LEVEL);
            }
        }
    }

    /// A record that finished while its frame was not on top: the frame's word is corrected where it is saved.
    #[cold]
    fn finish_below(&mut self, index: u32, parent: u32) {
        let parent = self.open_from(parent);
        let Some(above) = self.frames.iter_mut().rev().take_while(|frame| frame.first > index).last() else {
            return;
        };
        above.outer.finished += 1;
        if above.outer.current != NO_INDEX && index <= above.outer.current {
            above.outer.current = parent;
        }
    }

    /// The nearest open record from `index` on up: guards that ended out of order may have left a finished one there.
    #[cold]
    fn open_from(&self, mut index: u32) -> u32 {
        while let Some(record) = self.spans.records.get(index as usize).filter(|record| record.is_finished())
        {
            index = record.parent_index;
        }
        index
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
