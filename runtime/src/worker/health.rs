//! How the agent does, and from when on it may be asked again.
//!
//! Pure: time is handed in. A healthy agent is asked whenever there is something; one that lost a payload at most twice a
//! second; one that lost five in a row is sick and gets one probe a second, then fewer and fewer.

use std::time::{Duration, Instant};

/// What is remembered about the agent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Health {
    /// Payloads lost in a row.
    lost: u32,
    /// Attempts since the agent is sick.
    probes: u32,
    last_attempt: Option<Instant>,
    /// Until when the agent wants to be left alone.
    not_before: Option<Instant>,
}

/// From so many payloads lost in a row on the agent is sick.
const SICK: u32 = 5;
/// Between two attempts while the last payload was lost.
const PACE: Duration = Duration::from_millis(500);
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LAST_PROBE: Duration = Duration::from_secs(30);

impl Health {
    /// From when on the next attempt may be made. Somebody who waits for it (`is_urgent`) is not held up by the pauses
    /// between probes.
    pub(super) fn earliest(&self, now: Instant, is_urgent: bool) -> Instant {
        let pause = match self.lost {
            0 => Duration::ZERO,
            SICK.. if !is_urgent => FIRST_PROBE.saturating_mul(1 << self.probes.min(5)).min(LAST_PROBE),
            _ => PACE,
        };
        let paced = self.last_attempt.map_or(now, |last| last + pause);
        paced.max(self.not_before.unwrap_or(now)).max(now)
    }

    /// An attempt begins.
    pub(super) fn attempted(&mut self, now: Instant) {
        if self.is_sick() {
            self.probes = self.probes.saturating_add(1);
        }
        self.last_attempt = Some(now);
    }

    /// The agent asked to wait, with or without saying for how long.
    pub(super) fn wait(&mut self, retry_after: Option<Duration>, now: Instant) {
        self.not_before = retry_after.map(|wait| now + wait.min(LAST_PROBE));
    }

    /// Until when the agent wants to be left alone, if that is to come.
    pub(super) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|until| *until > now)
    }

    /// The agent took a payload.
    pub(super) fn recovered(&mut self) {
        *self = Self { last_attempt: self.last_attempt, ..Self::default() };
    }

    /// A payload was given up.
    pub(super) fn lost_payload(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// Whether the latest payload was given up.
    pub(super) fn is_failing(&self) -> bool {
        self.lost > 0
    }

    pub(super) fn is_sick(&self) -> bool {
        self.lost >= SICK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_losses(losses: u32, now: Instant) -> Health {
        let mut health = Health::default();
        health.attempted(now);
        (0..losses).for_each(|_| health.lost_payload());
        health
    }

    #[test]
    fn healthy_agent_is_asked_at_once() {
        let now = Instant::now();
        assert_eq!(Health::default().earliest(now, false), now);
        assert_eq!(after_losses(0, now).earliest(now, false), now);
    }

    #[test]
    fn agent_that_lost_payloads_is_asked_twice_a_second() {
        let now = Instant::now();
        for losses in 1..5 {
            assert_eq!(after_losses(losses, now).earliest(now, false), now + PACE);
        }
        assert_eq!(after_losses(1, now).earliest(now + 2 * PACE, false), now + 2 * PACE);
    }

    #[test]
    fn probes_of_a_sick_agent_double_up_to_thirty_seconds() {
        let mut now = Instant::now();
        let mut health = after_losses(5, now);
        let pauses: Vec<u64> = (0..8)
            .map(|_| {
                let next = health.earliest(now, false);
                let pause = next - now;
                now = next;
                health.attempted(now);
                health.lost_payload();
                pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(health.earliest(now, true), now + PACE, "a caller who waits is not held up");
    }

    #[test]
    fn one_payload_taken_makes_it_healthy() {
        let now = Instant::now();
        let mut health = after_losses(50, now);
        health.recovered();
        assert_eq!(health.earliest(now, false), now);
        assert!(!health.is_sick());
    }

    #[test]
    fn wish_to_wait_holds_up_to_thirty_seconds() {
        let now = Instant::now();
        let mut health = Health::default();
        for (wish, seconds) in [(29, 29), (30, 30), (31, 30), (u64::MAX, 30)] {
            health.wait(Some(Duration::from_secs(wish)), now);
            assert_eq!(health.earliest(now, true), now + Duration::from_secs(seconds));
        }
        health.wait(None, now);
        assert_eq!(health.earliest(now, false), now);
    }
}
