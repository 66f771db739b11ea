//! What a running tracer is to its spans, and which one is running.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::line_identity::LineIdentity;
use super::lost::LostContexts;
use super::open_limit;
use crate::clock::Clock;
use crate::config::{PartialFlush, Settings};
use crate::diagnostics::Level;
use crate::export::queue::{Outbox, Queue};
#[cfg(feature = "enable")]
use crate::model::ToldStarts;
use crate::model::{ChunkHead, Decision, OpenSpans, Record, SpanBuffer, TagLog, TraceFacts};
use crate::propagation::Propagator;
use crate::sampling::Sampler;

/// A tracer as spans see it: settings, clock, the way out. Shared by every segment it began.
pub(crate) struct Core {
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Clock,
    pub(crate) queue: Arc<Queue>,
    pub(crate) sampler: Arc<Sampler>,
    pub(crate) propagator: Propagator,
    /// What log lines say of it.
    pub(crate) lines: Arc<LineIdentity>,
    /// For chunks finished on threads that have no outbox of this tracer.
    common: Arc<Outbox>,
    pub(crate) partial_flush_spans: u32,
    /// In debug mode, traces that began where a context may have been forgotten.
    pub(crate) lost_contexts: LostContexts,
    /// The open spans, where abandoned ones are looked for.
    pub(crate) open_spans: Option<Arc<OpenSpans>>,
    /// The starts of spans that the debug log told of, where it tells of them.
    #[cfg(feature = "enable")]
    pub(crate) told_starts: Option<Arc<ToldStarts>>,
    /// Whether somebody looks at each start: for the debug log, forgotten contexts or abandoned spans.
    pub(crate) is_inquisitive: bool,
}

impl Core {
    pub(crate) fn new(
        settings: Arc<Settings>,
        clock: Clock,
        queue: Arc<Queue>,
        sampler: Arc<Sampler>,
        propagator: Propagator,
    ) -> Self {
        let common = queue.outbox();
        let partial_flush_spans = match settings.partial_flush {
            PartialFlush::Off => u32::MAX,
            PartialFlush::At(spans) => u32::try_from(spans).unwrap_or(u32::MAX),
        };
        let open_spans = settings.writer.abandoned_after.map(|_| Arc::default());
        let tells_starts = settings.messages.level == Level::Debug;
        #[cfg(feature = "enable")]
        let told_starts = tells_starts.then(|| Arc::new(ToldStarts::new(&clock)));
        Self {
            lines: LineIdentity::new(Arc::clone(&settings)),
            #[cfg(feature = "enable")]
            told_starts,
            is_inquisitive: tells_starts || settings.is_debug || open_spans.is_some(),
            open_spans,
            settings,
            clock,
            queue,
            sampler,
            propagator,
            common,
            partial_flush_spans,
            lost_contexts: LostContexts::default(),
        }
    }

    /// Ships a chunk through the outbox that is shared by all threads.
    pub(crate) fn ship(&self, head: ChunkHead, spans: &SpanBuffer) {
        self.queue.push(&self.common, head, spans, 0, 0);
    }

    /// Counts an open span as open no more, for whoever has no stack.
    pub(super) fn close_one(&self) {
        open_limit::open(-1);
        self.queue.ledger().open(-1);
    }

    /// Tells of a span that has started, in the debug log.
    pub(crate) fn tell_start(&self, trace_id: u128, record: &Record, tags: &TagLog) {
        #[cfg(feature = "enable")]
        if let Some(told) = &self.told_starts {
            let start_ns = told.tell(record, &self.clock);
            crate::worker::tell_start(trace_id, record, tags, &self.settings.identity.service, start_ns);
        }
        #[cfg(not(feature = "enable"))]
        let _ = (self, trace_id, record, tags);
    }

    /// The time at which a span ends; where open spans are listed, it is none of them any more.
    #[inline]
    pub(crate) fn end_ticks(&self, span_id: u64) -> u64 {
        if let Some(open) = &self.open_spans {
            open.finish(span_id);
        }
        self.clock.ticks()
    }

    /// The trace's sampling decision, taken now if it was not before, by the local root as it is now.
    pub(crate) fn decide(&self, facts: &TraceFacts) -> Decision {
        self.sampler.decide_trace(facts, || None)
    }
}

/// A tracer as one thread sees it.
///
/// What is begun on a thread counts here: threads that begin traces at the same time would meet on the one count of the [`Core`].
#[derive(Debug)]
pub(crate) struct Home {
    core: Arc<Core>,
}

impl Home {
    pub(crate) fn new(core: Arc<Core>) -> Arc<Self> {
        Arc::new(Self { core })
    }

    /// Whether both are of one tracer.
    #[inline]
    pub(crate) fn is_same(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other) || Arc::ptr_eq(&self.core, &other.core)
    }
}

impl Deref for Home {
    type Target = Core;

