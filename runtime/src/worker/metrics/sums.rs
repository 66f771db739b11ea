//! The names: what is counted, as the other tracers of Datadog call it.
//!
//! Source: `ddtrace/tracer/metrics.go`, `writer.go`, `stats.go` and `transport.go` of DataDog/dd-trace-go; for `http.*`,
//! `ddtrace/internal/writer/writer.py` of DataDog/dd-trace-py. For the reasons of `spans_dropped`, [`DropReason::as_str`].

use std::collections::BTreeMap;

use super::Facts;
use crate::export::counters::DropReason;
use crate::export::statsd::{Kind, Tags};
use crate::stats::Collapsed;
use crate::worker::abandoned::AbandonedNames;
use crate::worker::tally::{Cause, Error, Tally};

/// A number that only grows. What is told is by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) name: &'static str,
    pub(super) tags: Tags,
    pub(super) kind: Kind,
    pub(super) total: u64,
}

/// Chunks that are waiting or on their way.
pub(super) const QUEUE_LENGTH: &str = "datadog.tracer.queue.length";
/// Milliseconds until a payload was taken or given up.
pub(super) const FLUSH_DURATION: &str = "datadog.tracer.flush_duration";

/// All sums as they are now.
pub(super) fn sums(facts: Facts<'_>) -> Vec<Sum> {
    let Facts { counters, tally, statistics, is_ending, .. } = facts;
    let mut sums = Vec::new();
    let count = |name, total| Sum { name, tags: Tags::none(), kind: Kind::Count, total };
    let tagged =
        |name, key, value: &str, total| Sum { tags: Tags::none().with(key, value), ..count(name, total) };
    sums.extend([
        count("datadog.tracer.started", 1),
        count("datadog.tracer.stopped", u64::from(is_ending)),
        tagged("datadog.tracer.spans_started", "integration", "manual", counters.started()),
        tagged("datadog.tracer.spans_finished", "integration", "manual", counters.finished()),
        count("datadog.tracer.queue.enqueued.traces", tally.taken_chunks),
        count("datadog.tracer.flush_bytes", tally.bytes),
        count("datadog.tracer.flush_traces", tally.chunks),
        count("datadog.tracer.decode_error", tally.unread_answers),
        count("datadog.tracer.dropped_p0_spans", counters.dropped(DropReason::P0)),
        tagged(
            "datadog.tracer.dropped_p0_traces",
            "partial",
            "false",
            counters.dropped_chunks(DropReason::P0),
        ),
        tagged("datadog.tracer.dropped_p0_traces", "partial", "true", tally.partly_dropped),
        count("datadog.tracer.stats.spans_in", statistics.spans),
        count("datadog.tracer.stats.flush_buckets", statistics.buckets),
        count("datadog.tracer.stats.flush_payloads", tally.statistics),
        count("datadog.tracer.stats.flush_errors", counters.lost_statistics()),
    ]);
    sums.extend(http(tally));
    sums.extend(
        Cause::ALL.map(|cause| {
            tagged("datadog.tracer.flush_triggered", "reason", cause.name(), tally.rounds(cause))
        }),
    );
    for reason in DropReason::ALL.into_iter().filter(|reason| *reason != DropReason::P0) {
        sums.push(tagged(
            "datadog.tracer.spans_dropped",
            "reason",
            reason.as_str(),
            counters.dropped(reason),
        ));
    }
    for (reason, total) in dropped_traces(facts) {
        sums.push(tagged("datadog.tracer.traces_dropped", "reason", reason, total));
    }
    for collapsed in Collapsed::ALL {
        let total = statistics.collapsed(collapsed);
        sums.push(tagged("datadog.tracer.stats.collapsed_spans", "collapsed", collapsed.name(), total));
    }
    sums.extend(errors(tally));
    sums.extend(facts.abandoned.into_iter().flat_map(AbandonedNames::counts).map(|(tags, total)| Sum {
        tags: tags.with("integration", "manual"),
        ..count("datadog.tracer.abandoned_spans", total)
    }));
    sums
}

fn errors(tally: &Tally) -> impl Iterator<Item = Sum> {
    tally.errors().map(|(path, error, total)| {
        let reason = match error {
            Error::Network => "network_failure".to_owned(),
            Error::Status(status) => format!("server_response_{status}"),
        };
        let tags = Tags::none().with("reason", &reason).with("endpoint", path);
        Sum { name: "datadog.tracer.api.errors", tags, kind: Kind::Count, total }
    })
}

/// What the tracer for Python tells of requests.
fn http(tally: &Tally) -> impl Iterator<Item = Sum> {
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for (_, error, total) in tally.errors() {
        let kind = match error {
            Error::Network => "err".to_owned(),
            Error::Status(status) => status.to_string(),
        };
        *errors.entry(kind).or_default() += total;
    }
    let of = |name, tags, total| Sum { name, tags, kind: Kind::Distribution, total };
    let errors = errors
        .into_iter()
        .map(move |(kind, total)| of("datadog.tracer.http.errors", Tags::none().with("type", &kind), total));
    let others = [
        ("datadog.tracer.http.requests", tally.requests),
        ("datadog.tracer.http.sent.bytes", tally.bytes),
        ("datadog.tracer.http.sent.traces", tally.chunks),
        ("datadog.tracer.http.dropped.bytes", tally.lost_bytes),
        ("datadog.tracer.http.dropped.traces", tally.lost_chunks),
    ];
    others.into_iter().map(move |(name, total)| of(name, Tags::none(), total)).chain(errors)
}

/// Several of our reasons are one for other tracers.
fn dropped_traces(facts: Facts<'_>) -> Vec<(&'static str, u64)> {
    let mut dropped: Vec<(&'static str, u64)> = Vec::new();
    for reason in DropReason::ALL.into_iter().filter(|reason| *reason != DropReason::P0) {
        let (name, count) = (of_traces(reason), facts.counters.dropped_chunks(reason));
        match dropped.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => dropped.push((name, count)),
        }
    }
    dropped
}

fn of_traces(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Encode => "encoding_error",
        DropReason::TooLarge => "trace_too_large",
        DropReason::Net
        | DropReason::Timeout
        | DropReason::Http4xx
        | DropReason::Http5xx
        | DropReason::Overload => "send_failed",
        // As other tracers say it (`queue_full`, `trace_filter`), or what they do not know.
        other => other.as_str(),
    }
}
