//! The tracer tells DogStatsD about itself, where it is asked to: names and tags of the other tracers, the numbers of the books.

use std::collections::BTreeMap;
use std::time::Duration;

use dd_traced::span;
use dd_traced_tests::{Answer, Books, FakeAgent, Metric, Statsd, with_tracer_of};

/// Work of a tracer that tells `statsd` about itself; what it told, and the books.
fn told(statsd: &Statsd, test: impl FnOnce(&FakeAgent)) -> (Vec<Metric>, Books) {
    let (_, books) = with_tracer_of(
        // Nothing is sent but where somebody asks.
        |_, tracer| tracer.health_metrics(true).dogstatsd_url(statsd.url()).flush_interval(HOUR),
        |agent, _| test(agent),
    );
    (statsd.metrics(), books)
}

/// The sum of all of this name with this tag; those without a tag have the empty one.
fn sum(metrics: &[Metric], name: &str, tag: (&str, &str)) -> u64 {
    let named = metrics.iter().filter(|metric| metric.name == format!("datadog.tracer.{name}"));
    let tagged =
        named.filter(|metric| tag.0.is_empty() || metric.tags.get(tag.0).is_some_and(|value| value == tag.1));
    tagged.map(|metric| metric.number as u64).sum()
}

const HOUR: Duration = Duration::from_secs(3600);
const ANY: (&str, &str) = ("", "");

fn work(spans: usize) {
    for _ in 0..spans {
        span("work").start().finish();
    }
}

#[test]
fn the_numbers_are_those_of_the_books() {
    let statsd = Statsd::udp();
    let (metrics, books) = told(&statsd, |agent| {
        work(30);
        assert!(dd_traced::flush(Duration::from_secs(10)));
        agent.answers(Answer::status(403));
        work(12);
    });
    assert_eq!((books.acknowledged, books.dropped("http_4xx")), (30, 12), "{books:?}");
    assert_eq!(sum(&metrics, "spans_finished", ANY), books.finished);
    let reasons = metrics.iter().filter(|metric| metric.name == "datadog.tracer.spans_dropped");
    let dropped: BTreeMap<String, u64> =
        reasons.map(|metric| (metric.tags["reason"].clone(), metric.number as u64)).collect();
    assert_eq!(dropped, books.dropped);
    for (name, tag, expected) in [
        ("started", ANY, 1),
        ("stopped", ANY, 1),
        ("queue.enqueued.traces", ANY, 42),
        ("queue.length", ANY, 0),
        ("flush_traces", ANY, 30),
        ("traces_dropped", ("reason", "send_failed"), 12),
        ("api.errors", ("reason", "server_response_403"), 1),
        ("api.errors", ("endpoint", "/v0.4/traces"), 1),
        ("flush_triggered", ("reason", "invoked"), 1),
        ("flush_triggered", ("reason", "shutdown"), 1),
    ] {
        assert_eq!(sum(&metrics, name, tag), expected, "{name} {tag:?}: {metrics:#?}");
    }
    let durations = metrics.iter().filter(|metric| metric.name == "datadog.tracer.flush_duration");
    assert!(
        durations.clone().count() >= 2
            && durations.clone().all(|metric| metric.kind == "ms" && metric.number > 0.0)
    );
    assert!(
        sum(&metrics, "flush_bytes", ANY) > 30 * 50 && sum(&metrics, "http.dropped.bytes", ANY) > 12 * 50
    );
}
