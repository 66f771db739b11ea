//! What names a span outside of its own life: its context, and the guard of an activation.

use std::marker::PhantomData;
use std::sync::Arc;

use super::frame::Entry;
use super::process::{self, Home};
use super::segment::Segment;
use super::stack::{Stack, with_stack};
use crate::model::{Baggage, Decision, SamplingPriority, SpanId, TraceFacts, TraceId, Upstream};
use crate::sampling::WhySampled;

/// The identity of a span, as it travels: to another thread, another task, another process.
///
/// Cheap to clone, `Send` and `Sync`. It stays valid after its span finished: children, links and headers can still be made from
/// it, and they share the trace's sampling decision.
///
/// What children inherit, service and baggage, is that of the span at the time when its context was made. Under an activation of
/// the span itself it is that of the present.
///
/// ```
/// let span = dd_traced::span("batch.import").start();
/// let context = span.context();
/// std::thread::spawn(move || {
///     let _active = context.enter();
///     // spans started here are children of `batch.import`
/// });
/// ```
#[derive(Debug, Clone)]
pub struct SpanContext {
    pub(crate) place: Place,
}

/// Where a span belongs.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// At the start of a new trace.
    Root,
    /// Under a span of this process, whose service and baggage it inherits.
    Within { segment: Arc<Segment>, span_id: u64, service: Option<Arc<str>>, baggage: Option<Arc<Baggage>> },
    /// Under a span of another process, or at the start of a trace, with baggage that came from there.
    Remote { upstream: Arc<Upstream>, baggage: Option<Arc<Baggage>> },
}

impl SpanContext {
    /// The trace id, 128 bits; 0 where the next span begins a trace.
    pub fn trace_id(&self) -> TraceId {
        match &self.place {
            Place::Root => TraceId::new(0),
            Place::Within { segment, .. } => TraceId::new(segment.trace_id()),
            Place::Remote { upstream, .. } => upstream.trace_id,
        }
    }

    /// The span id; 0 where a remote parent sent none, or the next span begins a trace.
    pub fn span_id(&self) -> SpanId {
        match &self.place {
            Place::Root => SpanId::new(0),
            Place::Within { span_id, .. } => SpanId::new(*span_id),
            Place::Remote { upstream, .. } => upstream.parent_id,
        }
    }

    /// The sampling priority, if it was decided or received: -1 user reject, 0 auto reject, 1 auto keep, 2 user keep.
    pub fn sampling_priority(&self) -> Option<i32> {
        match &self.place {
            Place::Root => None,
            Place::Within { segment, .. } => {
                segment.facts.decision().map(|decision| decision.priority.as_i32())
            }
            Place::Remote { upstream, .. } => upstream.priority.map(SamplingPriority::as_i32),
        }
    }

    /// Why the trace is kept or not; `None` where that is not decided yet, neither here nor upstream. Asking decides nothing.
    pub fn why_sampled(&self) -> Option<WhySampled> {
        let decision = match &self.place {
            Place::Root => None,
            Place::Within { segment, .. } => segment.facts.decision(),
            Place::Remote { upstream, .. } => upstream.priority.map(Decision::inherited),
        };
        decision.map(WhySampled::of)
    }

    /// Whether the context came from another process.
    pub fn is_remote(&self) -> bool {
        match &self.place {
            Place::Root => false,
            Place::Within { segment, span_id, .. } => segment.remote(*span_id).is_some(),
            Place::Remote { .. } => true,
        }
    }

    /// What a log line says of the context: its tracer, trace id and span id.
    pub(crate) fn identity(&self) -> (Option<Arc<Home>>, Option<(u128, u64)>) {
        let core = match &self.place {
            Place::Root => return (None, None),
            Place::Within { segment, .. } => Some(Arc::clone(&segment.core)),
            Place::Remote { .. } => with_stack(Stack::core).flatten(),
        };
        (core, Some((self.trace_id().as_u128(), self.span_id().as_u64())))
    }

