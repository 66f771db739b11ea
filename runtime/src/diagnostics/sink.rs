//! The way of a message: through a bounded queue to a thread that writes it.
//!
//! Whoever reports something waits for nobody, not for a full stderr either: what does not fit into the queue is counted, and the count is a line
//! in its place. The thread begins with the first message and ends when no more come. Where none is to be had messages wait within the same bound,
//! and a thread is tried again with a message that comes half a minute later, at a flush, and at the end. A forked child has no such thread, and
//! begins its own.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use super::directory;
use super::entry::Entry;
use super::logger::SharedLogger;
use super::outlets::Outlets;
use super::queue::{Duty, Queue};
use super::settings::LogSettings;
use super::{Level, set_level};

/// How long the start and the end wait for others who change the sink; they do it within microseconds.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long the thread of a tracer that runs waits for the next message before it ends.
const IDLE: Duration = Duration::from_secs(1);

/// That of the tracer that was started last; `None` until there is something to say without one.
static SINK: RwLock<Option<Arc<Writer>>> = RwLock::new(None);

thread_local! {
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// Runs something on a thread of its own.
type Spawn = fn(Box<dyn FnOnce() + Send>) -> io::Result<()>;

/// The queue and its thread.
#[derive(Debug)]
struct Writer {
    process_id: u32,
    idle: Duration,
    mark: fn(),
    spawn: Spawn,
    queue: Mutex<Queue>,
    /// Something waits, or the end has come.
    rung: Condvar,
    /// Some of it was written.
    written: Condvar,
    /// The thread's, while there is one.
    outlets: Mutex<Outlets>,
    /// What holds in a forked child until it starts a tracer.
    of_child: LogSettings,
}

/// What the thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Write what it took.
    Write,
    /// Tell what is left to tell: no more will come.
    Finish,
    /// End.
    Rest,
}

/// The sink of one tracer.
#[derive(Debug)]
pub(crate) struct SinkHandle {
    writer: Arc<Writer>,
    /// What it took the place of: there may be messages left.
    before: Option<Arc<Writer>>,
    /// What holds when the tracer has ended.
    after: LogSettings,
}

/// Takes over what a tracer is set to. `mark` is called on the thread that writes.
pub(crate) fn configure(settings: &LogSettings, logger: Option<SharedLogger>, mark: fn()) -> SinkHandle {
    configure_for(settings, logger, mark, IDLE)
}

/// As [`configure`], for a tracer that is switched off: its thread ends as soon as nothing is left to write.
pub(crate) fn configure_briefly(
    settings: &LogSettings,
    logger: Option<SharedLogger>,
    mark: fn(),
) -> SinkHandle {
    configure_for(settings, logger, mark, Duration::ZERO)
}

fn configure_for(
    settings: &LogSettings,
    logger: Option<SharedLogger>,
    mark: fn(),
    idle: Duration,
) -> SinkHandle {
    set_level(settings.level);
    let writer = Writer::new(settings, logger, mark, idle);
    let before = current();
    replace(|_| true, &writer);
    let level = settings.level.min(Level::Warn);
    let after = LogSettings { level, is_json: settings.is_json, ..LogSettings::default() };
    SinkHandle { writer, before, after }
}

impl SinkHandle {
    /// Waits until what was reported so far is written; at most so long.
    pub(crate) fn flush(&self, limit: Duration) {
        let begin = Instant::now();
        if let Some(before) = &self.before {
            before.flush(limit);
        }
        self.writer.flush(limit.saturating_sub(begin.elapsed()));
    }

    /// Ends the thread when it has written everything, and waits for it; at most so long. Warnings go to stderr from then on.
    pub(crate) fn close(&self, limit: Duration) {
        let (Self { writer, before, after }, begin) = (self, Instant::now());
        if !writer.is_ours() {
            // A forked child has lines of its own.
            return flush(limit);
        }
        let next = Writer::new(after, None, writer.mark, Duration::ZERO);
        if replace(|running| running.is_some_and(|running| Arc::ptr_eq(running, writer)), &next) {
            set_level(after.level);
        }
        writer.lock().is_closed = true;
        writer.rung.notify_all();
        writer.wait(limit, |queue, _| !queue.is_running);
        let mut lost = writer.lock().give_up();
        if let Some(before) = before.as_ref().filter(|before| before.is_ours()) {
            before.flush(limit.saturating_sub(begin.elapsed()));
            lost += before.lock().give_up();
        }
        next.lock().lost += lost;
    }
}

/// Waits until what was reported without a tracer is written; at most so long.
pub(crate) fn flush(limit: Duration) {
    if let Some(writer) = current() {
        writer.flush(limit);
    }
}

/// The sink in its place; `None` where there is none, or somebody changes it.
fn current() -> Option<Arc<Writer>> {
    match SINK.try_read() {
        Ok(sink) => sink.clone(),
        Err(TryLockError::Poisoned(sink)) => sink.into_inner().clone(),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Puts another sink in the place of one that is asked for; whether that was done.
fn replace(is_meant: impl Fn(Option<&Arc<Writer>>) -> bool, sink: &Arc<Writer>) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        let held = match SINK.try_write() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match held {
            Some(mut held) => {
                let is_meant = is_meant(held.as_ref());
                if is_meant {
                    *held = Some(Arc::clone(sink));
                }
                return is_meant;
            }
            // A fork may have left it with a reader that is not there.
            None if Instant::now() > end => return false,
            None => std::thread::yield_now(),
        }
    }
}

