//! Time: a counter that is cheap to read, and its translation to Unix nanoseconds.
//!
//! A span stores two *ticks*. What a tick is worth is found out later, on the worker, from two [`Anchor`]s: one taken when
//! the tracer starts and one when a payload is built. Nothing is calibrated before `main` and nothing spins.
//! Here live the sources of ticks and the translation; who reads them when is not this module's business.
//!
//! Invariant: a translated duration is never negative, whatever the clocks do.
//!
//! This is the one module that may be unsafe: reading the processor's counter is one instruction without a safe name on
//! every supported compiler. It costs 9 ns where `Instant::now` costs 21, twice a span.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A source of ticks.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The processor's invariant counter; its frequency is measured between two anchors.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
    Counter,
    /// Nanoseconds since the given instant, from std's monotonic clock.
    Monotonic(Instant),
    /// Unix nanoseconds that a test moves by hand.
    #[cfg_attr(not(any(test, feature = "testing")), allow(dead_code))]
    Held(Arc<AtomicU64>),
}

impl Clock {
    /// The best clock of this machine. Reads one small file on Linux, so call it once a tracer.
    pub(crate) fn system() -> Self {
        if counter::is_invariant() { Clock::Counter } else { Clock::Monotonic(Instant::now()) }
    }

    /// The current tick. Ticks of one clock only grow, but for faults of the machine.
    #[inline]
    pub(crate) fn ticks(&self) -> u64 {
        match self {
            Clock::Counter => counter::read(),
            Clock::Monotonic(base) => saturating_ns(base.elapsed()),
            // Relaxed: a lone number; tests that move it across threads synchronise by other means.
            Clock::Held(now) => now.load(Ordering::Relaxed),
        }
    }

    /// The tick together with the wall clock and std's monotonic clock.
    pub(crate) fn anchor(&self) -> Anchor {
        let monotonic = Instant::now();
        let ticks = self.ticks();
        let unix_ns = match self {
            Clock::Held(_) => ticks,
            _ => unix_ns(SystemTime::now()),
        };
        Anchor { ticks, unix_ns, monotonic }
    }

    /// The time since an anchor of this clock, for what waits or counts by seconds. Never goes back but on a held clock.
    pub(crate) fn since(&self, anchor: &Anchor) -> Duration {
        match self {
            Clock::Held(now) => {
                Duration::from_nanos(now.load(Ordering::Relaxed).saturating_sub(anchor.ticks))
            }
            _ => anchor.monotonic.elapsed(),
        }
    }

    /// Ticks of this clock in at most 0.3 s, about a tenth on a common machine: how long a cached second or process id may be trusted.
    pub(crate) fn refresh_ticks(&self) -> u64 {
        match self {
            Clock::Counter => counter::REFRESH_TICKS,
            Clock::Monotonic(_) | Clock::Held(_) => 100_000_000,
        }
    }

    /// Whole seconds of the wall clock since the Unix epoch.
    pub(crate) fn unix_seconds(&self) -> u32 {
        let ns = match self {
            Clock::Held(now) => now.load(Ordering::Relaxed),
            _ => unix_ns(SystemTime::now()),
        };
        u32::try_from(ns / 1_000_000_000).unwrap_or(u32::MAX)
    }
}

/// One moment on three clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    ticks: u64,
    unix_ns: u64,
    monotonic: Instant,
}

/// Translates ticks to Unix nanoseconds by the latest anchor and the speed between the first and the latest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeline {
    at: Anchor,
    ns_per_tick: f64,
}

impl Timeline {
    /// The translation that holds for ticks read up to `latest`.
    pub(crate) fn new(clock: &Clock, first: Anchor, latest: Anchor) -> Self {
        let ticks = latest.ticks.saturating_sub(first.ticks);
        let ns = saturating_ns(latest.monotonic.saturating_duration_since(first.monotonic));
        let ns_per_tick = match clock {
            Clock::Counter if ticks > 0 && ns > 0 => ns as f64 / ticks as f64,
            _ => 1.0,
        };
        Self { at: latest, ns_per_tick }
    }

    /// Unix nanoseconds of the latest anchor.
    pub(crate) fn latest_unix_ns(&self) -> u64 {
        self.at.unix_ns
    }

    /// The tick of the latest anchor.
    pub(crate) fn latest_ticks(&self) -> u64 {
        self.at.ticks
    }

    /// Unix nanoseconds of a tick; 0 for what lies before the epoch.
    #[inline]
    pub(crate) fn unix_ns(&self, ticks: u64) -> u64 {
        if ticks <= self.at.ticks {
            self.at.unix_ns.saturating_sub(self.scale(self.at.ticks - ticks))
        } else {
            self.at.unix_ns.saturating_add(self.scale(ticks - self.at.ticks))
        }
    }

