//! Owned spans: started under what is active here, taken in when they finish here.

use std::sync::Arc;

use super::baggage::put_baggage_tags;
use super::{Stack, with_stack};
use crate::model::{Baggage, CallSite, EntryKind, Flags, NO_INDEX, Record, TagLog, TraceFacts};
use crate::trace::context::Place;
use crate::trace::frame::{Frame, FrameKind};
use crate::trace::owned::{Edit, OwnedSpan};
use crate::trace::segment::{Ready, Segment};

/// An owned span, and the baggage that it inherits.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) span: OwnedSpan,
    pub(crate) baggage: Option<Arc<Baggage>>,
}

impl Started {
    /// Puts tags that were described before in the place of those that the span was started with, which go below them.
    pub(crate) fn described(mut self, tags: TagLog, described: &Record) -> Self {
        let OwnedSpan { record, tags: log, segment } = &mut self.span;
        let inherited = std::mem::replace(log, tags);
        let is_tagged = std::mem::replace(&mut record.tags, described.tags) != 0;
        record.service = log.copy_field(&inherited, record.service);
        record.flags = record.flags.with(described.flags);
        if is_tagged {
            put_baggage_tags(&mut Edit { record, tags: log }, segment);
        }
        if record.flags.has(Flags::WATCHED) {
            segment.facts.tell_local_root(record, log, 0);
        }
        self
    }
}

/// Sends a finished owned span to its segment, also from a thread that is ending.
pub(crate) fn deliver(owned: OwnedSpan) {
    let mut waiting = Some(owned);
    with_stack(|stack| {
        if let Some(owned) = waiting.take() {
            stack.deliver(owned);
        }
    });
    if let Some(OwnedSpan { record, tags, segment }) = waiting {
        segment.core.close_one();
        segment.take_one(record, &tags);
    }
}

impl Stack {
    /// Starts the span of a future under the active one, or as a new trace.
    pub(crate) fn start_polled(&mut self, site: &'static CallSite) -> Option<Box<Frame>> {
        if self.current != NO_INDEX || site.service.is_some() {
            return self.start_polled_owned(site);
        }
        // Mostly one future starts another: under a span of the tracer's own service, in a segment that exists.
        let start = self.polled_ticks();
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
        self.count_open(1);
        Some(frame)
    }

    #[inline(never)]
    fn start_polled_owned(&mut self, site: &'static CallSite) -> Option<Box<Frame>> {
        let started = self.start_owned(site, None, site.service)?;
        started.span.began(true);
        Some(self.polled(started))
    }

    /// The frame of a future's span.
    pub(crate) fn polled(&mut self, started: Started) -> Box<Frame> {
        let Started { span: OwnedSpan { record, tags, segment }, baggage } = started;
        let kind = FrameKind::Polled(record, tags);
        let mut frame = self.new_frame(segment.trace_id(), record.span_id, segment, kind);
        if let Some(baggage) = baggage {
            frame.set_own_baggage(baggage);
        }
        frame
    }

    /// Starts an owned span under the active one, under a given place, or as a new trace; of its parent's service or a given one.
    pub(crate) fn start_owned(
        &mut self,
        site: &'static CallSite,
        parent: Option<&Place>,
        given: Option<&str>,
    ) -> Option<Started> {
        self.may_open()?;
        self.settle();
        let span_id;
        let baggage;
        let (segment, parent_id, service, is_local_root) = match parent {
            Some(Place::Within { segment, span_id: parent_id, service, baggage: inherited }) => {
                segment.open(1);
                span_id = self.ids.span_id();
                baggage = inherited.clone();
                (Arc::clone(segment), *parent_id, service.clone(), segment.remote(*parent_id).is_some())
            }
            None if !self.frames.is_empty() => {
                baggage = self.active_baggage();
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
            Some(Place::Root | Place::Remote { .. }) | None => {
                let core = self.core()?;
                let ticks = self.ticks()?;
                let new_id = self.new_trace_id(ticks);
                span_id = self.ids.span_id();
                let (upstream, inherited) = match parent {
                    Some(Place::Remote { upstream, baggage }) => {
                        (Some(Arc::clone(upstream)), baggage.clone())
                    }
                    _ => (None, None),
                };
                baggage = inherited;
                let received_id = upstream.as_ref().map_or(0, |upstream| upstream.trace_id.as_u128());
                let trace_id = if received_id == 0 { new_id } else { received_id };
                let parent_id = upstream.as_ref().map_or(0, |upstream| upstream.parent_id.as_u64());
                let facts = TraceFacts::new(trace_id, upstream, given.map(Arc::from));
                (Arc::new(Segment::new(core, Arc::new(facts))), parent_id, None, true)
            }
        };
        let start = segment.core.clock.ticks();
        let mut record = Record::open(site, span_id, parent_id, start);
        let mut tags = TagLog::of_one();
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
            put_baggage_tags(&mut Edit { record: &mut record, tags: &mut tags }, &segment);
            segment.watch(&mut record, &tags);
        }
        self.count_open(1);
        Some(Started { span: OwnedSpan { record, tags, segment }, baggage })
    }

    /// Takes a finished owned span to where its segment collects.
    pub(crate) fn deliver(&mut self, owned: OwnedSpan) {
        self.count_open(-1);
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
                Some(port) if port.core.is_same(&segment.core) => port.give(head, spans),
                _ => segment.core.ship(head, &spans),
            }
        }
    }
}
