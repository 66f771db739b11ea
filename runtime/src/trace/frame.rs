//! One entry of the stack: a stretch during which spans of one segment are started on this thread.

use std::sync::Arc;

use super::frame_baggage::FrameBaggage;
use super::handle::SpanCell;
use super::owned::Edit;
use super::process::Home;
use super::segment::Segment;
use super::tag_set::TagSet;
use crate::clock::Clock;
use crate::export::queue::Outbox;
use crate::model::{Baggage, Flags, NO_INDEX, Record, SpanBuffer, TagLog};

/// Units that a frame opens at a time.
const CREDIT: u32 = 32;

/// A frame. Its records stand in the stack's buffer from `first` on.
///
/// Frames are boxed: a future's frame is made once, with its span, and each poll only moves a pointer.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) trace_id: u128,
    /// The span that is active while no record of this frame is open; 0 for a line, which begins a trace.
    pub(crate) span_id: u64,
    /// `None` while nothing escaped from a line.
    pub(crate) segment: Option<Arc<Segment>>,
    pub(crate) kind: FrameKind,
    /// Identity: frames end in any order.
    pub(crate) token: u64,
    pub(crate) first: u32,
    pub(crate) first_tag: u32,
    /// Owned spans that finished in this frame; they are closed when their records join the segment.
    pub(crate) closes: u32,
    /// Units of the segment that were opened ahead, for futures that this one starts; closed with it.
    pub(crate) credit: u32,
    /// Whether the thread was unwinding when the drop of this future began.
    pub(crate) was_panicking: bool,
    /// The frame of a future that this one started and that is over, for the next one.
    pub(crate) spare: Option<Box<Frame>>,
    /// How many wait here, each with the next one.
    spares: usize,
    /// What finished under a future so far, while it was the lowest one of its thread; ships with it, or as a part.
    pub(crate) kept: SpanBuffer,
    /// Baggage of spans of this frame, see [`Stack::set_baggage`](super::stack::Stack::set_baggage).
    pub(crate) baggage: Option<Box<FrameBaggage>>,
    /// What the stack held for the frame below.
    pub(crate) outer: Outer,
}

/// The stack's words about the frame on top, saved while another one is there.
#[derive(Debug)]
pub(crate) struct Outer {
    pub(crate) current: u32,
    pub(crate) finished: u32,
    /// Set where the frame belongs to another tracer than the one below.
    pub(crate) port: Option<Box<Port>>,
}

/// Why a frame is there.
#[derive(Debug)]
pub(crate) enum FrameKind {
    /// A trace that a `#[traced]` function began on this thread. Always the lowest frame.
    Line,
    /// A future's span, on the stack for the length of a poll. Once it is finished, its frame waits for the next future.
    Polled(Record, TagLog),
    /// A handle or a context, activated by hand.
    Entered(Entry),
    /// Over: it ended below another frame or record that goes on, and is still a unit of its segment.
    Ended,
    /// Waiting to be used again.
    Blank,
}

/// What an activation brought.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) handle: Option<Arc<SpanCell>>,
    /// The service that children inherit where there is no handle to ask.
    pub(crate) service: Option<Arc<str>>,
    /// The baggage that children inherit where there is no handle to ask.
    pub(crate) baggage: Option<Arc<Baggage>>,
    /// Whether the span named by the frame lives in another process.
    pub(crate) is_remote: bool,
}

/// A thread's connection to one tracer.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) core: Arc<Home>,
    pub(crate) outbox: Option<Arc<Outbox>>,
    pub(crate) clock: Clock,
    pub(crate) partial_flush_spans: u32,
    pub(crate) is_wide: bool,
    /// Whether starts of spans are looked at, by this tracer or by one that it stands above of.
    pub(crate) is_watched: bool,
}

impl Port {
    /// Whether the short ways are for spans of this tracer.
    pub(crate) fn is_short(&self) -> bool {
        matches!(self.clock, Clock::Counter) && !self.is_watched
    }

