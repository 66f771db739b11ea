//! The tracer of the process: what it is composed of, and its end. Builder and start are in `builder`.
//!
//! What a tracer does with spans is the rooms' below; here it is composed, installed and taken away. Invariant: at most one runs, and
//! a start that fails changes nothing.

mod builder;
mod options;
mod runtime_id;

pub use builder::{StartError, TracerBuilder};
use runtime_id::runtime_id;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::{Anchor, Clock};
use crate::config::{self, Settings, SettingsTable};
use crate::diagnostics::settings::LogSettings;
use crate::diagnostics::{self, Level, SharedLogger, SinkHandle};
use crate::export::queue::Queue;
use crate::export::v04::SpanDefaults;
use crate::export::{Counters, DropReason};
use crate::model::LatestAgentInfo;
use crate::propagation::Propagator;
use crate::sampling::{OwnTags, Sampler};
use crate::support;
use crate::trace::{self, Core};
use crate::worker::settings::{LocalView, WriterSettings};
use crate::worker::{
    self, Abandoned, AgentCheck, Introduce, Remark, Signal, Viewer, Waterfall, WorkerHandle, WorkerParts,
};

/// How long a dropped guard waits for the last spans to be delivered.
const DROP_DEADLINE: Duration = Duration::from_secs(2);

/// How long a flush waits for its messages, and the end for the last ones where the deadline has passed.
const LAST_MESSAGES: Duration = Duration::from_millis(50);

/// Whether somebody was told that `init` did nothing.
static HAS_WARNED: AtomicBool = AtomicBool::new(false);

static RUNNING: Mutex<Option<Arc<Running>>> = Mutex::new(None);

/// Starts the tracer of the process from `DD_*` settings.
///
/// Never fails: what cannot be used is told in one warning, and where a tracer runs already the guard is inert. Keep the
/// guard until the end of `main`: when it is dropped, the last spans are delivered, within 2 s. `let _ = dd_traced::init();` drops it at once. A
/// forked child has no tracer until it starts its own.
///
/// ```
/// let _tracer = dd_traced::init();
/// // …
/// ```
///
/// [`Tracer::builder`] sets in code what `DD_*` does, and says why a tracer could not be started. See [`shutdown`] for a program that ends by
/// other means than the end of `main`.
pub fn init() -> TracerGuard {
    Tracer::builder().start().unwrap_or_else(|error| {
        // Once is a mistake to be told of; a thousand times is how the program works.
        let level = if HAS_WARNED.swap(true, Ordering::Relaxed) { Level::Debug } else { Level::Warn };
        diagnostics::log(level, format_args!("init() did nothing: {error}"));
        // There may be no guard that does it.
        diagnostics::flush(LAST_MESSAGES);
        TracerGuard { running: None }
    })
}

/// The tracer. See [`Tracer::builder`] and [`init`].
#[derive(Debug, Clone, Copy)]
pub struct Tracer;

impl Tracer {
    /// Options in code; each wins over its environment variable.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), dd_traced::StartError> {
    /// let tracer = dd_traced::Tracer::builder().service("shop").env("prod").version("1.4.2").start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> TracerBuilder {
        TracerBuilder::new()
    }
}

/// Ends the tracer when it is dropped: what finished before is delivered, within 2 s.
///
/// ```
/// use std::time::Duration;
///
/// let tracer = dd_traced::init();
/// // …
/// let is_delivered = tracer.shutdown(Duration::from_secs(5)); // instead of the 2 s of the drop
/// # let _ = is_delivered;
/// ```
///
/// An inert guard, from an [`init`] that found a tracer running, does nothing, and says of a flush that all was delivered.
#[must_use = "the tracer ends as soon as this guard is dropped"]
#[derive(Debug)]
pub struct TracerGuard {
    running: Option<Arc<Running>>,
}

impl TracerGuard {
    /// Delivers what finished so far. Gives true where all of it was delivered. See [`flush`].
    pub fn flush(&self, deadline: Duration) -> bool {
        self.running.as_ref().is_none_or(|running| running.flush(deadline))
    }

    /// What its tracer is set to, and who said so. See [`settings`].
    pub fn settings(&self) -> SettingsTable {
        self.running.as_ref().map_or_else(settings, |running| running.core.settings.table.clone())
    }

    /// Ends the tracer with a deadline of one's own. Gives true where everything was delivered. See [`shutdown`].
    pub fn shutdown(mut self, deadline: Duration) -> bool {
        self.running.take().is_none_or(|running| end(&running, deadline))
    }
}

impl Drop for TracerGuard {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            end(&running, DROP_DEADLINE);
        }
    }
}

