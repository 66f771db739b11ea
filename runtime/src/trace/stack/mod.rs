//! The spans that are open on this thread.
//!
//! The stack is borrowed only to push, pop or copy; values of foreign types are evaluated before. A borrow that fails (a tracing
//! allocator, a thread that is ending) means "not recorded" and never a panic.

mod baggage;
mod buffers;
mod connection;
mod departures;
mod frames;
mod limit;
mod listing;
mod owned;
mod polls;
mod records;

pub(crate) use baggage::Bearer;
pub(crate) use limit::count_not_recorded;
pub(crate) use owned::Started;

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::context::Place;
use super::frame::{Frame, FrameKind, Port};
use super::handle::SpanCell;
use super::ids::IdSource;
use super::line_identity::LineOwner;
use super::owned::{Edit, OwnedSpan};
use super::process::{self, Core, Home};
use super::segment::Segment;
use crate::clock::Clock;
use crate::model::{Decision, EntryKind, Flags, NO_INDEX, Record, SpanBuffer, TraceFacts, Upstream};

use self::limit::Limit;
pub(crate) use self::owned::deliver;

thread_local! {
    /// Never dropped, so that reaching it is one look at the borrow; [`END`] takes what is in it.
    static STACK: RefCell<ManuallyDrop<Stack>> = const { RefCell::new(ManuallyDrop::new(Stack::new(Life::New))) };
    static END: End = const { End };
}

/// The end of the thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        STACK.with(|stack| {
            let Ok(mut stack) = stack.try_borrow_mut() else { return };
            let ended = std::mem::replace(&mut *stack, ManuallyDrop::new(Stack::new(Life::Ended)));
            drop(stack);
            drop(ManuallyDrop::into_inner(ended));
        });
    }
}

/// Whether a stack may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Nobody waits for the end of the thread yet.
    New,
    Running,
    /// The thread is ending: other destructors find no stack.
    Ended,
}

/// Runs `f` on this thread's stack; `None` where it is gone or in use.
#[inline]
pub(crate) fn with_stack<R>(f: impl FnOnce(&mut Stack) -> R) -> Option<R> {
    reach(|stack| (stack.life == Life::Running || stack.begin_life()).then(|| f(stack)))
}

/// As [`with_stack`], for what looks only at records and frames: where the stack may not be used, there are none.
#[inline]
pub(crate) fn with_records<R>(f: impl FnOnce(&mut Stack) -> Option<R>) -> Option<R> {
    reach(f)
}

#[inline]
fn reach<R>(f: impl FnOnce(&mut Stack) -> Option<R>) -> Option<R> {
    // `with` is not inlined.
    STACK.try_with(|stack| f(&mut *stack.try_borrow_mut().ok()?)).ok().flatten()
}

/// Whose log lines are written here, and trace id and span id of the active span.
pub(crate) fn active_identity() -> (Option<LineOwner>, Option<(u128, u64)>) {
    let (core, ids) = if process::is_on_quietly() {
        with_stack(|stack| (stack.core(), stack.active_ids())).unwrap_or_default()
    } else {
        (None, None)
    };
    (LineOwner::of(core), ids)
}

/// Frames, and the records of all of them in one buffer, innermost last.
#[derive(Debug)]
pub(crate) struct Stack {
    #[expect(clippy::vec_box, reason = "a future keeps its frame between polls and moves only the pointer")]
    frames: Vec<Box<Frame>>,
    /// The frame of the next line, so that a trace needs no allocation.
    spare_line: Option<Box<Frame>>,
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    spare_frames: Vec<Box<Frame>>,
    spans: SpanBuffer,
    /// The buffer of small traces, while a large one is in use.
    small: SpanBuffer,
    /// The active record of the innermost frame, [`NO_INDEX`] if the frame's own span is active.
    current: u32,
    /// Finished records of the innermost frame that are still here.
    finished: u32,
    tokens: u64,
    /// End of the tag bytes that records of lower frames were given while others were above; kept until no record is left. Never beyond
    /// the tags.
    late_tags: usize,
    ids: IdSource,
    /// Changed by [`Stack::set_port`] alone, which sets the next three by it.
    port: Option<Port>,
    /// Whether ticks are the counter's, nobody looks at starts, and not too many spans are open: what the short ways ask, in one look.
    has_short_way: bool,
    /// Whether the tracer came with a context from elsewhere, and leaves with it.
    is_visiting: bool,
    partial_flush_spans: u32,
    /// Bytes of tags that open records of the innermost frame had at the last look.
    living_tags: usize,
    /// The generation of tracers that `port` was made for.
    generation: usize,
    /// Tracers of this thread's own, the latest last.
    scopes: Vec<Arc<Core>>,
    detached: Vec<OwnedSpan>,
    /// While a span is started that will be listed.
    is_listing: bool,
    limit: Limit,
    life: Life,
}

