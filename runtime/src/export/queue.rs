//! The queue between application threads and the worker: one outbox a thread, one limit in bytes for all.
//!
//! A thread appends whole chunks to its own outbox under a lock that only the worker ever shares, for as long as it takes to
//! swap two buffers. Small chunks are copied, large ones come with their buffer. Buffers go round: the worker hands empty ones
//! back, so that memory stays warm and bounded.
//! The limit is kept in credit: an outbox takes a few kilobytes of it at a time, so that the counter shared
//! by all threads is touched once in some dozens of chunks.
//!
//! Invariant: the bytes waiting, estimated as on the wire and never below the memory of a buffer that came along, never exceed the limit; a chunk that does not fit is dropped whole, and counted.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counters::{Counters, DropReason, Ledger};
use super::custody::Custody;
use crate::model::{ChunkBatch, ChunkHead, SpanBuffer};

/// What an outbox takes of the limit at a time.
const CREDIT: usize = 4 << 10;
/// The queue takes chunks.
const OPEN: u8 = u8::MAX;
/// A forked child is noticed after about so many bytes: it costs a system call to ask who one is.
const PROCESS_CHECK: usize = 64 << 10;
/// Buffers above this are given back to the allocator rather than round.
const KEPT_BUFFER: usize = 4 << 20;

/// The whole queue.
pub(crate) struct Queue {
    /// The first one is the tracer's own, shared by all threads, and never retired.
    outboxes: Mutex<Vec<Arc<Outbox>>>,
    reserved: Apart<AtomicUsize>,
    max_bytes: usize,
    flush_bytes: usize,
    /// Why nothing is taken any more, as the place of the reason in [`DropReason::ALL`]; [`OPEN`] while it is.
    closed: AtomicU8,
    /// Whether a chunk was refused for want of room since the last drain, and the worker told of it.
    is_full: AtomicBool,
    ledger: Ledger,
    /// What the worker has taken over.
    pub(super) custody: Custody,
    /// The process whose worker empties it.
    process_id: u32,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// A value alone in its cache lines: what all threads write to must not take along what they only read.
#[repr(align(128))]
struct Apart<T>(T);

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
}

