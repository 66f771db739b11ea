//! A service between two others, with settings of its own: what it makes of the headers that come, in those that go and in the spans
//! that the agent gets.

use std::collections::BTreeMap;

use dd_traced_tests::{Answer, Received, program, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const IDS: [&str; 2] = ["x-datadog-trace-id: 77", "x-datadog-parent-id: 500"];
const TRACEPARENT: &str = "traceparent: 00-66b0c2da00000000000000000000004d-1020304050607080-01";

/// The headers that go on and the spans, from a service with these variables that these headers come to.
fn between(
    variables: &[(&str, &str)],
    headers: &[&str],
    info: Option<&str>,
) -> (BTreeMap<String, String>, Received) {
    let mut sent = BTreeMap::new();
    let received = with_agent(|agent| {
        if let Some(info) = info {
            agent.answers_info(Answer::ok().with_body(info));
        }
        let mut program = program(PROGRAM, "continues", u64::from(info.is_some()));
        program.args(headers).env("DD_TRACE_AGENT_URL", agent.url()).envs(variables.iter().copied());
        let ended = run(&mut program).expect_success();
        let lines = ended.stdout.lines().filter_map(|line| line.split_once(": "));
        sent = lines
            .filter(|(name, _)| !name.starts_with('{'))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
    });
    (sent, received)
}

#[test]
fn rule_decides_where_nobody_did() {
    let rule = [("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":1.0}]"#)];
    let headers = ["x-datadog-trace-id: 31337", "x-datadog-parent-id: 42", "x-datadog-origin: rum"];
    let (sent, received) = between(&rule, &headers, None);
    let request = received.span("request");
    assert_eq!((request.trace_id, request.parent_id), (31_337, 42));
    assert_eq!(
        (request.priority(), request.meta("_dd.p.dm"), request.meta("_dd.origin")),
        (Some(2.0), Some("-3"), Some("rum"))
    );
    assert_eq!(
        (sent["x-datadog-sampling-priority"].as_str(), sent["x-datadog-origin"].as_str()),
        ("2", "rum")
    );
    assert!(
        sent["tracestate"].starts_with("dd=s:2;o:rum;p:") && sent["tracestate"].ends_with(";th:0"),
        "{sent:?}"
    );
}

#[test]
fn restart_begins_a_trace_linked_to_the_one_that_came() {
    let restart = [("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "restart")];
    let headers = [
        IDS[0],
        IDS[1],
        "x-datadog-sampling-priority: -1",
        "x-datadog-origin: rum",
        "baggage: user.id=7",
        TRACEPARENT,
    ];
    let (sent, received) = between(&restart, &headers, None);
    let request = received.span("request");
    assert_eq!(
        (request.parent_id, request.meta("_dd.origin"), request.meta("baggage.user.id")),
        (0, None, Some("7"))
    );
    assert_ne!(request.trace_id, 77);
    assert_eq!(request.priority(), Some(1.0), "decided anew");
    let [link] = &request.span_links[..] else { panic!("not one link: {request:#?}") };
    assert_eq!((link.trace_id, link.span_id, link.flags), (77, 500, 1 << 31));
    assert_eq!(link.attributes["reason"], "propagation_behavior_extract");
    assert_eq!(link.attributes["context_headers"], "datadog");
    assert_eq!(sent["baggage"], "user.id=7");
    assert!(received.span("job").span_links.is_empty());
}

#[test]
fn ignore_takes_nothing() {
    let ignore = [("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "ignore")];
    let (sent, received) = between(&ignore, &[IDS[0], IDS[1], "baggage: user.id=7", TRACEPARENT], None);
    let request = received.span("request");
    assert!(request.trace_id != 77 && request.parent_id == 0 && request.span_links.is_empty());
    assert!(request.meta("baggage.user.id").is_none() && !sent.contains_key("baggage"));
}

#[test]
fn facts_of_the_trace_are_on_the_first_span_only() {
    let traceparent = TRACEPARENT.replace("66b0c2da00000000", "0000000000000000");
    let headers = [
        IDS[0],
        IDS[1],
        "x-datadog-tags: _dd.p.a=1,_dd.p.tid=zz",
        &traceparent,
        "tracestate: dd=p:zz9",
        "baggage: user.id=7,other=1",
    ];
    let (_, received) = between(&[], &headers, None);
    let (request, job) = (received.span("request"), received.span("job"));
    assert_eq!(request.parent_id, 0x1020_3040_5060_7080);
    for (key, value) in [
        ("_dd.parent_id", "zz9"),
        ("_dd.propagation_error", "malformed_tid zz"),
        ("_dd.p.a", "1"),
        ("baggage.user.id", "7"),
    ] {
        assert_eq!((request.meta(key), job.meta(key)), (Some(value), None), "{key}");
    }
    assert_eq!(request.meta("baggage.other"), None);
    let all = [("DD_TRACE_BAGGAGE_TAG_KEYS", "*")];
    assert_eq!(between(&all, &headers, None).1.span("request").meta("baggage.other"), Some("1"));
    let none = [("DD_TRACE_BAGGAGE_TAG_KEYS", "")];
    assert_eq!(between(&none, &headers, None).1.span("request").meta("baggage.user.id"), None);
}

#[test]
fn tags_that_do_not_go_on_are_told_of_on_the_local_root() {
    let rule = ("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":1.0}]"#);
    let long = format!("x-datadog-tags: _dd.p.long={}", "x".repeat(495));
    let off = ("DD_TRACE_X_DATADOG_TAGS_MAX_LENGTH", "0");
    for (variables, error, is_kept) in
        [(vec![rule], "inject_max_size", true), (vec![rule, off], "disabled", false)]
    {
        let (sent, received) = between(&variables, &[IDS[0], IDS[1], &long], None);
        assert_eq!(sent.get("x-datadog-tags"), None, "{error}");
        assert_eq!(
            (&*sent["x-datadog-trace-id"], &*sent["x-datadog-sampling-priority"]),
            ("77", "2"),
            "{error}"
        );
        let request = received.span("request");
        assert_eq!(
            (request.meta("_dd.propagation_error"), request.meta("_dd.p.long").is_some()),
            (Some(error), is_kept)
        );
        let others = received.spans().filter(|span| span.meta("_dd.propagation_error").is_some());
        assert_eq!(others.count(), 1, "{error}");
    }
}

#[test]
fn other_styles_are_read_and_written_when_asked_for() {
    let styles =
        [("DD_TRACE_PROPAGATION_STYLE_EXTRACT", "b3"), ("DD_TRACE_PROPAGATION_STYLE_INJECT", "b3multi")];
    let (sent, received) = between(&styles, &["b3: 4d-1f4-d", IDS[0], "baggage: a=1"], None);
    let request = received.span("request");
    assert_eq!((request.trace_id, request.parent_id, request.priority()), (77, 500, Some(2.0)));
    assert_eq!(sent.keys().collect::<Vec<_>>(), ["x-b3-flags", "x-b3-spanid", "x-b3-traceid"]);
    assert_eq!((sent["x-b3-traceid"].as_str(), sent["x-b3-flags"].as_str()), ("000000000000004d", "1"));
}

#[test]
fn ids_that_came_are_neither_widened_nor_cut() {
    for wide in ["true", "false"] {
        let variables = [("DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED", wide)];
        let (sent, received) = between(&variables, &IDS, None);
        assert!(!sent.contains_key("x-datadog-tags") || !sent["x-datadog-tags"].contains("tid"), "{sent:?}");
        assert_eq!(received.span("request").meta("_dd.p.tid"), None);
        let (sent, received) = between(&variables, &[TRACEPARENT], None);
        assert!(sent["traceparent"].starts_with("00-66b0c2da00000000000000000000004d-"));
        assert_eq!(received.span("request").meta("_dd.p.tid"), Some("66b0c2da00000000"));
        let (sent, received) = between(&variables, &[], None);
        let is_wide = received.span("request").meta("_dd.p.tid").is_some();
        assert_eq!(
            (is_wide, !sent["traceparent"].starts_with("00-0000000000000000")),
            (wide == "true", wide == "true")
        );
    }
}

#[test]
fn guard_knows_its_organisation_from_the_agent() {
    let guard = [("DD_TRACE_ORG_GUARD_ENABLED", "true"), ("DD_TRACE_ORG_GUARD_TRUSTED_OPMS", "friends")];
    let info = r#"{"version":"7.79.0","endpoints":["/v0.4/traces"],"org_prop_marker":"us"}"#;
    for (marker, origin) in [("friends", true), ("us", true), ("them", false)] {
        let tags = format!("x-datadog-tags: _dd.p.opm={marker},_dd.p.a=1");
        let headers = [
            IDS[0],
            IDS[1],
            "x-datadog-sampling-priority: 2",
            "x-datadog-origin: rum",
            &tags,
            "baggage: a=1",
        ];
        let (sent, _) = between(&guard, &headers, Some(info));
        assert_eq!((sent["x-datadog-trace-id"].as_str(), sent["baggage"].as_str()), ("77", "a=1"));
        assert!(
            sent["x-datadog-tags"].contains("_dd.p.opm=us") && sent["tracestate"].contains(";t.opm:us"),
            "{sent:?}"
        );
        assert_eq!(sent.contains_key("x-datadog-origin"), origin, "{marker}");
        assert_eq!(sent["x-datadog-tags"].contains("_dd.p.a=1"), origin, "{marker}");
    }
}
