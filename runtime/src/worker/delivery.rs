//! Payloads on their way: filled, attempted, repeated, split, lost, and booked.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::PoisonError;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::backlog::{Filled, Size};
use super::health::Health;
use super::report::{self, Report};
use super::retry::{Attempts, Next};
use super::run::Worker;
use super::settings::WriterSettings;
use super::signal::Signal;
use crate::diagnostics;
use crate::export::client::{self, AgentClient, Outcome, Parcel};
use crate::export::counters::DropReason;
use crate::export::queue::Queue;
use crate::export::settings::AgentSettings;
use crate::export::v04::Limits;

/// The way to the agent, and what is known about it.
#[derive(Debug)]
pub(super) struct Delivery {
    agent: AgentSettings,
    /// Made when there is something to send.
    connection: Option<(Runtime, AgentClient)>,
    health: Health,
    report: Report,
    size: Size,
    /// Bytes of the latest payload, for the memory of the next.
    latest_bytes: usize,
    /// Spans lost so far, for whoever asks whether all were delivered.
    pub(super) lost: u64,
    /// Until when somebody waits for what is being delivered.
    waiting: Option<Instant>,
    started: Instant,
}

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

/// Payloads do not become smaller than this because the agent found one too large.
const SMALLEST_LIMIT: usize = 64 << 10;

impl Delivery {
    pub(super) fn new(agent: AgentSettings, writer: &WriterSettings) -> Self {
        let max = writer.max_payload_bytes;
        // A drain brings little more than made it begin; one payload for all of it saves a small second one.
        let enough = writer.flush_from_bytes.saturating_mul(2).min(max / 2);
        Self {
            agent,
            connection: None,
            health: Health::default(),
            report: Report::default(),
            size: Size { enough, limits: Limits { max_bytes: max, max_alone: max } },
            latest_bytes: 0,
            lost: 0,
            waiting: None,
            started: Instant::now(),
        }
    }

    /// Says until when somebody waits; several wait until the latest of their moments.
    pub(super) fn set_waiting(&mut self, until: Option<Instant>) {
        self.waiting = self.waiting.max(until);
    }

    /// Books spans as lost.
    pub(super) fn lose(&mut self, queue: &Queue, reason: DropReason, spans: usize) {
        if spans > 0 {
            self.lost += spans as u64;
            queue.ledger().drop_spans(reason, spans);
            diagnostics::debug(format_args!("lost {spans} spans: {}", reason.as_str()));
        }
    }

    /// Warns about losses if that is due.
    pub(super) fn report(&mut self, queue: &Queue) {
        if let Some(text) = self.report.due(&queue.ledger().snapshot(0), Instant::now()) {
            diagnostics::warn(format_args!("{text}"));
        }
    }

    /// Closes the connection and ends the runtime without waiting for either.
    pub(super) fn disconnect(&mut self) {
        if let Some((runtime, client)) = self.connection.take() {
            drop(client);
            // A plain drop would wait for what still runs.
            runtime.shutdown_background();
        }
    }

    fn connect(&mut self) -> Result<(Runtime, AgentClient), Outcome> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let runtime = client::runtime().map_err(|error| Outcome::Unreachable(error.to_string()))?;
        let client = AgentClient::new(&self.agent).map_err(Outcome::Unreachable)?;
        Ok((runtime, client))
    }

    /// Keeps later payloads below what the agent found too large, but for single spans.
    fn shrink(&mut self, max_bytes: usize) {
        let limits = &mut self.size.limits;
        limits.max_bytes = limits.max_bytes.min(max_bytes.max(SMALLEST_LIMIT));
        self.size.enough = self.size.enough.min(limits.max_bytes / 2);
    }

    fn earliest(&self, now: Instant) -> Instant {
        self.health.earliest(now, self.waiting.is_some_and(|until| now < until))
    }
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
        self.delivery.waiting = None;
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
                self.learn(&answer);
                diagnostics::debug(format_args!(
                    "sent payload: size: {bytes} traces: {chunks} spans: {spans}"
                ));
            }
            Fate::Lost(reason) => self.delivery.lose(&self.queue, reason, spans),
            Fate::Split => self.delivery.lose(&self.queue, DropReason::Http4xx, spans),
        }
        self.delivery.lose(&self.queue, DropReason::TooLarge, too_large);
        self.backlog.settle(until, &self.queue);
        self.delivery.report(&self.queue);
    }

    /// Attempts to hand a body over until it is clear what becomes of it.
    fn carry(&mut self, body: Vec<u8>, chunks: u32) -> Fate {
        let (runtime, mut client) = match self.delivery.connect() {
            Ok(connection) => connection,
            Err(outcome) => return self.lost(&outcome, DropReason::Net),
        };
        let mut attempts = Attempts::new(Instant::now());
        let fate = match client.parcel(body, chunks) {
            Err(outcome) => self.lost(&outcome, DropReason::Net),
            Ok(parcel) => loop {
                let begin = Instant::now();
                self.delivery.health.attempted(begin);
                let limit = attempts.limit(self.delivery.agent.timeout, begin);
                let Some(outcome) = self.attempt(&runtime, &mut client, &parcel, limit) else {
                    break Fate::Abandoned;
                };
                let now = Instant::now();
                if let Outcome::Refused { retry_after, .. } = &outcome {
                    self.delivery.health.wait(*retry_after, now);
                }
                let next = attempts.after(&outcome, self.delivery.earliest(now), now, chance());
                diagnostics::debug(format_args!("attempt to send a payload: {outcome:?}, then {next:?}"));
                match next {
                    Next::Delivered => {
                        self.delivery.health.recovered();
                        let Outcome::Accepted { answer } = outcome else { break Fate::Split };
                        break Fate::Delivered { answer };
                    }
                    Next::Split => break Fate::Split,
                    Next::Lost(reason) => break self.lost(&outcome, reason),
                    Next::Again(at) if self.wait_until(at) => {}
                    Next::Again(_) => break Fate::Abandoned,
                }
            },
        };
        self.delivery.connection = Some((runtime, client));
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
        self.delivery.report.failed(outcome, &self.delivery.agent);
        diagnostics::debug(format_args!("{}", report::cause(outcome, &self.delivery.agent)));
        // A body that is wrong says nothing about the agent.
        if !matches!(outcome, Outcome::Refused { status: 400, .. }) {
            self.delivery.health.lost_payload();
        }
        Fate::Lost(reason)
    }

    /// Drops everything: the deadline of the shutdown has passed.
    fn abandon(&mut self) {
        self.backlog.drain(&self.queue);
        self.drop_backlog(DropReason::ShutdownDeadline);
    }

    /// Takes over the rates of an answer.
    fn learn(&self, answer: &[u8]) {
        let lock = || self.sampler.rates.lock().unwrap_or_else(PoisonError::into_inner);
        // Read outside of the lock: only the worker writes, and others decide meanwhile.
        let before = lock().clone();
        if let Some(rates) = before.after(answer, self.delivery.started.elapsed()) {
            *lock() = rates;
        }
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
