//! Records of `#[traced]` functions: the fast path.

use super::Stack;
use super::baggage::put_baggage_tags;
use crate::clock::Clock;
use crate::model::{CallSite, EntryKind, Flags, NO_INDEX, Record, SpanBuffer};
use crate::trace::error::ErrorInfo;
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::owned::Edit;
use crate::trace::tag_set::TagSet;

impl Stack {
    /// Starts a record under another one of this frame: the way that most take. `None` if something else has to be done, too.
    ///
    /// It calls nothing, so that it saves no registers.
    #[inline]
    pub(crate) fn start_nested(&mut self, site: &'static CallSite) -> Option<(u32, u64)> {
        let parent = self.spans.records.get(self.current as usize)?;
        let (parent_id, service) = (parent.span_id, parent.service);
        if !self.has_short_way || site.service.is_some() {
            return None;
        }
        let ticks = Clock::Counter.ticks();
        let span_id = self.ids.next_span_id();
        if self.spans.records.len() == self.spans.records.capacity() {
            return None;
        }
        Some(self.push(site, span_id, parent_id, ticks, service))
    }

    /// Starts a record under the active span, or begins a trace. Gives its place and id.
    #[inline]
    pub(crate) fn start(&mut self, site: &'static CallSite, tags: Option<&dyn TagSet>) -> Option<(u32, u64)> {
        let Some(parent) = self.spans.records.get(self.current as usize) else {
            return self.start_first(site, tags);
        };
        let (parent_id, service) = (parent.span_id, parent.service);
        self.make_room()?;
        let start = self.start_ticks()?;
        let started = self.append(site, parent_id, start, service);
        self.describe(site, tags);
        Some(started)
    }

    /// Tells the trace of the record that was just started, if it is its first one here.
    fn tell_local_root(&mut self) {
        if self.frames.last().is_some_and(|frame| frame.segment.is_some() && frame.begins_local_trace()) {
            self.begin_segment();
        }
    }

    /// Tells the segment that was there before it of the first span of a trace.
    #[cold]
    #[inline(never)]
    fn begin_segment(&mut self) {
        let SpanBuffer { records, tags } = &mut self.spans;
        let segment = self.frames.last().and_then(|frame| frame.segment.as_ref());
        let (Some(record), Some(segment)) = (records.last_mut(), segment) else { return };
        segment.facts.set_local_root(record.span_id);
        if let Some(service) = tags.text(record.service) {
            segment.facts.set_service(record.span_id, service);
        }
        put_baggage_tags(&mut Edit { record: &mut *record, tags: &mut *tags }, segment);
        segment.watch(record, tags);
    }

    /// Starts a record directly under a frame, or as the first of a trace.
    fn start_first(&mut self, site: &'static CallSite, tags: Option<&dyn TagSet>) -> Option<(u32, u64)> {
        self.settle();
        self.make_room()?;
        let start = if self.frames.is_empty() { self.begin_line()? } else { self.start_ticks()? };
        let frame = self.frames.last()?;
        let service = match &frame.kind {
            FrameKind::Polled(polled, tags) => self.spans.tags.copy_field(tags, polled.service),
            _ => match frame.service() {
                Some(service) => self.spans.tags.field(0, EntryKind::Service, &service),
                None => 0,
            },
        };
        let is_first = frame.begins_local_trace();
        let started = self.append(site, frame.span_id, start, service);
        if is_first {
            if let Some(record) = self.spans.records.last_mut() {
                record.flags = record.flags.with(Flags::TOP_LEVEL);
            }
        }
        self.describe(site, tags);
        if is_first {
            self.tell_local_root();
        }
        Some(started)
    }

    /// Begins a trace on this thread; gives the time.
    fn begin_line(&mut self) -> Option<u64> {
        self.attach()?;
        let ticks = self.start_ticks()?;
        let trace_id = self.new_trace_id(ticks);
        let mut line = self.spare_line.take().unwrap_or_else(|| Frame::new(0, 0, None, FrameKind::Line));
        line.trace_id = trace_id;
        self.push_frame(line);
        Some(ticks)
    }

