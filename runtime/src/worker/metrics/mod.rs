//! The tracer's metrics about itself: every ten seconds what came to pass since the last time, and the rest at the end.
//!
//! Only where they are asked for; else there is no socket and nothing is formatted. What cannot be sent because there is no connection is told
//! with the next; a datagram that was handed to the system is not asked after.

mod sums;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sums::{Sum, sums};

use super::abandoned::{Abandoned, AbandonedNames};
use super::run::Worker;
use super::tally::{Sample, Tally};
use crate::diagnostics;
use crate::export::container::Container;
use crate::export::counters::Counters;
use crate::export::headers::{INTERPRETER, LANG_VERSION};
use crate::export::resolve::Resolver;
use crate::export::statsd::settings::StatsdSettings;
use crate::export::statsd::{Constant, Kind, Metric, Number, Packer, StatsdClient, StatsdFailure, Tags};
use crate::export::v04::SpanDefaults;
use crate::model::AgentInfo;
use crate::stats::StatsTally;

/// What is told to DogStatsD, and what was.
#[derive(Debug)]
pub(super) struct Metrics {
    client: StatsdClient,
    follows_agent: bool,
    constant: Constant,
    /// The sums that were told.
    told: BTreeMap<(&'static str, Tags), u64>,
    period: Duration,
    next: Instant,
    warnings: Warnings,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) counters: &'a Counters,
    pub(super) tally: &'a Tally,
    pub(super) statistics: &'a StatsTally,
    /// Where they are looked for.
    pub(super) abandoned: Option<&'a AbandonedNames>,
    /// Chunks that are waiting or on their way.
    pub(super) waiting_chunks: usize,
    pub(super) is_ending: bool,
}

/// How long the end waits for the look-up of the name.
const LAST_LOOK_UP: Duration = Duration::from_millis(100);

impl Metrics {
    /// None where nobody asked for them. `resolver` is no one else's: a name that is looked up for long must not hold up spans.
    pub(super) fn new(
        settings: StatsdSettings,
        defaults: &SpanDefaults,
        resolver: Resolver,
        report_period: Duration,
        now: Instant,
    ) -> Option<Self> {
        let address = settings.address.filter(|_| settings.has_health_metrics)?;
        let mut client = StatsdClient::new(address, resolver);
        // Begins to look the name up. Whether somebody listens matters when there is something to tell.
        let _ = client.connect();
        let container = if settings.entity_id.is_some() { Container::default() } else { Container::detect() };
        let tags = Tags::none()
            .with("service", &defaults.service)
            .with("env", defaults.env.as_deref().unwrap_or_default())
            .with("version", defaults.version.as_deref().unwrap_or_default())
            .with("lang", "rust")
            .with("lang_version", LANG_VERSION)
            .with("lang_interpreter", INTERPRETER)
            .with("tracer_version", env!("CARGO_PKG_VERSION"))
            .with("dd.internal.entity_id", settings.entity_id.as_deref().unwrap_or_default());
        Some(Self {
            client,
            follows_agent: settings.follows_agent,
            constant: Constant::new(tags, container.entity_id.as_deref()),
            told: BTreeMap::new(),
            period: settings.period,
            next: now + settings.period,
            warnings: Warnings { period: report_period, latest: [None; 2] },
        })
    }

    /// When metrics are told the next time.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Takes over what the agent says of itself.
    pub(super) fn learn(&mut self, info: &AgentInfo) {
        if let Some(port) = info.statsd_port.filter(|_| self.follows_agent) {
            self.client.learn_port(port);
        }
    }

