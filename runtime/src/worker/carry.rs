//! A payload on its way: attempted, repeated, split, lost; interrupted when the worker's time is over.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::backlog::{Filled, Size};
use super::metrics::Metrics;
use super::report;
use super::retry::{Attempts, Next};
use super::run::Worker;
use super::signal::Signal;
use crate::diagnostics::{self, Level};
use crate::export::client::{AgentClient, Content, Failure, Parcel};
use crate::export::counters::DropReason;
use crate::export::v04::Limits;

/// What became of a payload.
enum Fate {
    /// Done with: the agent's answer, or why the spans are lost.
    Settled(Result<Vec<u8>, DropReason>),
    /// The agent wants smaller bodies.
    Split,
    /// The worker's time is over.
    Abandoned,
}

/// Something on its way: wrapped by the first client there is.
#[derive(Debug)]
pub(super) struct Load {
    path: &'static str,
    content: Option<Content>,
    parcel: Option<Parcel>,
}

/// Whether an exchange is given up where somebody wants something else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exchange {
    /// It is not: it takes the time it was given.
    Patient,
    /// It has a moment left from then on; and from now on, if somebody waited already at this moment.
    Hasty(Option<Instant>),
}

/// The moment that is left.
const HURRY: Duration = Duration::from_millis(100);

impl Worker {
    /// Sends the backlog, payload by payload, until it is settled.
    pub(super) fn deliver(&mut self) {
        while !self.backlog.is_empty() {
            let now = Instant::now();
            if !self.wait_until(self.delivery.earliest(now)) {
                self.abandon();
                break;
            }
            self.deliver_one(self.delivery.size());
        }
        self.delivery.forget_waiting();
    }

    /// Sends the next payload, and settles it unless it is to be written anew.
    fn deliver_one(&mut self, size: Size) {
        let memory = std::mem::take(&mut self.delivery.memory);
        let timeline = self.timeline();
        self.encoder.set_reads_events(self.enquiry.known().is_some_and(|info| info.span_events));
        let Self { backlog, encoder, sampler, counting, .. } = self;
        let Filled { payload, until, too_large, too_large_chunks, left_out_tags, left_out_events } =
            backlog.fill(memory, encoder, &timeline, size, sampler);
        let (bytes, chunks, spans) = (payload.len(), payload.chunks(), payload.spans());
        let told = counting.told();
        let began = Instant::now();
        let fate = if spans == 0 {
            // All that there was is too large.
            Fate::Settled(Err(DropReason::TooLarge))
        } else {
            diagnostics::debug(format_args!(
                "attempt to send payload: size: {bytes} traces: {chunks} spans: {spans} to {}",
                self.delivery.agent.address
            ));
            let body = Bytes::from(payload.into_body());
            let fate = self.carry(Load::new(Content::Traces { body: body.clone(), chunks, told }));
            self.delivery.keep_memory(body);
            fate
        };
        let result = match fate {
            Fate::Settled(result) => result,
            Fate::Split if spans > 1 => {
                let half = bytes / 2;
                self.delivery.shrink(half);
                let max_alone = size.limits.max_alone;
                return self
                    .deliver_one(Size { enough: half, limits: Limits { max_bytes: half, max_alone } });
            }
            Fate::Split => Err(DropReason::Http4xx),
            Fate::Abandoned => return self.abandon(),
        };
        // Before the books: what is still in the backlog when the worker fails is booked as lost.
        self.backlog.settle(until, &self.queue);
        match result {
            Ok(answer) => {
                self.queue.acknowledge(spans);
                self.counting.forget(told);
                let took = began.elapsed();
                if diagnostics::is_shown(Level::Debug) {
                    let (took, address) = (report::span_of_time(took), &self.delivery.agent.address);
                    diagnostics::debug(format_args!(
                        "sent payload: size: {bytes} traces: {chunks} spans: {spans} to {address} in {took}"
                    ));
                }
                self.tally.sent(bytes, chunks, took);
                if !self.sampler.learn(&answer) && !is_json(&answer) {
                    self.tally.unread_answers += 1;
                }
            }
            Err(reason) => {
                if spans > 0 {
                    self.tally.lost(bytes, chunks, began.elapsed());
                }
                self.lose(reason, spans, chunks as usize);
            }
        }
        self.lose(DropReason::TooLarge, too_large, too_large_chunks);
        self.queue.ledger().leave_out_unwritten(left_out_tags, left_out_events);
        self.report();
    }

    /// Attempts to hand a body over until it is clear what becomes of it.
    fn carry(&mut self, mut load: Load) -> Fate {
        let first = Instant::now();
        let mut attempts = Attempts::new(first);
        loop {
            let begin = Instant::now();
            self.delivery.health.attempted(begin);
            let limit = attempts.limit(self.delivery.agent.timeout, begin);
            let failure = match self.exchange(&mut load, limit, Exchange::Patient) {
                Some(Ok(answer)) => {
                    self.delivery.accepted();
                    return Fate::Settled(Ok(answer));
                }
                Some(Err(failure)) => failure,
                None => {
                    self.delivery.interrupted(begin.elapsed());
                    return Fate::Abandoned;
                }
            };
            let now = Instant::now();
            self.delivery.failed(&failure, limit, now);
            let next = attempts.after(&failure, self.delivery.earliest(now), now, chance());
            if diagnostics::is_shown(Level::Debug) {
                let (cause, next) = (report::cause(&failure, &self.delivery.agent, limit), next.told(now));
                diagnostics::debug(format_args!("payload not sent: {cause}; then {next}"));
            }
            match next {
                Next::Split => return Fate::Split,
                Next::Lost(reason) => {
                    self.delivery.given_up(&failure);
                    return Fate::Settled(Err(reason));
                }
                Next::Again(at) => {
                    // A worker that is about to end tells everything at its end.
                    if self.ending.is_none() {
                        self.delivery.report_retry(at.saturating_duration_since(first));
                    }
                    if !self.wait_until(at) {
                        return Fate::Abandoned;
                    }
                }
            }
        }
    }

