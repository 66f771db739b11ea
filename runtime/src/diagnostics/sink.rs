//! The way of a message: at once to stderr where nothing else is asked for, else through a bounded queue to a thread of its own.
//!
//! Whoever reports something waits for nobody: what does not fit into the queue is counted, and the count is the next line. The thread ends with
//! its tracer. A forked child has no such thread: what it reports goes to stderr until it starts a tracer.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use super::directory;
use super::entry::Entry;
use super::logger::SharedLogger;
use super::outlets::{Outlets, write_stderr};
use super::settings::LogSettings;
use super::{Level, set_level};

/// Bytes of messages that wait, their book-keeping included.
const MAX_WAITING: usize = 4 << 20;
/// Bytes of messages that are taken from the queue at once.
const MAX_TAKEN: usize = 256 << 10;
/// How long the start and the end wait for others who change the sink; they do it within microseconds.
const PATIENCE: Duration = Duration::from_millis(10);

static SINK: RwLock<Sink> = RwLock::new(Sink::Stderr { is_json: false });

thread_local! {
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Debug)]
enum Sink {
    Stderr { is_json: bool },
    Thread(Arc<Writer>),
}

/// The queue and its thread.
#[derive(Debug)]
struct Writer {
    process_id: u32,
    queue: Mutex<Queue>,
    /// Something waits, or the end has come.
    rung: Condvar,
    /// Some of it was written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// Of what waits, and of what was taken and is not written.
    bytes: usize,
    lost: u64,
    /// Messages that were put in, and those that came out.
    pushed: u64,
    popped: u64,
    is_closed: bool,
    is_over: bool,
}

/// The sink of one tracer.
#[derive(Debug)]
pub(crate) struct SinkHandle(Option<Arc<Writer>>);

/// Takes over what a tracer is set to. `mark` is called on the thread that writes, if there is one.
pub(crate) fn configure(settings: &LogSettings, logger: Option<SharedLogger>, mark: fn()) -> SinkHandle {
    set_level(settings.level);
    let may_wait = settings.file.is_some() || logger.is_some() || settings.level == Level::Debug;
    let started = may_wait.then(|| Writer::start(settings, logger, mark));
    match started {
        Some(Ok(writer)) => {
            replace(|_| true, Sink::Thread(Arc::clone(&writer)));
            SinkHandle(Some(writer))
        }
        failed => {
            replace(|_| true, Sink::Stderr { is_json: settings.is_json });
            if let Some(Err(error)) = failed {
                super::warn(format_args!("no thread to write messages from: {error}; they go to stderr"));
            }
            SinkHandle(None)
        }
    }
}

impl SinkHandle {
    /// Waits until what was reported so far is written; at most so long.
    pub(crate) fn flush(&self, limit: Duration) {
        if let Some(writer) = &self.0 {
            writer.wait(limit, |queue, pushed| queue.popped >= pushed);
        }
    }

    /// Ends the thread when it has written everything, and waits for it; at most so long. Warnings go to stderr from then on.
    pub(crate) fn close(&self, limit: Duration) {
        let Some(writer) = self.0.as_ref().filter(|writer| writer.is_ours()) else { return };
        let is_own = |sink: &Sink| matches!(sink, Sink::Thread(running) if Arc::ptr_eq(running, writer));
        if replace(is_own, Sink::Stderr { is_json: false }) {
            set_level(Level::Warn);
        }
        writer.lock().is_closed = true;
        writer.rung.notify_all();
        writer.wait(limit, |queue, _| queue.is_over);
    }
}