/// Who is active.
#[derive(Debug)]
pub(crate) enum Active {
    /// An open record of a line.
    Record { index: u32, span_id: u64 },
    /// The span of the future that is being polled.
    Polled { span_id: u64 },
    /// A handle that was activated.
    Handle(Arc<SpanCell>),
    /// A context without a span here.
    Context { span_id: u64, token: u64 },
}

impl Stack {
    const fn new(life: Life) -> Self {
        Self {
            life,
            frames: Vec::new(),
            spare_line: None,
            spare_frames: Vec::new(),
            spans: SpanBuffer::new(),
            small: SpanBuffer::new(),
            current: NO_INDEX,
            finished: 0,
            tokens: 0,
            late_tags: 0,
            ids: IdSource::new(),
            port: None,
            has_short_way: false,
            is_listing: false,
            limit: Limit::new(),
            is_visiting: false,
            partial_flush_spans: u32::MAX,
            living_tags: 0,
            generation: 0,
            scopes: Vec::new(),
            detached: Vec::new(),
        }
    }

    /// Has the stack emptied when the thread ends; false where it is ending already.
    #[cold]
    fn begin_life(&mut self) -> bool {
        if self.life == Life::New && END.try_with(|End| ()).is_ok() {
            self.life = Life::Running;
        }
        self.life == Life::Running
    }

    pub(crate) fn active_ids(&mut self) -> Option<(u128, u64)> {
        self.settle();
        let frame = self.frames.last()?;
        let span_id =
            self.spans.records.get(self.current as usize).map_or(frame.span_id, |record| record.span_id);
        Some((frame.trace_id, span_id))
    }

    pub(crate) fn active(&mut self) -> Option<Active> {
        self.settle();
        let frame = self.frames.last()?;
        if let Some(record) = self.spans.records.get(self.current as usize) {
            return Some(Active::Record { index: self.current, span_id: record.span_id });
        }
        Some(match &frame.kind {
            FrameKind::Polled(..) => Active::Polled { span_id: frame.span_id },
            FrameKind::Entered(entry) => {
                let context = Active::Context { span_id: frame.span_id, token: frame.token };
                entry.handle.clone().map_or(context, Active::Handle)
            }
            FrameKind::Line | FrameKind::Ended | FrameKind::Blank => return None,
        })
    }

    /// The place of a span on this stack, for contexts and children elsewhere.
    pub(crate) fn place_of(&mut self, span_id: u64) -> Option<Place> {
        let (index, at) = self.find(span_id)?;
        let segment = self.promote(at)?;
        let service = match index.and_then(|index| self.spans.records.get(index)) {
            Some(record) => self.spans.tags.text(record.service).map(Arc::from),
            None => self.frames.get(at)?.service(),
        };
        let baggage = self.baggage_at(at, index.map_or(NO_INDEX, |index| index as u32));
        Some(Place::Within { segment, span_id, service, baggage })
    }

    /// What is decided about the trace of a span on this stack. A line without a segment is not decided about.
    pub(crate) fn decision_of(&self, span_id: u64) -> Option<Decision> {
        let (_, at) = self.find(span_id)?;
        self.frames.get(at)?.segment.as_ref()?.facts.decision()
    }

    /// The place of a span's record, if it has one here, and of its frame.
    fn find(&self, span_id: u64) -> Option<(Option<usize>, usize)> {
        let index = self.spans.records.iter().rposition(|record| record.span_id == span_id);
        let at = match index {
            Some(index) => self.frames.iter().rposition(|frame| frame.first as usize <= index)?,
            None => self.frames.iter().rposition(|frame| frame.span_id == span_id)?,
        };
        Some((index, at))
    }

    /// A trace id for a trace that begins at `ticks`.
    pub(crate) fn new_trace_id(&mut self, ticks: u64) -> u128 {
        let Some(port) = &self.port else { return 0 };
        self.ids.trace_id(&port.clock, ticks, port.is_wide)
    }

    /// The tracer and the trace id for spans under a context from elsewhere; a new id where that one names none.
    pub(crate) fn begin_remote(&mut self, upstream: &Upstream) -> Option<(Arc<Home>, u128)> {
        let core = self.core()?;
        let trace_id = match upstream.trace_id.as_u128() {
            0 => self.new_trace_id(core.clock.ticks()),
            id => id,
        };
        Some((core, trace_id))
    }