/// Delivers the spans that finished so far, and waits for it: at most `deadline`, and 100 ms for the answer to get here.
///
/// Gives true where every span handed over before the call was acknowledged (see [`Counters::acknowledged`]), also where there was none.
/// Gives false where one is still on its way, or was lost; a loss that an earlier call was told of does not count again. Of a
/// tracer that has ended it says what became of its spans: a loss at the end, or a span that came after it, counts for good. Before the first
/// start there is nothing to deliver: true.
///
/// ```
/// use std::time::Duration;
///
/// // The program may be frozen between two invocations, or run for seconds only.
/// fn after_each_invocation() {
///     if !dd_traced::flush(Duration::from_millis(500)) {
///         eprintln!("{:?}", dd_traced::counters());
///     }
/// }
/// # after_each_invocation();
/// ```
///
/// It blocks its thread without entering any async runtime. Called from the library's own thread, or in a forked child, it
/// does nothing and gives false.
pub fn flush(deadline: Duration) -> bool {
    latest().is_none_or(|tracer| tracer.flush(deadline))
}

/// Ends the tracer of the process, delivering what finished before, and waits for it: at most `deadline`, and 100 ms for the
/// answer to get here. What is left then is counted as [`DropReason::ShutdownDeadline`], by the time this returns.
///
/// Gives true and false like [`flush`]. Spans that start afterwards are not recorded, but counted. A tracer may be started again. A guard that
/// is dropped afterwards does nothing.
///
/// The guard does this at the end of `main`. A process that ends by [`exit`](std::process::exit) or by a signal drops no guard:
///
/// ```no_run
/// use std::time::Duration;
///
/// // On the thread that waits for signals, not inside of a signal's handler: it waits and allocates.
/// fn terminate() -> ! {
///     dd_traced::shutdown(Duration::from_secs(2));
///     std::process::exit(0)
/// }
/// ```
pub fn shutdown(deadline: Duration) -> bool {
    latest().is_none_or(|tracer| end(&tracer, deadline))
}

/// What became of the spans: of the tracer that runs, else of the last one. Spans that met no tracer, since the process began, count
/// as [`DropReason::AfterShutdown`]. See [`Counters`].
pub fn counters() -> Counters {
    let counters = latest().map(|tracer| tracer.core.queue.counters()).unwrap_or_default();
    counters.with_refused(DropReason::AfterShutdown, trace::not_recorded())
}

/// Every setting with its value, where that came from, and what it beats: of the tracer that runs, else of the last one. Empty before the first
/// start.
///
/// ```
/// # fn main() -> Result<(), dd_traced::StartError> {
/// let tracer = dd_traced::Tracer::builder().env("prod").start()?;
/// let settings = tracer.settings();
/// let env = settings.get("DD_ENV").expect("a setting of every tracer");
/// assert_eq!((env.value(), env.origin()), ("prod", dd_traced::Origin::Code));
/// println!("{settings}");
/// # Ok(())
/// # }
/// ```
pub fn settings() -> SettingsTable {
    latest().map(|tracer| tracer.core.settings.table.clone()).unwrap_or_default()
}

/// The last tracer that was ended, for its books and for whoever asks what became of its spans.
static LAST: Mutex<Option<Arc<Running>>> = Mutex::new(None);

/// A started tracer.
struct Running {
    core: Arc<Core>,
    /// `None` where tracing is switched off.
    worker: Option<WorkerHandle>,
    sink: SinkHandle,
}

impl Running {
    fn new(settings: Settings, sink: SinkHandle) -> Self {
        let clock = Clock::system();
        let first_anchor = clock.anchor();
        let signal = Arc::new(Signal::new());
        let bell = Arc::clone(&signal);
        let WriterSettings { buffer_bytes, flush_from_bytes, .. } = settings.writer;
        let queue = Arc::new(Queue::new(buffer_bytes, flush_from_bytes, Box::new(move || bell.ring())));
        let sampler = Arc::new(sampler(&settings, &clock, first_anchor));
        let agent_info = Arc::<LatestAgentInfo>::default();
        let propagator = Propagator::new(&settings.propagation, Arc::clone(&agent_info));
        let core = Core::new(Arc::new(settings), clock, Arc::clone(&queue), Arc::clone(&sampler), propagator);
        let core = Arc::new(core);
        let settings = &core.settings;
        let mut introduce = settings.has_startup_line.then(|| introduction(&core));
        if let Some(introduce) = introduce.take_if(|_| !settings.is_enabled) {
            introduce(AgentCheck::Unknown);
        }
        let worker = settings.is_enabled.then(|| {
            let parts = WorkerParts {
                writer: settings.writer.clone(),
                agent: settings.agent.clone(),
                defaults: span_defaults(settings),
                rules: settings.spans.clone(),
                clock: core.clock.clone(),
                first_anchor,
                queue,
                sampler,
                agent_info,
                introduce,
                remark: Some(remark(&core)),
                viewer: viewer(&settings.writer),
                statistics: settings.statistics,
                abandoned: abandoned(&core),
                told_starts: core.told_starts.clone(),
                metrics: settings.metrics.clone(),
            };
            worker::start(parts, signal)
        });
        Self { core, worker, sink }
    }

