//! The starts that the debug log told of, so that it says the same when the span finishes. Kept only in debug mode.
//!
//! A start is translated when the span starts, and what is sent when it is written: by another anchor, which gives some microseconds more or less.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::record::Record;
use super::times::times;
use crate::clock::{Anchor, Clock, Timeline};

/// Locks that threads share, so that they seldom meet.
const SHARDS: usize = 16;
/// Starts that are kept at least, and twice as many at most, in 4.5 MiB: the latest ones, since some spans never finish.
const MIN_KEPT: usize = 1 << 16;

/// The starts of spans whose finish was not told, in Unix nanoseconds. Any thread tells of them, the worker asks.
#[derive(Debug)]
pub(crate) struct ToldStarts {
    first: Anchor,
    process_id: u32,
    shards: [Mutex<Shard>; SHARDS],
}

/// By the ids of the spans; the older ones go when there are as many new ones.
#[derive(Debug, Default)]
struct Shard {
    latest: HashMap<u64, u64>,
    older: HashMap<u64, u64>,
}

impl ToldStarts {
    /// For a tracer with this clock, from now on.
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { first: clock.anchor(), process_id: std::process::id(), shards: Default::default() }
    }

    /// The start that is told of a span that has started.
    pub(crate) fn tell(&self, record: &Record, clock: &Clock) -> u64 {
        let (start, _) = times(record, &Timeline::new(clock, self.first, clock.anchor()));
        if let Some(mut shard) = self.shard(record.span_id) {
            shard.latest.insert(record.span_id, start);
            if shard.latest.len() >= MIN_KEPT / SHARDS {
                shard.older = std::mem::take(&mut shard.latest);
            }
        }
        start
    }

    /// The start that was told of a span that has finished, once.
    pub(crate) fn take(&self, span_id: u64) -> Option<u64> {
        let mut shard = self.shard(span_id)?;
        shard.latest.remove(&span_id).or_else(|| shard.older.remove(&span_id))
    }

    /// `None` in a forked child, where somebody may hold the lock who is not there.
    fn shard(&self, span_id: u64) -> Option<MutexGuard<'_, Shard>> {
        // Ids are random.
        let shard = &self.shards[span_id as usize % SHARDS];
        (self.process_id == std::process::id()).then(|| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CallSite;

    static SITE: CallSite = CallSite::named("work");

    #[test]
    fn start_is_told_again_once_and_by_no_other_clock() {
        let clock = Clock::system();
        let told = ToldStarts::new(&clock);
        let record = Record::open(&SITE, 7, 0, clock.ticks());
        let start = told.tell(&record, &clock);
        let now = crate::clock::unix_ns(std::time::SystemTime::now());
        assert!(start.abs_diff(now) < 60_000_000_000, "{start} {now}");
        assert_eq!((told.take(7), told.take(7), told.take(8)), (Some(start), None, None));
    }

    #[test]
    fn the_latest_starts_are_kept() {
        let clock = Clock::Held(std::sync::Arc::default());
        let told = ToldStarts::new(&clock);
        let all = 3 * MIN_KEPT as u64;
        for id in 0..all {
            told.tell(&Record::open(&SITE, id, 0, id), &clock);
        }
        let kept = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap();
            shard.latest.len() + shard.older.len()
        };
        assert!(told.shards.iter().map(kept).sum::<usize>() <= 2 * MIN_KEPT);
        assert!((all - MIN_KEPT as u64..all).all(|id| told.take(id) == Some(id)));
        assert_eq!(told.take(0), None);
    }
}
