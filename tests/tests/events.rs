//! What happened within a span arrives as events with typed attributes, natively or as JSON, whatever the agent knows; structured values arrive as
//! MessagePack.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use dd_traced::testing::{FinishedValue, ScopedTracer};
use dd_traced::{SpanEvent, SpanLink, TracerGuard, active_span, counters, flush, span, traced};
use dd_traced_tests::{Answer, FakeAgent, PATIENCE, Received, WireSpan, with_tracer, with_tracer_of};
use serde::Serialize;
use serde_json::{Value, json};

const NATIVE: &str = r#"{"version":"7.79.0","endpoints":["/v0.4/traces"],"span_events":true}"#;

fn event() -> SpanEvent {
    SpanEvent::new("retry")
        .at(SystemTime::UNIX_EPOCH + Duration::from_nanos(1_783_000_000_000_000_001))
        .attribute("text", "a \"b\"\n")
        .attribute("yes", true)
        .attribute("int", -7)
        .attribute("double", 0.5)
        .attribute("texts", ["x", "y"])
        .attribute("none", Vec::<f64>::new())
}

#[traced("by.attribute")]
fn by_attribute() {
    active_span().add_event(event());
    active_span().add_event("plain");
}

/// Spans with the same two events, sent after the agent told what it knows.
fn sent(agent_knows_events: bool) -> Received {
    let test = |agent: &FakeAgent, _: &_| {
        asked(agent);
        let by_handle = span("by.handle").tag("own", "tag").start();
        by_handle.add_event(event());
        by_handle.add_event("plain".to_owned());
        by_handle.finish();
        by_handle.add_event("late");
        by_attribute();
        span("without").start().finish();
    };
    if agent_knows_events { with_info(NATIVE, test) } else { with_tracer(test).0 }
}

fn with_info(info: &str, test: impl FnOnce(&FakeAgent, &TracerGuard)) -> Received {
    let prepare = |agent: &FakeAgent, tracer| {
        agent.answers_info(Answer::ok().with_body(info));
        tracer
    };
    with_tracer_of(prepare, test).0
}

