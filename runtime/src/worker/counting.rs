//! Statistics on the worker: every finished span is counted, and what is not kept then stays away.
//!
//! Only where the agent takes statistics and lets traces that are not kept stay away; else it gets them all, and counts
//! itself. What is counted is sent every ten seconds, once: a payload that the agent does not take is tried again with the
//! next, at most twice. One that it may have taken is not: its spans would be counted twice.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::backlog::{Taken, Verdict};
use super::carry::{Exchange, Load};
use super::report;
use super::ruling::DecidedChunk;
use super::run::Worker;
use crate::clock::Timeline;
use crate::diagnostics;
use crate::export::client::{Content, Dropped, Failure};
use crate::export::counters::DropReason;
use crate::export::v04::SpanDefaults;
use crate::model::AgentInfo;
use crate::model::times::Pace;
use crate::sampling::{Sampler, TraceFilter};
use crate::stats::settings::StatsSettings;
use crate::stats::{Counted, Header, Statistics, StatsTally};

/// What is counted, and what waits to be sent of it.
#[derive(Debug)]
pub(super) struct Counting {
    is_enabled: bool,
    /// Whether the agent leaves statistics to the tracer.
    is_on: bool,
    statistics: Statistics,
    /// When what is counted is sent.
    next: Instant,
    waiting: VecDeque<Waiting>,
    /// What stayed away since the agent was told the last time.
    dropped: Dropped,
    /// Memory for what becomes of chunks.
    verdicts: Vec<Verdict>,
}

/// A payload on its way.
#[derive(Debug)]
struct Waiting {
    load: Load,
    bytes: usize,
    tries: u32,
}

/// Where the agent takes statistics.
const PATH: &str = "/v0.6/stats";
/// Between two times of sending.
const PERIOD: Duration = Duration::from_secs(10);
/// How often a payload is tried.
const TRIES: u32 = 3;
/// Between two tries at the end, when there is no next time.
const PAUSE: Duration = Duration::from_millis(100);
/// A flush that leaves less time than this leaves statistics to the next one.
const LEAST: Duration = Duration::from_millis(100);
/// Bytes of payloads that wait at most; the oldest give way.
const MAX_WAITING: usize = 4 << 20;

/// Whether statistics are computed here for an agent that says this of itself, where they are asked for. Then its filters are followed here, too.
pub(crate) fn counts_here(is_enabled: bool, info: &AgentInfo) -> bool {
    is_enabled && info.offers(PATH) && info.client_drop_p0s
}

impl Counting {
    pub(super) fn new(settings: StatsSettings, defaults: &SpanDefaults, now: Instant) -> Self {
        let header = Header {
            env: defaults.env.clone(),
            version: defaults.version.clone(),
            service: defaults.service.clone(),
            runtime_id: defaults.runtime_id.clone(),
        };
        Self {
            is_enabled: settings.is_enabled,
            is_on: false,
            statistics: Statistics::new(header, defaults.tags.clone(), settings.limits),
            next: now + PERIOD,
            waiting: VecDeque::new(),
            dropped: Dropped::default(),
            verdicts: Vec::new(),
        }
    }

    /// Takes over what the agent says of itself. Traces that it does not want are neither counted nor sent.
    pub(super) fn learn(&mut self, info: &AgentInfo, sampler: &Sampler) {
        let takes_them = self.is_enabled && info.offers(PATH);
        self.is_on = counts_here(self.is_enabled, info);
        self.statistics.learn(info);
        sampler.set_filter(if self.is_on { TraceFilter::new(info) } else { TraceFilter::default() });
        if !takes_them {
            self.statistics.clear();
            self.waiting.clear();
        }
    }

    /// Whether spans are counted here, and what the agent is told of what stayed away; `None` where it counts itself.
    pub(super) fn told(&self) -> Option<Dropped> {
        self.is_on.then_some(self.dropped)
    }

    /// How much was counted so far.
    pub(super) fn tally(&self) -> &StatsTally {
        self.statistics.tally()
    }

    /// The agent was told.
    pub(super) fn forget(&mut self, told: Option<Dropped>) {
        let told = told.unwrap_or_default();
        self.dropped.traces = self.dropped.traces.saturating_sub(told.traces);
        self.dropped.spans = self.dropped.spans.saturating_sub(told.spans);
    }

    /// When something is to be sent; `None` where nothing is.
    pub(super) fn next(&self) -> Option<Instant> {
        let is_idle = self.statistics.is_empty() && self.waiting.is_empty();
        (!is_idle).then_some(self.next)
    }

    /// Payloads that are not sent yet; what is not written yet would be one at least.
    pub(super) fn left(&self) -> u64 {
        self.waiting.len() as u64 + u64::from(!self.statistics.is_empty())
    }

