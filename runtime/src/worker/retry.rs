//! What follows a failed attempt to send a payload: again later, in smaller parts, or lost.
//!
//! Pure: time, chance and the failure are handed in.
//!
//! Invariant: a payload has at most four attempts within ten seconds of its first.

use std::time::{Duration, Instant};

use crate::export::client::Failure;
use crate::export::counters::DropReason;

/// The attempts of one payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts {
    first: Instant,
    made: u32,
}

/// What to do with a payload after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same body again, not before this moment.
    Again(Instant),
    /// The agent wants smaller bodies.
    Split,
    /// Given up.
    Lost(DropReason),
}

impl Next {
    /// What is done, in words: `again in 52 ms`.
    pub(super) fn told(self, now: Instant) -> String {
        match self {
            Next::Again(at) => format!("again in {} ms", at.saturating_duration_since(now).as_millis()),
            Next::Split => "in smaller parts".to_owned(),
            Next::Lost(reason) => format!("lost ({})", reason.as_str()),
        }
    }
}

/// Retries after the first attempt.
const RETRIES: u32 = 3;
/// The upper end of the first pause; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The time a payload has from its first attempt on.
const PATIENCE: Duration = Duration::from_secs(10);

impl Attempts {
    /// No attempt yet; the payload's time begins.
    pub(super) const fn new(now: Instant) -> Self {
        Self { first: now, made: 0 }
    }

    /// How long the next attempt may take, given what one may take.
    pub(super) fn limit(&self, timeout: Duration, now: Instant) -> Duration {
        timeout.min((self.first + PATIENCE).saturating_duration_since(now))
    }

    /// What follows an attempt that failed `now`, where the agent may be asked again from `earliest` on;
    /// `chance` is a number from 0 to 1.
    pub(super) fn after(&mut self, failure: &Failure, earliest: Instant, now: Instant, chance: f64) -> Next {
        if let Failure::Refused { status: 413, .. } = failure {
            return Next::Split;
        }
        let reason = reason(failure);
        self.made += 1;
        if !is_worth_a_retry(failure) || self.made > RETRIES {
            return Next::Lost(reason);
        }
        // Full jitter: anything from no pause to the whole one.
        let pause = FIRST_PAUSE * (1 << (self.made - 1)).min(4);
        let again = (now + pause.mul_f64(chance.clamp(0.0, 1.0))).max(earliest);
        if again >= self.first + PATIENCE { Next::Lost(reason) } else { Next::Again(again) }
    }
}

/// Whether the same body may be taken the next time.
pub(super) fn is_worth_a_retry(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable(_) | Failure::TimedOut => true,
        Failure::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
    }
}

/// The reason under which the spans are counted if this was the last attempt.
pub(super) fn reason(failure: &Failure) -> DropReason {
    match failure {
        Failure::TimedOut => DropReason::Timeout,
        Failure::Refused { status: 429, .. } => DropReason::Overload,
        Failure::Refused { status: 500.., .. } => DropReason::Http5xx,
        Failure::Refused { .. } => DropReason::Http4xx,
        Failure::Unreachable(_) => DropReason::Net,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Failure {
        Failure::Refused { status, retry_after: None, text: String::new() }
    }

    fn unreachable() -> Failure {
        Failure::Unreachable("Connection refused".into())
    }

    /// The moment used to be shown as it is kept, which says nothing to a reader.
    #[test]
    fn what_follows_is_told_in_words() {
        let now = Instant::now();
        assert_eq!(Next::Again(now + Duration::from_millis(52)).told(now), "again in 52 ms");
        assert_eq!(Next::Split.told(now), "in smaller parts");
        assert_eq!(Next::Lost(DropReason::Net).told(now), "lost (net)");
    }

    #[test]
    fn each_status_has_its_consequence() {
        let now = Instant::now();
        let next = |failure: &Failure| Attempts::new(now).after(failure, now, now, 0.0);
        assert_eq!(next(&refused(413)), Next::Split);
        for status in [301, 302, 304, 400, 401, 403, 404, 405, 411, 415, 418, 499] {
            assert_eq!(next(&refused(status)), Next::Lost(DropReason::Http4xx), "{status}");
        }
        for failure in
            [unreachable(), Failure::TimedOut, refused(408), refused(429), refused(500), refused(503)]
        {
            assert_eq!(next(&failure), Next::Again(now), "{failure:?}");
        }
    }

    #[test]
    fn retries_used_up_give_the_reason_of_the_last_attempt() {
        let now = Instant::now();
        for (failure, reason) in [
            (unreachable(), DropReason::Net),
            (Failure::TimedOut, DropReason::Timeout),
            (refused(408), DropReason::Http4xx),
            (refused(429), DropReason::Overload),
            (refused(503), DropReason::Http5xx),
        ] {
            let mut attempts = Attempts::new(now);
            for _ in 0..3 {
                assert!(matches!(attempts.after(&unreachable(), now, now, 0.0), Next::Again(_)));
            }
            assert_eq!(attempts.after(&failure, now, now, 0.0), Next::Lost(reason));
        }
    }

    #[test]
    fn pauses_double_under_full_jitter() {
        let now = Instant::now();
        for (chance, expected) in
            [(0.0, [0, 0, 0]), (0.5, [50, 100, 200]), (1.0, [100, 200, 400]), (7.0, [100, 200, 400])]
        {
            let mut attempts = Attempts::new(now);
            for pause in expected {
                let next = attempts.after(&unreachable(), now, now, chance);
                assert_eq!(next, Next::Again(now + Duration::from_millis(pause)));
            }
        }
    }

    #[test]
    fn payload_ends_ten_seconds_after_its_first_attempt() {
        let start = Instant::now();
        let before = start + Duration::from_nanos(9_999_999_999);
        let after = start + PATIENCE;
        let next = |now| Attempts::new(start).after(&unreachable(), now, now, 0.0);
        assert_eq!(next(before), Next::Again(before));
        assert_eq!(next(after), Next::Lost(DropReason::Net));
        assert_eq!(Attempts::new(start).limit(Duration::from_secs(2), before), Duration::from_nanos(1));
        assert_eq!(Attempts::new(start).limit(Duration::from_secs(2), start), Duration::from_secs(2));
    }

    #[test]
    fn agents_wish_to_wait_is_longer_than_any_pause() {
        let now = Instant::now();
        let after = |wait| Attempts::new(now).after(&refused(429), now + Duration::from_secs(wait), now, 1.0);
        assert_eq!(after(3), Next::Again(now + Duration::from_secs(3)));
        assert_eq!(after(10), Next::Lost(DropReason::Overload));
    }
}
