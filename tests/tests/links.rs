//! A span links to others: of its trace or another one, open, finished, or in another process; and the agent gets all that a link says.

use std::collections::{BTreeMap, HashMap};

use dd_traced::testing::{FinishedLink, ScopedTracer};
use dd_traced::{Span, SpanContext, SpanLink, active_span, extract, span, traced};
use dd_traced_tests::{SpanLink as WireLink, with_tracer};

/// What is sent of a link to a span of this process.
fn ids(context: &SpanContext) -> (u64, u64, u64) {
    let trace_id = context.trace_id();
    (trace_id.high_u64(), trace_id.low_u64(), context.span_id().as_u64())
}

fn sent(link: &WireLink) -> (u64, u64, u64) {
    (link.trace_id_high, link.trace_id, link.span_id)
}

#[test]
fn a_link_arrives_with_all_it_says() {
    let mut expected = Vec::new();
    let (received, _) = with_tracer(|_, _| {
        let finished = span("finished").start();
        finished.finish();
        let open = span("open").start();
        expected = vec![ids(&finished.context()), ids(&open.context())];
        let link = SpanLink::to(&open)
            .attribute("reason", "retry")
            .attribute("reason", "batch")
            .attribute("position", 3)
            .attribute("share", 0.5)
            .attribute("last", false)
            .attribute("parts", ["a", "b"])
            .tracestate("vendor=1")
            .flags(1);
        span("linked").link(&finished).link(link.clone()).start().finish();
        let by_handle = span("by.handle").start();
        by_handle.add_link(finished.context());
        by_handle.add_link(link.clone());
        let active = by_handle.activate();
        traced_link(&finished, link);
        drop(active);
    });
    for name in ["linked", "by.handle", "by.attribute"] {
        let links = &received.span(name).span_links;
        assert_eq!(links.iter().map(sent).collect::<Vec<_>>(), expected, "{name}");
        let [plain, full] = &links[..] else { unreachable!() };
        assert_eq!((plain.flags, &*plain.tracestate, plain.attributes.len()), (0, "", 0));
        assert_eq!((full.flags, &*full.tracestate), (0x8000_0001, "vendor=1"));
        let attributes: Vec<(&str, &str)> = full.attributes.iter().map(|(k, v)| (&**k, &**v)).collect();
        let expected = [
            ("last", "false"),
            ("parts.0", "a"),
            ("parts.1", "b"),
            ("position", "3"),
            ("reason", "batch"),
            ("share", "0.5"),
        ];
        assert_eq!(attributes, expected);
    }
}

#[traced("by.attribute")]
fn traced_link(first: &Span, second: SpanLink) {
    active_span().add_link(first);
    active_span().add_link(second);
}

#[test]
fn a_link_to_a_context_from_elsewhere_has_its_flags_and_trace_state() {
    let tracer = ScopedTracer::new();
    for (headers, flags, tracestate) in [
        (
            &[
                ("traceparent", "00-0000000000000003000000000000000a-000000000000000b-01"),
                ("tracestate", "dd=s:2,vendor=1"),
            ][..],
            Some(1),
            "vendor=1",
        ),
        (
            &[
                ("x-datadog-trace-id", "10"),
                ("x-datadog-parent-id", "11"),
                ("x-datadog-sampling-priority", "-1"),
            ],
            Some(0),
            "",
        ),
        (&[("x-datadog-trace-id", "10"), ("x-datadog-parent-id", "11")], None, ""),
    ] {
        let headers: HashMap<String, String> =
            headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let context = extract(&headers).unwrap();
        span("linked").link(&context).start().finish();
        let spans = tracer.finished();
        let [FinishedLink { trace_id, span_id, flags: found, tracestate: state, .. }] =
            &spans.last().unwrap().links[..]
        else {
            unreachable!("one link: {spans:#?}")
        };
        assert_eq!((trace_id.low_u64(), span_id.as_u64()), (10, 11));
        assert_eq!((*found, state.as_str()), (flags, tracestate), "{headers:?}");
        assert_ne!(spans.last().unwrap().trace_id, *trace_id);
    }
}

#[test]
fn links_beyond_the_limit_are_counted_instead_of_kept() {
    for (count, kept) in [(127, 127), (128, 128), (129, 128), (40_000, 128)] {
        let (received, _) = with_tracer(|_, tracer| {
            let linked = span("linked").start();
            for index in 1..=count {
                linked.add_link(SpanLink::new(7, index));
                if index % 3 == 0 {
                    linked.set_tag("index", index);
                }
            }
            linked.finish();
            assert!(tracer.flush(dd_traced_tests::PATIENCE));
            assert_eq!(dd_traced::counters().left_out_links(), count - kept);
            assert_eq!(dd_traced::counters().left_out_events(), 0);
        });
        let links: Vec<u64> = received.span("linked").span_links.iter().map(|link| link.span_id).collect();
        assert_eq!(links, (1..=kept).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_no_span_is_no_link() {
    let tracer = ScopedTracer::new();
    let linked = span("linked").link(SpanLink::new(0, 1)).start();
    linked.add_link(None::<SpanContext>);
    linked.add_link(SpanLink::new(1, 0));
    linked.finish();
    linked.add_link(SpanLink::new(1, 1));
    assert_eq!(tracer.finished()[0].links, []);
}

/// A finished span can still be linked to, be a parent, and be sent in headers.
#[test]
fn a_finished_span_can_still_be_named() {
    let tracer = ScopedTracer::new();
    let first = span("first").service("other").start();
    first.finish();
    let context = first.context();
    span("child").child_of(&context).start().finish();
    span("linked").link(&first).start().finish();
    let mut headers = HashMap::<String, String>::new();
    dd_traced::inject(&context, &mut headers);
    assert_eq!(headers["x-datadog-parent-id"], first.span_id().to_string());
    let spans = tracer.finished();
    let by_name: BTreeMap<&str, _> = spans.iter().map(|span| (span.name.as_str(), span)).collect();
    let (first, child, linked) = (by_name["first"], by_name["child"], by_name["linked"]);
    assert_eq!((child.parent_id, child.trace_id), (first.span_id, first.trace_id));
    assert_eq!(child.service.as_deref(), Some("other"));
    assert_eq!((linked.links[0].span_id, linked.links[0].trace_id), (first.span_id, first.trace_id));
}