    /// Tells what there is at `now`; false where there is no connection, and all of it is left to the next time.
    fn tell(&mut self, facts: Facts<'_>, now: Instant) -> bool {
        self.next = now + self.period;
        match self.client.connect() {
            Ok(true) => {}
            Ok(false) => return false,
            Err(failure) => {
                self.warn(&failure, now);
                return false;
            }
        }
        let Self { client, constant, told, .. } = self;
        let mut failure = None;
        let max_bytes = client.max_bytes();
        let mut packer = Packer::new(constant, max_bytes, |datagram| {
            failure = client.send(datagram).err().or(failure.take());
        });
        for Sum { name, tags, kind, total } in sums(facts) {
            let before = told.entry((name, tags.clone())).or_default();
            let since = total.saturating_sub(*before);
            // Those that started are fewer for a moment, while some have finished and are not handed over.
            *before = total.max(*before);
            if since > 0 {
                packer.add(&Metric { name, number: Number::Whole(since), kind, tags: &tags, one_of: 1 });
            }
        }
        let none = Tags::none();
        let waiting = Number::Whole(facts.waiting_chunks as u64);
        packer.add(&Metric {
            name: sums::QUEUE_LENGTH,
            number: waiting,
            kind: Kind::Gauge,
            tags: &none,
            one_of: 1,
        });
        let durations = &facts.tally.durations;
        for duration in durations.kept() {
            let number = Number::Real(duration.as_secs_f64() * 1e3);
            let one_of = durations.one_of();
            packer.add(&Metric {
                name: sums::FLUSH_DURATION,
                number,
                kind: Kind::Timing,
                tags: &none,
                one_of,
            });
        }
        packer.finish();
        if let Some(failure) = failure {
            self.warn(&failure, now);
        }
        true
    }

    fn warn(&mut self, failure: &StatsdFailure, now: Instant) {
        if !self.warnings.is_due(failure, now) {
            return;
        }
        let address = self.client.address();
        match failure {
            StatsdFailure::Unreachable(reason) => diagnostics::warn(format_args!(
                "DogStatsD not reachable at {address}: {reason}; metrics of the tracer do not arrive (DD_DOGSTATSD_URL names another address)"
            )),
            StatsdFailure::Full => diagnostics::warn(format_args!(
                "DogStatsD at {address} does not keep up; metrics of the tracer are lost"
            )),
        }
    }
}

/// When the latest warning of each kind was.
#[derive(Debug)]
struct Warnings {
    period: Duration,
    latest: [Option<Instant>; 2],
}

impl Warnings {
    fn is_due(&mut self, failure: &StatsdFailure, now: Instant) -> bool {
        let [unreachable, full] = &mut self.latest;
        let latest = if matches!(failure, StatsdFailure::Full) { full } else { unreachable };
        let is_due = latest.is_none_or(|latest| now >= latest + self.period);
        if is_due {
            *latest = Some(now);
        }
        is_due
    }
}

impl Worker {
    /// Tells metrics, if that is due.
    pub(super) fn tell_metrics(&mut self) {
        let now = Instant::now();
        if self.metrics.as_ref().is_some_and(|metrics| metrics.next() <= now) {
            self.tell_metrics_at(now, false);
        }
    }

    /// Tells the last metrics.
    pub(super) fn tell_last_metrics(&mut self) {
        let now = Instant::now();
        let deadline = self.ending.as_ref().map_or(now, |ending| ending.deadline);
        if let Some(metrics) = &mut self.metrics {
            metrics.client.wait_for_name(deadline.saturating_duration_since(now).min(LAST_LOOK_UP));
            self.tell_metrics_at(now, true);
        }
    }

    fn tell_metrics_at(&mut self, now: Instant, is_ending: bool) {
        let counters = self.queue.counters();
        let waiting_chunks = self.queue.chunks() + self.backlog.chunks();
        let Self { metrics, tally, counting, abandoned, .. } = self;
        let Some(metrics) = metrics else { return };
        let facts = Facts {
            counters: &counters,
            tally,
            statistics: counting.tally(),
            abandoned: abandoned.as_ref().map(Abandoned::names),
            waiting_chunks,
            is_ending,
        };
        if metrics.tell(facts, now) {
            tally.durations = Sample::default();
        }
    }
}
