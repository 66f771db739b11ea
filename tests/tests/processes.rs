//! Traces over processes: programs that call each other over HTTP report one trace, whatever styles they speak, and also where a
//! tracer that knows nothing of Datadog stands between them.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use dd_traced_tests::{
    Address, HeaderLines, Partner, Received, WireSpan, program, send, serve, trace_id, with_agent,
};
use serde_json::{Value, json};

/// Runs `test` with two programs, each in an environment with a line more: the one that calls, and the service that is called. Gives what
/// both reported.
fn with_two(
    ours: (&str, &str),
    theirs: (&str, &str),
    test: impl FnOnce(&mut Partner, &mut Partner),
) -> Received {
    with_agent(|agent| {
        let [mut shop, mut stock] = [("shop", ours), ("stock", theirs)].map(|(service, (name, value))| {
            let mut program = program(env!("CARGO_BIN_EXE_program"), "exchange", 0);
            program.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_SERVICE", service).env(name, value);
            Partner::start(&mut program)
        });
        test(&mut shop, &mut stock);
        shop.end();
        stock.end();
    })
}

const PLAIN: (&str, &str) = ("DD_ENV", "test");

fn url(of: &mut Partner, question: &Value) -> String {
    of.ask(question)["url"].as_str().unwrap_or_default().to_owned()
}

/// Calls, and gives the context of the caller's root.
fn call(shop: &mut Partner, url: &str) -> Value {
    let answer = shop.ask(&json!({ "do": "call", "url": url }));
    assert_eq!(answer["status"], 204, "{answer}");
    answer["context"].clone()
}

fn chunk_with<'a>(received: &'a Received, name: &str) -> &'a [WireSpan] {
    let mut found = received.chunks().filter(|chunk| chunk.iter().any(|span| span.name == name));
    match (found.next(), found.next()) {
        (Some(chunk), None) => chunk,
        _ => panic!("not one chunk with {name}:\n{}", received.tree()),
    }
}

/// What both processes say of one trace: whole id, priority, decision maker.
fn facts(chunk: &[WireSpan]) -> (Option<u128>, Option<f64>, Option<&str>) {
    (trace_id(chunk), chunk[0].priority(), chunk[0].meta("_dd.p.dm"))
}

#[test]
fn two_processes_report_one_trace_in_each_style() {
    for (style, has_maker) in [
        ("datadog,baggage", true),
        ("tracecontext,baggage", true),
        ("b3,baggage", false),
        ("b3multi,baggage", false),
        ("datadog,tracecontext,b3,b3multi,baggage", true),
    ] {
        let styles = ("DD_TRACE_PROPAGATION_STYLE", style);
        let received = with_two(styles, styles, |shop, stock| {
            let url = url(stock, &json!({ "do": "serve" }));
            call(shop, &url);
        });
        let (here, there) = (chunk_with(&received, "order"), chunk_with(&received, "web.request"));
        let tree = "order service=shop\n  http.request\n    web.request service=stock resource=\"/stock\"\n";
        assert_eq!(received.tree().to_string(), tree, "{style}");
        let (trace, priority, maker) = facts(here);
        assert_eq!((priority, maker), (Some(1.0), Some("-0")), "{style}: {here:#?}");
        assert!(trace.is_some_and(|id| id >> 64 != 0), "{style}: 128 bits");
        assert_eq!(facts(there), (trace, priority, maker.filter(|_| has_maker)), "{style}: {there:#?}");
        assert_eq!(there[0].meta("baggage.user.id"), Some("u 1"), "{style}");
        assert!(there[0].meta("_dd.parent_id").is_none_or(|id| id == format!("{:016x}", there[0].parent_id)));
        assert!(received.spans().all(|span| span.span_links.is_empty()), "{style}");
    }
}

/// What the first process decided holds in the second, against its own rules.
#[test]
fn the_decision_of_the_first_process_holds_in_the_second() {
    for (ours, theirs, expected) in [("0", "1", (-1.0, "-3")), ("1", "0", (2.0, "-3"))] {
        let [ours, theirs] = [ours, theirs].map(|rate| ("DD_TRACE_SAMPLE_RATE", rate));
        let received = with_two(ours, theirs, |shop, stock| {
            let url = url(stock, &json!({ "do": "serve" }));
            let decided = call(shop, &url)["priority"].as_f64();
            assert_eq!(decided, Some(expected.0));
        });
        let (here, there) = (chunk_with(&received, "order"), chunk_with(&received, "web.request"));
        assert_eq!(facts(there), facts(here));
        assert_eq!(facts(there).1.zip(facts(there).2), Some(expected));
        assert_eq!(there[0].meta("_dd.p.ksr"), here[0].meta("_dd.p.ksr"));
        assert_eq!(
            (here[0].metric("_dd.rule_psr"), there[0].metric("_dd.rule_psr")),
            (ours.1.parse().ok(), None)
        );
    }
}

