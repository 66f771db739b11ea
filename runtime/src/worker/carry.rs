//! A payload on its way: attempted, repeated, split, lost; interrupted when the worker's time is over.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::backlog::{Filled, Size};
use super::report;
use super::retry::{Attempts, Next};
use super::run::Worker;
use super::signal::Signal;
use crate::diagnostics::{self, Level};
use crate::export::client::{AgentClient, Outcome, Parcel};
use crate::export::counters::DropReason;
use crate::export::v04::Limits;

/// What became of a payload.
enum Fate {
    Delivered {
        answer: Vec<u8>,
    },
    Lost(DropReason),
    Split,
    /// The worker's time is over.
    Abandoned,
}

impl Worker {
    /// Sends the backlog, payload by payload, until it is settled.
    pub(super) fn deliver(&mut self) {
        while !self.backlog.is_empty() {
            let now = Instant::now();
            if !self.wait_until(self.delivery.earliest(now)) {
                self.abandon();
                break;
            }
            self.deliver_one(self.delivery.size);
        }
        self.delivery.forget_waiting();
    }

    /// Sends the next payload, and settles it unless it is to be written anew.
    fn deliver_one(&mut self, size: Size) {
        let memory = Vec::with_capacity(self.delivery.latest_bytes + self.delivery.latest_bytes / 8);
        let timeline = self.timeline();
        let Self { backlog, encoder, sampler, .. } = self;
        let filled =
            backlog.fill(memory, encoder, &timeline, size, |head, spans| sampler.decide(head, spans));
        let Filled { payload, until, too_large } = filled;
        let (bytes, chunks, spans) = (payload.len(), payload.chunks(), payload.spans());
        let fate = if spans == 0 {
            Fate::Delivered { answer: Vec::new() }
        } else {
            self.delivery.latest_bytes = bytes;
            self.carry(payload.into_body(), chunks)
        };
        match fate {
            Fate::Split if spans > 1 => {
                let half = bytes / 2;
                self.delivery.shrink(half);
                let max_alone = size.limits.max_alone;
                return self
                    .deliver_one(Size { enough: half, limits: Limits { max_bytes: half, max_alone } });
            }
            Fate::Abandoned => return self.abandon(),
            Fate::Delivered { answer } => {
                self.queue.ledger().acknowledge(spans);
                self.sampler.learn(&answer, self.delivery.age());
                diagnostics::debug(format_args!(
                    "sent payload: size: {bytes} traces: {chunks} spans: {spans}"
                ));
            }
            Fate::Lost(reason) => self.lose(reason, spans),
            Fate::Split => self.lose(DropReason::Http4xx, spans),
        }
        self.lose(DropReason::TooLarge, too_large);
        self.backlog.settle(until, &self.queue);
        self.report();
    }

    /// Attempts to hand a body over until it is clear what becomes of it.
    fn carry(&mut self, body: Vec<u8>, chunks: u32) -> Fate {
        let (runtime, mut client) = match self.delivery.connect() {
            Ok(connection) => connection,
            Err(outcome) => return self.lost(&outcome, DropReason::Net),
        };
        let first = Instant::now();
        let mut attempts = Attempts::new(first);
        let fate = match client.parcel(body, chunks) {
            Err(outcome) => self.lost(&outcome, DropReason::Net),
            Ok(parcel) => loop {
                let begin = Instant::now();
                self.delivery.health.attempted(begin);
                let limit = attempts.limit(self.delivery.agent.timeout, begin);
                let Some(outcome) = self.attempt(&runtime, &mut client, &parcel, limit) else {
                    self.delivery.interrupted(begin.elapsed());
                    break Fate::Abandoned;
                };
                self.delivery.attempted(&outcome);
                let now = Instant::now();
                if let Outcome::Refused { retry_after, .. } = &outcome {
                    self.delivery.health.wait(*retry_after, now);
                }
                let next = attempts.after(&outcome, self.delivery.earliest(now), now, chance());
                if diagnostics::is_shown(Level::Debug) {
                    let cause = report::cause(&outcome, &self.delivery.agent);
                    diagnostics::debug(format_args!("attempt to send a payload: {cause}; then {next:?}"));
                }
                match next {
                    Next::Delivered => {
                        let Outcome::Accepted { answer } = outcome else { break Fate::Split };
                        break Fate::Delivered { answer };
                    }
                    Next::Split => break Fate::Split,
                    Next::Lost(reason) => break self.lost(&outcome, reason),
                    Next::Again(at) => {
                        // A worker that is about to end tells everything at its end.
                        if self.ending.is_none() {
                            self.delivery.report_retry(at.saturating_duration_since(first));
                        }
                        if !self.wait_until(at) {
                            break Fate::Abandoned;
                        }
                    }
                }
            },
        };
        self.delivery.keep((runtime, client));
        fate
    }

    /// One attempt; none when the worker's time ended first.
    fn attempt(
        &mut self,
        runtime: &Runtime,
        client: &mut AgentClient,
        parcel: &Parcel,
        limit: Duration,
    ) -> Option<Outcome> {
        runtime.block_on(async {
            let mut attempt = pin!(client.attempt(parcel, limit));
            loop {
                let deadline = self.ending.as_ref().map(|ending| ending.deadline);
                match first(attempt.as_mut(), &self.signal, deadline).await {
                    Event::Done(outcome) => return Some(outcome),
                    Event::Rung => self.listen(),
                    Event::Over => return None,
                }
            }
        })
    }

    /// Waits for a moment, or the first that will do for somebody who began to wait; false when the worker's time ended
    /// before.
    fn wait_until(&mut self, moment: Instant) -> bool {
        loop {
            let now = Instant::now();
            let at =
                if self.delivery.health.is_sick() { moment.min(self.delivery.earliest(now)) } else { moment };
            let end = self.ending.as_ref().map(|ending| ending.deadline);
            if end.is_some_and(|end| now >= end) {
                return false;
            }
            if now >= at {
                return true;
            }
            self.signal.wait(end.map_or(at, |end| at.min(end)));
            self.listen();
        }
    }

    fn lost(&mut self, outcome: &Outcome, reason: DropReason) -> Fate {
        self.delivery.failed(outcome);
        Fate::Lost(reason)
    }

    /// Drops everything: the deadline of the shutdown has passed.
    fn abandon(&mut self) {
        self.backlog.drain(&self.queue);
        self.drop_backlog(DropReason::ShutdownDeadline);
    }
}

/// What happens first during an attempt.
enum Event {
    Done(Outcome),
    Rung,
    Over,
}

async fn first(
    mut attempt: Pin<&mut impl Future<Output = Outcome>>,
    signal: &Signal,
    deadline: Option<Instant>,
) -> Event {
    let mut rung = pin!(signal.rung());
    let mut over = pin!(async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    });
    std::future::poll_fn(|context| {
        if let Poll::Ready(outcome) = attempt.as_mut().poll(context) {
            return Poll::Ready(Event::Done(outcome));
        }
        if over.as_mut().poll(context).is_ready() {
            return Poll::Ready(Event::Over);
        }
        rung.as_mut().poll(context).map(|()| Event::Rung)
    })
    .await
}

/// A number from 0 to 1, anew each time.
fn chance() -> f64 {
    // The keys of the standard library's hasher are random.
    let random = RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64
}
