//! A program whose traces show what spans say of their process, for tests that set its environment: `spans ACT`.

#![forbid(unsafe_code)]
#![expect(clippy::expect_used, clippy::panic, reason = "a program for tests")]

use std::collections::HashMap;
use std::time::Duration;

use dd_traced::{Span, SpanEvent, SpanLink, extract, flush, init, shutdown, span};

fn main() {
    let _tracer = init();
    match std::env::args().nth(1).expect("an act").as_str() {
        "trace" => trace(),
        "calls" => calls(),
        "extras" => extras(),
        other => panic!("no such act: {other}"),
    }
    assert!(shutdown(Duration::from_secs(10)), "all arrives");
}

/// A trace that came with headers: its root stays open while five children finish, the third of them of another service.
fn trace() {
    let headers = [
        ("x-datadog-trace-id", "10"),
        ("x-datadog-parent-id", "11"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-origin", "synthetics"),
        ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=6a0b3c5500000000,_dd.p.team=core"),
    ];
    let headers: HashMap<String, String> =
        headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let context = extract(&headers).expect("a context");
    let root = span("root").child_of(&context).start();
    for index in 0..5 {
        let mut child = span(format!("child.{index}")).child_of(&root.context());
        if index == 2 {
            child = child.service("db").measured();
        }
        child.start().finish();
    }
    root.finish();
}

/// A span with links and events, sent once before and once after the agent may have told what it knows.
fn extras() {
    for name in ["first", "second"] {
        let extras = span(name).start();
        extras.add_link(
            SpanLink::new(3 << 64 | 4, 5).attribute("reason", "retry").tracestate("vendor=1").flags(1),
        );
        extras.add_event(
            SpanEvent::new("typed").attribute("texts", ["a"]).attribute("int", 1).attribute("yes", true),
        );
        extras.add_event("plain");
        extras.finish();
        assert!(flush(Duration::from_secs(10)), "all arrives");
    }
}

/// A server span, and calls that it makes.
fn calls() {
    let server = span("server").tag("span.kind", "server").tag("http.status_code", 418).start();
    let _active = server.activate();
    let call = |name: &'static str| -> Span { span(name).tag("span.kind", "client").start() };
    call("http").set_tag("http.status_code", 500);
    let query = call("query");
    query.set_service("postgres");
    query.set_tag("db.system", "postgresql");
    query.set_tag("db.name", "orders");
    query.finish();
    call("given").set_tag("peer.service", "billing");
}