/// As a synthetic test asks for it: the trace goes on without a parent.
#[test]
fn an_origin_is_on_each_span_of_each_process() {
    let id = "0000000000000000000000000000004d";
    let datadog = [
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "0"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-origin", "synthetics"),
    ];
    let parent = format!("00-{id}-1020304050607080-01");
    let w3c = [("traceparent", parent.as_str()), ("tracestate", "dd=s:2;o:synthetics")];
    for (style, headers, parent) in
        [("datadog", &datadog[..], 0), ("tracecontext", &w3c, 0x1020_3040_5060_7080)]
    {
        let styles = ("DD_TRACE_PROPAGATION_STYLE", style);
        let received = with_two(styles, styles, |shop, stock| {
            let next = url(stock, &json!({ "do": "serve" }));
            let first: Address = url(shop, &json!({ "do": "serve", "next": next }))
                .parse()
                .unwrap_or_else(|error| panic!("{error}"));
            let answer = send(&first, "GET", "/", headers, b"");
            assert_eq!(answer.map_or(599, |answer| answer.status), 204);
        });
        assert_eq!(received.span_count(), 3, "{}", received.tree());
        for chunk in received.chunks() {
            assert_eq!(facts(chunk), (Some(77), Some(2.0), None), "{style}");
            assert!(chunk.iter().all(|span| span.meta("_dd.origin") == Some("synthetics")), "{chunk:#?}");
        }
        let first = received.spans().find(|span| span.service == "shop" && span.name == "web.request");
        assert_eq!(first.map(|span| span.parent_id), Some(parent), "{style}");
    }
}

/// The trace id, priority, origin and the rest of what came is given up, and what it was is a link.
#[test]
fn a_process_may_begin_anew_and_link_to_its_caller() {
    let restart = ("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "restart");
    let received = with_two(PLAIN, restart, |shop, stock| {
        let url = url(stock, &json!({ "do": "serve" }));
        call(shop, &url);
    });
    let (here, there) = (chunk_with(&received, "order"), chunk_with(&received, "web.request"));
    assert_ne!(trace_id(here), trace_id(there));
    let [root] = there else { panic!("{there:#?}") };
    assert_eq!((root.parent_id, root.meta("baggage.user.id")), (0, Some("u 1")));
    let caller = here.iter().find(|span| span.name == "http.request");
    let [link] = &root.span_links[..] else { panic!("not one link: {root:#?}") };
    let whole = u128::from(link.trace_id_high) << 64 | u128::from(link.trace_id);
    assert_eq!((Some(whole), Some(link.span_id)), (trace_id(here), caller.map(|span| span.span_id)));
    assert_eq!((link.flags, link.tracestate.as_str()), (1 << 31 | 1, ""));
    let reason = [("reason", "propagation_behavior_extract"), ("context_headers", "datadog")];
    assert_eq!(link.attributes, reason.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
}

#[test]
fn a_process_may_ignore_its_caller() {
    let ignore = ("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "ignore");
    let received = with_two(PLAIN, ignore, |shop, stock| {
        let url = url(stock, &json!({ "do": "serve" }));
        call(shop, &url);
    });
    let (here, there) = (chunk_with(&received, "order"), chunk_with(&received, "web.request"));
    assert_ne!(trace_id(here), trace_id(there));
    let [root] = there else { panic!("{there:#?}") };
    assert_eq!((root.parent_id, root.meta("baggage.user.id"), root.span_links.len()), (0, None, 0));
}

/// A tracer that knows W3C's headers alone: it makes a span of its own, and adds its member to the left.
fn foreign(headers: &HeaderLines, passes_on_what_it_does_not_know: bool) -> HeaderLines {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let value = match name.as_str() {
                "traceparent" => [&value[..36], FOREIGN_SPAN, &value[52..]].concat(),
                "tracestate" => ["acme=k1,", value].concat(),
                name if name.starts_with("x-datadog-") && passes_on_what_it_does_not_know => value.clone(),
                _ => return None,
            };
            Some((name.clone(), value))
        })
        .collect()
}

const FOREIGN_SPAN: &str = "00f067aa0ba902b7";

#[test]
fn a_foreign_tracer_in_between_is_the_parent_and_ours_the_last_one_known() {
    for passes_on in [false, true] {
        let received = with_two(PLAIN, PLAIN, |shop, stock| {
            // A third service behind the second: what is forwarded from there is seen, too.
            let last = serve(|_, headers| {
                let value = |name: &str| {
                    headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str())
                };
                let (parent, state) = (value("traceparent"), value("tracestate"));
                let own = format!("dd=s:1;p:{};", parent.get(36..52).unwrap_or("none"));
                let is_right = state.starts_with(&own) && state.ends_with(",acme=k1");
                if is_right { 204 } else { 500 }
            });
            let behind = url(stock, &json!({ "do": "serve", "next": last.to_string() }));
            let behind: Address = behind.parse().unwrap_or_else(|error| panic!("{error}"));
            let between = serve(move |path, headers| {
                let headers = foreign(&headers, passes_on);
                let lines: Vec<_> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                send(&behind, "GET", path, &lines, b"").map_or(599, |answer| answer.status)
            });
            call(shop, &between.to_string());
        });
        let (here, there) = (chunk_with(&received, "order"), chunk_with(&received, "web.request"));
        assert_eq!(facts(here), facts(there), "{there:#?}");
        let request = there.iter().find(|span| span.name == "web.request");
        let caller = here.iter().find(|span| span.name == "http.request");
        let (Some(request), Some(caller)) = (request, caller) else { panic!("{here:#?} {there:#?}") };
        assert_eq!(format!("{:016x}", request.parent_id), FOREIGN_SPAN);
        assert_eq!(request.meta("_dd.parent_id"), Some(format!("{:016x}", caller.span_id).as_str()));
        let own_request = there.iter().find(|span| span.name == "http.request");
        assert_eq!(own_request.and_then(|span| span.meta("_dd.parent_id")), None);
    }
}
