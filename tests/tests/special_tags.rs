//! Tags that say more than a tag does: names of fields, failures, statuses and peers; and lists, which are a tag for each value.

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{TagValue, active_span, span, traced};
use dd_traced_tests::with_tracer;

/// A span that was given a tag: by the builder, by its handle, as the active one.
fn tagged(key: &str, value: impl TagValue + Copy) -> [FinishedSpan; 3] {
    ["builder", "handle", "active"].map(|way| {
        let tracer = ScopedTracer::new();
        let mut builder = span("work").tag("span.kind", "server").resource("before");
        if way == "builder" {
            builder = builder.tag(key, value);
        }
        let span = builder.start();
        match way {
            "handle" => span.set_tag(key, value),
            "active" => {
                let _active = span.activate();
                active_span().set_tag(key, value);
            }
            _ => {}
        }
        span.finish();
        tracer.finished().remove(0)
    })
}

#[test]
fn names_of_fields_set_the_field() {
    for (key, of) in [
        ("span.name", (|span| span.name.clone()) as fn(&FinishedSpan) -> String),
        ("service.name", |span| span.service.clone().unwrap_or_default()),
        ("resource.name", |span| span.resource.clone().unwrap_or_default()),
        ("span.type", |span| span.span_type.clone()),
    ] {
        for span in tagged(key, "given") {
            assert_eq!((of(&span).as_str(), span.meta.contains_key(key)), ("given", false), "{key}");
        }
        for span in tagged(key, 7) {
            assert_eq!(span.metrics.get(key), Some(&7.0), "a number is no name: {key}");
        }
    }
}

#[test]
fn a_child_inherits_a_service_that_was_set_as_a_tag() {
    let tracer = ScopedTracer::new();
    let parent = span("parent").start();
    parent.set_tag("service.name", "other");
    span("child").child_of(&parent.context()).start().finish();
    parent.finish();
    assert!(tracer.finished().iter().all(|span| span.service.as_deref() == Some("other")));
}

#[test]
fn error_marks_the_span_and_is_no_tag() {
    for (value, is_error) in
        [("true", true), ("it broke", true), ("false", false), ("False", false), ("0", false), ("", false)]
    {
        for span in tagged("error", value) {
            assert_eq!((span.is_error, span.meta.contains_key("error")), (is_error, false), "{value}");
        }
    }
    for (value, is_error) in [(1.0, true), (0.0, false)] {
        assert!(
            tagged("error", value).iter().all(|span| span.is_error == is_error && span.metrics.is_empty())
        );
    }
    assert!(tagged("error", true).iter().all(|span| span.is_error));
}

#[test]
fn errors_are_set_described_and_taken_back() {
    let tracer = ScopedTracer::new();
    let [marked, described, cleared] = ["marked", "described", "cleared"].map(|name| span(name).start());
    marked.set_failed(true);
    described.set_failed(false);
    described.set_error(&std::fmt::Error);
    cleared.set_error(&std::fmt::Error);
    cleared.clear_error();
    for span in [marked, described, cleared] {
        span.finish();
        span.set_failed(true);
    }
    let spans = tracer.finished();
    let keys = |span: &FinishedSpan| span.meta.keys().cloned().collect::<Vec<_>>();
    assert_eq!((spans[0].is_error, keys(&spans[0])), (true, vec![]));
    assert_eq!(
        (spans[1].is_error, keys(&spans[1])),
        (true, vec!["error.message".into(), "error.type".into()])
    );
    assert_eq!((spans[2].is_error, keys(&spans[2])), (false, vec![]));
}

#[test]
fn a_status_is_text_and_marks_failed_servers() {
    for (value, text, is_error) in [(200.0, "200", false), (503.0, "503", true), (404.0, "404", false)] {
        for span in tagged("http.status_code", value) {
            assert_eq!((span.meta["http.status_code"].as_str(), span.is_error), (text, is_error));
            assert!(!span.metrics.contains_key("http.status_code"));
        }
    }
    assert!(tagged("http.status_code", "500").iter().all(|span| span.is_error));
    let tracer = ScopedTracer::new();
    let forgiven = span("forgiven").tag("span.kind", "server").tag("http.status_code", 500).start();
    forgiven.set_failed(false);
    forgiven.finish();
    assert!(!tracer.finished()[0].is_error);
}

#[test]
fn an_event_for_analytics_has_its_rate() {
    for (value, rate) in [(true, 1.0), (false, 0.0)] {
        for span in tagged("analytics.event", value) {
            assert_eq!(
                (span.metrics.get("_dd1.sr.eausr"), span.meta.contains_key("analytics.event")),
                (Some(&rate), false)
            );
        }
    }
}

#[test]
fn a_list_is_a_tag_for_each_value() {
    let tracer = ScopedTracer::new();
    span("work")
        .tag("names", ["a", "b"])
        .tag("numbers", vec![1.5, 2.5])
        .tag("none", &[] as &[u8])
        .start()
        .finish();
    span("many").tag("n", vec![0_u8; 1_001]).start().finish();
    let spans = tracer.finished();
    let meta: Vec<(&str, &str)> = spans[0].meta.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(meta, [("names.0", "a"), ("names.1", "b")]);
    assert_eq!((spans[0].metrics["numbers.0"], spans[0].metrics["numbers.1"]), (1.5, 2.5));
    assert_eq!((spans[0].metrics.len(), spans[1].metrics.len()), (2, 1_000));
}

#[test]
fn measured_can_be_set_and_taken_back() {
    let tracer = ScopedTracer::new();
    let [first, second] = [span("first").start(), span("second").measured().start()];
    first.set_measured(true);
    second.set_measured(false);
    drop((first, second));
    let found: Vec<(String, bool)> =
        tracer.finished().into_iter().map(|span| (span.name, span.is_measured)).collect();
    assert_eq!(found, [("first".to_owned(), true), ("second".to_owned(), false)]);
}

#[traced("by.attribute", kind = "server", tags(http.status_code = status, resource.name = "GET /", "error" = false, span.type = %kind))]
fn by_attribute(status: u16, kind: &str) {}

#[traced("failing", kind = "client", tags(http.status_code = "404", peer.service = "billing"))]
fn failing() {}

#[test]
fn attributes_read_such_tags_as_setters_do() {
    let (received, _) = with_tracer(|_, _| {
        by_attribute(500, "web");
        failing();
    });
    let by_attribute = received.span("by.attribute");
    assert_eq!((by_attribute.resource.as_str(), by_attribute.span_type.as_deref()), ("GET /", Some("web")));
    assert_eq!((by_attribute.error, by_attribute.meta("http.status_code")), (0, Some("500")));
    assert_eq!(by_attribute.metric("http.status_code"), None);
    let failing = received.span("failing");
    assert_eq!((failing.error, failing.meta("http.status_code")), (1, Some("404")));
    let peer = ["peer.service", "_dd.peer.service.source"].map(|key| failing.meta(key));
    assert_eq!(peer, [Some("billing"), Some("peer.service")]);
}