    /// Finishes the active record where another one is below and nothing else has to be done; `None` otherwise.
    ///
    /// It calls nothing, as [`Stack::start_nested`].
    #[inline]
    pub(crate) fn finish_nested(&mut self, index: u32, span_id: u64) -> Option<()> {
        let record = Record::open_at(&mut self.spans.records, index, span_id)?;
        let parent = record.parent_index;
        let is_part_due = self.finished + 1 >= self.partial_flush_spans;
        if index != self.current || parent == NO_INDEX || is_part_due || !self.has_short_way {
            return None;
        }
        record.finish(Clock::Counter.ticks());
        self.finished += 1;
        self.current = parent;
        Some(())
    }

    /// Finishes a record by its place and identity, wherever it is by now.
    pub(crate) fn finish(&mut self, index: u32, span_id: u64) {
        let Some(ticks) = self.end_ticks(span_id) else { return };
        let Some(record) = Record::open_at(&mut self.spans.records, index, span_id) else {
            return self.finish_moved(span_id, None);
        };
        let parent = record.parent_index;
        record.finish(ticks);
        self.take_off(index, parent);
    }

    /// As [`Stack::finish`], of a span that failed.
    #[cold]
    pub(crate) fn finish_failed(&mut self, index: u32, span_id: u64, error: &ErrorInfo) {
        let SpanBuffer { records, tags } = &mut self.spans;
        let Some(record) = Record::open_at(records, index, span_id) else {
            return self.finish_moved(span_id, Some(error));
        };
        if record.flags.has(Flags::WATCHED) {
            self.edit_watched(index as usize, |edit| edit.error(error));
        } else {
            Edit { record, tags }.error(error);
            self.keep_late_tags(index as usize);
        }
        self.finish(index, span_id);
    }

    /// Takes the finished record at `index` off the line of open ones, and sends on what ends with it.
    fn take_off(&mut self, index: u32, parent: u32) {
        let Some(frame) = self.frames.last() else { return };
        if index < frame.first {
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

    /// Appends an open record, which is the active one from now on, where there is room for it.
    fn append(&mut self, site: &'static CallSite, parent_id: u64, start: u64, service: u32) -> (u32, u64) {
        let span_id = self.ids.span_id();
        self.push(site, span_id, parent_id, start, service)
    }

    #[inline]
    fn push(
        &mut self,
        site: &'static CallSite,
        span_id: u64,
        parent_id: u64,
        start: u64,
        service: u32,
    ) -> (u32, u64) {
        let index = self.spans.records.len() as u32;
        self.spans.records.push(Record {
            service,
            parent_index: self.current,
            ..Record::open(site, span_id, parent_id, start)
        });
        self.current = index;
        (index, span_id)
    }

    /// Gives the record that was just appended the service of its call site, and tags.
    fn describe(&mut self, site: &CallSite, tags: Option<&dyn TagSet>) {
        if let (Some(service), Some(record)) = (site.service, self.spans.records.last_mut()) {
            let inherited = record.service;
            record.service = self.spans.tags.field(0, EntryKind::Service, service);
            self.set_top_level(inherited);
        }
        if let Some(tags) = tags {
            self.tag_latest(tags);
        }
    }

    /// Gives the record that was just appended its tags.
    #[inline]
    pub(crate) fn tag_latest(&mut self, tags: &dyn TagSet) {
        let SpanBuffer { records, tags: log } = &mut self.spans;
        let Some(record) = records.last_mut() else { return };
        let inherited = record.service;
        tags.write(&mut Edit { record, tags: log });
        if record.service != inherited {
            self.set_top_level(inherited);
        }
    }

    /// Marks the latest record as the first of its service here, if its service is not the inherited one.
    #[cold]
    fn set_top_level(&mut self, inherited: u32) {
        let SpanBuffer { records, tags: log } = &mut self.spans;
        let Some(record) = records.last_mut() else { return };
        if log.text(record.service) == log.text(inherited) {
            record.service = inherited;
        } else {
            record.flags = record.flags.with(Flags::TOP_LEVEL);
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
    pub(super) fn open_from(&self, mut index: u32) -> u32 {
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
            return match error {
                Some(error) => self.finish_failed(index as u32, span_id, error),
                None => self.finish(index as u32, span_id),
            };
        }
        if let Some(at) = self.detached.iter().position(|owned| owned.record.span_id == span_id) {
            let mut owned = self.detached.swap_remove(at);
            if let Some(error) = error {
                owned.edit_told(|edit| edit.error(error));
            }
            let ticks = owned.end_ticks();
            owned.edit().end(ticks, None);
            self.deliver(owned);
        }
    }
}