/// Sends a message on its way.
pub(super) fn write(entry: Entry) {
    if IS_WRITER.try_with(Cell::get).unwrap_or(false) {
        // Who writes messages reports nothing: it would never come to an end.
        return;
    }
    match current().filter(|writer| writer.is_ours()) {
        Some(writer) => writer.push(entry),
        None => push_to_own(entry),
    }
}

/// For who has no sink: nobody started a tracer, or this is a forked child.
#[cold]
fn push_to_own(entry: Entry) {
    let settings = current().map_or_else(LogSettings::default, |parents| parents.of_child.clone());
    let writer = Writer::new(&settings, None, || {}, Duration::ZERO);
    // Where others are faster, or hold the lock, it has a thread of its own for this once.
    if replace(|sink| !sink.is_some_and(|sink| sink.is_ours()), &writer) {
        set_level(settings.level);
    }
    if entry.is_within(settings.level) {
        writer.push(entry);
    }
}

/// What holds in a forked child of a process with these settings.
fn of_child(settings: &LogSettings, has_logger: bool) -> LogSettings {
    let LogSettings { level, is_json, .. } = *settings;
    if has_logger {
        return LogSettings { level: level.min(Level::Warn), is_json, ..LogSettings::default() };
    }
    let mut settings = settings.clone();
    if let Some(file) = &mut settings.file {
        file.place = directory::fixed(&file.place);
    }
    settings
}

impl Writer {
    fn new(settings: &LogSettings, logger: Option<SharedLogger>, mark: fn(), idle: Duration) -> Arc<Self> {
        // Before the program moves elsewhere.
        let path = settings.file.as_ref().map(|file| directory::path(&file.place));
        let of_child = of_child(settings, logger.is_some());
        Arc::new(Self {
            of_child,
            process_id: std::process::id(),
            idle,
            mark,
            spawn,
            queue: Mutex::default(),
            rung: Condvar::new(),
            written: Condvar::new(),
            outlets: Mutex::new(Outlets::new(settings, logger, path)),
        })
    }

    /// Whether the thread is one of this process, and not of the one that it was forked from.
    fn is_ours(&self) -> bool {
        self.process_id == std::process::id()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, entry: Entry) {
        let duty = self.lock().push(entry);
        match duty {
            Duty::Nothing => {}
            Duty::Ring => self.rung.notify_one(),
            Duty::Start => self.start(),
        }
    }

    #[cold]
    fn start(self: &Arc<Self>) {
        let running = Arc::clone(self);
        if let Err(error) = (self.spawn)(Box::new(move || running.run())) {
            self.lock().wait_for_a_thread(&error);
            self.written.notify_all();
        }
    }

    /// Writes what comes until the end, or until nothing more comes.
    fn run(&self) {
        let _ = IS_WRITER.try_with(|is_writer| is_writer.set(true));
        (self.mark)();
        self.lock().next_start = None;
        let mut outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        outlets.prepare();
        let mut taken = Vec::new();
        loop {
            match self.take(&mut taken) {
                Turn::Write => {
                    for entry in &taken {
                        outlets.write(entry);
                    }
                    self.lock().settle(&mut taken);
                }
                Turn::Finish => {
                    outlets.finish();
                    self.lock().is_running = false;
                }
                Turn::Rest => return self.written.notify_all(),
            }
            self.written.notify_all();
        }
    }

    /// Takes out what is written next.
    fn take(&self, taken: &mut Vec<Entry>) -> Turn {
        let mut queue = self.lock();
        let mut is_late = false;
        while queue.is_idle() && !queue.is_closed && !is_late {
            let (woken, timeout) =
                self.rung.wait_timeout(queue, self.idle).unwrap_or_else(PoisonError::into_inner);
            (queue, is_late) = (woken, timeout.timed_out());
        }
        if !queue.is_idle() {
            queue.take(taken);
            return Turn::Write;
        }
        if queue.is_closed && queue.is_running {
            return Turn::Finish;
        }
        queue.is_running = false;
        Turn::Rest
    }

    /// Waits until what is in the queue is written; at most so long.
    fn flush(self: &Arc<Self>, limit: Duration) {
        self.wait(limit, |queue, pushed| queue.popped >= pushed);
    }

    /// Waits for what the queue is asked, which is told how many messages were in it at the call. Messages that wait for a thread get one now, or
    /// are not waited for.
    fn wait(self: &Arc<Self>, limit: Duration, is_done: impl Fn(&Queue, u64) -> bool) {
        if !self.is_ours() || IS_WRITER.try_with(Cell::get).unwrap_or(false) {
            return;
        }
        if self.lock().begins_late() {
            self.start();
        }
        let end = Instant::now() + limit.min(Duration::from_secs(3600));
        let mut queue = self.lock();
        let pushed = queue.pushed;
        while !is_done(&queue, pushed) && queue.is_running {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self.written.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn spawn(body: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    std::thread::Builder::new().name("dd-traced-log".to_owned()).spawn(body).map(drop)
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
