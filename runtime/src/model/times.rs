//! Ticks of a record as the wire's times.

use super::record::{Flags, Record};
use crate::clock::Timeline;

/// What the wire's signed times can say.
const MAX: u64 = i64::MAX as u64;

/// Start in Unix nanoseconds and duration in nanoseconds, both within the wire's 63 bits.
pub(crate) fn times(record: &Record, timeline: &Timeline) -> (u64, u64) {
    if !has_given(record) {
        let duration = timeline.duration_ns(record.start, record.end);
        return (timeline.unix_ns(record.start).min(MAX), duration.min(MAX));
    }
    let unix = |flag, time| if record.flags.has(flag) { time } else { timeline.unix_ns(time) };
    let start = unix(Flags::START_GIVEN, record.start);
    let end = unix(Flags::END_GIVEN, record.end);
    (start.min(MAX), end.saturating_sub(start).min(MAX))
}

#[inline]
fn has_given(record: &Record) -> bool {
    record.flags.has(Flags::START_GIVEN.with(Flags::END_GIVEN))
}

/// A timeline around one tick, in whole numbers: two multiplications a span instead of four conversions from and to
/// floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace<'a> {
    timeline: &'a Timeline,
    tick: u64,
    /// Unix nanoseconds at the tick.
    unix_ns: u64,
    /// Nanoseconds per tick, with [`POINT`] binary places.
    ns: i64,
    /// How many ticks away from the tick, and how many of duration, the translation is good for.
    reach: u64,
}

const POINT: u32 = 48;
/// A day of a processor's counter: the last binary place is a nanosecond by then.
const REACH: u64 = 1 << 48;

impl<'a> Pace<'a> {
    pub(crate) fn new(timeline: &'a Timeline, tick: u64) -> Self {
        let ns = timeline.duration_ns(0, 1 << POINT);
        // Times near the end of what is known are saturated, which is not done here.
        let unix_ns = timeline.unix_ns(tick);
        let is_plain = ns < 1 << (POINT + 8) && unix_ns.wrapping_sub(1 << 60) < 1 << 61;
        Self { timeline, tick, unix_ns, ns: ns as i64, reach: if is_plain { REACH } else { 0 } }
    }

    /// [`times`], but for a nanosecond.
    #[inline]
    pub(crate) fn times(&self, record: &Record) -> (u64, u64) {
        let since = record.start.wrapping_sub(self.tick);
        let duration = record.end.wrapping_sub(record.start);
        let is_near = since.wrapping_add(self.reach) < 2 * self.reach && duration < self.reach;
        if !is_near || has_given(record) {
            return self.exact(record);
        }
        let scale = |ticks: u64| ((i128::from(ticks as i64) * i128::from(self.ns)) >> POINT) as u64;
        (self.unix_ns.wrapping_add(scale(since)), scale(duration))
    }

    /// Unix nanoseconds of a tick, within the wire's 63 bits.
    pub(crate) fn unix_ns(&self, ticks: u64) -> u64 {
        self.timeline.unix_ns(ticks).min(MAX)
    }

    #[cold]
    #[inline(never)]
    fn exact(&self, record: &Record) -> (u64, u64) {
        times(record, self.timeline)
    }
}