    /// One attempt; none when the worker's time ended first, or what it had for this.
    pub(super) fn exchange(
        &mut self,
        load: &mut Load,
        limit: Duration,
        exchange: Exchange,
    ) -> Option<Result<Vec<u8>, Failure>> {
        self.tally.requests += 1;
        let (runtime, mut client) = match self.delivery.connect() {
            Ok(connection) => connection,
            Err(failure) => {
                self.tally.failed(load.path, &failure);
                return Some(Err(failure));
            }
        };
        let (is_hasty, since) = match exchange {
            Exchange::Patient => (false, None),
            Exchange::Hasty(since) => (true, since),
        };
        let result = runtime.block_on(async {
            let parcel = load.wrapped(&client)?;
            let mut hurry = since.map(|since| since + HURRY);
            let mut attempt = pin!(client.attempt(parcel, limit));
            loop {
                let end = self.ending.as_ref().map(|ending| ending.deadline);
                let deadline = [hurry, end].into_iter().flatten().min();
                match first(attempt.as_mut(), &self.signal, deadline).await {
                    Event::Done(result) => return Some(result),
                    Event::Over => return None,
                    Event::Rung => self.listen(),
                }
                if is_hasty {
                    hurry.get_or_insert_with(|| Instant::now() + HURRY);
                }
            }
        });
        self.enquiry.saw(client.agent_state(), Instant::now());
        if let Some(Err(failure)) = &result {
            self.tally.failed(load.path, failure);
            if let Failure::Refused { status: 404, .. } = failure {
                self.enquiry.doubt(Instant::now());
            }
        }
        self.delivery.keep((runtime, client));
        result
    }

    /// Waits for a moment, or the first that will do for somebody who began to wait; false when the worker's time ended
    /// before.
    pub(super) fn wait_until(&mut self, moment: Instant) -> bool {
        loop {
            let now = Instant::now();
            let at =
                if self.delivery.health.is_sick() { moment.min(self.delivery.earliest(now)) } else { moment };
            match Wait::at(now, at, self.ending.as_ref().map(|ending| ending.deadline)) {
                Wait::Over => return false,
                Wait::Done => return true,
                Wait::Until(next) => {
                    let metrics = self.metrics.as_ref().map_or(next, Metrics::next);
                    self.signal.wait(next.min(metrics));
                }
            }
            self.listen();
            self.tell_metrics();
        }
    }

    /// Drops what was taken over: the deadline of the shutdown has passed. What still came is dropped on the next round.
    fn abandon(&mut self) {
        self.drop_backlog(DropReason::ShutdownDeadline);
    }
}

impl Load {
    pub(super) fn new(content: Content) -> Self {
        Self { path: content.path(), content: Some(content), parcel: None }
    }

    fn wrapped(&mut self, client: &AgentClient) -> Option<&Parcel> {
        if let Some(content) = self.content.take() {
            self.parcel = Some(client.parcel(content));
        }
        self.parcel.as_ref()
    }
}

/// What happens first during an attempt.
enum Event<T> {
    Done(T),
    Rung,
    Over,
}

/// Waits for the end of an attempt, a ring, or the deadline.
async fn first<T>(
    mut attempt: Pin<&mut impl Future<Output = T>>,
    signal: &Signal,
    deadline: Option<Instant>,
) -> Event<T> {
    let mut rung = pin!(signal.rung());
    let mut over = pin!(async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    });
    std::future::poll_fn(|context| {
        if let Poll::Ready(result) = attempt.as_mut().poll(context) {
            return Poll::Ready(Event::Done(result));
        }
        if over.as_mut().poll(context).is_ready() {
            return Poll::Ready(Event::Over);
        }
        rung.as_mut().poll(context).map(|()| Event::Rung)
    })
    .await
}

/// What is left of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// The worker's time has ended, which comes before all else.
    Over,
    /// The moment has come.
    Done,
    Until(Instant),
}

impl Wait {
    /// At `now`, of a wait for `moment` that ends with the worker's time.
    fn at(now: Instant, moment: Instant, end: Option<Instant>) -> Self {
        match end {
            Some(end) if now >= end => Self::Over,
            _ if now >= moment => Self::Done,
            _ => Self::Until(end.map_or(moment, |end| moment.min(end))),
        }
    }
}

/// Whether an answer without rates is one that has none; one that did not come whole says nothing.
fn is_json(answer: &[u8]) -> bool {
    answer.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(answer).is_ok()
}

/// A number from 0 to 1, anew each time.
fn chance() -> f64 {
    // The keys of the standard library's hasher are random.
    let random = RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_ends_with_its_moment_or_with_the_workers_time() {
        let start = Instant::now();
        let after = |ns| start + Duration::from_nanos(ns);
        for (now, end, expected) in [
            (0, None, Wait::Until(after(10))),
            (9, Some(20), Wait::Until(after(10))),
            (10, Some(20), Wait::Done),
            (10, Some(10), Wait::Over),
            (4, Some(5), Wait::Until(after(5))),
            (5, Some(5), Wait::Over),
            (30, Some(5), Wait::Over),
        ] {
            assert_eq!(Wait::at(after(now), after(10), end.map(after)), expected, "{now} {end:?}");
        }
    }
}
