//! Where span and trace ids come from.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::clock::Clock;

/// One thread's source of ids: wyrand (Wang Yi, `wyhash`) from a seed of the operating system, stirred by the time at every new trace,
/// so that a forked child goes its own way.
#[derive(Debug)]
pub(crate) struct IdSource {
    state: u64,
    seconds: u32,
    seconds_until: u64,
}

impl IdSource {
    pub(crate) const fn new() -> Self {
        Self { state: 0, seconds: 0, seconds_until: 0 }
    }

    /// A random id, never 0.
    #[inline]
    pub(crate) fn span_id(&mut self) -> u64 {
        if self.state == 0 {
            self.seed();
        }
        self.next_span_id()
    }

    /// The same from a source that gave an id before.
    #[inline]
    pub(crate) fn next_span_id(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x2d35_8dcc_aa6c_78a5);
        let product = u128::from(self.state) * u128::from(self.state ^ 0x8bb8_4b93_962e_acc9);
        ((product >> 64) as u64 ^ product as u64).max(1)
    }

    /// A trace id: the Unix second in the upper 32 bits where 128-bit ids are on, 64 random bits at the bottom.
    #[inline]
    pub(crate) fn trace_id(&mut self, clock: &Clock, ticks: u64, is_wide: bool) -> u128 {
        if self.state == 0 {
            self.seed();
        }
        self.state ^= ticks.rotate_left(32);
        let low = u128::from(self.span_id());
        if !is_wide {
            return low;
        }
        // Unsigned: a counter that went back also ends the second's trust.
        if self.seconds_until.wrapping_sub(ticks) > clock.refresh_ticks() || self.seconds == 0 {
            self.seconds = clock.unix_seconds();
            self.seconds_until = ticks.wrapping_add(clock.refresh_ticks());
        }
        u128::from(self.seconds) << 96 | low
    }

    #[cold]
    fn seed(&mut self) {
        self.state = RandomState::new().build_hasher().finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn the_upper_half_is_the_second_and_zeros() {
        let now = Arc::new(AtomicU64::new(1_700_000_000_000_000_000));
        let clock = Clock::Held(Arc::clone(&now));
        let mut ids = IdSource::new();
        let id = ids.trace_id(&clock, clock.ticks(), true);
        assert_eq!((id >> 64) as u64, 1_700_000_000 << 32);
        now.fetch_add(5_000_000_000, Ordering::Relaxed);
        let later = ids.trace_id(&clock, clock.ticks(), true);
        assert_eq!((later >> 96) as u32, 1_700_000_005);
        assert_ne!(id as u64, later as u64);
    }

    #[test]
    fn narrow_ids_have_no_upper_half() {
        let clock = Clock::Held(Arc::default());
        assert_eq!(IdSource::new().trace_id(&clock, 0, false) >> 64, 0);
    }
}