/// Waits until the agent has told what it knows, and the worker has begun to use that.
fn asked(agent: &FakeAgent) {
    agent.wait_until("/info is asked for", |received| {
        received.requests.iter().any(|request| request.path == "/info" && request.answered.is_some())
    });
    span("before").start().finish();
    assert!(flush(PATIENCE));
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

#[test]
fn an_agent_that_knows_events_gets_them_as_they_are() {
    let received = sent(true);
    for name in ["by.handle", "by.attribute"] {
        let span = received.span(name);
        assert_eq!(span.meta("events"), None);
        let [full, plain] = &span.span_events[..] else { panic!("two events: {span:#?}") };
        assert_eq!((full.name.as_str(), full.time_unix_nano), ("retry", 1_783_000_000_000_000_001));
        let expected = json!({
            "text": {"type": 0, "string_value": "a \"b\"\n"},
            "yes": {"type": 1, "bool_value": true},
            "int": {"type": 2, "int_value": -7},
            "double": {"type": 3, "double_value": 0.5},
            "texts": {"type": 4, "array_value": {"values": [
                {"type": 0, "string_value": "x"}, {"type": 0, "string_value": "y"},
            ]}},
            "none": {"type": 4, "array_value": {"values": []}},
        });
        assert_eq!(json!(full.attributes), expected);
        assert_eq!((plain.name.as_str(), plain.attributes.len()), ("plain", 0));
        assert!(plain.time_unix_nano.abs_diff(now_ns()) < 60_000_000_000);
        assert!(plain.time_unix_nano >= span.start as u64);
    }
    assert!(received.span("without").span_events.is_empty());
}

#[test]
fn an_older_agent_gets_events_as_json() {
    let received = sent(false);
    for name in ["by.handle", "by.attribute"] {
        let span = received.span(name);
        assert!(span.span_events.is_empty());
        let events: Value = serde_json::from_str(span.meta("events").unwrap()).unwrap();
        assert_eq!(
            events[0],
            json!({
                "name": "retry",
                "time_unix_nano": 1_783_000_000_000_000_001_u64,
                "attributes": {
                    "text": "a \"b\"\n", "yes": true, "int": -7, "double": 0.5, "texts": ["x", "y"], "none": [],
                },
            })
        );
        assert_eq!(events[1]["name"], "plain");
        assert_eq!((events[1].get("attributes"), events.as_array().map(Vec::len)), (None, Some(2)));
    }
    assert_eq!(received.span("by.handle").meta("own"), Some("tag"));
    assert_eq!(received.span("without").meta("events"), None);
}

#[test]
fn events_beyond_the_limit_are_counted_instead_of_kept() {
    for (count, kept) in [(127, 127), (128, 128), (129, 128), (40_000, 128)] {
        let received = with_info(NATIVE, |agent, tracer| {
            asked(agent);
            let busy = span("busy").start();
            (0..count).for_each(|index| busy.add_event(index.to_string()));
            busy.finish();
            assert!(tracer.flush(PATIENCE));
            assert_eq!((counters().left_out_events(), counters().left_out_links()), (count - kept, 0));
        });
        let names: Vec<String> =
            received.span("busy").span_events.iter().map(|event| event.name.clone()).collect();
        assert_eq!(names, (0..kept).map(|index| index.to_string()).collect::<Vec<_>>());
    }
}

/// The agent cuts a tag at 25 000 bytes, and half of a JSON text is none.
#[test]
fn events_as_json_are_whole_however_many_there_are() {
    let mut left_out = 0;
    let (received, _) = with_tracer(|_, tracer| {
        let busy = span("busy").start();
        (0..100).for_each(|_| busy.add_event(SpanEvent::new("e").attribute("text", "\u{1}".repeat(200))));
        busy.finish();
        assert!(tracer.flush(PATIENCE));
        left_out = counters().left_out_events();
    });
    let text = received.span("busy").meta("events").unwrap();
    let events: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(text.len() <= 25_000 && text.len() > 23_000, "{}", text.len());
    assert!(events.len() > 10 && events.len() < 100);
    assert_eq!(events.len() as u64 + left_out, 100, "each is sent or counted");
}

#[test]
fn attributes_beyond_the_limits_are_counted() {
    with_tracer(|_, tracer| {
        let many =
            |count: u32| (0..count).fold(SpanEvent::new("e"), |event, n| event.attribute(n.to_string(), n));
        let busy = span("busy").start();
        busy.add_event(many(127));
        busy.add_event(many(128));
        busy.add_event(many(130));
        let large = vec!["v".repeat(25_000); 11];
        busy.add_link(SpanLink::to(&busy).attribute("large", large).attribute("small", 1));
        busy.finish();
        assert!(tracer.flush(PATIENCE));
        assert_eq!((counters().left_out_attributes(), counters().left_out_events()), (3, 0));
    });
}

#[test]
fn an_error_that_was_dealt_with_is_an_event() {
    let tracer = ScopedTracer::at(1_700_000_000_000_000_000);
    let upload = span("upload").start();
    tracer.advance(Duration::from_nanos(5));
    upload.record_error(&std::fmt::Error);
    upload.finish();
    let span = &tracer.finished()[0];
    let [event] = &span.events[..] else { panic!("one event: {span:#?}") };
    let text = |text: &str| FinishedValue::Text(text.to_owned());
    assert_eq!((event.name.as_str(), event.time_ns), ("exception", 1_700_000_000_000_000_005));
    assert_eq!(event.attributes["exception.type"], text("core::fmt::Error"));
    assert_eq!(event.attributes["exception.message"], text(&std::fmt::Error.to_string()));
    assert_eq!(span.meta["_dd.span_events.has_exception"], "true");
    assert!(!span.is_error && !span.meta.contains_key("error.message"));
}

#[derive(Serialize)]
struct Appsec {
    rule: &'static str,
    hits: Vec<u8>,
}

#[test]
fn structured_values_arrive_as_messagepack() {
    const LIMIT: usize = 1 << 20;
    let (received, _) = with_tracer(|_, _| {
        let request = span("request").start();
        request.set_struct("appsec", &BTreeMap::from([("old", 1)]));
        request.set_struct("appsec", &Appsec { rule: "r1", hits: vec![1, 2] });
        request.set_struct("gone", &BTreeMap::from([("a", 1)]));
        request.unset_tag("gone");
        request.set_struct("text", "no map");
        for len in [LIMIT - 1, LIMIT, LIMIT + 1] {
            // The map, its key, and the header of a long text take 8 bytes.
            request.set_struct(len.to_string(), &BTreeMap::from([("k", "v".repeat(len - 8))]));
        }
        request.finish();
    });
    let span: &WireSpan = received.span("request");
    let keys: Vec<&str> = span.meta_struct.keys().map(String::as_str).collect();
    assert_eq!(keys, ["1048575", "1048576", "appsec"]);
    let appsec: Value = rmp_serde::from_slice(&span.meta_struct["appsec"].0).unwrap();
    assert_eq!(appsec, json!({"rule": "r1", "hits": [1, 2]}));
    assert_eq!(span.meta_struct["1048576"].0.len(), LIMIT);
}
