//! The same lines, read by a parser that others wrote: of the crate `statsd-parser`, by `AppSignal`.

use statsd_parser::{Counter, Gauge, Histogram, Metric as Read, Timing, parse};

use super::Metric;

/// Fails unless that parser reads the line as `metric`. It knows no containers, which it passes over.
pub(super) fn expect_same(line: &str, metric: &Metric) {
    // It is older than distributions, which are written as histograms are.
    let is_distribution = metric.kind == "d";
    let line = if is_distribution { line.replacen("|d", "|h", 1) } else { line.to_owned() };
    let message = parse(line.as_str()).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    let (kind, number, rate) = match message.metric {
        Read::Counter(Counter { value, sample_rate }) => ("c", value, sample_rate),
        Read::Gauge(Gauge { value, sample_rate }) => ("g", value, sample_rate),
        Read::Timing(Timing { value, sample_rate }) => ("ms", value, sample_rate),
        Read::Histogram(Histogram { value, sample_rate }) if is_distribution => ("d", value, sample_rate),
        Read::Histogram(Histogram { value, sample_rate }) => ("h", value, sample_rate),
        other => panic!("{other:?} is nothing that a tracer tells: {line:?}"),
    };
    let read = Metric {
        name: message.name,
        number,
        kind: kind.to_owned(),
        rate: rate.unwrap_or(1.0),
        tags: message.tags.unwrap_or_default(),
        container: metric.container.clone(),
    };
    assert_eq!(&read, metric, "{line:?}");
}
