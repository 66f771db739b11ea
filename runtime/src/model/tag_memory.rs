//! How many bytes the tags of open spans take in this process, and how many they may.
//!
//! A log tells of its memory where that grows or goes, and not where a tag is appended. What each log may have untold keeps small ones, and with
//! them most spans, away from the one count.

use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, Ordering};

/// Bytes of all logs of open spans; what would be beyond is left out.
const MAX_HELD: isize = 64 << 20;
/// The last of them are for spans that are open already.
const FOR_OPEN: isize = 1 << 20;

/// Where very many spans are open, a log that may have less than this untold has nothing untold: small ones are most of their memory then.
const CROWDED_FREE: u32 = 1 << 10;
/// The bits that hold now of what logs may have untold: all, or those from [`CROWDED_FREE`] on.
static FREE_BITS: AtomicU32 = AtomicU32::new(u32::MAX);

/// What logs have told. Below zero in a forked child that drops what it inherited.
static HELD: AtomicIsize = AtomicIsize::new(0);
/// Tags that were left out, and that nobody has taken into the books yet.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// What one log has told of its memory; taken back when it is dropped.
#[derive(Debug)]
pub(super) struct Told {
    bytes: u32,
    /// Memory up to here is not told of.
    free: u32,
}

impl Told {
    /// Of a log that tells of its memory where it is more than so many bytes.
    pub(super) const fn beyond(free: u32) -> Self {
        Self { bytes: 0, free }
    }

    /// Of a log that tells nothing: its spans have left.
    pub(super) const fn nothing() -> Self {
        Self::beyond(u32::MAX)
    }

    /// The same for another log, which has told nothing yet.
    pub(super) const fn alike(&self) -> Self {
        Self::beyond(self.free)
    }

    /// Tells of the memory that there is.
    #[inline]
    pub(super) fn tell(&mut self, capacity: usize) {
        let bytes = self.told_of(capacity);
        if bytes != self.bytes {
            self.tell_now(bytes);
        }
    }

    #[cold]
    fn tell_now(&mut self, bytes: u32) {
        HELD.fetch_add(self.more(bytes), Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// Asks for memory: `wanted` bytes in all, or at least what is needed. Gives how many; what was granted is told.
    #[cold]
    pub(super) fn ask(&mut self, needed: usize, wanted: usize) -> Option<usize> {
        if self.told_of(wanted) == 0 {
            return Some(wanted);
        }
        let left = MAX_HELD
            .saturating_sub(HELD.load(Ordering::Relaxed))
            .saturating_add_unsigned(self.bytes as usize);
        let left = usize::try_from(left).unwrap_or(0);
        let size = granted(left, needed, wanted)?;
        let bytes = self.told_of(size);
        let more = self.more(bytes);
        // Others may have asked meanwhile. Relaxed: a count that stands alone.
        if HELD.fetch_add(more, Ordering::Relaxed).saturating_add(more) > MAX_HELD && more > 0 {
            HELD.fetch_sub(more, Ordering::Relaxed);
            return None;
        }
        self.bytes = bytes;
        Some(size)
    }

    fn told_of(&self, capacity: usize) -> u32 {
        let free = self.free & FREE_BITS.load(Ordering::Relaxed);
        if capacity > free as usize { u32::try_from(capacity).unwrap_or(u32::MAX) } else { 0 }
    }

    fn more(&self, bytes: u32) -> isize {
        bytes as isize - self.bytes as isize
    }
}

/// How many bytes a log gets of those that are left.
fn granted(left: usize, needed: usize, wanted: usize) -> Option<usize> {
    // Else half of the rest, so that it takes few steps to fill it.
    if wanted <= left { Some(wanted) } else { Some(needed + left.checked_sub(needed)? / 2) }
}

impl Drop for Told {
    #[inline]
    fn drop(&mut self) {
        if self.bytes != 0 {
            self.tell_now(0);
        }
    }
}

/// Says whether very many spans are open.
pub(crate) fn set_crowded(is_crowded: bool) {
    let bits = if is_crowded { !(CROWDED_FREE - 1) } else { u32::MAX };
    if FREE_BITS.load(Ordering::Relaxed) != bits {
        FREE_BITS.store(bits, Ordering::Relaxed);
    }
}

/// Whether open spans hold so much that no more should start.
#[inline]
pub(crate) fn is_full() -> bool {
    HELD.load(Ordering::Relaxed) >= MAX_HELD - FOR_OPEN
}

/// Begins anew in a forked child, which has nothing open.
pub(crate) fn forget() {
    HELD.store(0, Ordering::Relaxed);
}

/// Counts what an open span is not given.
#[cold]
pub(super) fn leave_out() {
    LEFT_OUT.fetch_add(1, Ordering::Relaxed);
}

/// What was left out of open spans since the last look.
pub(crate) fn take_left_out() -> u64 {
    LEFT_OUT.swap(0, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_gets_what_is_left() {
        for (left, size) in
            [(99, None), (100, Some(100)), (101, Some(100)), (199, Some(149)), (200, Some(200))]
        {
            assert_eq!(granted(left, 100, 200), size, "{left}");
        }
    }

    #[test]
    fn logs_tell_of_what_is_beyond_what_they_may_keep() {
        let mut told = Told::beyond(256);
        for (size, bytes) in [(255, 0), (256, 0), (257, 257), (1_000, 1_000)] {
            assert_eq!((told.ask(size, size), told.bytes), (Some(size), bytes));
            told.tell(2 * size);
            assert_eq!(told.bytes as usize, if size > 128 { 2 * size } else { 0 });
            told.tell(size);
            assert_eq!(told.bytes, bytes);
        }
        let mut told = Told::nothing();
        told.tell(1 << 30);
        assert_eq!(told.bytes, 0);
    }
}
