//! Asking the agent about itself: when, and what becomes of the answer.
//!
//! Asked when the worker starts, when an answer's hash of the description is another one, when a path was not found, and
//! after some minutes. Nobody waits for it: who orders something meanwhile is served after a moment, and the question is put
//! again later. While payloads are lost nothing is asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::carry::{Exchange, Load};
use super::introduction::AgentCheck;
use super::run::Worker;
use crate::diagnostics::{self, Level};
use crate::export::client::{Content, Failure};
use crate::export::info;
use crate::model::{AgentInfo, LatestAgentInfo};

/// When to ask. Pure: time is handed in.
#[derive(Debug)]
pub(super) struct Enquiry {
    latest: Arc<LatestAgentInfo>,
    /// From when on the question is put.
    next: Instant,
    /// Until the next question, where the one before had no answer.
    pause: Duration,
    /// When it was asked last.
    asked: Option<Instant>,
    /// The hash that came with the latest description.
    state: Option<Box<[u8]>>,
    /// The latest other one.
    seen: Option<Box<[u8]>>,
}

/// Between two questions that were answered.
const PERIOD: Duration = Duration::from_secs(300);
/// Between two questions in any case: each agent behind one address may have a hash of its own.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(1);

impl Enquiry {
    /// Nothing is known; the first question is due.
    pub(super) fn new(latest: Arc<LatestAgentInfo>, now: Instant) -> Self {
        Self { latest, next: now, pause: FIRST_PAUSE, asked: None, state: None, seen: None }
    }

    /// What the agent said of itself last.
    pub(super) fn known(&self) -> Option<Arc<AgentInfo>> {
        self.latest.get()
    }

    /// From when on the next question is put.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Looks at the hash that came with any answer of the agent, at `now`.
    pub(super) fn saw(&mut self, state: Option<&[u8]>, now: Instant) {
        if state.is_some() && state != self.state.as_deref() {
            self.seen = state.map(Into::into);
            self.doubt(now);
        }
    }

    /// What is known may be wrong: asked again soon.
    pub(super) fn doubt(&mut self, now: Instant) {
        let soon = self.asked.map_or(now, |asked| now.max(asked + FIRST_PAUSE));
        self.next = self.next.min(soon);
    }

    fn asks(&mut self, now: Instant) {
        self.asked = Some(now);
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(PERIOD);
    }

    /// Takes over a description that came with the hash seen last; gives it where it is another one.
    fn learn(&mut self, info: AgentInfo, now: Instant) -> Option<Arc<AgentInfo>> {
        self.state.clone_from(&self.seen);
        self.pause = FIRST_PAUSE;
        self.next = now + PERIOD;
        if self.latest.get().is_some_and(|known| *known == info) {
            return None;
        }
        if diagnostics::is_shown(Level::Debug) {
            let said = diagnostics::without_secrets(&info.to_string());
            diagnostics::debug(format_args!("the agent says of itself: {said}"));
        }
        let info = Arc::new(info);
        self.latest.set(Arc::clone(&info));
        Some(info)
    }
}

impl Worker {
    /// Asks the agent about itself, where that is due.
    pub(super) fn enquire(&mut self) {
        let now = Instant::now();
        if !self.sends() || now < self.enquiry.next() || self.delivery.health.is_failing() {
            return;
        }
        self.enquiry.asks(now);
        let limit = LIMIT.min(self.delivery.agent.timeout);
        let exchange = Exchange::Hasty(self.is_awaited().then_some(now));
        let Some(result) = self.exchange(&mut Load::new(Content::Question), limit, exchange) else { return };
        let info = match result {
            Ok(answer) => info::read(&answer),
            // Too old an agent to say anything.
            Err(Failure::Refused { status: 404, .. }) => Some(AgentInfo::default()),
            Err(failure) => return self.introduce_without(&failure, limit),
        };
        let Some(info) = info else {
            self.tally.unread_answers += 1;
            let text = "what the agent says of itself cannot be read";
            self.introduce(AgentCheck::Failed(text));
            return diagnostics::debug(format_args!("{text}"));
        };
        self.introduce_with(&info);
        if let Some(info) = self.enquiry.learn(info, Instant::now()) {
            self.delivery.learn(&info);
            self.counting.learn(&info, &self.sampler);
            if let Some(metrics) = &mut self.metrics {
                metrics.learn(&info);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enquiry(now: Instant) -> Enquiry {
        Enquiry::new(Arc::default(), now)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn first_question_is_due_at_once_and_the_next_after_minutes() {
        let now = Instant::now();
        let mut enquiry = enquiry(now);
        assert_eq!(enquiry.next(), now);
        enquiry.asks(now);
        assert_eq!(enquiry.learn(AgentInfo::default(), now).as_deref(), Some(&AgentInfo::default()));
        assert_eq!((enquiry.next(), enquiry.latest.get()), (now + PERIOD, Some(Arc::default())));
        assert_eq!(enquiry.learn(AgentInfo::default(), now), None, "nothing new");
    }

    #[test]
    fn pauses_between_questions_without_answer_double() {
        let mut now = Instant::now();
        let mut enquiry = enquiry(now);
        let mut pauses = Vec::new();
        for _ in 0..11 {
            enquiry.asks(now);
            pauses.push((enquiry.next() - now).as_millis());
            now = enquiry.next();
        }
        assert_eq!(
            pauses,
            [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000]
        );
        assert_eq!(enquiry.latest.get(), None);
    }

    #[test]
    fn another_hash_is_asked_about_but_at_most_twice_a_second() {
        let now = Instant::now();
        let mut enquiry = enquiry(now);
        enquiry.asks(now);
        enquiry.saw(Some(b"one"), now);
        enquiry.learn(AgentInfo::default(), now);
        for state in [None, Some(&b"one"[..])] {
            enquiry.saw(state, now + seconds(7));
            assert_eq!(enquiry.next(), now + PERIOD);
        }
        enquiry.saw(Some(b"two"), now);
        assert_eq!(enquiry.next(), now + FIRST_PAUSE);
        enquiry.learn(AgentInfo::default(), now);
        enquiry.saw(Some(b"three"), now + seconds(7));
        assert_eq!(enquiry.next(), now + seconds(7));
    }
}
