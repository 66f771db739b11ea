//! A trace goes on in the next process: through the headers of a real request, in every style that is on by default. Headers that
//! are nonsense give no context, and never half of one.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{AsContext, SpanContext, SpanLink, active_span, extract, inject, span, traced};
use dd_traced_tests::{Dice, PATIENCE};
use http::{HeaderMap, HeaderName, HeaderValue};

type Headers = HashMap<String, String>;

/// One request to a service that traces: its headers go over a socket, its span tree comes back.
fn call(headers: &Headers) -> Vec<FinishedSpan> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let service = thread::spawn(move || {
        let tracer = ScopedTracer::new();
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        answer(&stream);
        tracer.finished()
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request = "GET /stock HTTP/1.1\r\n".to_owned();
    for (name, value) in headers {
        request.push_str(&[name, ": ", value, "\r\n"].concat());
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    service.join().expect("the service ends")
}

fn answer(stream: &TcpStream) {
    let mut headers = HeaderMap::new();
    for line in BufReader::new(stream).lines().map(Result::unwrap).skip(1).take_while(|line| !line.is_empty())
    {
        let (name, value) = line.split_once(':').unwrap();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
    }
    let mut request = span("stock.request");
    if let Some(context) = extract(&headers) {
        request = request.child_of(&context);
    }
    let request = request.start();
    let _active = request.activate();
    look_up();
}

#[traced(name = "stock.look_up")]
fn look_up() {}

fn only<'a>(spans: &'a [FinishedSpan], name: &str) -> &'a FinishedSpan {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{spans:#?}");
    found[0]
}

fn injected(context: &SpanContext) -> Headers {
    let mut headers = Headers::new();
    inject(context, &mut headers);
    headers
}

#[test]
fn a_request_carries_the_trace_to_the_next_service() {
    let tracer = ScopedTracer::new();
    let order = span("order.request").start();
    let guard = order.activate();
    let headers = injected(&active_span().context().unwrap());
    let there = call(&headers);
    drop(guard);
    order.finish();
    let here = tracer.finished();
    let order = only(&here, "order.request");
    let request = only(&there, "stock.request");
    assert_eq!((request.trace_id, request.parent_id), (order.trace_id, order.span_id));
    let look_up = only(&there, "stock.look_up");
    assert_eq!((look_up.trace_id, look_up.parent_id), (order.trace_id, request.span_id));
    assert!(order.trace_id.high_u64() != 0, "128 bits were carried");
}

#[test]
fn each_style_alone_carries_the_trace() {
    let _tracer = ScopedTracer::new();
    let order = span("order.request").start();
    let context = order.context();
    let all = injected(&context);
    assert_eq!(all["x-datadog-trace-id"], context.trace_id().low_u64().to_string());
    assert_eq!(all["x-datadog-parent-id"], context.span_id().as_u64().to_string());
    assert_eq!(
        all["traceparent"],
        format!("00-{:032x}-{:016x}-01", context.trace_id().as_u128(), context.span_id().as_u64())
    );
    for style in ["x-datadog", "trace"] {
        let mut headers = all.clone();
        headers.retain(|name, _| name.starts_with(style));
        let there = call(&headers);
        let request = only(&there, "stock.request");
        assert_eq!(
            (request.trace_id, request.parent_id),
            (context.trace_id(), context.span_id()),
            "{headers:?}"
        );
    }
}

#[test]
fn a_decision_taken_upstream_is_handed_on() {
    let _tracer = ScopedTracer::new();
    for priority in ["-1", "0", "1", "2"] {
        let headers = Headers::from([
            ("x-datadog-trace-id".to_owned(), "77".to_owned()),
            ("X-Datadog-Parent-Id".to_owned(), "88".to_owned()),
            ("X-DATADOG-SAMPLING-PRIORITY".to_owned(), priority.to_owned()),
        ]);
        let context = extract(&headers).expect("a context");
        let child = span("child").child_of(&context).start();
        let onwards = injected(&child.context());
        assert_eq!(onwards["x-datadog-sampling-priority"], priority);
        assert_eq!(onwards["x-datadog-trace-id"], "77");
        assert_eq!(onwards["x-datadog-parent-id"], child.span_id().as_u64().to_string());
    }
}

#[test]
fn without_headers_a_new_trace_begins() {
    let there = call(&Headers::new());
    let request = only(&there, "stock.request");
    assert_eq!(request.parent_id.as_u64(), 0);
    assert!(request.trace_id.as_u128() != 0);
}

#[test]
fn known_nonsense_gives_no_context() {
    let _tracer = ScopedTracer::new();
    let nonsense: &[&[(&str, &str)]] = &[
        &[("x-datadog-trace-id", "0"), ("x-datadog-parent-id", "1")],
        &[("x-datadog-trace-id", "-1"), ("x-datadog-parent-id", "1")],
        &[("x-datadog-trace-id", "18446744073709551616"), ("x-datadog-parent-id", "1")],
        &[("x-datadog-trace-id", ""), ("x-datadog-parent-id", "1")],
        &[("x-datadog-trace-id", "7"), ("x-datadog-parent-id", "abc")],
        &[("traceparent", "00-00000000000000000000000000000000-1020304050607080-01")],
        &[("traceparent", "00-66b0c2da00000000000000000000004d-0000000000000000-01")],
        &[("traceparent", "ff-66b0c2da00000000000000000000004d-1020304050607080-01")],
        &[("traceparent", "00-66B0C2DA00000000000000000000004D-1020304050607080-01")],
        &[("traceparent", "00-66b0c2da00000000000000000000004d-1020304050607080")],
        &[("tracestate", "dd=s:2;p:1020304050607080")],
    ];
    for headers in nonsense {
        let headers: Headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert!(extract(&headers).is_none(), "{headers:?}");
    }
}