/// Puts another sink in the place of one that is asked for; whether that was done.
fn replace(is_meant: impl Fn(&Sink) -> bool, sink: Sink) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        let held = match SINK.try_write() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match held {
            Some(mut held) => {
                let is_meant = is_meant(&held);
                if is_meant {
                    *held = sink;
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
    let sink = match SINK.try_read() {
        Ok(sink) => sink.clone(),
        Err(TryLockError::Poisoned(sink)) => sink.into_inner().clone(),
        Err(TryLockError::WouldBlock) => Sink::Stderr { is_json: false },
    };
    match sink {
        Sink::Thread(writer) if writer.is_ours() => writer.push(entry),
        Sink::Thread(_) => write_stderr(&entry, false),
        Sink::Stderr { is_json } => write_stderr(&entry, is_json),
    }
}

impl Writer {
    fn start(settings: &LogSettings, logger: Option<SharedLogger>, mark: fn()) -> std::io::Result<Arc<Self>> {
        // Before the program moves elsewhere.
        let path = settings.file.as_ref().map(|file| directory::path(&file.place));
        let mut outlets = Outlets::new(settings, logger, path);
        let writer = Arc::new(Self {
            process_id: std::process::id(),
            queue: Mutex::default(),
            rung: Condvar::new(),
            written: Condvar::new(),
        });
        let running = Arc::clone(&writer);
        std::thread::Builder::new().name("dd-traced-log".to_owned()).spawn(move || {
            let _ = IS_WRITER.try_with(|is_writer| is_writer.set(true));
            mark();
            outlets.prepare();
            running.run(&mut outlets);
        })?;
        Ok(writer)
    }

    /// Whether the thread is one of this process, and not of the one that it was forked from.
    fn is_ours(&self) -> bool {
        self.process_id == std::process::id()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, entry: Entry) {
        if self.lock().push(entry) {
            self.rung.notify_one();
        }
    }

    /// Writes what comes until the end.
    fn run(&self, outlets: &mut Outlets) {
        let mut taken = Vec::new();
        loop {
            let lost = {
                let mut queue = self.lock();
                while queue.entries.is_empty() && queue.lost == 0 && !queue.is_closed {
                    queue = self.rung.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                if queue.entries.is_empty() && queue.lost == 0 {
                    queue.is_over = true;
                    self.written.notify_all();
                    return;
                }
                queue.take(&mut taken)
            };
            for entry in &taken {
                outlets.write(entry);
            }
            if lost > 0 {
                let text = format_args!("{lost} log lines lost: more came than could be written");
                outlets.write(&Entry::new(Level::Warn, text));
            }
            self.lock().settle(&mut taken);
            self.written.notify_all();
        }
    }

    /// Waits for what the queue is asked, which is told how many messages were in it at the call.
    fn wait(&self, limit: Duration, is_done: impl Fn(&Queue, u64) -> bool) {
        if !self.is_ours() || IS_WRITER.try_with(Cell::get).unwrap_or(false) {
            return;
        }
        let end = Instant::now() + limit.min(Duration::from_secs(3600));
        let mut queue = self.lock();
        let pushed = queue.pushed;
        while !is_done(&queue, pushed) && !queue.is_over {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self.written.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Queue {
    /// Takes a message in, or counts it where there is no room; whether the thread has to be told.
    fn push(&mut self, entry: Entry) -> bool {
        let was_idle = self.entries.is_empty() && self.lost == 0;
        let bytes = entry.bytes();
        if self.is_closed || self.bytes + bytes > MAX_WAITING {
            self.lost += u64::from(!self.is_over);
        } else {
            self.bytes += bytes;
            self.pushed += 1;
            self.entries.push_back(entry);
        }
        was_idle
    }

    /// Takes out what is written next; gives the number of messages that were lost after it, once it is their turn.
    fn take(&mut self, taken: &mut Vec<Entry>) -> u64 {
        let mut bytes = 0;
        while bytes < MAX_TAKEN {
            let Some(entry) = self.entries.pop_front() else { break };
            bytes += entry.bytes();
            taken.push(entry);
        }
        if self.entries.is_empty() { std::mem::take(&mut self.lost) } else { 0 }
    }

    /// Gives the room back.
    fn settle(&mut self, taken: &mut Vec<Entry>) {
        self.popped += taken.len() as u64;
        self.bytes = self.bytes.saturating_sub(taken.drain(..).map(|entry| entry.bytes()).sum());
    }
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
