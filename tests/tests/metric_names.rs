//! The tracer's metrics have the names, types and tags that the other tracers of Datadog give them, so that a dashboard for these shows ours.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use dd_traced::{SpanBuilder, TracerBuilder, TracerGuard, span};
use dd_traced_tests::{Answer, FakeAgent, Metric, PATIENCE, Received, Statsd, repository, with_tracer_of};

/// What becomes of a name of other tracers.
enum Fate {
    /// By the work below.
    Told,
    /// By what no program can bring about.
    ToldAtFault,
    /// Never, for this reason.
    Absent(&'static str),
}
use Fate::{Absent, Told, ToldAtFault};

const ONE_PROTOCOL: &str = "there is one protocol, v0.4";
const BY_GO: &str = "told under the names of the tracer for Go";

/// Names without `datadog.tracer.`, types, tags beside those that all metrics have.
///
/// Source: `ddtrace/tracer/{metrics,writer,stats,transport,abandonedspans}.go` of DataDog/dd-trace-go; `ddtrace/internal/writer/writer.py` of
/// DataDog/dd-trace-py. Values of tags are those that the work below brings about.
const TABLE: &[(&str, &str, &str, Fate)] = &[
    ("started", "c", "", Told),
    ("stopped", "c", "", Told),
    ("flush_triggered", "c", "reason:scheduled", Told),
    ("flush_triggered", "c", "reason:size", Told),
    ("flush_triggered", "c", "reason:invoked", Told),
    ("flush_triggered", "c", "reason:shutdown", Told),
    ("flush_triggered", "c", "reason:protocol_change", Absent(ONE_PROTOCOL)),
    ("flush_duration", "ms", "", Told),
    ("flush_bytes", "c", "", Told),
    ("flush_traces", "c", "", Told),
    ("queue.length", "g", "", Told),
    ("queue.enqueued.traces", "c", "", Told),
    ("traces_dropped", "c", "reason:send_failed", Told),
    ("traces_dropped", "c", "reason:queue_full", Told),
    ("traces_dropped", "c", "reason:trace_filter", Told),
    ("traces_dropped", "c", "reason:trace_too_large", Told),
    ("traces_dropped", "c", "reason:encoding_error", ToldAtFault),
    ("traces_dropped", "c", "reason:v1_rejected", Absent(ONE_PROTOCOL)),
    ("spans_started", "c", "integration:manual", Told),
    ("spans_finished", "c", "integration:manual", Told),
    // The tag is ours.
    ("spans_dropped", "c", "reason:http_4xx", Told),
    ("spans_dropped", "c", "reason:queue_full", Told),
    ("spans_dropped", "c", "reason:trace_filter", Told),
    ("spans_dropped", "c", "reason:too_large", Told),
    ("dropped_p0_traces", "c", "partial:false", Told),
    ("dropped_p0_traces", "c", "partial:true", Told),
    ("dropped_p0_spans", "c", "", Told),
    ("api.errors", "c", "endpoint:/v0.4/traces reason:network_failure", Told),
    ("api.errors", "c", "endpoint:/v0.4/traces reason:server_response_403", Told),
    ("api.errors", "c", "endpoint:/v0.6/stats reason:server_response_400", Told),
    ("decode_error", "c", "", Told),
    ("trace_protocol_changed", "c", "to:v1.0", Absent(ONE_PROTOCOL)),
    ("abandoned_spans", "c", "integration:manual name:forgotten", Told),
    ("stats.spans_in", "c", "", Told),
    ("stats.flush_payloads", "c", "", Told),
    ("stats.flush_buckets", "c", "", Told),
    ("stats.flush_errors", "c", "", Told),
    ("stats.collapsed_spans", "c", "collapsed:resource", Told),
    ("stats.collapsed_spans", "c", "collapsed:http_endpoint", Told),
    ("stats.collapsed_spans", "c", "collapsed:peer_tags", Told),
    ("stats.collapsed_spans", "c", "collapsed:whole_key", Told),
    ("http.requests", "d", "", Told),
    ("http.errors", "d", "type:err", Told),
    ("http.errors", "d", "type:400", Told),
    ("http.errors", "d", "type:403", Told),
    ("http.sent.bytes", "d", "", Told),
    ("http.sent.traces", "d", "", Told),
    ("http.dropped.bytes", "d", "", Told),
    ("http.dropped.traces", "d", "", Told),
    ("writer.accepted.traces", "d", "", Absent(BY_GO)),
    ("buffer.accepted.traces", "d", "", Absent(BY_GO)),
    ("buffer.accepted.spans", "d", "", Absent(BY_GO)),
    ("buffer.dropped.traces", "d", "reason:full", Absent(BY_GO)),
    ("buffer.dropped.bytes", "d", "reason:full", Absent("what finds no room is not encoded")),
    ("encoder.dropped.traces", "d", "", Absent(BY_GO)),
];

/// What all metrics say, whatever they count.
const COMMON: [&str; 7] =
    ["service", "env", "version", "lang", "lang_version", "lang_interpreter", "tracer_version"];

/// Name, type and tags of a metric, as in the table.
fn row(metric: &Metric) -> (String, String, String) {
    let name = metric.name.strip_prefix("datadog.tracer.").expect("a name of a tracer");
    let mut own = metric.tags.clone();
    for key in COMMON {
        assert!(own.remove(key).is_some(), "{name} without {key}");
    }
    let own: Vec<String> = own.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    (name.to_owned(), metric.kind.clone(), own.join(" "))
}

#[test]
fn names_types_and_tags_are_those_of_the_other_tracers() {
    let runs = [kept_and_not(), too_many_values(), failing_agent(), too_large(), too_much(), in_time()];
    let told: BTreeSet<_> = runs.iter().flatten().map(row).collect();
    let expected = TABLE.iter().filter(|(.., fate)| matches!(fate, Told));
    let expected: BTreeSet<_> = expected
        .map(|(name, kind, tags, _)| ((*name).to_owned(), (*kind).to_owned(), (*tags).to_owned()))
        .collect();
    let missing: Vec<_> = expected.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&expected).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not told: {missing:#?}; not in the table: {unknown:#?}"
    );
}