    /// A connection; with an outbox of its own where the thread will finish many spans.
    pub(crate) fn new(core: Arc<Home>, outbox: Option<Arc<Outbox>>) -> Self {
        Self {
            outbox,
            clock: core.clock.clone(),
            partial_flush_spans: core.partial_flush_spans,
            is_wide: core.settings.generates_128_bit_ids,
            is_watched: core.is_inquisitive,
            core,
        }
    }
}

impl Frame {
    pub(crate) fn new(
        trace_id: u128,
        span_id: u64,
        segment: Option<Arc<Segment>>,
        kind: FrameKind,
    ) -> Box<Self> {
        let outer = Outer { current: NO_INDEX, finished: 0, port: None };
        Box::new(Self {
            trace_id,
            span_id,
            segment,
            kind,
            token: span_id,
            first: 0,
            first_tag: 0,
            closes: 0,
            credit: 0,
            was_panicking: false,
            spare: None,
            spares: 0,
            kept: SpanBuffer::new(),
            baggage: None,
            outer,
        })
    }

    /// Whether the frame of a future that is over may wait here for the next one.
    pub(crate) fn takes_spare(&self) -> bool {
        self.spare.is_none() && matches!(self.kind, FrameKind::Polled(..))
    }

    /// The frame that waits here, with those behind it.
    pub(crate) fn take_spare(&mut self) -> Option<Box<Self>> {
        self.spares = 0;
        self.spare.take()
    }

    /// Has a frame wait here for the next future, with at most so many in all.
    pub(crate) fn keep_spare(&mut self, mut frame: Box<Self>, most: usize) {
        if frame.spares + 1 >= most {
            (frame.spare, frame.spares) = (None, 0);
        }
        self.spares = frame.spares + 1;
        self.spare = Some(frame);
    }

    /// A frame for a future that this one starts, of the same segment, which counts it.
    #[inline]
    pub(crate) fn child(&mut self) -> Option<Box<Self>> {
        let segment = self.segment.as_ref()?;
        if self.credit == 0 {
            if self.own_baggage().is_some() {
                // It is inherited on the general way: a frame with baggage never has credit.
                return None;
            }
            // One step of the shared count for many futures: this frame holds the segment open anyway.
            segment.open(CREDIT as usize);
            self.credit = CREDIT;
        }
        self.credit -= 1;
        self.spares = 0;
        Some(match self.spare.take() {
            Some(spare) => spare,
            None => Self::new(self.trace_id, 0, Some(Arc::clone(segment)), FrameKind::Blank),
        })
    }

    /// Begins a future's span in this frame, whose own one is over.
    #[inline]
    pub(crate) fn begin(&mut self, record: Record) {
        (self.span_id, self.token) = (record.span_id, record.span_id);
        match &mut self.kind {
            FrameKind::Polled(ended, _) => *ended = record,
            kind => *kind = FrameKind::Polled(record, TagLog::of_one()),
        }
    }