    fn flush(&self, deadline: Duration) -> bool {
        let begin = Instant::now();
        let is_delivered = self.worker.as_ref().is_none_or(|worker| worker.flush(deadline));
        // A stderr that nobody reads must not make each flush take its whole time.
        self.sink.flush(deadline.saturating_sub(begin.elapsed()).min(LAST_MESSAGES));
        is_delivered
    }
}

/// Where the messages of the tracer go. One that is switched off has no thread at rest, and no file: its startup line is for a logger, or stderr.
fn sink(settings: &Settings, logger: Option<SharedLogger>) -> SinkHandle {
    let messages = &settings.messages;
    if settings.is_enabled {
        return diagnostics::configure(messages, logger, worker::mark_thread);
    }
    let level = messages.level.min(Level::Info);
    let quiet = LogSettings { level, is_json: messages.is_json, ..LogSettings::default() };
    diagnostics::configure_briefly(&quiet, logger, worker::mark_thread)
}

/// Prints the startup line, once it is known how the agent answers.
fn introduction(core: &Core) -> Introduce {
    let (settings, clock) = (Arc::clone(&core.settings), core.clock.clone());
    Box::new(move |agent| {
        let line = support::startup_line(&settings, clock.unix_seconds(), &runtime_id(), agent);
        diagnostics::announce(format_args!("{line}"));
    })
}

/// Tells of variables that are nearly called like a setting. Each takes a comparison with all settings: nothing for the start to wait for.
fn remark(core: &Core) -> Remark {
    let settings = Arc::clone(&core.settings);
    Box::new(move || {
        for text in config::remarks(&settings.table) {
            diagnostics::warn(format_args!("{text}"));
        }
    })
}

/// What all spans of the tracer have in common.
pub(crate) fn span_defaults(settings: &Settings) -> SpanDefaults {
    let identity = &settings.identity;
    SpanDefaults {
        service: identity.service.clone(),
        env: identity.env.clone(),
        version: identity.version.clone(),
        tags: identity.tags.clone(),
        runtime_id: (&*runtime_id()).into(),
        process_id: std::process::id(),
        git_repository_url: identity.git_repository_url.clone(),
        git_commit_sha: identity.git_commit_sha.clone(),
        process_tags: identity.process_tags.clone(),
        hostname: identity.hostname.clone(),
    }
}

/// What looks for abandoned spans, where that is asked for.
fn abandoned(core: &Core) -> Option<Abandoned> {
    let (open, timeout) = (core.open_spans.as_ref()?, core.settings.writer.abandoned_after?);
    Some(Abandoned::new(Arc::clone(open), timeout, Instant::now()))
}

/// What decides about the traces of the tracer.
pub(crate) fn sampler(settings: &Settings, clock: &Clock, start: Anchor) -> Sampler {
    let identity = &settings.identity;
    let own = OwnTags {
        service: identity.service.clone(),
        env: identity.env.clone().unwrap_or_default(),
        version: identity.version.clone().unwrap_or_default(),
        tags: identity.tags.clone(),
        service_mapping: settings.spans.service_mapping.clone(),
    };
    Sampler::new(&settings.sampling, own, clock.clone(), start)
}

fn viewer(writer: &WriterSettings) -> Option<Box<dyn Viewer>> {
    match writer.local_view {
        LocalView::Off => None,
        LocalView::Waterfall => Some(Box::new(Waterfall::on_stderr(writer.has_colours))),
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = &self.core.settings.identity;
        let shown = diagnostics::without_secrets;
        let mut text = f.debug_struct("Running");
        text.field("service", &shown(&identity.service))
            .field("env", &identity.env.as_deref().map(shown))
            .field("version", &identity.version.as_deref().map(shown));
        text.field("is_enabled", &self.core.settings.is_enabled).finish_non_exhaustive()
    }
}

fn end(tracer: &Arc<Running>, deadline: Duration) -> bool {
    {
        let mut running = running();
        // Somebody else ended it, and perhaps started another one; its deadline holds, and what came of it.
        if !running.as_ref().is_some_and(|running| Arc::ptr_eq(running, tracer)) {
            drop(running);
            return tracer.flush(deadline);
        }
        *running = None;
        *last() = Some(Arc::clone(tracer));
        trace::uninstall();
    }
    tracer.core.lost_contexts.tell();
    let begin = Instant::now();
    let is_delivered = tracer.worker.as_ref().is_none_or(|worker| worker.shutdown(deadline));
    // The last messages are few, and may be what the deadline did not leave time for.
    tracer.sink.close(deadline.saturating_sub(begin.elapsed()).max(LAST_MESSAGES));
    is_delivered
}

/// The tracer that runs, else the last one that did.
fn latest() -> Option<Arc<Running>> {
    let running = running();
    running.clone().or_else(|| last().clone())
}

fn running() -> MutexGuard<'static, Option<Arc<Running>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn last() -> MutexGuard<'static, Option<Arc<Running>>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}
