//! The spans that are open on this thread.
//!
//! The stack is borrowed only to push, pop or copy; values of foreign types are evaluated before. A borrow that fails (a tracing
//! allocator, a thread that is ending) means "not recorded" and never a panic.

mod departures;
mod frames;
mod owned;
mod records;

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::context::Place;
use super::frame::{Frame, FrameKind, Port};
use super::handle::SpanCell;
use super::ids::IdSource;
use super::owned::{Edit, OwnedSpan};
use super::process::{self, Core};
use super::segment::Segment;
use crate::clock::Clock;
use crate::model::{ChunkHead, EntryKind, NO_INDEX, Record, SpanBuffer, TraceFacts};

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

/// What an idle thread keeps of its buffers, 4.7 KiB in all; a larger trace gives its memory back at its end.
const KEPT_RECORDS: usize = 48;
const KEPT_TAG_BYTES: usize = 2 << 10;

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

/// The tracer that runs here, and trace id and span id of the active span.
pub(crate) fn active_identity() -> (Option<Arc<Core>>, Option<(u128, u64)>) {
    if !process::is_on_quietly() {
        return (None, None);
    }
    with_stack(|stack| (stack.core(), stack.active_ids())).unwrap_or_default()
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
    /// Changed by [`Stack::set_port`] alone, which keeps the next two in step.
    port: Option<Port>,
    has_counter: bool,
    partial_flush_spans: u32,
    /// The generation of tracers that `port` was made for.
    generation: usize,
    /// Tracers of this thread's own, the latest last.
    scopes: Vec<Arc<Core>>,
    detached: Vec<OwnedSpan>,
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
    Context(u64),
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
            has_counter: false,
            partial_flush_spans: u32::MAX,
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
                let context = Active::Context(frame.span_id);
                entry.handle.clone().map_or(context, Active::Handle)
            }
            FrameKind::Line | FrameKind::Ended | FrameKind::Blank => return None,
        })
    }

    /// The place of a span on this stack, for contexts and children elsewhere.
    pub(crate) fn place_of(&mut self, span_id: u64) -> Option<Place> {
        let index = self.spans.records.iter().rposition(|record| record.span_id == span_id);
        let at = match index {
            Some(index) => self.frames.iter().rposition(|frame| frame.first as usize <= index)?,
            None => self.frames.iter().rposition(|frame| frame.span_id == span_id)?,
        };
        let segment = self.promote(at)?;
        let service = match index.and_then(|index| self.spans.records.get(index)) {
            Some(record) => self.spans.tags.text(record.service).map(Arc::from),
            None => self.frames.get(at)?.service(),
        };
        Some(Place::Within { segment, span_id, service })
    }

    /// A trace id for a trace that begins at `ticks`.
    pub(crate) fn new_trace_id(&mut self, ticks: u64) -> u128 {
        let Some(port) = &self.port else { return 0 };
        self.ids.trace_id(&port.clock, ticks, port.is_wide)
    }

    /// The time on the clock of the tracer that is connected; `None` without one.
    #[inline]
    pub(crate) fn ticks(&self) -> Option<u64> {
        if self.has_counter { Some(Clock::Counter.ticks()) } else { self.other_ticks() }
    }

    #[cold]
    fn other_ticks(&self) -> Option<u64> {
        self.port.as_ref().map(|port| port.clock.ticks())
    }

    fn set_port(&mut self, port: Option<Port>) -> Option<Port> {
        self.has_counter = port.as_ref().is_some_and(|port| matches!(port.clock, Clock::Counter));
        self.partial_flush_spans = port.as_ref().map_or(u32::MAX, |port| port.partial_flush_spans);
        std::mem::replace(&mut self.port, port)
    }

    /// The tracer that spans started now belong to.
    pub(crate) fn core(&mut self) -> Option<Arc<Core>> {
        self.attach_or_connected().map(|port| Arc::clone(&port.core))
    }

    /// After tags of the record at `place` were written: they stay when the frames above it end.
    fn keep_late_tags(&mut self, place: usize) {
        if self.frames.last().is_some_and(|top| place < top.first as usize) {
            self.late_tags = self.spans.tags.len();
        }
    }

    /// Forgets records from `first` on and their tags, but not what lower records were given meanwhile. Without a record there
    /// are no tags.
    #[inline]
    fn forget(&mut self, first: usize, first_tag: usize) {
        self.spans.records.truncate(first);
        if first == 0 {
            self.late_tags = 0;
            return self.spans.tags.truncate(0);
        }
        self.spans.tags.truncate(first_tag.max(self.late_tags));
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
            f(&mut Edit { record, tags: &mut self.spans.tags });
            return self.keep_late_tags(place);
        }
        for frame in self.frames.iter_mut().rev() {
            if let Some(mut edit) = frame.edit().filter(|edit| edit.record.span_id == span_id) {
                return f(&mut edit);
            }
        }
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
        let root = self.spans.records.get(frame.first as usize)?;
        let service = self.spans.tags.text(root.service).map(Arc::from);
        let facts = TraceFacts::new(frame.trace_id, None, service);
        facts.set_local_root(root.span_id);
        frame.segment = Some(Arc::new(Segment::new(core, Arc::new(facts))));
        frame.segment.clone()
    }

    /// Gives this thread a tracer of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn enter_scope(&mut self, core: Arc<Core>) {
        self.generation = 0;
        self.scopes.push(core);
    }

    /// Takes a tracer of this thread's own away, wherever it stands.
    #[cfg(feature = "testing")]
    pub(crate) fn leave_scope(&mut self, core: &Arc<Core>) {
        self.generation = 0;
        self.scopes.retain(|scope| !Arc::ptr_eq(scope, core));
    }

    /// The connection for a trace that begins here: to the thread's own tracer, else to the process's.
    #[inline]
    fn attach(&mut self) -> Option<&Port> {
        let generation = process::generation();
        if generation != self.generation || self.port.is_none() {
            self.reattach(generation);
        }
        self.port.as_ref()
    }

    fn attach_or_connected(&mut self) -> Option<&Port> {
        if self.frames.is_empty() { self.attach() } else { self.port.as_ref() }
    }

    #[cold]
    fn reattach(&mut self, generation: usize) {
        self.abandon_outbox();
        self.generation = generation;
        if crate::worker::is_worker_thread() {
            // What sends spans is not traced itself.
            return;
        }
        let core = self.scopes.last().cloned().or_else(process::running);
        self.set_port(core.map(|core| {
            let outbox = core.queue.outbox();
            Port::new(core, Some(outbox))
        }));
    }

    /// Makes `core` the tracer of what is pushed next. Gives the connection to come back to, where there was another.
    #[inline]
    fn connect(&mut self, core: &Arc<Core>) -> Option<Box<Port>> {
        if self.frames.is_empty() {
            self.attach();
        }
        match &self.port {
            Some(port) if Arc::ptr_eq(core, &port.core) => None,
            _ => self.connect_other(core),
        }
    }

    #[cold]
    fn connect_other(&mut self, core: &Arc<Core>) -> Option<Box<Port>> {
        self.set_port(Some(Port::new(Arc::clone(core), None))).map(Box::new)
    }

    fn abandon_outbox(&mut self) {
        if let Some(Port { core, outbox: Some(outbox), .. }) = self.set_port(None) {
            core.queue.retire(&outbox);
        }
    }

    /// Hands records and tags from these places on over as one chunk: with the buffer, if it is large and has nothing else in it.
    fn ship(&mut self, head: ChunkHead, first: usize, first_tag: usize) {
        let Some(port) = &self.port else { return };
        if first == 0 && self.spans.len() > KEPT_RECORDS && !self.spans.is_wasteful() {
            port.give(head, std::mem::replace(&mut self.spans, std::mem::take(&mut self.small)));
        } else {
            port.copy(head, &self.spans, first, first_tag);
        }
    }

    /// Puts a large buffer away, whose trace is over.
    #[inline]
    fn keep_little(&mut self) {
        if self.spans.records.capacity() > KEPT_RECORDS {
            let large = std::mem::replace(&mut self.spans, std::mem::take(&mut self.small));
            if let Some(outbox) = self.port.as_ref().and_then(|port| port.outbox.as_ref()) {
                outbox.keep(large);
            }
        } else {
            self.spans.tags.clear_to(KEPT_TAG_BYTES);
        }
    }

    /// Makes room for one more record: few at first, then twice as many, in a buffer that others used before where there is one.
    #[cold]
    fn grow(&mut self) {
        let outbox = self.port.as_ref().and_then(|port| port.outbox.as_ref());
        if let Some(outbox) = outbox.filter(|_| self.spans.records.capacity() == KEPT_RECORDS) {
            let mut large = outbox.take_empty().unwrap_or_default();
            large.at_least(3 * KEPT_RECORDS);
            large.append(&self.spans, 0, 0);
            self.small = std::mem::replace(&mut self.spans, large);
            self.small.records.clear();
            return self.small.tags.clear_to(KEPT_TAG_BYTES);
        }
        self.spans.reserve(self.spans.records.capacity().max(KEPT_RECORDS));
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
        for owned in self.detached.drain(..) {
            owned.segment.close_empty();
        }
        self.abandon_outbox();
    }
}

impl Port {
    /// Hands a chunk over by a copy, through the thread's own outbox where it has one.
    #[inline]
    fn copy(&self, head: ChunkHead, spans: &SpanBuffer, first: usize, tag_byte: usize) {
        if let Some(outbox) = &self.outbox {
            self.core.queue.push(outbox, head, spans, first, tag_byte);
        } else if first == 0 && tag_byte == 0 {
            self.core.ship(head, spans);
        } else {
            let mut own = SpanBuffer::new();
            own.append(spans, first, tag_byte);
            self.core.ship(head, &own);
        }
    }

    /// Hands a chunk over with its buffer where the buffer is large.
    fn give(&self, head: ChunkHead, spans: SpanBuffer) {
        match &self.outbox {
            Some(outbox) if spans.len() > KEPT_RECORDS && !spans.is_wasteful() => {
                self.core.queue.push_whole(outbox, head, spans, 0, 0);
            }
            _ => self.copy(head, &spans, 0, 0),
        }
    }
}
