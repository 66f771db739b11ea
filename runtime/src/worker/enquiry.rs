//! Asking the agent about itself: when, and what becomes of the answer.
//!
//! Asked when the worker starts, when an answer's hash of the description is another one, when a path was not found, and
//! after some minutes. Nobody waits for it: who orders something meanwhile is served after a moment, and the question is put
//! again later. While payloads are lost nothing is asked.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::carry::{Event, first};
use super::report;
use super::run::Worker;
use crate::diagnostics;
use crate::export::client::Failure;
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
}

/// Between two questions that were answered.
const PERIOD: Duration = Duration::from_secs(300);
/// Between two questions in any case: each agent behind one address may have a hash of its own.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(1);
/// The longest wait where somebody wants something else meanwhile.
const HURRY: Duration = Duration::from_millis(100);

impl Enquiry {
    /// Nothing is known; the first question is due.
    pub(super) fn new(latest: Arc<LatestAgentInfo>, now: Instant) -> Self {
        Self { latest, next: now, pause: FIRST_PAUSE, asked: None, state: None }
    }

    /// From when on the next question is put.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// What the agent said last.
    pub(super) fn latest(&self) -> Option<Arc<AgentInfo>> {
        self.latest.get()
    }

    /// Looks at the hash that came with any answer of the agent, at `now`.
    pub(super) fn saw(&mut self, state: Option<&[u8]>, now: Instant) {
        if state.is_some() && state != self.state.as_deref() {
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

    /// Takes over a description that came with this hash.
    fn learn(&mut self, info: AgentInfo, state: Option<&[u8]>, now: Instant) {
        self.state = state.map(Into::into);
        self.pause = FIRST_PAUSE;
        self.next = now + PERIOD;
        if self.latest.get().is_none_or(|known| *known != info) {
            diagnostics::debug(format_args!("the agent says of itself: {info}"));
            self.latest.set(Arc::new(info));
        }
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
        let is_awaited = self.is_awaited();
        let limit = LIMIT.min(self.delivery.agent.timeout);
        let Some((result, state)) = self.ask(limit, is_awaited.then_some(now)) else { return };
        let info = match result {
            Ok(answer) => info::read(&answer),
            // Too old an agent to say anything.
            Err(Failure::Refused { status: 404, .. }) => Some(AgentInfo::default()),
            Err(failure) => {
                let cause = report::cause(&failure, &self.delivery.agent);
                diagnostics::debug(format_args!("what the agent says of itself: {cause}"));
                return;
            }
        };
        match info {
            Some(info) => {
                self.enquiry.learn(info, state.as_deref(), Instant::now());
                if let Some(info) = self.enquiry.latest() {
                    self.delivery.learn(&info);
                }
            }
            None => diagnostics::debug(format_args!("what the agent says of itself cannot be read")),
        }
    }

    /// Puts the question. `None` where it took too long for somebody who wants something else, `since` some moment.
    fn ask(&mut self, limit: Duration, since: Option<Instant>) -> Option<Asked> {
        let (runtime, mut client) = match self.delivery.connect() {
            Ok(connection) => connection,
            Err(failure) => return Some((Err(failure), None)),
        };
        let result = runtime.block_on(async {
            let question = client.question();
            let mut hurry = since.map(|since| since + HURRY);
            let mut attempt = pin!(client.attempt(&question, limit));
            loop {
                let end = self.ending.as_ref().map(|ending| ending.deadline);
                let deadline = [hurry, end].into_iter().flatten().min();
                match first(attempt.as_mut(), &self.signal, deadline).await {
                    Event::Done(result) => return Some(result),
                    Event::Over => return None,
                    Event::Rung => {
                        self.listen();
                        hurry.get_or_insert_with(|| Instant::now() + HURRY);
                    }
                }
            }
        });
        let state = client.agent_state().map(Into::into);
        self.delivery.keep((runtime, client));
        Some((result?, state))
    }
}

/// The outcome of a question, and the hash that came with it.
type Asked = (Result<Vec<u8>, Failure>, Option<Box<[u8]>>);

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
        enquiry.learn(AgentInfo::default(), None, now);
        assert_eq!(enquiry.next(), now + PERIOD);
        assert_eq!(enquiry.latest().as_deref(), Some(&AgentInfo::default()));
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
        assert_eq!(enquiry.latest(), None);
    }

    #[test]
    fn another_hash_is_asked_about_but_at_most_twice_a_second() {
        let now = Instant::now();
        let mut enquiry = enquiry(now);
        enquiry.asks(now);
        enquiry.learn(AgentInfo::default(), Some(b"one"), now);
        for state in [None, Some(&b"one"[..])] {
            enquiry.saw(state, now + seconds(7));
            assert_eq!(enquiry.next(), now + PERIOD);
        }
        enquiry.saw(Some(b"two"), now);
        assert_eq!(enquiry.next(), now + FIRST_PAUSE);
        enquiry.learn(AgentInfo::default(), Some(b"two"), now);
        enquiry.saw(Some(b"three"), now + seconds(7));
        assert_eq!(enquiry.next(), now + seconds(7));
    }
}
