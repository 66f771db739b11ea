//! Owned spans: started under what is active here, taken in when they finish here.

use std::sync::Arc;

use super::Stack;
use crate::model::{CallSite, EntryKind, Flags, NO_INDEX, Record, TagLog, TraceFacts};
use crate::trace::context::Place;
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::owned::OwnedSpan;
use crate::trace::segment::{Ready, Segment};

impl Stack {
    /// Starts the span of a future under the active one, or as a new trace.
    pub(crate) fn start_polled(&mut self, site: &'static CallSite) -> Option<Box<Frame>> {
        if self.current != NO_INDEX || site.service.is_some() {
            return self.start_polled_owned(site);
        }
        // Mostly one future starts another: under a span of the tracer's own service, in a segment that exists.
        let start = self.ticks();
        let frame = self.frames.last_mut().filter(|top| match &top.kind {
            FrameKind::Polled(parent, _) => parent.service == 0,
            _ => false,
        });
        let started = start.zip(frame.and_then(|top| Some((top.child()?, top.span_id))));
        let Some((start, (mut frame, parent_id))) = started else {
            return self.start_polled_owned(site);
        };
        let span_id = self.ids.span_id();
        frame.begin(Record::open(site, span_id, parent_id, start));
        Some(frame)
    }

    fn start_polled_owned(&mut self, site: &'static CallSite) -> Option<Box<Frame>> {
        let owned = self.start_owned(site, None, site.service)?;
        Some(self.polled(owned))
    }

    /// The frame of a future's span.
    pub(crate) fn polled(&mut self, owned: OwnedSpan) -> Box<Frame> {
        let OwnedSpan { record, tags, segment } = owned;
        self.new_frame(segment.trace_id(), record.span_id, segment, FrameKind::Polled(record, tags))
    }

    /// Starts an owned span under the active one, under a given place, or as a new trace; of its parent's service or a given one.
    pub(crate) fn start_owned(
        &mut self,
        site: &'static CallSite,
        parent: Option<&Place>,
        given: Option<&str>,
    ) -> Option<OwnedSpan> {
        self.settle();
        let span_id;
        let (segment, parent_id, service, is_local_root) = match parent {
            Some(Place::Within { segment, span_id: parent_id, service }) => {
                segment.open(1);
                span_id = self.ids.span_id();
                (Arc::clone(segment), *parent_id, service.clone(), false)
            }
            None if !self.frames.is_empty() => {
                let segment = self.promote(self.frames.len() - 1)?;
                segment.open(1);
                span_id = self.ids.span_id();
                let frame = self.frames.last()?;
                match self.spans.records.get(self.current as usize) {
                    Some(record) => {
                        let service = self.spans.tags.text(record.service).map(Arc::from);
                        (segment, record.span_id, service, false)
                    }
                    None => (segment, frame.span_id, frame.service(), frame.begins_local_trace()),
                }
            }
            Some(Place::Root | Place::Remote(_)) | None => {
                let core = self.core()?;
                let ticks = self.ticks()?;
                let new_id = self.new_trace_id(ticks);
                span_id = self.ids.span_id();
                let upstream = if let Some(Place::Remote(upstream)) = parent {
                    Some(Arc::clone(upstream))
                } else {
                    None
                };
                let trace_id = upstream.as_ref().map_or(new_id, |upstream| upstream.trace_id.as_u128());
                let parent_id = upstream.as_ref().map_or(0, |upstream| upstream.parent_id.as_u64());
                let facts = TraceFacts::new(trace_id, upstream, given.map(Arc::from));
                (Arc::new(Segment::new(core, Arc::new(facts))), parent_id, None, true)
            }
        };
        let start = segment.core.clock.ticks();
        let mut record = Record::open(site, span_id, parent_id, start);
        let mut tags = TagLog::new();
        if is_local_root {
            segment.facts.set_local_root(span_id);
            record.flags = record.flags.with(Flags::TOP_LEVEL);
        }
        let given = given.filter(|given| service.as_deref() != Some(*given));
        if given.is_some() {
            record.flags = record.flags.with(Flags::TOP_LEVEL);
        }
        if let Some(service) = given.or(service.as_deref()) {
            record.service = tags.field(0, EntryKind::Service, service);
            segment.facts.set_service(span_id, service);
        }
        if is_local_root {
            segment.watch(&mut record, &tags);
        }
        Some(OwnedSpan { record, tags, segment })
    }

    /// Takes a finished owned span to where its segment collects.
    pub(crate) fn deliver(&mut self, owned: OwnedSpan) {
        let OwnedSpan { record, tags, segment } = owned;
        if let Some(frame) = self.frames.last_mut() {
            if frame.segment.as_ref().is_some_and(|here| Arc::ptr_eq(here, &segment)) {
                frame.closes += 1;
                self.spans.push_from(record, &tags);
                self.finished += 1;
                if self.finished >= self.partial_flush_spans {
                    self.flush_part();
                }
                // Its own activation is over too, guard or not.
                return self.settle();
            }
        }
        if let Ready::Joined(head, spans) = segment.join_one(record, &tags) {
            if self.frames.is_empty() {
                self.attach();
            }
            match &self.port {
                Some(port) if Arc::ptr_eq(&port.core, &segment.core) => port.give(head, spans),
                _ => segment.core.ship(head, &spans),
            }
        }
    }
}
