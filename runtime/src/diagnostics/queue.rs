//! Messages that wait to be written: how many there may be, and what is counted in the place of more.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::Level;
use super::entry::Entry;

/// Bytes of messages that wait, their book-keeping included.
pub(super) const MAX_WAITING: usize = 4 << 20;
/// After a loss messages are taken again where no more than this wait: one gap instead of many.
pub(super) const MAX_RESUMED: usize = MAX_WAITING / 4 * 3;
/// Bytes of messages that are taken from the queue at once.
const MAX_TAKEN: usize = 256 << 10;
/// Between two attempts to begin a thread, where none is to be had.
pub(super) const NEXT_START: Duration = Duration::from_secs(30);

/// The messages, and what has become of the thread that writes them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) entries: VecDeque<Entry>,
    /// Of what waits, and of what was taken and is not written.
    pub(super) bytes: usize,
    pub(super) lost: u64,
    /// Messages that were put in, and those that came out.
    pub(super) pushed: u64,
    pub(super) popped: u64,
    pub(super) is_running: bool,
    pub(super) is_closed: bool,
    /// From when on a thread is tried again, since there was none to be had.
    pub(super) next_start: Option<Instant>,
}

/// What has to be done about a message that was put into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Nothing,
    /// The thread may be waiting.
    Ring,
    /// A thread has to be started.
    Start,
}

impl Queue {
    /// Whether there is nothing to write.
    pub(super) fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.lost == 0
    }

    /// Takes a message in, or counts it where there is no room.
    pub(super) fn push(&mut self, entry: Entry) -> Duty {
        let was_idle = self.is_idle();
        let limit = if self.lost > 0 { MAX_RESUMED } else { MAX_WAITING };
        if self.is_closed || self.bytes + entry.bytes() > limit {
            self.lost += 1;
        } else {
            self.tell_lost();
            self.keep(entry);
        }
        if self.is_running {
            return if was_idle { Duty::Ring } else { Duty::Nothing };
        }
        let is_due = self.next_start.is_none_or(|next| next <= Instant::now());
        self.is_running = is_due && !self.is_closed;
        if self.is_running { Duty::Start } else { Duty::Nothing }
    }

    fn keep(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.pushed += 1;
        self.entries.push_back(entry);
    }

    /// There is no thread: what is in the queue stays there, with a message about that if none was put in before.
    pub(super) fn wait_for_a_thread(&mut self, error: &io::Error) {
        self.is_running = false;
        if self.next_start.replace(Instant::now() + NEXT_START).is_none() {
            let text =
                format_args!("no thread to write messages from: {error}; they wait for one, up to 4 MiB");
            self.keep(Entry::new(Level::Warn, text));
        }
    }

    /// Whether a thread has to be started for what waits without one.
    pub(super) fn begins_late(&mut self) -> bool {
        let is_late = !self.is_running && !self.is_idle();
        self.is_running |= is_late;
        is_late
    }

    /// Forgets what waits for a thread that will not come; gives the number of messages.
    pub(super) fn give_up(&mut self) -> u64 {
        if self.is_running {
            return 0;
        }
        self.bytes = 0;
        self.entries.drain(..).count() as u64 + std::mem::take(&mut self.lost)
    }

    /// Puts in how many messages were lost, where they would have been.
    fn tell_lost(&mut self) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let text = format_args!("{lost} log lines lost: more came than could be written");
            self.keep(Entry::new(Level::Warn, text));
        }
    }

    /// Takes out what is written next.
    pub(super) fn take(&mut self, taken: &mut Vec<Entry>) {
        if self.entries.is_empty() {
            self.tell_lost();
        }
        let mut bytes = 0;
        while bytes < MAX_TAKEN {
            let Some(entry) = self.entries.pop_front() else { break };
            bytes += entry.bytes();
            taken.push(entry);
        }
    }

    /// Gives the room back.
    pub(super) fn settle(&mut self, taken: &mut Vec<Entry>) {
        self.popped += taken.len() as u64;
        self.bytes = self.bytes.saturating_sub(taken.drain(..).map(|entry| entry.bytes()).sum());
    }
}
