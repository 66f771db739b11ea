//! What the worker has taken over and not settled yet, so that somebody else can give it up in its place.
//!
//! A worker that is busy beyond the deadline of a shutdown, or is no more, does not do its books. Whoever waited for it does, once; what
//! the worker books of the same spans later counts for nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::counters::DropReason;
use super::queue::Queue;
use crate::model::ChunkBatch;

/// What the worker holds. Its lock is taken last of all, and held for a few additions.
#[derive(Debug, Default)]
pub(super) struct Custody(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    spans: usize,
    /// Chunks that they are of, as the worker said last: one that is settled in parts counts until its last part.
    chunks: usize,
    /// Why all of it was given up, and is in the books.
    given_up: Option<DropReason>,
}

impl Custody {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Counts a batch that leaves its outbox, which is locked meanwhile: its spans are finished, and the worker's.
    pub(super) fn hand_over(&self, batch: &ChunkBatch) {
        let (spans, chunks) = (batch.spans(), batch.heads.len());
        self.ledger().finish(spans);
        let mut held = self.custody.lock();
        if let Some(reason) = held.given_up {
            return self.book_lost(reason, spans, chunks);
        }
        held.spans += spans;
        held.chunks += chunks;
    }

    /// Books spans of the worker as delivered.
    pub(crate) fn acknowledge(&self, spans: usize) {
        let mut held = self.custody.lock();
        if held.settle(spans) {
            self.ledger().acknowledge(spans);
        }
    }

    /// Books spans of the worker, and chunks that they were of, as not delivered; false where they were given up before.
    pub(crate) fn lose(&self, reason: DropReason, spans: usize, chunks: usize) -> bool {
        let mut held = self.custody.lock();
        let is_held = held.settle(spans);
        if is_held {
            self.book_lost(reason, spans, chunks);
        }
        is_held
    }

    /// Says how many chunks the worker has left; what was given up is none of them.
    pub(crate) fn holds_chunks(&self, chunks: usize) {
        let mut held = self.custody.lock();
        if held.given_up.is_none() {
            held.chunks = chunks;
        }
    }

    /// Books all that waits, here and with the worker, as lost. Gives how many spans that is.
    ///
    /// Of a queue that is [closed](Queue::close): nothing waits from here on, whatever the worker does.
    pub(crate) fn give_up(&self, reason: DropReason) -> usize {
        let mut held = self.custody.lock();
        held.given_up = held.given_up.or(Some(reason));
        let (mut spans, chunks) = (std::mem::take(&mut held.spans), std::mem::take(&mut held.chunks));
        self.book_lost(reason, spans, chunks);
        drop(held);
        self.drain(&mut Vec::new(), |batch| {
            spans += batch.spans();
            self.release(batch.credit);
        });
        spans
    }

    fn book_lost(&self, reason: DropReason, spans: usize, chunks: usize) {
        self.ledger().drop_spans(reason, spans);
        self.ledger().drop_chunks(reason, chunks);
    }
}

impl Held {
    /// Takes so many spans off; false where they were given up.
    fn settle(&mut self, spans: usize) -> bool {
        self.spans = self.spans.saturating_sub(spans);
        self.given_up.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second shutdown counted the chunks again that a busy worker still spoke of.
    #[test]
    fn what_was_given_up_is_in_the_books_once() {
        let queue = Queue::new(1 << 20, 1 << 20, Box::new(|| {}));
        queue.holds_chunks(3);
        for left in [2, 1, 0] {
            queue.give_up(DropReason::ShutdownDeadline);
            queue.holds_chunks(left);
        }
        assert_eq!(queue.counters().dropped_chunks(DropReason::ShutdownDeadline), 3);
    }
}
