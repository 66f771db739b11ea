//! The queue between application threads and the worker: one outbox a thread, one limit in bytes for all.
//!
//! A thread appends whole chunks to its own outbox under a lock that only the worker ever shares, for as long as it takes to
//! swap two buffers. Buffers go round: the worker hands an empty one back, so that memory stays warm and bounded.
//! The limit is kept in credit: an outbox takes a few kilobytes of it at a time, so that the counter shared
//! by all threads is touched once in some dozens of chunks.
//!
//! Invariant: the bytes waiting never exceed the limit; a chunk that does not fit is dropped whole, and counted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counters::{Counters, DropReason, Ledger};
use crate::model::{ChunkBatch, ChunkHead, SpanBuffer};

/// What an outbox takes of the limit at a time.
const CREDIT: usize = 4 << 10;
/// Buffers above this are given back to the allocator rather than round.
const KEPT_BUFFER: usize = 4 << 20;

/// The whole queue.
pub(crate) struct Queue {
    outboxes: Mutex<Vec<Arc<Outbox>>>,
    reserved: AtomicUsize,
    max_bytes: usize,
    flush_bytes: usize,
    is_closed: AtomicBool,
    ledger: Ledger,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// One thread's end of the queue.
// Outboxes of two threads must not share a cache line.
#[repr(align(128))]
#[derive(Debug)]
pub(crate) struct Outbox {
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    batch: ChunkBatch,
    /// Estimated bytes of the batch on the wire.
    bytes: usize,
    /// Bytes of the limit taken for this outbox; never below `bytes`.
    credit: usize,
    /// Whether its thread is gone.
    is_abandoned: bool,
}

impl Queue {
    /// A queue of at most `max_bytes` estimated bytes that calls `wake` whenever `flush_bytes` more are waiting.
    pub(crate) fn new(max_bytes: usize, flush_bytes: usize, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            outboxes: Mutex::default(),
            reserved: AtomicUsize::new(0),
            max_bytes,
            flush_bytes,
            is_closed: AtomicBool::new(false),
            ledger: Ledger::default(),
            wake,
        }
    }

    /// A new end for one thread.
    pub(crate) fn outbox(&self) -> Arc<Outbox> {
        let content = Content { batch: ChunkBatch::new(), bytes: 0, credit: 0, is_abandoned: false };
        let outbox = Arc::new(Outbox { content: Mutex::new(content) });
        lock(&self.outboxes).push(Arc::clone(&outbox));
        outbox
    }

    /// Hands over the records of `spans` from `first` on (tags from `tag_byte` on) as one chunk.
    pub(crate) fn push(
        &self,
        outbox: &Outbox,
        head: ChunkHead,
        spans: &SpanBuffer,
        first: usize,
        tag_byte: usize,
    ) {
        let count = spans.len() - first;
        let bytes = SpanBuffer::wire_estimate(count, spans.tags.len() - tag_byte);
        let mut content = lock(&outbox.content);
        // The flag is read under the lock of the outbox, which the last drain takes after setting it.
        if self.is_closed.load(Ordering::Relaxed) {
            return self.refuse(DropReason::AfterShutdown, count);
        }
        if content.bytes + bytes > content.credit && !self.extend_credit(&mut content, bytes) {
            drop(content);
            (self.wake)();
            return self.refuse(DropReason::QueueFull, count);
        }
        content.bytes += bytes;
        let batch = &mut content.batch;
        batch.heads.push(ChunkHead { first: batch.spans.len() as u32, len: count as u32, ..head });
        batch.spans.append(spans, first, tag_byte);
    }

    /// Counts spans that never reach the queue.
    pub(crate) fn refuse(&self, reason: DropReason, spans: usize) {
        self.ledger.finish(spans);
        self.ledger.drop_spans(reason, spans);
    }

    /// Takes what is waiting, leaving `spare` buffers in its place. The caller owns the spans from here on, and gives
    /// their part of the limit back with [`Queue::release`].
    pub(crate) fn drain(&self, spare: &mut Vec<ChunkBatch>, mut take: impl FnMut(ChunkBatch)) {
        lock(&self.outboxes).retain(|outbox| {
            let mut content = lock(&outbox.content);
            if !content.batch.is_empty() {
                let mut batch = std::mem::replace(&mut content.batch, spare.pop().unwrap_or_default());
                self.ledger.finish(batch.spans.len());
                batch.credit = content.bytes;
                self.release(content.credit - content.bytes);
                (content.bytes, content.credit) = (0, 0);
                take(batch);
            } else if content.batch.spans.capacity_bytes() > 0 {
                // Nothing came since the last drain: an idle thread keeps no buffer.
                recycle(spare, std::mem::take(&mut content.batch));
            }
            !content.is_abandoned
        });
    }

    /// Gives back bytes of the limit whose spans were delivered or dropped.
    pub(crate) fn release(&self, bytes: usize) {
        // Relaxed: a sum that orders nothing else; the spans themselves went through the outbox's lock.
        self.reserved.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Refuses everything from now on. A drain after this takes the last of it.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn counters(&self) -> Counters {
        let outboxes = lock(&self.outboxes);
        // All outboxes stay locked while the books are read, so that no span is between the two.
        let contents: Vec<_> = outboxes.iter().map(|outbox| lock(&outbox.content)).collect();
        let queued = contents.iter().map(|content| content.batch.spans.len() as u64).sum();
        self.ledger.snapshot(queued)
    }

    #[cold]
    fn extend_credit(&self, content: &mut Content, bytes: usize) -> bool {
        let missing = content.bytes + bytes - content.credit;
        for wanted in [missing.max(CREDIT), missing] {
            let before = self.reserved.fetch_add(wanted, Ordering::Relaxed);
            if before + wanted <= self.max_bytes {
                content.credit += wanted;
                if before / self.flush_bytes != (before + wanted) / self.flush_bytes {
                    (self.wake)();
                }
                return true;
            }
            self.release(wanted);
        }
        false
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("reserved", &self.reserved)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// Says that its thread is gone: it is removed at the next drain.
    pub(crate) fn abandon(&self) {
        lock(&self.content).is_abandoned = true;
    }
}

/// Gives a drained buffer back for the next swap, unless it grew out of proportion.
pub(crate) fn recycle(spare: &mut Vec<ChunkBatch>, mut batch: ChunkBatch) {
    const KEPT_BUFFERS: usize = 8;
    if spare.len() < KEPT_BUFFERS && batch.spans.capacity_bytes() <= KEPT_BUFFER {
        batch.clear();
        spare.push(batch);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