const NAMES: &[&str] = &[
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-origin",
    "x-datadog-tags",
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
];
const PIECES: &[&str] = &[
    "77",
    "0",
    "-1",
    "18446744073709551615",
    "00-66b0c2da00000000000000000000004d-1020304050607080-01",
    "-",
    "dd=s:2;p:1020304050607080;t.dm:-4",
    "dd=",
    ";",
    ",",
    "=",
    ":",
    "_dd.p.tid=66b0c2da00000000",
    "_dd.p.dm=-1",
    "_dd.p.",
    "é",
    "%41%",
    " ",
    "\u{1b}[31m",
    "𝄞",
];

/// Any text in any header: a whole context or none, and what is sent onwards is whole as well.
#[test]
fn random_headers_give_a_whole_context_or_none() {
    let _tracer = ScopedTracer::new();
    let mut dice = Dice::new(7);
    let mut found = 0;
    for _ in 0..5_000 {
        let mut headers = Headers::new();
        for name in &NAMES[..dice.below(3) as usize] {
            headers.insert((*name).to_owned(), PIECES[0].to_owned());
        }
        for _ in 0..=dice.below(4) {
            let name = NAMES[dice.below(NAMES.len() as u64) as usize];
            let pieces = dice.below(5);
            let value = (0..pieces).map(|_| PIECES[dice.below(PIECES.len() as u64) as usize]).collect();
            headers.insert(name.to_owned(), value);
        }
        let Some(context) = extract(&headers) else { continue };
        found += 1;
        let child = span("child").child_of(&context).start();
        let ids = child.context();
        assert!(ids.trace_id().as_u128() != 0 && ids.span_id().as_u64() != 0, "{headers:?}");
        for (name, value) in injected(&ids) {
            assert!(
                value.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
                "{name} is not fit for a header: {value:?}, from {headers:?}"
            );
            assert!(value.len() <= 8192 && !value.is_empty(), "{name}: {value:?}");
        }
    }
    assert!(found > 100, "the headers are not all nonsense: {found}");
}

#[test]
fn bytes_that_are_no_text_give_no_half_context_and_no_panic() {
    let _tracer = ScopedTracer::new();
    let mut dice = Dice::new(11);
    for _ in 0..2_000 {
        let mut headers = HeaderMap::new();
        for _ in 0..=dice.below(3) {
            let name = NAMES[dice.below(NAMES.len() as u64) as usize];
            let bytes: Vec<u8> = (0..dice.below(80)).map(|_| dice.next_u64() as u8).collect();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(name, value);
            }
        }
        if let Some(context) = extract(&headers) {
            let child = span("child").child_of(&context).start().context();
            assert!(child.trace_id().as_u128() != 0 && child.span_id().as_u64() != 0, "{headers:?}");
        }
    }
}

#[test]
fn a_span_is_injected_from_however_it_is_named() {
    fn headers_of(named: &impl AsContext) -> Headers {
        let mut headers = Headers::new();
        inject(named, &mut headers);
        headers
    }
    let _tracer = ScopedTracer::new();
    assert_eq!(headers_of(&active_span()), Headers::new());
    assert_eq!(headers_of(&None::<SpanContext>), Headers::new());
    let root = span("root").start();
    let expected = headers_of(&root.context());
    assert_eq!(expected["x-datadog-parent-id"], root.span_id().to_string());
    assert_eq!(headers_of(&root), expected);
    assert_eq!(headers_of(&Some(&root)), expected);
    {
        let _active = root.activate();
        assert_eq!(headers_of(&active_span()), expected);
    }
    let _entered = root.context().enter();
    assert_eq!(headers_of(&active_span()), expected);
    in_a_function(|| {
        let own = active_span();
        assert_eq!(headers_of(&own)["x-datadog-parent-id"], own.span_id().to_string());
        assert_eq!(headers_of(&own)["x-datadog-trace-id"], expected["x-datadog-trace-id"]);
    });
}

/// What was entered used to be sent on as if its span were one of ours.
#[test]
fn a_received_context_is_sent_on_as_it_came_whether_it_is_entered_or_not() {
    let _tracer = ScopedTracer::new();
    let parent = "00-66b0c2da00000000000000000000004d-1020304050607080-01";
    for state in ["dd=s:2;o:rum;p:00000000000000aa;t.dm:-4,acme=1", "dd=s:2,acme=1"] {
        let headers = [("traceparent", parent), ("tracestate", state)];
        let headers: Headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let received = extract(&headers).unwrap();
        let expected = injected(&received);
        assert_eq!((expected["traceparent"].as_str(), expected["tracestate"].as_str()), (parent, state));
        let _entered = received.enter();
        let context = active_span().context().unwrap();
        assert_eq!((injected(&context), context.is_remote()), (expected.clone(), true));
        assert_eq!(SpanLink::to(&context), SpanLink::to(&received));
        let mut sent = Headers::new();
        inject(&active_span(), &mut sent);
        assert_eq!(sent, expected);
        let child = span("child").start().context();
        assert!(!child.is_remote());
        let own = format!(";p:{:016x}", child.span_id().as_u64());
        assert!(injected(&child)["tracestate"].contains(&own), "a span of ours is one");
    }
}

#[traced]
fn in_a_function(f: impl FnOnce()) {
    f();
}
