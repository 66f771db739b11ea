//! The worker as the rest of the tracer holds it: started, flushed, shut down; never joined.

use std::fmt;
use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::abandoned::Abandoned;
use super::introduction::{AgentCheck, Introduce, Remark};
use super::report;
use super::rules::SpanRules;
use super::run::{self, Worker};
use super::settings::WriterSettings;
use super::signal::{OrderKind, Signal};
use super::view::Viewer;
use crate::clock::{Anchor, Clock};
use crate::diagnostics;
use crate::export::counters::DropReason;
use crate::export::queue::Queue;
use crate::export::settings::AgentSettings;
use crate::export::statsd::settings::StatsdSettings;
use crate::export::v04::SpanDefaults;
use crate::model::{LatestAgentInfo, ToldStarts};
use crate::sampling::Sampler;
use crate::stats::settings::StatsSettings;

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub(crate) writer: WriterSettings,
    pub(crate) agent: AgentSettings,
    pub(crate) defaults: SpanDefaults,
    pub(crate) rules: SpanRules,
    pub(crate) clock: Clock,
    /// The moment the tracer started.
    pub(crate) first_anchor: Anchor,
    /// Its bell is that of the worker: `Queue::new(.., Box::new(move || signal.ring()))`.
    pub(crate) queue: Arc<Queue>,
    /// Learns the rates that the agent answers with.
    pub(crate) sampler: Arc<Sampler>,
    /// Replaced by what the agent says of itself.
    pub(crate) agent_info: Arc<LatestAgentInfo>,
    pub(crate) statistics: StatsSettings,
    /// What looks for abandoned spans, where that is asked for.
    pub(crate) abandoned: Option<Abandoned>,
    /// The starts that the debug log told of, where it tells of them.
    pub(crate) told_starts: Option<Arc<ToldStarts>>,
    /// Told how the agent answered the first question, once; `None` where nobody wants to know.
    pub(crate) introduce: Option<Introduce>,
    /// Called once, where there is something to remark.
    pub(crate) remark: Option<Remark>,
    pub(crate) metrics: StatsdSettings,
    /// The local view, if it is on.
    pub(crate) viewer: Option<Box<dyn Viewer>>,
}

/// The worker from outside. Any thread may use it, also inside of an async runtime: it waits on nothing of a runtime.
pub(crate) struct WorkerHandle {
    signal: Arc<Signal>,
    queue: Arc<Queue>,
    nursery: Mutex<Nursery>,
}

/// What a caller waits beyond the deadline of its order before it gives up on the worker.
const GRACE: Duration = Duration::from_millis(100);
/// Between two tries to get a thread.
const NEXT_TRY: Duration = Duration::from_secs(30);

/// Starts the worker's thread. Where the system has none to give, spans wait in the queue, and it is tried again at most
/// every 30 s by whoever flushes.
pub(crate) fn start(parts: WorkerParts, signal: Arc<Signal>) -> WorkerHandle {
    start_on(parts, signal, spawn)
}

pub(super) fn start_on(parts: WorkerParts, signal: Arc<Signal>, spawn: Spawn) -> WorkerHandle {
    let queue = Arc::clone(&parts.queue);
    let nursery = Nursery {
        parts: Arc::new(Mutex::new(Some(parts))),
        is_running: false,
        next_try: Instant::now(),
        spawn,
    };
    let handle = WorkerHandle { signal, queue, nursery: Mutex::new(nursery) };
    handle.is_running();
    handle
}

