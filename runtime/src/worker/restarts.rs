//! How often the worker's loop may be started again after a panic.
//!
//! Pure: time is handed in. A fault that comes back at once ends the worker soon; rare ones never do, however long the process
//! lives.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The restarts of the latest hour.
#[derive(Debug, Default)]
pub(super) struct Restarts(VecDeque<Instant>);

/// Restarts within a [`PERIOD`].
const MAX: usize = 5;
const PERIOD: Duration = Duration::from_secs(3_600);

impl Restarts {
    /// Whether the loop may be started again `now`; counts that it is.
    pub(super) fn may_restart(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|first| now.saturating_duration_since(*first) >= PERIOD) {
            self.0.pop_front();
        }
        let may_restart = self.0.len() < MAX;
        if may_restart {
            self.0.push_back(now);
        }
        may_restart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_restarts_within_an_hour_are_the_last() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        let minute = |minute: u64| start + Duration::from_secs(60 * minute);
        for at in 0..5 {
            assert!(restarts.may_restart(minute(at)));
        }
        assert!(!restarts.may_restart(minute(5)));
        assert!(!restarts.may_restart(start + Duration::from_nanos(3_599_999_999_999)));
        assert!(restarts.may_restart(start + PERIOD));
    }

    /// Five in an hour, not in the life of a process.
    #[test]
    fn rare_failures_are_survived_for_ever() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        assert!((0..100).all(|time| restarts.may_restart(start + time * PERIOD / 5)));
        assert!(restarts.0.len() <= MAX);
    }
}
