//! How many spans are open in this process, and how many may be; beside that, their tags may hold so much memory.
//!
//! A thread counts on its stack and tells the process and its tracer now and then, so that the limit may be overshot by what threads have not
//! told yet. Spans in handles, futures and left by their line count one by one; a line counts by the records that it has room for, once
//! those are many, and to the process alone.

use std::sync::atomic::{AtomicIsize, AtomicU32, Ordering};

use crate::model::tag_memory;

/// Open spans of the process; further ones are not recorded.
const MAX_OPEN: isize = 500_000;
/// From so many on small tag logs count as well: 256 bytes in each would be twice what all tags may take.
const CROWDED: isize = 1 << 14;
/// What a thread keeps to itself.
const UNTOLD: u32 = 64;

/// Those that threads have told of. Below zero for a moment where a thread tells of ends before another one does of starts.
static OPEN: AtomicIsize = AtomicIsize::new(0);
/// In a forked child, as far as [`OPEN`] goes down: spans of the parent that end here were not counted here. Not 0, for the moments between
/// what threads tell; those of a thousand threads fit.
static LEAST: AtomicIsize = AtomicIsize::new(isize::MIN);
const LEAST_OF_CHILD: isize = -1_024 * UNTOLD as isize;
/// The process whose spans these are; 0 before a tracer was started.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Spans that started on a thread less those that finished there, not told yet; above zero by [`UNTOLD`], so that one comparison sees both ends.
#[derive(Debug)]
pub(super) struct OpenCount(u32);

impl OpenCount {
    pub(super) const fn new() -> Self {
        Self(UNTOLD)
    }

    /// Counts so many that are open from here on, or with a minus are not any more. True where the process has to be told.
    #[inline]
    pub(super) fn add(&mut self, spans: i32) -> bool {
        self.0 = self.0.wrapping_add_signed(spans);
        self.0 > 2 * UNTOLD
    }

    /// Tells the process. Gives how many more are open, or with a minus fewer.
    pub(super) fn tell(&mut self) -> i32 {
        let spans = std::mem::replace(&mut self.0, UNTOLD).wrapping_sub(UNTOLD) as i32;
        open(spans);
        spans
    }
}

/// Whether as many spans are open as may be, or with as many tags.
#[inline]
pub(super) fn is_reached() -> bool {
    // Relaxed: a count that stands alone.
    OPEN.load(Ordering::Relaxed) >= MAX_OPEN || tag_memory::is_full()
}

/// How many more may be open.
pub(super) fn left() -> usize {
    usize::try_from(MAX_OPEN.saturating_sub(OPEN.load(Ordering::Relaxed))).unwrap_or(0)
}

/// A tracer starts. In a forked child counting begins anew: what was open stays with its parent.
pub(super) fn begin() {
    let process_id = std::process::id();
    let before = PROCESS.swap(process_id, Ordering::Relaxed);
    if before != 0 && before != process_id {
        LEAST.store(LEAST_OF_CHILD, Ordering::Relaxed);
        OPEN.store(0, Ordering::Relaxed);
        tag_memory::forget();
    }
}

/// Counts so many more as open, or with a minus fewer, at once.
pub(super) fn open(spans: i32) {
    let spans = spans as isize;
    let now = OPEN.fetch_add(spans, Ordering::Relaxed) + spans;
    if now < LEAST.load(Ordering::Relaxed) {
        OPEN.fetch_sub(spans, Ordering::Relaxed);
    }
    tag_memory::set_crowded(now >= CROWDED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_is_told_of_more_than_a_few() {
        let mut count = OpenCount::new();
        for spans in [1, -1] {
            assert!((0..UNTOLD).all(|_| !count.add(spans)) && count.add(spans));
            assert_eq!(count.tell(), spans * (UNTOLD as i32 + 1));
        }
        for spans in [2_000, -2_000] {
            assert!(!count.add(5) && count.add(spans));
            assert_eq!(count.tell(), spans + 5);
            assert_eq!(count.tell(), 0, "nothing is left");
        }
    }
}