    /// The time on the clock of the tracer that is connected; `None` without one.
    #[inline]
    pub(crate) fn ticks(&self) -> Option<u64> {
        if self.has_short_way { Some(Clock::Counter.ticks()) } else { self.other_ticks() }
    }

    #[cold]
    fn other_ticks(&self) -> Option<u64> {
        self.port.as_ref().map(|port| port.clock.ticks())
    }

    /// Changes the service of an open record, or of the span of a polled future; nothing once it has finished.
    pub(crate) fn set_service(&mut self, index: u32, span_id: u64, service: &str) {
        let mut is_open = false;
        self.edit(index, span_id, |edit| {
            is_open = true;
            edit.field(EntryKind::Service, service);
        });
        if !is_open {
            return;
        }
        // A line without a segment reads its root's service when it gets one.
        for segment in self.frames.iter().filter_map(|frame| frame.segment.as_ref()) {
            segment.facts.set_service(span_id, service);
        }
    }

    /// Changes an open record, or the span of a polled future.
    pub(crate) fn edit(&mut self, index: u32, span_id: u64, f: impl FnOnce(&mut Edit<'_>)) {
        let is_open = |record: &Record| record.span_id == span_id && !record.is_finished();
        let place = index as usize;
        let is_there = self.spans.records.get(place).is_some_and(is_open);
        let place = if is_there { Some(place) } else { self.spans.records.iter().rposition(is_open) };
        if let Some((place, record)) =
            place.and_then(|place| Some((place, self.spans.records.get_mut(place)?)))
        {
            if record.flags.has(Flags::WATCHED) {
                return self.edit_watched(place, f);
            }
            f(&mut Edit { record, tags: &mut self.spans.tags });
            return self.keep_late_tags(place);
        }
        for frame in self.frames.iter_mut().rev() {
            if let Some(mut edit) = frame.edit().filter(|edit| edit.record.span_id == span_id) {
                if edit.record.flags.has(Flags::WATCHED) {
                    return frame.edit_told(f);
                }
                return f(&mut edit);
            }
        }
    }

    /// Changes a watched record, and tells its trace.
    #[cold]
    #[inline(never)]
    fn edit_watched(&mut self, place: usize, f: impl FnOnce(&mut Edit<'_>)) {
        let SpanBuffer { records, tags } = &mut self.spans;
        let Some(record) = records.get_mut(place) else { return };
        let segments = self.frames.iter().filter_map(|frame| frame.segment.as_ref());
        let mut edit = Edit { record, tags };
        match segments
            .map(|segment| &segment.facts)
            .find(|facts| facts.local_root_id() == edit.record.span_id)
        {
            Some(facts) => edit.watched(facts, f),
            None => f(&mut edit),
        }
        self.keep_late_tags(place);
    }

    /// A frame's segment, made now for a line that nothing escaped from so far.
    fn promote(&mut self, frame: usize) -> Option<Arc<Segment>> {
        if let Some(segment) = self.frames.get(frame).and_then(|frame| frame.segment.as_ref()) {
            return Some(Arc::clone(segment));
        }
        // A line is the lowest frame: its tracer is the first one that was put aside, or the present one.
        let aside = self.frames.iter().find_map(|frame| frame.outer.port.as_deref());
        let core = Arc::clone(&aside.or(self.port.as_ref())?.core);
        let frame = self.frames.get_mut(frame)?;
        let root = self.spans.records.get_mut(frame.first as usize)?;
        let service = self.spans.tags.text(root.service).map(Arc::from);
        let facts = TraceFacts::new(frame.trace_id, None, service);
        facts.set_local_root(root.span_id);
        let segment = Arc::new(Segment::new(core, Arc::new(facts)));
        segment.watch(root, &self.spans.tags);
        frame.segment = Some(segment);
        frame.segment.clone()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // What finished is sent; what was leaked open is given up.
        while let Some(frame) = self.frames.last() {
            let first = frame.first as usize;
            let finished =
                self.spans.records.iter().skip(first).filter(|record| record.is_finished()).count();
            let all = self.spans.len() - first;
            if finished != all {
                self.detach_open();
            }
            self.finished = finished as u32;
            self.end_frame();
        }
        self.limit.leave(self.detached.len());
        for owned in self.detached.drain(..) {
            owned.segment.close_empty();
        }
        self.abandon_outbox();
    }
}