    /// Nanoseconds between two ticks, 0 where the second is the earlier.
    #[inline]
    pub(crate) fn duration_ns(&self, start: u64, end: u64) -> u64 {
        self.scale(end.saturating_sub(start))
    }

    #[inline]
    fn scale(&self, ticks: u64) -> u64 {
        // A float to integer cast saturates.
        (ticks as f64 * self.ns_per_tick) as u64
    }
}

/// Nanoseconds since the Unix epoch; 0 before it, saturated in the far future.
pub(crate) fn unix_ns(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, saturating_ns)
}

/// A duration in whole nanoseconds, saturated.
pub(crate) fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(target_arch = "x86_64")]
mod counter {
    #![expect(unsafe_code, reason = "the time-stamp counter has no safe reader on every supported compiler")]

    /// 2^28 ticks: 54 ms at 5 GHz, 0.27 s at 1 GHz.
    pub(super) const REFRESH_TICKS: u64 = 1 << 28;

    #[inline]
    pub(super) fn read() -> u64 {
        // SAFETY: `rdtsc` reads a register and touches no memory. A process that forbids it (`PR_TSC_SIGSEGV`)
        // would also lose the kernel's own clock.
        unsafe { core::arch::x86_64::_rdtsc() }
    }

    /// Whether the kernel itself keeps time by this counter, which it does only while the counter is invariant and
    /// agrees over all processors (`Documentation/timers/timekeeping.rst`).
    pub(super) fn is_invariant() -> bool {
        const CURRENT: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        cfg!(target_os = "linux") && std::fs::read(CURRENT).is_ok_and(|name| name.trim_ascii() == b"tsc")
    }
}

#[cfg(target_arch = "aarch64")]
mod counter {
    #![expect(unsafe_code, reason = "the virtual counter is read by one instruction of inline assembly")]

    /// 2^20 ticks: 44 ms at the usual 24 MHz, 1 ms at 1 GHz.
    pub(super) const REFRESH_TICKS: u64 = 1 << 20;

    #[inline]
    pub(super) fn read() -> u64 {
        let ticks: u64;
        // SAFETY: reads a system register that is open to user code on Linux and macOS; touches no memory.
        unsafe {
            core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags))
        };
        ticks
    }

    /// The architecture demands a constant rate over all processors (Arm ARM, D12.1).
    pub(super) fn is_invariant() -> bool {
        cfg!(any(target_os = "linux", target_os = "macos"))
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod counter {
    pub(super) const REFRESH_TICKS: u64 = 0;

    pub(super) fn read() -> u64 {
        0
    }

    pub(super) fn is_invariant() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(ticks: u64, unix_ns: u64, monotonic: Instant) -> Anchor {
        Anchor { ticks, unix_ns, monotonic }
    }

    #[test]
    fn ticks_between_two_anchors_become_unix_time() {
        let base = Instant::now();
        let first = anchor(1_000, 0, base);
        let latest = anchor(3_001_000, 5_000_000_000, base + Duration::from_millis(1));
        let timeline = Timeline::new(&Clock::Counter, first, latest);
        assert_eq!(timeline.unix_ns(3_001_000), 5_000_000_000);
        assert_eq!(timeline.unix_ns(3_001_000 - 3_000), 5_000_000_000 - 1_000);
        assert_eq!(timeline.duration_ns(1_000, 1_000 + 300), 100);
    }

    #[test]
    fn a_counter_that_runs_backwards_gives_zero_durations() {
        let base = Instant::now();
        let timeline = Timeline::new(&Clock::Counter, anchor(500, 7, base), anchor(100, 9, base));
        assert_eq!(timeline.duration_ns(500, 100), 0);
        assert_eq!(timeline.unix_ns(0), 0);
        assert_eq!(timeline.unix_ns(u64::MAX), u64::MAX);
    }

    #[test]
    fn held_ticks_are_unix_nanoseconds() {
        let clock = Clock::Held(Arc::new(AtomicU64::new(1_700_000_000_000_000_000)));
        let anchor = clock.anchor();
        let timeline = Timeline::new(&clock, anchor, anchor);
        assert_eq!(timeline.unix_ns(1_700_000_000_000_000_005), 1_700_000_000_000_000_005);
        assert_eq!(clock.unix_seconds(), 1_700_000_000);
    }

    #[test]
    fn the_system_clock_measures_a_real_wait() {
        let clock = Clock::system();
        let first = clock.anchor();
        let start = clock.ticks();
        std::thread::sleep(Duration::from_millis(5));
        let end = clock.ticks();
        let timeline = Timeline::new(&clock, first, clock.anchor());
        assert!(timeline.duration_ns(start, end) >= 4_900_000);
        assert!(timeline.unix_ns(start).abs_diff(unix_ns(SystemTime::now())) < 60_000_000_000);
    }
}
