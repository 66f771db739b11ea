//! How many spans are open: counted here, told to the process, refused where they are too many.
//!
//! A span that is refused is as if it were not there: what was active stays so, and is the parent of what starts meanwhile, the one that log lines name and
//! headers carry.

use super::buffers::KEPT_RECORDS;
use super::{Stack, with_stack};
use crate::clock::Clock;
use crate::export::DropReason;
use crate::trace::frame::Port;
use crate::trace::open_limit::{self, OpenCount};
use crate::trace::process;

/// What a stack knows of the limit.
#[derive(Debug)]
pub(super) struct Limit {
    open: OpenCount,
    /// Records that the line counts as open.
    room: i32,
    /// Whether too many spans were open in the process at the last look.
    pub(super) is_full: bool,
    /// Whether the latest start was refused for that.
    is_refused: bool,
}

impl Limit {
    pub(super) const fn new() -> Self {
        Self { open: OpenCount::new(), room: 0, is_full: false, is_refused: false }
    }

    /// Sets the room that the line counts as open.
    fn set_room(&mut self, room: i32) {
        let before = std::mem::replace(&mut self.room, room);
        if room != before {
            open_limit::open(room - before);
        }
    }

    /// Counts what a thread that ends gives up, with so many detached spans.
    pub(super) fn leave(&mut self, detached: usize) {
        self.open.add(-(detached as i32));
        self.set_room(0);
    }
}

/// Counts a span that could not be started.
#[cold]
pub(crate) fn count_not_recorded() {
    if !with_stack(Stack::count_refused).unwrap_or(false) {
        process::count_not_recorded();
    }
}

impl Stack {
    /// Counts spans outside of lines that are open from here on, or with a minus are not any more.
    #[inline]
    pub(super) fn count_open(&mut self, spans: i32) {
        if self.limit.open.add(spans) {
            self.tell_open();
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn tell_open(&mut self) {
        let spans = self.limit.open.tell();
        match &self.port {
            Some(port) => port.core.queue.ledger().open(spans),
            None if spans == 0 => {}
            None => process::running().into_iter().for_each(|core| core.queue.ledger().open(spans)),
        }
        self.look_at_limit();
    }

    /// Counts room for more records in a line that has room for `records`: as many again, as far as they may be open. Gives how many; `None` for
    /// none.
    pub(super) fn count_room(&mut self, records: usize) -> Option<usize> {
        self.may_open()?;
        let more = records.min(open_limit::left());
        self.limit.set_room((records + more).saturating_sub(KEPT_RECORDS) as i32);
        self.look_at_limit();
        Some(more)
    }

    /// The room of the line was given away.
    pub(super) fn leave_room(&mut self) {
        self.limit.set_room(0);
        self.reset_parts();
    }

    /// Looks whether one more may be open.
    #[inline]
    pub(super) fn may_open(&mut self) -> Option<()> {
        if open_limit::is_reached() { self.refuse() } else { Some(()) }
    }

    /// The time for the span of a future that is not looked at any further; `None` as [`Stack::start_ticks`], and where too many are open.
    #[inline]
    pub(super) fn polled_ticks(&mut self) -> Option<u64> {
        if self.has_short_way { Some(Clock::Counter.ticks()) } else { self.other_polled_ticks() }
    }

    #[cold]
    fn other_polled_ticks(&mut self) -> Option<u64> {
        self.start_ticks().filter(|_| !self.limit.is_full)
    }

    /// Takes the short ways while they are open.
    #[cold]
    pub(super) fn look_at_limit(&mut self) {
        self.limit.is_full = open_limit::is_reached();
        self.has_short_way = self.port.as_ref().is_some_and(Port::is_short) && !self.limit.is_full;
    }

    #[cold]
    #[inline(never)]
    fn refuse(&mut self) -> Option<()> {
        self.limit.is_refused = true;
        None
    }

    /// Counts the latest start where it was refused; whether it was.
    fn count_refused(&mut self) -> bool {
        let is_refused = std::mem::take(&mut self.limit.is_refused);
        if let (true, Some(core)) = (is_refused, self.core()) {
            core.queue.ledger().finish(1);
            core.queue.ledger().drop_spans(DropReason::OpenLimit, 1);
        }
        is_refused
    }
}