    /// Makes this the active context of this thread until the guard is dropped: spans started meanwhile are its children,
    /// log lines carry its ids.
    ///
    /// Under a context from another process they are the first ones here, decided about together; entered once more, it begins another
    /// such part. Does nothing where no tracer runs.
    pub fn enter(&self) -> ActiveGuard {
        let (segment, span_id, entry) = match &self.place {
            Place::Root => return ActiveGuard::inert(),
            Place::Within { segment, span_id, service, baggage } => {
                let (service, baggage) = (service.clone(), baggage.clone());
                let entry =
                    Entry { handle: None, service, baggage, is_remote: segment.remote(*span_id).is_some() };
                (Arc::clone(segment), *span_id, entry)
            }
            Place::Remote { upstream, baggage } => {
                let Some(segment) = begin(upstream) else { return ActiveGuard::inert() };
                let guard = ActiveGuard::enter(
                    &segment,
                    upstream.parent_id.as_u64(),
                    Entry { handle: None, service: None, baggage: baggage.clone(), is_remote: true },
                );
                // The guard holds its own unit; the segment's first one was for its making.
                segment.close_empty();
                return guard;
            }
        };
        ActiveGuard::enter(&segment, span_id, entry)
    }

    /// For who enters it several times: all that begins under a context from another process is one part of the trace then, with one
    /// decision.
    pub(crate) fn settled(mut self) -> Self {
        if let Place::Remote { upstream, baggage } = &self.place {
            if let Some(segment) = begin(upstream) {
                segment.close_empty();
                let (span_id, baggage) = (upstream.parent_id.as_u64(), baggage.clone());
                self.place = Place::Within { segment, span_id, service: None, baggage };
            }
        }
        self
    }
}

/// The part of a trace from elsewhere that begins here, with one open unit; none where no tracer runs.
fn begin(upstream: &Arc<Upstream>) -> Option<Arc<Segment>> {
    let begun = process::is_on_quietly().then(|| with_stack(|stack| stack.begin_remote(upstream)));
    let (core, trace_id) = begun.flatten().flatten()?;
    let facts = TraceFacts::new(trace_id, Some(Arc::clone(upstream)), None);
    Some(Arc::new(Segment::new(core, Arc::new(facts))))
}

/// Keeps a span or context active on the thread that made it; dropping it restores what was active before.
///
/// Guards may be dropped in any order. A guard does not leave its thread:
///
/// ```compile_fail,E0277
/// let span = dd_traced::span("work").start();
/// let guard = span.activate();
/// std::thread::spawn(move || drop(guard));
/// ```
///
/// Do not hold one over an `.await`: use [`TraceFuture::traced`](crate::TraceFuture::traced) there. Clippy can watch it:
/// `await-holding-invalid-types = ["dd_traced::ActiveGuard", "dd_traced::ActiveSpan"]` in `clippy.toml`.
#[must_use = "the span is active only until this guard is dropped"]
#[derive(Debug)]
pub struct ActiveGuard {
    token: Option<u64>,
    stays_on_its_thread: PhantomData<GuardsStayOnTheirThread>,
}

/// Named for the compiler's message about a guard that is sent elsewhere.
#[derive(Debug)]
struct GuardsStayOnTheirThread(
    #[expect(dead_code, reason = "makes the guard neither Send nor Sync")] *const (),
);

impl ActiveGuard {
    pub(crate) fn inert() -> Self {
        Self { token: None, stays_on_its_thread: PhantomData }
    }

    pub(crate) fn enter(segment: &Arc<Segment>, span_id: u64, entry: Entry) -> Self {
        let token = with_stack(|stack| stack.enter(Arc::clone(segment), span_id, entry));
        Self { token, stays_on_its_thread: PhantomData }
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            with_stack(|stack| stack.leave(token));
        }
    }
}
