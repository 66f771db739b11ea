//! Traces that are the same in every run but for ids and times: what a test compares with what is committed.

use std::time::{Duration, SystemTime};

use dd_traced::{SpanEvent, SpanLink, active_span, extract, span, traced};
use dd_traced_tests::HeaderLines;

pub(crate) fn story() {
    let _tracer = dd_traced::init();
    in_parts();
    with_links_and_events();
    from_elsewhere();
    by_rule();
}

/// More spans than are sent at once.
#[traced(name = "batch", tags(batch.size = 3))]
fn in_parts() {
    for number in 0..3 {
        item(number);
    }
}

#[traced(name = "batch.item", resource = "item")]
fn item(number: u64) {
    active_span().set_metric("number", number as f64);
}

const TRACEPARENT: &str = "00-6a5c1f40000000003a7b9c1d2e4f6081-00f067aa0ba902b7-01";

fn with_links_and_events() {
    let other = extract(&headers(&[("traceparent", TRACEPARENT), ("tracestate", "acme=k1")]));
    let work = span("work").root().resource("linked").span_type("worker").measured().start();
    if let Some(other) = &other {
        work.add_link(SpanLink::to(other).attribute("reason", "retry").tracestate("acme=k1").flags(1));
    }
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_783_000_000);
    work.add_event(SpanEvent::new("retry").at(time).attribute("attempt", 2).attribute("hosts", ["a", "b"]));
    work.record_error(&std::io::Error::other("not there"));
    work.finish();
}

/// A tracer that is not ours was in between, and another style tells of another trace.
fn from_elsewhere() {
    let lines = [
        ("x-datadog-trace-id", "4214133525480169601"),
        ("x-datadog-parent-id", "8875836681422449212"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-origin", "synthetics"),
        ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=6a5c1f4000000000,_dd.p.team=x=y"),
        ("traceparent", TRACEPARENT),
        ("tracestate", "acme=k1,dd=s:2;p:7b2d4e6f80912a3c"),
        ("b3", "000000000000004d-1020304050607080-1"),
        ("baggage", "user.id=u%201,tier=gold"),
    ];
    let Some(context) = extract(&headers(&lines)) else { return };
    let request = span("web.request").resource("GET /").span_type("web").child_of(&context).start();
    let _active = request.activate();
    item(1);
}

fn by_rule() {
    for (name, plan) in [("health", "none"), ("order", "gold-1"), ("order", "none")] {
        let request = span(name).root().tag("plan", plan).start();
        let _active = request.activate();
        span("order.step").start().finish();
    }
    let kept = span("order").root().tag("plan", "none").start();
    kept.keep();
}

fn headers(lines: &[(&str, &str)]) -> HeaderLines {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