    /// Counts the spans of a batch, and says what becomes of each chunk.
    fn weigh(&mut self, taken: &mut Taken, sampler: &Sampler, timeline: &Timeline) {
        let Self { statistics, verdicts, .. } = self;
        verdicts.clear();
        let now = timeline.latest_unix_ns();
        let mut pace = None;
        while let Some(chunk) = taken.decided(verdicts.len(), sampler) {
            let DecidedChunk { head, buffer, decision, is_wanted, .. } = chunk;
            if !is_wanted {
                verdicts.push(Verdict::Dropped(DropReason::TraceFilter));
                continue;
            }
            let records = head.records(buffer);
            let start = records.first().map_or(0, |record| record.start);
            let pace = pace.get_or_insert_with(|| Pace::new(timeline, start));
            let upstream = head.facts.as_ref().and_then(|facts| facts.upstream.as_deref());
            let origin = upstream.and_then(|upstream| upstream.origin.as_deref());
            let is_synthetic = origin.is_some_and(|origin| origin.starts_with("synthetics"));
            let noticed = statistics.add(&Counted { records, tags: &buffer.tags, pace, is_synthetic }, now);
            verdicts.push(if decision.priority.is_keep() || noticed.has_error {
                Verdict::Whole
            } else {
                Verdict::of_rejected(&chunk, noticed.has_analysed)
            });
        }
    }

    /// Counts what was dropped.
    fn book(&mut self, verdict: &Verdict, spans: usize) {
        match verdict {
            Verdict::Dropped(DropReason::P0) => self.dropped.add(1, spans),
            Verdict::Whole | Verdict::Dropped(_) => {}
            Verdict::Only(kept) => self.dropped.add(0, spans.saturating_sub(kept.len())),
        }
    }
}

impl Worker {
    /// Counts the spans of the latest `count` batches, and drops what the agent need not get.
    pub(super) fn count(&mut self, count: usize) {
        if !self.counting.is_on || count == 0 {
            return;
        }
        let timeline = self.timeline();
        let Self { backlog, counting, sampler, queue, tally, .. } = self;
        for taken in backlog.latest(count) {
            counting.weigh(taken, sampler, &timeline);
            let verdicts = std::mem::take(&mut counting.verdicts);
            let (mut p0, mut filtered) = ((0, 0), (0, 0));
            taken.apply(&verdicts, |verdict, spans| {
                counting.book(verdict, spans);
                let is_filtered = verdict.reason() == DropReason::TraceFilter;
                let (dropped, chunks) = if is_filtered { &mut filtered } else { &mut p0 };
                *dropped += verdict.dropped(spans);
                match verdict {
                    Verdict::Dropped(_) => *chunks += 1,
                    Verdict::Only(kept) => tally.partly_dropped += u64::from(kept.len() < spans),
                    Verdict::Whole => {}
                }
            });
            queue.lose(DropReason::P0, p0.0, p0.1);
            queue.lose(DropReason::TraceFilter, filtered.0, filtered.1);
            counting.verdicts = verdicts;
        }
        backlog.forget_empty(queue);
    }

    /// Sends statistics that are due, or all of them where somebody waits.
    pub(super) fn send_statistics(&mut self, until: Option<Instant>) {
        let now = Instant::now();
        let until = until.filter(|until| self.has_time(*until, now));
        let is_awaited = until.is_some();
        let Some(next) = self.counting.next().filter(|next| is_awaited || *next <= now) else { return };
        self.counting.next = if next <= now { now + PERIOD } else { next };
        let max_bytes = self.delivery.size().limits.max_alone;
        let unix_ns = self.timeline().latest_unix_ns();
        for body in self.counting.statistics.take(unix_ns, is_awaited, max_bytes) {
            let bytes = body.len();
            self.counting.waiting.push_back(Waiting {
                load: Load::new(Content::Statistics(body)),
                bytes,
                tries: 0,
            });
        }
        while let Some(waiting) = self.counting.waiting.pop_front() {
            if !self.send_one(waiting, until) {
                break;
            }
        }
        // What was not tried yet may be more than may wait.
        let lost = self.counting.bound();
        self.queue.ledger().lose_statistics(lost);
    }

    /// Whether somebody who waits until then leaves time for statistics.
    fn has_time(&self, until: Instant, now: Instant) -> bool {
        // At the end there is no next time.
        let least = if self.ending.is_some() { Duration::ZERO } else { LEAST };
        until > now + least
    }