impl WorkerHandle {
    /// Sends everything handed over before the call and waits for it, for at most `limit` and a tenth of a second.
    ///
    /// True where all of it was accepted. A loss that an earlier flush was told of does not count again; one at the
    /// shutdown or after it counts for good. Refused, with false, on the worker's own thread, and in a forked child,
    /// which has no worker.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        self.order(OrderKind::Flush, limit)
    }

    /// Sends everything, refuses what comes later, and ends the worker: what is not delivered within `limit` is dropped
    /// and counted, and nothing waits from then on. Waits for at most `limit` and a tenth of a second.
    ///
    /// True and refused like [`WorkerHandle::flush`].
    pub(crate) fn shutdown(&self, limit: Duration) -> bool {
        let is_delivered = self.order(OrderKind::Shutdown, limit);
        if !self.is_refused() && !self.signal.is_over() {
            self.give_up();
        }
        is_delivered
    }

    fn order(&self, kind: OrderKind, limit: Duration) -> bool {
        if self.is_refused() {
            return false;
        }
        if !self.signal.is_over() && !self.is_running() {
            return self.has_delivered(0);
        }
        let (deadline, patience) = deadline(Instant::now(), limit);
        let (reply, answer) = sync_channel(1);
        match self.signal.order(kind, deadline, reply) {
            Err(told) => self.has_delivered(told),
            Ok(()) => answer.recv_timeout(patience).unwrap_or(false),
        }
    }

    /// Whether everything handed over so far arrived, but for losses that were told.
    fn has_delivered(&self, told: u64) -> bool {
        let counters = self.queue.counters();
        counters.finished() == counters.acknowledged() + counters.dropped_total() - counters.lost() + told
    }

    fn is_refused(&self) -> bool {
        super::is_worker_thread() || self.queue.is_inherited()
    }

    /// Whether the worker has its thread, given to it now if it has none.
    fn is_running(&self) -> bool {
        self.nursery().is_running(&self.signal)
    }

    /// Books what waits as lost: there is no worker to do it, or it has not come to it in time.
    fn give_up(&self) {
        self.queue.close(DropReason::AfterShutdown);
        if !self.nursery().is_running {
            self.queue.give_up(DropReason::NoThread);
            self.signal.end();
            return;
        }
        let lost = self.queue.give_up(DropReason::ShutdownDeadline);
        if lost > 0 {
            diagnostics::warn(format_args!(
                "the worker did not end before the deadline; lost {}: {}",
                report::spans(lost as u64),
                DropReason::ShutdownDeadline.as_str()
            ));
        }
    }

    fn nursery(&self) -> MutexGuard<'_, Nursery> {
        self.nursery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until when the worker has time for an order, and how long whoever gave it `now` waits for the answer.
fn deadline(now: Instant, limit: Duration) -> (Instant, Duration) {
    let limit = limit.min(FAR);
    (now + limit, limit + GRACE)
}

/// A limit that no clock overflows at: a hundred years.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

type Spawn = fn(Box<dyn FnOnce() + Send>) -> io::Result<()>;

fn spawn(body: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    std::thread::Builder::new().name("dd-traced".to_owned()).spawn(body).map(drop)
}

/// The worker before it has a thread.
struct Nursery {
    /// Shared with the thread to be, so that they are not lost with a thread that never was.
    parts: Arc<Mutex<Option<WorkerParts>>>,
    is_running: bool,
    next_try: Instant,
    spawn: Spawn,
}

impl Nursery {
    fn is_running(&mut self, signal: &Arc<Signal>) -> bool {
        let now = Instant::now();
        if self.is_running || now < self.next_try {
            return self.is_running;
        }
        let (parts, signal) = (Arc::clone(&self.parts), Arc::clone(signal));
        let body = Box::new(move || {
            let parts = parts.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(parts) = parts {
                run::run(&mut Worker::new(parts, signal));
            }
        });
        match (self.spawn)(body) {
            Ok(()) => self.is_running = true,
            Err(error) => {
                self.next_try = now + NEXT_TRY;
                let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(introduce) = parts.as_mut().and_then(|parts| parts.introduce.take()) {
                    introduce(AgentCheck::Unknown);
                }
                diagnostics::warn(format_args!(
                    "no thread to send spans from: {error}; tried again at a flush"
                ));
            }
        }
        self.is_running
    }
}

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerHandle").field("signal", &self.signal).finish_non_exhaustive()
    }
}

impl fmt::Debug for WorkerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerParts").field("agent", &self.agent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_waits_for_the_limit_and_a_tenth_of_a_second() {
        let now = Instant::now();
        for limit in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(5)] {
            assert_eq!(deadline(now, limit), (now + limit, limit + Duration::from_millis(100)));
        }
        assert_eq!(deadline(now, Duration::MAX), (now + FAR, FAR + GRACE), "no clock overflows");
    }
}