#[test]
fn the_page_says_what_is_not_told_and_why() {
    let page = std::fs::read_to_string(repository().join("docs/metrics.md")).expect("docs/metrics.md");
    for (name, _, tags, fate) in TABLE {
        let Absent(reason) = fate else { continue };
        // Of a name that is told, a value of its tag is what is absent.
        let is_value = TABLE.iter().any(|(told, .., fate)| told == name && matches!(fate, Told));
        let word = if is_value { tags.rsplit(':').next().expect("a value") } else { name };
        assert!(page.contains(&format!("`{word}`")), "{word} ({reason})");
    }
}

/// What a tracer with metrics told while it did this. It asks the agent of itself first, and sends when it is told to.
fn told(
    prepare: impl FnOnce(&FakeAgent, TracerBuilder) -> TracerBuilder,
    work: impl FnOnce(&FakeAgent, &TracerGuard),
) -> Vec<Metric> {
    let statsd = Statsd::udp();
    with_tracer_of(
        |agent, tracer| {
            agent.answers_info(Answer::ok().with_body(OFFER));
            let hour = Duration::from_secs(3600);
            prepare(agent, tracer.health_metrics(true).dogstatsd_url(statsd.url()).flush_interval(hour))
        },
        |agent, tracer| {
            // The worker has heard of the agent from here on.
            assert!(tracer.flush(PATIENCE));
            work(agent, tracer);
        },
    );
    statsd.metrics()
}

const OFFER: &str = r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true,"peer_tags":["db.name"],
    "ignore_resources":["GET /health"]}"#;

fn root(name: &str) -> SpanBuilder {
    span(name.to_owned()).root()
}

fn kept_and_not() -> Vec<Metric> {
    let mut open = None;
    told(
        |_, tracer| tracer.debug_abandoned_spans(true).span_sampling_rules(r#"[{"name":"single"}]"#),
        |_, _| {
            root("kept").start().finish();
            root("not kept").start().reject();
            let request = root("request").start();
            request.reject();
            span("single").child_of(&request.context()).start().finish();
            drop(request);
            root("probe").resource("GET /health").start().finish();
            open = Some(root("forgotten").start());
        },
    )
}

/// Spans with more different values than are told apart.
fn too_many_values() -> Vec<Metric> {
    let runs = [
        values(2048, |value| root(&value).resource("r")),
        values(1024, |value| root("resource").resource(value)),
        values(512, |value| root("endpoint").resource("r").tag("http.endpoint", value)),
        values(512, |value| root("peer").resource("r").tag("span.kind", "client").tag("db.name", value)),
    ];
    runs.into_iter().flatten().collect()
}

/// Twice as many as the limit: a boundary between two buckets may pass meanwhile.
fn values(limit: usize, span: impl Fn(String) -> SpanBuilder) -> Vec<Metric> {
    let spans = || (0..=2 * limit).for_each(|number| span(format!("value {number}")).start().finish());
    told(|_, tracer| tracer, |_, _| spans())
}

fn failing_agent() -> Vec<Metric> {
    told(
        |agent, tracer| {
            agent.answers_statistics(Answer::status(400));
            tracer
        },
        |agent, tracer| {
            let send = |answers: &[Answer]| {
                for answer in answers {
                    agent.answers_next(answer.clone());
                }
                root("work").start().finish();
                tracer.flush(PATIENCE)
            };
            // A connection that was idle is tried anew at once, which is no failure.
            assert!(send(&[Answer::reset(), Answer::reset()]));
            assert!(send(&[Answer::ok().with_body("{")]));
            assert!(!send(&[Answer::status(403)]));
        },
    )
}

fn too_large() -> Vec<Metric> {
    told(
        |agent, tracer| {
            agent.answers_info(Answer::ok().with_body(r#"{"config":{"max_request_bytes":20000}}"#));
            tracer
        },
        |_, _| root("large").tag("text", "x".repeat(25_000)).start().finish(),
    )
}

/// A trace of 20 MiB that is handed over whole; there is room for 16.
fn too_much() -> Vec<Metric> {
    told(
        |_, tracer| tracer.partial_flush(false),
        |_, _| {
            let all = root("all").start();
            for _ in 0..20 {
                let part = span("part").child_of(&all.context()).start();
                for number in 0..41 {
                    part.set_tag(format!("text {number}"), "x".repeat(25_000));
                }
            }
        },
    )
}

/// What is sent though nobody asked for it: in time, and as there is much.
fn in_time() -> Vec<Metric> {
    let arrived = |received: &Received| received.span_count() > 0;
    let mut metrics = told(
        |_, tracer| tracer.flush_interval(Duration::from_millis(10)),
        |agent, _| {
            root("work").start().finish();
            agent.wait_until("a span", arrived);
        },
    );
    metrics.extend(told(
        |_, tracer| tracer,
        |agent, _| {
            for _ in 0..100 {
                root("large").tag("text", "x".repeat(25_000)).start().finish();
            }
            agent.wait_until("a span", arrived);
        },
    ));
    metrics
}