    /// Tries to send one payload; false where the rest has to wait.
    fn send_one(&mut self, mut waiting: Waiting, until: Option<Instant>) -> bool {
        let now = Instant::now();
        let rest = self.delivery.health.rests_until(now);
        let may_try = match until {
            // At the end there is no next time: it is waited for.
            Some(until) => {
                self.has_time(until, now)
                    && rest.is_none_or(|rest| self.ending.is_some() && rest < until && self.wait_until(rest))
            }
            None => rest.is_none() && !self.delivery.health.is_failing() && !self.is_awaited(),
        };
        if !may_try {
            self.counting.waiting.push_front(waiting);
            return false;
        }
        loop {
            waiting.tries += 1;
            let now = Instant::now();
            self.delivery.health.attempted(now);
            let timeout = self.delivery.agent.timeout;
            let (limit, exchange) = match until {
                Some(until) => (timeout.min(until.saturating_duration_since(now)), Exchange::Patient),
                None => (timeout, Exchange::Hasty(None)),
            };
            let failure = match self.exchange(&mut waiting.load, limit, exchange) {
                Some(Ok(_)) => {
                    self.tally.statistics += 1;
                    if diagnostics::is_shown(diagnostics::Level::Debug) {
                        let took = report::span_of_time(now.elapsed());
                        let (bytes, address) = (waiting.bytes, &self.delivery.agent.address);
                        diagnostics::debug(format_args!(
                            "sent statistics: size: {bytes} to {address} in {took}"
                        ));
                    }
                    return true;
                }
                Some(Err(failure)) => failure,
                // Interrupted.
                None => Failure::TimedOut,
            };
            if let Failure::Refused { retry_after: wish @ Some(_), .. } = failure {
                self.delivery.health.wait(wish, Instant::now());
            }
            let is_over = self.ending.as_ref().is_some_and(|ending| Instant::now() >= ending.deadline);
            // Nobody knows whether the agent has what it did not answer in time.
            let is_worth_it = failure != Failure::TimedOut && super::retry::is_worth_a_retry(&failure);
            if waiting.tries >= TRIES || is_over || !is_worth_it {
                let cause = report::cause(&failure, &self.delivery.agent, limit);
                diagnostics::debug(format_args!("lost statistics of {} bytes: {cause}", waiting.bytes));
                self.queue.ledger().lose_statistics(1);
                return !is_over && (failure != Failure::TimedOut || self.ending.is_some());
            }
            if self.ending.is_none() {
                self.counting.waiting.push_front(waiting);
                return false;
            }
            let now = Instant::now();
            let again =
                self.delivery.health.rests_until(now).map_or(now + PAUSE, |rest| rest.max(now + PAUSE));
            if !self.wait_until(again) {
                self.queue.ledger().lose_statistics(1);
                return false;
            }
        }
    }
}

impl Counting {
    /// Drops the oldest payloads where too many wait; gives their number.
    fn bound(&mut self) -> u64 {
        let mut lost = 0;
        let mut bytes: usize = self.waiting.iter().map(|waiting| waiting.bytes).sum();
        // The latest may be larger alone, within what one payload may be.
        while bytes > MAX_WAITING && self.waiting.len() > 1 {
            if let Some(oldest) = self.waiting.pop_front() {
                bytes -= oldest.bytes;
                diagnostics::debug(format_args!("lost statistics of {} bytes: too many wait", oldest.bytes));
                lost += 1;
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(now: Instant) -> Counting {
        Counting::new(StatsSettings::default(), &SpanDefaults::default(), now)
    }

    fn waiting(bytes: usize) -> Waiting {
        Waiting { load: Load::new(Content::Statistics(Vec::new())), bytes, tries: 0 }
    }

    #[test]
    fn worker_is_woken_for_statistics_only_where_there_are_some() {
        let now = Instant::now();
        let mut counting = counting(now);
        assert_eq!(counting.next(), None);
        counting.waiting.push_back(waiting(1));
        assert_eq!(counting.next(), Some(now + Duration::from_secs(10)));
    }

    #[test]
    fn oldest_payloads_give_way_where_too_many_wait() {
        let mut counting = counting(Instant::now());
        for bytes in [MAX_WAITING / 2, 1, MAX_WAITING / 2 - 1, MAX_WAITING / 2 + 1] {
            counting.waiting.push_back(waiting(bytes));
            counting.bound();
        }
        let left: Vec<usize> = counting.waiting.iter().map(|waiting| waiting.bytes).collect();
        assert_eq!(left, [MAX_WAITING / 2 - 1, MAX_WAITING / 2 + 1]);
        counting.waiting.push_back(waiting(2 * MAX_WAITING));
        counting.bound();
        assert_eq!(counting.waiting.len(), 1, "the latest stays, however large");
    }
}