impl Queue {
    /// A queue of at most `max_bytes` estimated bytes that calls `wake` whenever `flush_bytes` more are waiting, and at the
    /// first chunk after a drain that finds no room.
    pub(crate) fn new(max_bytes: usize, flush_bytes: usize, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            outboxes: Mutex::default(),
            reserved: Apart(AtomicUsize::new(0)),
            max_bytes,
            flush_bytes,
            closed: AtomicU8::new(OPEN),
            is_full: AtomicBool::new(false),
            ledger: Ledger::default(),
            custody: Custody::default(),
            process_id: std::process::id(),
            wake,
        }
    }

    /// A new end for one thread.
    pub(crate) fn outbox(&self) -> Arc<Outbox> {
        let content = Content { batch: ChunkBatch::new(), bytes: 0, credit: 0 };
        let outbox = Arc::new(Outbox { content: Mutex::new(content) });
        lock(&self.outboxes).push(Arc::clone(&outbox));
        outbox
    }

    /// Hands over the records of `spans` from `first` on (tags from `tag_byte` on) as one chunk, by a copy.
    pub(crate) fn push(
        &self,
        outbox: &Outbox,
        head: ChunkHead,
        spans: &SpanBuffer,
        first: usize,
        tag_byte: usize,
    ) {
        let count = spans.len().saturating_sub(first);
        let bytes = SpanBuffer::wire_estimate(count, spans.tags.len().saturating_sub(tag_byte));
        if let Some(mut content) = self.admit(outbox, count, bytes) {
            content.batch.add(head, spans, first, tag_byte);
        }
    }

    /// Hands over the records of `spans` from `first` on (tags from `tag_byte` on) as one chunk, with their buffer.
    pub(crate) fn push_whole(
        &self,
        outbox: &Outbox,
        head: ChunkHead,
        spans: SpanBuffer,
        first: usize,
        tag_byte: usize,
    ) {
        let count = spans.len().saturating_sub(first);
        let bytes = SpanBuffer::wire_estimate(count, spans.tags.len().saturating_sub(tag_byte));
        // All of the buffer's memory comes along.
        if let Some(mut content) = self.admit(outbox, count, bytes.max(spans.capacity_bytes())) {
            content.batch.add_whole(head, spans, first);
        }
    }

    /// The outbox with so many bytes counted in; `None` where its `count` spans are refused.
    fn admit<'a>(&self, outbox: &'a Outbox, count: usize, bytes: usize) -> Option<MutexGuard<'a, Content>> {
        let mut content = lock(&outbox.content);
        // The reason is read under the lock of the outbox, which the last drain takes after setting it.
        if let Some(reason) = self.closed() {
            self.refuse(reason, count);
            return None;
        }
        if content.bytes + bytes > content.credit && !self.extend_credit(&mut content, bytes) {
            drop(content);
            let closed = self.closed();
            // Once until somebody looks: a worker that waits for the agent must not be woken by every chunk it cannot take.
            // Relaxed: a ring too few while a drain begins is no loss, since that drain makes the room.
            if closed.is_none() && !self.is_full.swap(true, Ordering::Relaxed) {
                (self.wake)();
            }
            self.refuse(closed.unwrap_or(DropReason::QueueFull), count);
            return None;
        }
        content.bytes += bytes;
        Some(content)
    }

    /// Counts the spans of a chunk that never reaches the queue.
    pub(crate) fn refuse(&self, reason: DropReason, spans: usize) {
        self.ledger.finish(spans);
        self.ledger.drop_spans(reason, spans);
        self.ledger.drop_chunks(reason, 1);
    }

    /// Takes what is waiting, leaving `spare` buffers in its place. The caller owns the spans from here on, books what becomes of them
    /// ([`Queue::acknowledge`], [`Queue::lose`]), and gives their part of the limit back with [`Queue::release`]. While `take` runs no outbox is locked, but none can be added.
    pub(crate) fn drain(&self, spare: &mut Vec<ChunkBatch>, mut take: impl FnMut(ChunkBatch)) {
        self.is_full.store(false, Ordering::Relaxed);
        for outbox in lock(&self.outboxes).iter() {
            let mut content = lock(&outbox.content);
            if !content.batch.is_empty() {
                // Memory that this thread's processor knows, where there is some.
                let home = Arc::as_ptr(outbox) as usize;
                let own = spare.iter().rposition(|batch| batch.home == home);
                let next = own.map(|place| spare.swap_remove(place)).or_else(|| spare.pop());
                let mut batch = std::mem::replace(&mut content.batch, next.unwrap_or_default());
                content.batch.home = home;
                content.batch.keep_empty_of(&mut batch);
                self.hand_over(&batch);
                batch.credit = content.bytes;
                self.release(content.credit - content.bytes);
                (content.bytes, content.credit) = (0, 0);
                drop(content);
                take(batch);
            } else if content.batch.capacity_bytes() > 0 {
                // Nothing came since the last drain: an idle thread keeps no buffer.
                recycle(spare, std::mem::take(&mut content.batch));
            }
        }
    }

    /// Gives back bytes of the limit whose spans were delivered or dropped.
    pub(crate) fn release(&self, bytes: usize) {
        // Relaxed: a sum that orders nothing else; the spans themselves went through the outbox's lock.
        self.reserved.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Refuses everything from now on, for this reason. A drain after this takes the last of it.
    pub(crate) fn close(&self, reason: DropReason) {
        self.closed.store(reason as u8, Ordering::Relaxed);
    }

    fn closed(&self) -> Option<DropReason> {
        DropReason::ALL.get(usize::from(self.closed.load(Ordering::Relaxed))).copied()
    }

    /// Whether this is a copy in a forked child, which nobody empties.
    pub(crate) fn is_inherited(&self) -> bool {
        std::process::id() != self.process_id
    }

    /// Bytes of the limit that are taken, by what waits here and by what the worker has not settled.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved.0.load(Ordering::Relaxed)
    }

    /// Chunks that nobody has taken over yet.
    pub(crate) fn chunks(&self) -> usize {
        lock(&self.outboxes).iter().map(|outbox| lock(&outbox.content).batch.heads.len()).sum()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn counters(&self) -> Counters {
        let outboxes = lock(&self.outboxes);
        // All outboxes stay locked while the books are read, so that no span is between the two.
        let contents: Vec<_> = outboxes.iter().map(|outbox| lock(&outbox.content)).collect();
        let queued = contents.iter().map(|content| content.batch.spans() as u64).sum();
        self.ledger.snapshot(queued)
    }

    #[cold]
    fn extend_credit(&self, content: &mut Content, bytes: usize) -> bool {
        let missing = content.bytes + bytes - content.credit;
        for wanted in [missing.max(CREDIT), missing] {
            let before = self.reserved.0.fetch_add(wanted, Ordering::Relaxed);
            if before + wanted <= self.max_bytes {
                content.credit += wanted;
                if before / PROCESS_CHECK != (before + wanted) / PROCESS_CHECK && self.is_inherited() {
                    self.close(DropReason::Forked);
                    return false;
                }
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
            .field("reserved", &self.reserved.0)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// Takes the outbox of a thread that is gone out. What is still in it waits in one that all such threads share, and
    /// what it had reserved beyond is given back. One of a forked child's parent is left alone: its locks may be held by
    /// threads that are not there.
    pub(crate) fn retire(&self, outbox: &Arc<Outbox>) {
        if self.is_inherited() {
            return;
        }
        let mut outboxes = lock(&self.outboxes);
        let Some(place) = outboxes.iter().position(|other| Arc::ptr_eq(other, outbox)) else { return };
        let mut content = lock(&outbox.content);
        if !content.batch.is_empty() {
            let Some(shared) = outboxes.first().filter(|_| place > 0) else { return };
            let mut shared = lock(&shared.content);
            shared.batch.append(std::mem::take(&mut content.batch));
            shared.bytes += content.bytes;
            shared.credit += content.bytes;
        }
        self.release(content.credit - content.bytes);
        (content.bytes, content.credit) = (0, 0);
        drop(content);
        outboxes.swap_remove(place);
    }
}

impl Outbox {
    /// Keeps the memory of a large buffer for the thread's next large chunk; the worker frees it where none comes.
    pub(crate) fn keep(&self, buffer: SpanBuffer) {
        lock(&self.content).batch.keep(buffer);
    }

    /// A large buffer without content: one that was kept, or that the worker gave back.
    pub(crate) fn take_empty(&self) -> Option<SpanBuffer> {
        lock(&self.content).batch.take_empty()
    }
}

/// Gives a drained buffer back for the next swap, unless it grew out of proportion.
pub(crate) fn recycle(spare: &mut Vec<ChunkBatch>, mut batch: ChunkBatch) {
    const KEPT_BUFFERS: usize = 8;
    if spare.len() < KEPT_BUFFERS && batch.capacity_bytes() <= KEPT_BUFFER {
        batch.clear();
        spare.push(batch);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CallSite, Flags, NO_INDEX, Record};
    use std::sync::atomic::AtomicUsize;

    static SITE: CallSite = CallSite::named("work");

    fn spans(count: usize) -> SpanBuffer {
        let record = Record {
            site: &SITE,
            span_id: 1,
            parent_id: 0,
            start: 0,
            end: 1,
            tags: 0,
            service: 0,
            parent_index: NO_INDEX,
            flags: Flags::FINISHED,
        };
        let mut spans = SpanBuffer::new();
        spans.records.resize(count, record);
        spans
    }

    fn head() -> ChunkHead {
        ChunkHead { trace_id: 7, local_root_id: 1, facts: None, buffer: 0, first: 0, len: 0, is_last: true }
    }

    fn queue(max_bytes: usize) -> Queue {
        Queue::new(max_bytes, 1 << 20, Box::new(|| {}))
    }

    fn drain(queue: &Queue) -> usize {
        let mut spans = 0;
        queue.drain(&mut Vec::new(), |batch| {
            spans += batch.spans();
            queue.acknowledge(batch.spans());
            queue.release(batch.credit);
        });
        spans
    }

    #[test]
    fn the_limit_holds_one_below_at_and_one_above() {
        let bytes = SpanBuffer::wire_estimate(10, 0);
        for (max_bytes, taken) in [(bytes - 1, 0), (bytes, 10), (bytes + 1, 10)] {
            let queue = queue(max_bytes);
            let outbox = queue.outbox();
            queue.push(&outbox, head(), &spans(10), 0, 0);
            let counters = queue.counters();
            assert_eq!(counters.waiting(), taken);
            assert_eq!(counters.dropped(DropReason::QueueFull), 10 - taken);
            assert_eq!(drain(&queue) as u64, taken);
        }
    }

    #[test]
    fn a_full_queue_drops_the_newest_chunk_and_takes_more_after_a_drain() {
        let queue = queue(SpanBuffer::wire_estimate(100, 0));
        let (a, b) = (queue.outbox(), queue.outbox());
        queue.push(&a, head(), &spans(60), 0, 0);
        queue.push(&b, head(), &spans(60), 0, 0);
        assert_eq!(queue.counters().dropped(DropReason::QueueFull), 60);
        assert_eq!(drain(&queue), 60);
        queue.push(&b, head(), &spans(100), 0, 0);
        assert_eq!(drain(&queue), 100);
        let counters = queue.counters();
        assert_eq!((counters.finished(), counters.acknowledged(), counters.waiting()), (220, 160, 0));
    }

    #[test]
    fn what_the_worker_holds_counts_against_the_limit() {
        let queue = queue(SpanBuffer::wire_estimate(10, 0));
        let outbox = queue.outbox();
        queue.push(&outbox, head(), &spans(10), 0, 0);
        let mut held = Vec::new();
        queue.drain(&mut Vec::new(), |batch| held.push(batch));
        queue.push(&outbox, head(), &spans(10), 0, 0);
        assert_eq!(queue.counters().dropped(DropReason::QueueFull), 10);
        held.drain(..).for_each(|batch| queue.release(batch.credit));
        queue.push(&outbox, head(), &spans(10), 0, 0);
        assert_eq!(drain(&queue), 10);
    }

    /// What is done with a batch may take long; its thread must not wait for it.
    #[test]
    fn threads_go_on_while_their_batch_is_looked_at() {
        let queue = queue(1 << 20);
        let outboxes = [queue.outbox(), queue.outbox()];
        for outbox in &outboxes {
            queue.push(outbox, head(), &spans(3), 0, 0);
        }
        let mut free = Vec::new();
        queue.drain(&mut Vec::new(), |batch| {
            free.extend(outboxes.iter().map(|outbox| outbox.content.try_lock().is_ok()));
            queue.release(batch.credit);
        });
        assert_eq!(free, [true; 4]);
    }

    #[test]
    fn the_worker_is_woken_when_enough_is_waiting() {
        let rung = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&rung);
        let flush_bytes = SpanBuffer::wire_estimate(100, 0);
        let queue = Queue::new(
            10 * flush_bytes,
            flush_bytes,
            Box::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        );
        let outbox = queue.outbox();
        queue.push(&outbox, head(), &spans(50), 0, 0);
        assert_eq!(rung.load(Ordering::Relaxed), 0);
        queue.push(&outbox, head(), &spans(50), 0, 0);
        assert_eq!(rung.load(Ordering::Relaxed), 1);
    }

    /// A worker that waits for the agent could do nothing about more rings.
    #[test]
    fn a_full_queue_wakes_the_worker_once_until_it_looks() {
        let rung = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&rung);
        let wake = move || {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let queue = Queue::new(SpanBuffer::wire_estimate(10, 0), 1 << 20, Box::new(wake));
        let outbox = queue.outbox();
        for rings in 1..4 {
            for _ in 0..100 {
                queue.push(&outbox, head(), &spans(10), 0, 0);
            }
            assert_eq!(rung.load(Ordering::Relaxed), rings);
            assert_eq!(drain(&queue), 10);
        }
        assert_eq!(queue.counters().dropped(DropReason::QueueFull), 3 * 990);
    }

    #[test]
    fn chunks_that_come_with_their_buffer_are_queued_like_others() {
        let queue = queue(SpanBuffer::wire_estimate(200, 0));
        let common = queue.outbox();
        let outbox = queue.outbox();
        queue.push(&outbox, head(), &spans(3), 0, 0);
        queue.push_whole(&outbox, head(), spans(100), 20, 0);
        // It does not fit.
        queue.push_whole(&outbox, head(), spans(150), 0, 0);
        queue.push_whole(&outbox, head(), spans(60), 0, 0);
        let counters = queue.counters();
        assert_eq!((counters.waiting(), counters.dropped(DropReason::QueueFull)), (143, 150));
        // The thread ends: its chunks wait in the common outbox, behind what is there.
        queue.push(&common, head(), &spans(2), 0, 0);
        queue.retire(&outbox);
        let mut lengths = Vec::new();
        let mut spare = Vec::new();
        let mut batches = Vec::new();
        queue.drain(&mut spare, |batch| batches.push(batch));
        for batch in batches {
            for head in &batch.heads {
                let records = head.records(batch.buffer(head));
                lengths.push((records.len(), head.first));
            }
            assert_eq!(batch.spans(), 145);
            queue.release(batch.credit);
            recycle(&mut spare, batch);
        }
        assert_eq!(lengths, [(2, 0), (3, 2), (80, 20), (60, 0)]);
        assert_eq!(queue.reserved.0.load(Ordering::Relaxed), 0);
        // Both large buffers go round.
        queue.push(&common, head(), &spans(1), 0, 0);
        queue.drain(&mut spare, |batch| queue.release(batch.credit));
        let kept = [(); 3].map(|()| common.take_empty().is_some());
        assert_eq!(kept, [true, true, false]);
    }

    #[test]
    fn a_closed_queue_refuses_and_counts() {
        let queue = queue(1 << 20);
        let outbox = queue.outbox();
        queue.push(&outbox, head(), &spans(3), 0, 0);
        queue.close(DropReason::AfterShutdown);
        queue.push(&outbox, head(), &spans(4), 0, 0);
        assert_eq!(drain(&queue), 3);
        let counters = queue.counters();
        assert_eq!(counters.dropped(DropReason::AfterShutdown), 4);
        assert_eq!((counters.finished(), counters.waiting()), (7, 0));
    }

    /// Nobody empties the copy, and whoever held a lock when it was made is not there to let go.
    #[test]
    fn a_copy_in_another_process_takes_little_more_and_is_left_alone() {
        let mut queue = queue(1 << 20);
        queue.process_id ^= 1;
        let outbox = queue.outbox();
        for _ in 0..1_000 {
            queue.push(&outbox, head(), &spans(10), 0, 0);
        }
        let counters = queue.counters();
        assert_eq!(counters.waiting() + counters.dropped(DropReason::Forked), 10_000);
        assert!(
            counters.waiting() <= (PROCESS_CHECK / SpanBuffer::wire_estimate(1, 0)) as u64,
            "{counters:?}"
        );
        let other = queue.outbox();
        let held = lock(&queue.outboxes);
        queue.retire(&other);
        drop(held);
    }

    #[test]
    fn threads_that_came_and_went_reserve_only_what_they_left() {
        let queue = queue(SpanBuffer::wire_estimate(10_000, 0));
        let _own = queue.outbox();
        for _ in 0..10_000 {
            let outbox = queue.outbox();
            queue.push(&outbox, head(), &spans(1), 0, 0);
            queue.retire(&outbox);
        }
        assert_eq!(queue.counters().dropped_total(), 0);
        let outboxes = lock(&queue.outboxes).len();
        assert_eq!((outboxes, drain(&queue)), (1, 10_000));
        assert_eq!(queue.reserved.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn threads_that_end_lose_nothing_and_leave_nothing() {
        let queue = Arc::new(queue(64 << 20));
        // The first outbox is the tracer's own, which ends with it.
        let _own = queue.outbox();
        std::thread::scope(|scope| {
            for _ in 0..50 {
                let queue = Arc::clone(&queue);
                scope.spawn(move || {
                    let outbox = queue.outbox();
                    for _ in 0..100 {
                        queue.push(&outbox, head(), &spans(2), 0, 0);
                    }
                    queue.retire(&outbox);
                });
            }
            for _ in 0..20 {
                drain(&queue);
            }
        });
        drain(&queue);
        assert_eq!(queue.counters().acknowledged(), 10_000);
        assert_eq!(lock(&queue.outboxes).len(), 1);
        assert_eq!(queue.reserved.0.load(Ordering::Relaxed), 0);
    }
}
