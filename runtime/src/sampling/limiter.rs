//! How many decisions to keep may be taken in a second: a token bucket, and how much of the demand it lets through.

use std::time::Duration;

/// Lets so many a second through, and as many at once after a quiet time.
///
/// Time is handed in, since any fixed moment. Where it goes back, nothing is refilled until it is past the latest moment seen.
#[derive(Clone, Debug)]
pub(crate) struct RateLimiter {
    per_second: f64,
    tokens: f64,
    refilled: Duration,
    /// The second that is counted, as its number.
    second: u64,
    present: Window,
    previous: Window,
}

/// What was asked for in one second.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    seen: u64,
    allowed: u64,
}

impl RateLimiter {
    /// A limiter that begins full. `per_second` is 0 for none at all.
    pub(crate) fn new(per_second: f64) -> Self {
        let (present, previous) = (Window::default(), Window::default());
        let tokens = capacity(per_second);
        Self { per_second, tokens, refilled: Duration::ZERO, second: 0, present, previous }
    }

    /// Whether one more is let through.
    pub(crate) fn allow(&mut self, now: Duration) -> bool {
        let now = now.max(self.refilled);
        let elapsed = now.saturating_sub(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(capacity(self.per_second));
        self.refilled = now;
        self.turn_to(now.as_secs());
        let is_allowed = self.tokens >= 1.0;
        if is_allowed {
            self.tokens -= 1.0;
        }
        self.present.seen += 1;
        self.present.allowed += u64::from(is_allowed);
        is_allowed
    }

    /// The part that was let through in this second and the one before, 0.0 to 1.0; 1 where nobody asked.
    pub(crate) fn effective_rate(&self) -> f64 {
        let seen = self.present.seen + self.previous.seen;
        let allowed = self.present.allowed + self.previous.allowed;
        if seen == 0 { 1.0 } else { allowed as f64 / seen as f64 }
    }

    fn turn_to(&mut self, second: u64) {
        if second == self.second {
            return;
        }
        self.previous = if second == self.second + 1 { self.present } else { Window::default() };
        (self.second, self.present) = (second, Window::default());
    }
}

/// A limit below 1 lets one through now and then.
fn capacity(per_second: f64) -> f64 {
    per_second.ceil()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn allowed(limiter: &mut RateLimiter, ms: u64, asked: usize) -> usize {
        (0..asked).filter(|_| limiter.allow(at(ms))).count()
    }

    #[test]
    fn begins_full_and_refills_as_time_goes_by() {
        let mut limiter = RateLimiter::new(10.0);
        assert_eq!(allowed(&mut limiter, 0, 50), 10);
        assert_eq!(allowed(&mut limiter, 99, 50), 0);
        assert_eq!(allowed(&mut limiter, 100, 50), 1);
        assert_eq!(allowed(&mut limiter, 600, 50), 5);
        assert_eq!(allowed(&mut limiter, 60_000, 50), 10, "never more than a second's worth at once");
    }

    #[test]
    fn limit_of_zero_refuses_all_and_a_small_one_lets_one_through_in_its_time() {
        assert_eq!(allowed(&mut RateLimiter::new(0.0), 1_000_000, 9), 0);
        let mut limiter = RateLimiter::new(0.5);
        let allowed = [0, 1_000, 2_000, 3_000, 4_000].map(|ms| allowed(&mut limiter, ms, 3));
        assert_eq!(allowed, [1, 0, 1, 0, 1]);
    }

    #[test]
    fn effective_rate_is_of_this_second_and_the_one_before() {
        let mut limiter = RateLimiter::new(1.0);
        assert!((limiter.effective_rate() - 1.0).abs() < f64::EPSILON);
        let mut step = |ms| {
            let is_allowed = limiter.allow(at(ms));
            (is_allowed, limiter.effective_rate())
        };
        assert_eq!(step(0), (true, 1.0));
        assert_eq!(step(1), (false, 0.5));
        assert_eq!(step(1_000), (true, 2.0 / 3.0));
        assert_eq!(step(2_100), (true, 1.0));
        assert_eq!(step(9_000), (true, 1.0), "what is long ago does not count");
    }

    #[test]
    fn clock_that_goes_back_refills_nothing() {
        let mut limiter = RateLimiter::new(2.0);
        assert_eq!(allowed(&mut limiter, 10_000, 9), 2);
        assert_eq!(allowed(&mut limiter, 5_000, 9), 0);
        assert_eq!(allowed(&mut limiter, 10_000, 9), 0);
        assert_eq!(allowed(&mut limiter, 10_500, 9), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Between any two moments no more than a full bucket and what was refilled meanwhile, however the clock steps.
        #[test]
        fn never_lets_more_through_than_its_rate(
            limit in 0.0..50.0,
            steps in proptest::collection::vec(-3_000..3_000_i64, 1..300),
        ) {
            let (mut limiter, mut now, mut latest) = (RateLimiter::new(limit), 100_000_i64, 0);
            let mut allowed = Vec::new();
            for step in steps {
                now = (now + step).max(0);
                latest = latest.max(now);
                if limiter.allow(at(now.unsigned_abs())) {
                    allowed.push(latest);
                }
                prop_assert!((0.0..=1.0).contains(&limiter.effective_rate()));
            }
            for (index, from) in allowed.iter().enumerate() {
                for (count, until) in allowed[index..].iter().enumerate() {
                    let most = limit.ceil() + limit * (until - from) as f64 / 1_000.0;
                    prop_assert!((count + 1) as f64 <= most + 1e-6, "{} in {} ms", count + 1, until - from);
                }
            }
        }
    }
}