    #[inline]
    fn deref(&self) -> &Core {
        &self.core
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Tracing is switched off: spans cost one load.
const DISABLED: usize = 0;
/// No tracer was started yet, or it was shut down: spans are counted and not recorded.
const NOT_STARTED: usize = 1;

/// [`DISABLED`], [`NOT_STARTED`], or a number that grows with each change of the tracers that run.
static GENERATION: AtomicUsize = AtomicUsize::new(NOT_STARTED);
static PROCESS: Mutex<Process> =
    Mutex::new(Process { tracer: None, lines: None, is_disabled: false, scopes: 0, latest: NOT_STARTED });
static NOT_RECORDED: AtomicU64 = AtomicU64::new(0);
/// Of the process and not of a tracer: log lines are written before one starts, and where it is switched off.
static CORRELATES_LOGS: AtomicBool = AtomicBool::new(true);

/// How many tracers were started in this process, for threads that remember what lines say of the latest.
static STARTS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What lines say of the tracer that was started as that many.
    static LINES: RefCell<(usize, Option<Arc<LineIdentity>>)> = const { RefCell::new((0, None)) };
}

/// What runs in this process. Invariant: [`GENERATION`] says the same for those who only look.
struct Process {
    tracer: Option<Arc<Core>>,
    /// What lines say of the latest tracer, whether or not it runs.
    lines: Option<Arc<LineIdentity>>,
    /// Whether a tracer was started that is to record nothing.
    is_disabled: bool,
    /// Threads that have a tracer of their own.
    scopes: usize,
    latest: usize,
}

impl Process {
    /// Changes what runs, and lets the threads know.
    fn change(change: impl FnOnce(&mut Self)) {
        let mut process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut process);
        let generation = if process.tracer.is_some() || process.scopes > 0 {
            process.latest += 1;
            process.latest
        } else if process.is_disabled {
            DISABLED
        } else {
            NOT_STARTED
        };
        // Relaxed: a thread that sees the change late attaches late; the tracer itself is read under its lock.
        GENERATION.store(generation, Ordering::Relaxed);
    }
}

/// Which tracers run, as a number to compare with that of an earlier look: the one load that disabled tracing costs.
#[inline]
pub(crate) fn generation() -> usize {
    if cfg!(not(feature = "enable")) {
        return DISABLED;
    }
    GENERATION.load(Ordering::Relaxed)
}

/// Whether somebody who starts a span may record it; counts the span where nobody started a tracer.
#[inline]
pub(crate) fn is_on() -> bool {
    match generation() {
        DISABLED => false,
        NOT_STARTED => not_started(),
        _ => true,
    }
}

/// As [`is_on`], from somebody who starts no span, or counts it elsewhere.
pub(crate) fn is_on_quietly() -> bool {
    generation() > NOT_STARTED
}

#[cold]
#[inline(never)]
fn not_started() -> bool {
    NOT_RECORDED.fetch_add(1, Ordering::Relaxed);
    false
}

/// Spans that were not recorded because no tracer was running.
pub(crate) fn not_recorded() -> u64 {
    NOT_RECORDED.load(Ordering::Relaxed)
}

/// Counts a span that no tracer could take.
pub(crate) fn count_not_recorded() {
    NOT_RECORDED.fetch_add(1, Ordering::Relaxed);
}

/// Makes `core` the tracer of the process. One that is not enabled switches tracing off, but on threads with a tracer of their own.
pub(crate) fn install(core: Arc<Core>) {
    open_limit::begin();
    Process::change(|process| {
        process.lines = Some(Arc::clone(&core.lines));
        process.is_disabled = !core.settings.is_enabled;
        process.tracer = core.settings.is_enabled.then_some(core);
    });
    // Relaxed: a thread that sees it late writes its next lines as before.
    STARTS.fetch_add(1, Ordering::Relaxed);
}

/// What lines say of the latest tracer of the process. Nobody waits for a lock but once after a start.
pub(super) fn latest_lines() -> Option<Arc<LineIdentity>> {
    let starts = STARTS.load(Ordering::Relaxed);
    LINES
        .try_with(|known| {
            let mut known = known.try_borrow_mut().ok()?;
            if known.0 != starts {
                let latest = PROCESS.lock().unwrap_or_else(PoisonError::into_inner).lines.clone();
                *known = (starts, latest);
            }
            known.1.clone()
        })
        .ok()
        .flatten()
}

/// Takes the tracer of the process away. Threads with one of their own go on.
pub(crate) fn uninstall() {
    Process::change(|process| (process.tracer, process.is_disabled) = (None, false));
}

/// Counts a thread with a tracer of its own in (or out), so that the one look lets its spans through.
#[cfg(feature = "testing")]
pub(crate) fn announce_scope(is_entered: bool) {
    Process::change(|process| {
        process.scopes = if is_entered { process.scopes + 1 } else { process.scopes.saturating_sub(1) };
    });
}

/// Whether log lines get ids without being asked.
pub(crate) fn correlates_logs() -> bool {
    // Relaxed: nothing else is read by it.
    CORRELATES_LOGS.load(Ordering::Relaxed)
}

/// Turns ids on log lines on or off.
pub(crate) fn set_correlates_logs(is_on: bool) {
    CORRELATES_LOGS.store(is_on, Ordering::Relaxed);
}

/// The tracer of the process, if one runs and is not switched off.
pub(crate) fn running() -> Option<Arc<Core>> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner).tracer.clone()
}