    /// Whether what finishes in another future's frame may wait here.
    #[inline]
    pub(crate) fn keeps_for(&self, other: &Frame) -> bool {
        let is_same = match (&self.segment, &other.segment) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        };
        is_same && matches!(self.kind, FrameKind::Polled(..)) && other.kept.is_empty()
    }

    /// The open span of a future.
    pub(crate) fn edit(&mut self) -> Option<Edit<'_>> {
        match &mut self.kind {
            FrameKind::Polled(record, tags) if !record.is_finished() => Some(Edit { record, tags }),
            _ => None,
        }
    }

    /// Changes the open span of a future, and tells its trace.
    pub(crate) fn edit_told(&mut self, f: impl FnOnce(&mut Edit<'_>)) {
        let Self { segment: Some(segment), kind: FrameKind::Polled(record, tags), .. } = self else { return };
        if !record.is_finished() {
            Edit { record, tags }.told(segment, f);
        }
    }

    /// Baggage that the span of a future has, of its own or from its parent.
    pub(crate) fn own_baggage(&self) -> Option<&Arc<Baggage>> {
        // A frame that is used again may still hold what belonged to another span.
        self.baggage.as_ref()?.of(self.span_id).filter(|_| matches!(self.kind, FrameKind::Polled(..)))
    }

    /// Gives the span of a future baggage.
    pub(crate) fn set_own_baggage(&mut self, baggage: Arc<Baggage>) {
        self.closes += std::mem::take(&mut self.credit);
        self.baggage.get_or_insert_default().set(self.span_id, baggage);
    }

    /// The baggage that spans started directly under this frame inherit.
    pub(crate) fn inherited_baggage(&self) -> Option<Arc<Baggage>> {
        match &self.kind {
            FrameKind::Polled(..) => self.own_baggage().cloned(),
            FrameKind::Entered(entry) => {
                entry.handle.as_ref().map_or_else(|| entry.baggage.clone(), |cell| cell.baggage())
            }
            FrameKind::Line | FrameKind::Ended | FrameKind::Blank => None,
        }
    }

    /// Gives a future's span its tags, before it is first polled.
    pub(crate) fn describe(&mut self, tags: &dyn TagSet) {
        let FrameKind::Polled(record, log) = &mut self.kind else { return };
        let inherited = record.service;
        let mut edit = Edit { record, tags: log };
        match &self.segment {
            Some(segment) => edit.told(segment, |edit| tags.write(edit)),
            None => tags.write(&mut edit),
        }
        if log.text(record.service) == log.text(inherited) {
            return;
        }
        record.flags = record.flags.with(Flags::TOP_LEVEL);
        if let (Some(segment), Some(service)) = (&self.segment, log.text(record.service)) {
            segment.facts.set_service(self.span_id, service);
        }
    }

    /// Units of the segment that end with this frame: its own, and the owned spans that finished in it. A polled span is
    /// a unit by itself.
    pub(crate) fn units(&self) -> usize {
        let own = match self.kind {
            FrameKind::Line => self.segment.is_some(),
            FrameKind::Entered(_) | FrameKind::Ended => true,
            FrameKind::Polled(..) | FrameKind::Blank => false,
        };
        self.closes as usize + usize::from(own)
    }

    pub(crate) fn is_line(&self) -> bool {
        matches!(self.kind, FrameKind::Line)
    }

    /// Whether the frame only waits for its last open record.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.kind, FrameKind::Ended)
    }

    /// Whether spans may still be started here: not after its span was finished, so that a guard that was leaked does
    /// not adopt the next request.
    pub(crate) fn is_live(&self) -> bool {
        match &self.kind {
            FrameKind::Line | FrameKind::Polled(..) => true,
            FrameKind::Entered(entry) => entry.handle.as_ref().is_none_or(|cell| !cell.is_finished()),
            FrameKind::Ended | FrameKind::Blank => false,
        }
    }

    /// The service that spans started directly under this frame inherit.
    pub(crate) fn service(&self) -> Option<Arc<str>> {
        match &self.kind {
            FrameKind::Polled(record, tags) => tags.text(record.service).map(Arc::from),
            FrameKind::Entered(entry) => {
                entry.handle.as_ref().map_or_else(|| entry.service.clone(), |cell| cell.service())
            }
            _ => None,
        }
    }

    /// Whether spans started directly under this frame are the first of the trace here.
    pub(crate) fn begins_local_trace(&self) -> bool {
        match &self.kind {
            FrameKind::Line => true,
            FrameKind::Entered(entry) => entry.is_remote,
            FrameKind::Polled(..) | FrameKind::Ended | FrameKind::Blank => false,
        }
    }
}

impl Drop for Frame {
    /// A future's span that nobody finished is finished here: its future or its tags panicked, or its thread is ending.
    fn drop(&mut self) {
        let FrameKind::Polled(record, tags) = &mut self.kind else { return };
        let Some(segment) = self.segment.take().filter(|_| !record.is_finished()) else { return };
        record.finish(segment.core.end_ticks(record.span_id));
        segment.core.close_one();
        segment.take(&self.kept, (self.closes + self.credit) as usize);
        segment.take_one(*record, tags);
    }
}
