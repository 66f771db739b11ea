//! What arrives, and what goes on from here, in the two styles that are ours by default.

use super::*;
use crate::model::ids::TraceId;
use crate::model::priority::{Applied, Mechanism};
use crate::model::upstream::{PropagationError, UpstreamLink};

#[test]
fn tracer_in_between_is_the_parent_and_ours_the_last_parent() {
    let lines = [
        ("x-datadog-trace-id", "4214133525480169601"),
        ("x-datadog-parent-id", "8875836681422449212"),
        ("x-datadog-sampling-priority", "1"),
        ("x-datadog-tags", "_dd.p.dm=-1,_dd.p.tid=6a5c1f4000000000"),
        ("traceparent", TRACEPARENT),
        ("tracestate", "acme=k1,dd=s:1;p:7b2d4e6f80912a3c;t.dm:-1"),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!(upstream.parent_id.as_u64(), 67_667_974_448_284_343);
    assert_eq!(upstream.last_parent_id.as_deref(), Some("7b2d4e6f80912a3c"));
    assert!(upstream.links.is_empty() && upstream.propagation_error.is_none());
    let headers = sent(&upstream, &settings());
    assert_eq!(headers["tracestate"], "dd=s:1;p:1122334455667788;t.dm:-1,acme=k1");
    assert_eq!(headers["x-datadog-tags"], "_dd.p.tid=6a5c1f4000000000,_dd.p.dm=-1");

    let mut without_p = lines;
    without_p[5].1 = "acme=k1,dd=s:1";
    let upstream = received(&without_p, &settings()).unwrap();
    assert_eq!(upstream.last_parent_id.as_deref(), Some("7b2d4e6f80912a3c"));

    let first = PropagationSettings { extract_first: true, ..settings() };
    let upstream = received(&lines, &first).unwrap();
    assert_eq!((upstream.parent_id.as_u64(), upstream.tracestate), (8_875_836_681_422_449_212, None));
    assert_eq!(upstream.last_parent_id, None);
}

/// The parent of another trace used to be taken for the last span of ours.
#[test]
fn last_parent_is_of_the_same_trace() {
    let traceparent = "00-66b0c2d900000000000000000000004d-00f067aa0ba902b7-01";
    let lines = |trace_id: &'static str, tags: &'static str| {
        [
            ("b3", "66b0c2d900000000000000000000004d-0000000000000005-1"),
            ("x-datadog-trace-id", trace_id),
            ("x-datadog-parent-id", "500"),
            ("x-datadog-tags", tags),
            ("traceparent", traceparent),
        ]
    };
    let (same, other) = ("_dd.p.tid=66b0c2d900000000", "_dd.p.tid=66b0c2da00000000");
    for styles in
        [[Style::B3, Style::Datadog, Style::TraceContext], [Style::B3, Style::TraceContext, Style::Datadog]]
    {
        let last_parent = |trace_id, tags| {
            let upstream = received(&lines(trace_id, tags), &in_styles(&styles)).unwrap();
            assert_eq!(upstream.parent_id.as_u64(), 0x00f0_67aa_0ba9_02b7);
            upstream.last_parent_id
        };
        assert_eq!(last_parent("77", same).as_deref(), Some("00000000000001f4"));
        assert_eq!((last_parent("77", other), last_parent("78", same)), (None, None));
    }
}

#[test]
fn equal_parents_leave_no_last_parent() {
    let lines = [
        ("X-Datadog-Trace-Id", "77"),
        ("X-Datadog-Parent-Id", "500"),
        ("TraceParent", "00-0000000000000000000000000000004d-00000000000001f4-01"),
        ("TRACESTATE", "dd=p:00000000000001f4,acme=k1"),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!((upstream.parent_id.as_u64(), upstream.last_parent_id.as_deref()), (500, None));
    assert_eq!((upstream.tracestate.as_deref(), upstream.priority), (Some("acme=k1"), None));
}

#[test]
fn other_trace_becomes_a_link() {
    let lines = [
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "500"),
        ("x-datadog-sampling-priority", "1"),
        ("x-datadog-tags", "_dd.p.tid=66b0c2d900000000"),
        ("traceparent", "00-66b0c2da00000000000000000000004d-1020304050607080-01"),
        ("tracestate", "dd=s:2,acme=k1"),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!((upstream.parent_id.as_u64(), upstream.tracestate.as_deref()), (500, None));
    let expected = UpstreamLink {
        trace_id: TraceId::from_halves(0x66b0_c2da_0000_0000, 77),
        span_id: SpanId::new(1_161_981_756_646_125_696),
        reason: "terminated_context",
        context_headers: "tracecontext",
        is_kept: true,
        tracestate: Some("dd=s:2,acme=k1".into()),
    };
    assert_eq!(upstream.links, [expected]);

    // A tab between members used to cost the link its whole tracestate.
    let mut with_tab = lines;
    with_tab[5].1 = "dd=s:2\t, acme=k1";
    let upstream = received(&with_tab, &settings()).unwrap();
    assert_eq!(upstream.links[0].tracestate.as_deref(), Some("dd=s:2 , acme=k1"));

    let reversed = PropagationSettings { extract: vec![Style::TraceContext, Style::Datadog], ..settings() };
    let upstream = received(&lines, &reversed).unwrap();
    let link = &upstream.links[0];
    assert_eq!(
        (link.context_headers, link.tracestate.as_deref(), link.span_id.as_u64()),
        ("datadog", None, 500)
    );
    assert_eq!(upstream.tracestate.as_deref(), Some("acme=k1"));

    let without_parent = [lines[0], lines[4]];
    assert!(received(&without_parent, &reversed).unwrap().links.is_empty());
}

#[test]
fn flag_decides_and_our_number_refines() {
    let cases = [
        ("01", "dd=s:2;t.dm:-4", 2, Some("-4")),
        ("01", "dd=s:-1;t.dm:-4", 1, Some("-0")),
        ("01", "dd=s:-1", 1, Some("-0")),
        ("01", "dd=s:foo;t.dm:-4", 1, Some("-4")),
        ("01", "acme=1", 1, None),
        ("00", "dd=s:-1;t.dm:-4", -1, Some("-4")),
        ("00", "dd=s:2;t.dm:-4", 0, None),
        ("00", "dd=s:foo;t.dm:-4", 0, None),
        ("00", "dd=t.dm:-4", 0, None),
        ("00", "", 0, None),
    ];
    for (flags, tracestate, priority, maker) in cases {
        let upstream = trace_context_of(&TRACEPARENT.replace("-01", &format!("-{flags}")), tracestate);
        assert_eq!(priority_and_maker(&upstream), (Some(priority), maker), "{flags} {tracestate}");
        let headers = sent(&upstream, &settings());
        assert!(headers["traceparent"].ends_with(if priority > 0 { "-01" } else { "-00" }));
        assert!(headers["tracestate"].starts_with(&format!("dd=s:{priority};")));
    }
}

#[test]
fn separators_are_replaced_in_our_member() {
    let mut upstream = trace_context_of(TRACEPARENT, "");
    upstream.origin = Some("a=b;c~d".into());
    upstream.tags.push("team", "x=y z;");
    let text = sent(&upstream, &settings())["tracestate"].clone();
    assert_eq!(text, "dd=s:1;o:a~b_c_d;p:1122334455667788;t.team:x~y z_");
    let back = trace_context_of(TRACEPARENT, &text);
    assert_eq!((back.origin.as_deref(), back.tags.get("_dd.p.team")), (Some("a=b_c_d"), Some("x=y z_")));

    let mut upstream = trace_context_of(TRACEPARENT, "");
    upstream.tags.push("x;s", "2");
    upstream.tags.push("a:b~c", "1");
    let text = sent(&upstream, &settings())["tracestate"].clone();
    assert_eq!(text, "dd=s:1;p:1122334455667788;t.x_s:2;t.a_b_c:1", "a tag cannot be a priority");

    upstream.origin = Some("né\u{1f600}é, \u{7f}\n".into());
    let headers = sent(&upstream, &settings());
    assert!(headers["tracestate"].starts_with("dd=s:1;o:n__ _;p:"), "{headers:?}");
    assert_eq!(headers["x-datadog-origin"], "n___, __");
}

#[test]
fn restart_links_to_what_arrived() {
    let restart = PropagationSettings { behavior: ExtractBehavior::Restart, ..settings() };
    let lines = [
        ("x-datadog-trace-id", "901"),
        ("x-datadog-parent-id", "44"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-tags", "_dd.p.tid=66b0c2d900000000"),
        ("traceparent", TRACEPARENT),
    ];
    let upstream = received(&lines, &restart).unwrap();
    assert_eq!((upstream.trace_id.as_u128(), upstream.parent_id.as_u64(), upstream.priority), (0, 0, None));
    let expected = UpstreamLink {
        trace_id: TraceId::from_halves(0x66b0_c2d9_0000_0000, 901),
        span_id: SpanId::new(44),
        reason: "propagation_behavior_extract",
        context_headers: "datadog",
        is_kept: true,
        tracestate: None,
    };
    assert_eq!(upstream.links, [expected]);
    assert_eq!(received(&[], &restart), None);
    let ignore = PropagationSettings { behavior: ExtractBehavior::Ignore, ..settings() };
    assert_eq!(received(&lines, &ignore), None);
}

#[test]
fn real_user_monitoring_leaves_the_decision_open() {
    let lines = [("x-datadog-trace-id", "31337"), ("x-datadog-parent-id", "42"), ("x-datadog-origin", "rum")];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!((upstream.trace_id.as_u128(), upstream.parent_id.as_u64()), (31_337, 42));
    assert_eq!((upstream.priority, upstream.origin.as_deref()), (None, Some("rum")));
    let headers = sent(&upstream, &settings());
    assert!(!headers.contains_key("x-datadog-sampling-priority") && !headers.contains_key("x-datadog-tags"));
    assert_eq!(headers["traceparent"], "00-00000000000000000000000000007a69-1122334455667788-00");
    assert_eq!(headers["tracestate"], "dd=o:rum;p:1122334455667788");
}

#[test]
fn too_many_tags_are_sent_where_they_fit_one_by_one() {
    let mut upstream = received(&[("x-datadog-trace-id", "9")], &settings()).unwrap();
    upstream.tags.push("a", &"x".repeat(200));
    upstream.tags.push("b", &"x".repeat(296));
    upstream.tags.push("c", "1");
    let mut headers = BTreeMap::new();
    let error = propagator(&settings()).inject(&outgoing(&upstream), &mut headers);
    assert_eq!(error, Some(PropagationError::InjectMaxSize));
    assert!(headers.contains_key("x-datadog-trace-id") && !headers.contains_key("x-datadog-tags"));
    assert!(headers["tracestate"].contains(";t.a:xxx") && !headers["tracestate"].contains("t.b"));
    assert!(headers["tracestate"].ends_with(";t.c:1") && headers["tracestate"].len() <= 256);
}

#[test]
fn tags_are_sent_up_to_their_limit() {
    for (length, limit, expected) in [
        (511, 512, None),
        (512, 512, None),
        (513, 512, Some(PropagationError::InjectMaxSize)),
        (40, 40, None),
        (41, 40, Some(PropagationError::InjectMaxSize)),
        (40, 0, Some(PropagationError::Disabled)),
    ] {
        let mut upstream = received(&[("x-datadog-trace-id", "9")], &settings()).unwrap();
        upstream.tags.push("a", &"x".repeat(length - "_dd.p.a=".len()));
        let limited = PropagationSettings { tags_max_bytes: limit, ..settings() };
        let mut headers = BTreeMap::new();
        assert_eq!(
            propagator(&limited).inject(&outgoing(&upstream), &mut headers),
            expected,
            "{length} {limit}"
        );
        assert_eq!(headers.contains_key("x-datadog-tags"), expected.is_none());
    }
    let upstream = received(&[("x-datadog-trace-id", "9")], &settings()).unwrap();
    let off = PropagationSettings { tags_max_bytes: 0, ..settings() };
    assert_eq!(propagator(&off).inject(&outgoing(&upstream), &mut BTreeMap::new()), None);
}

#[test]
fn local_decision_replaces_the_tags_that_came() {
    let lines = [("x-datadog-trace-id", "9"), ("x-datadog-tags", "_dd.p.dm=-1,_dd.p.ksr=0.50,_dd.p.x=1")];
    let upstream = received(&lines, &settings()).unwrap();
    let decision = Decision {
        priority: SamplingPriority::USER_REJECT,
        mechanism: Some(Mechanism::LOCAL_RULE),
        rate: Some(Applied::of(0.25)),
    };
    let mut headers = BTreeMap::new();
    propagator(&settings())
        .inject(&Outgoing { decision: Some(decision), ..outgoing(&upstream) }, &mut headers);
    assert_eq!(headers["x-datadog-tags"], "_dd.p.dm=-3,_dd.p.ksr=0.25,_dd.p.x=1");
    assert_eq!(
        headers["tracestate"],
        "dd=s:-1;p:1122334455667788;t.dm:-3;t.ksr:0.25;t.x:1,ot=rv:7538dcfb761800;th:c"
    );
    assert_eq!(headers["x-datadog-sampling-priority"], "-1");
    let inherited = Outgoing {
        decision: Some(Decision { mechanism: None, rate: None, ..decision }),
        ..outgoing(&upstream)
    };
    propagator(&settings()).inject(&inherited, &mut headers);
    assert_eq!(headers["x-datadog-tags"], "_dd.p.dm=-1,_dd.p.ksr=0.50,_dd.p.x=1");
}

#[test]
fn context_passed_on_without_a_span_keeps_its_last_parent() {
    let upstream = trace_context_of(TRACEPARENT, "dd=s:2;p:zz9;o:rum");
    for (received, expected) in [(Some("zz9"), "dd=s:2;o:rum;p:zz9"), (None, "dd=s:2;o:rum")] {
        let decision = upstream.priority.map(|priority| Decision { priority, mechanism: None, rate: None });
        let last_parent = LastParent::Received(received);
        let context = Outgoing { decision, span_id: upstream.parent_id, last_parent, ..outgoing(&upstream) };
        let mut headers = BTreeMap::new();
        propagator(&settings()).inject(&context, &mut headers);
        assert_eq!(
            (headers["tracestate"].as_str(), headers["traceparent"].as_str()),
            (expected, TRACEPARENT)
        );
    }
}

#[test]
fn malformed_traceparent_takes_tracestate_with_it() {
    let lines = [("traceparent", "00-x"), ("tracestate", "dd=s:2,acme=1")];
    assert_eq!(received(&lines, &settings()), None);
    let twice = [("traceparent", TRACEPARENT), ("Traceparent", TRACEPARENT), ("tracestate", "dd=s:2")];
    assert_eq!(received(&twice, &settings()), None);
    let other_names = [("trace-parent", TRACEPARENT), ("trace.parent", TRACEPARENT)];
    assert_eq!(received(&other_names, &settings()), None);
    let with_datadog = [("x-datadog-trace-id", "9"), lines[0], lines[1]];
    assert_eq!(received(&with_datadog, &settings()).unwrap().tracestate, None);
}

#[test]
fn our_member_stands_first_of_at_most_32() {
    let members: Vec<String> = (0..33).map(|n| format!("k{n}=v")).collect();
    let upstream = trace_context_of(TRACEPARENT, &members.join(","));
    let text = sent(&upstream, &settings())["tracestate"].clone();
    assert!(text.starts_with("dd=s:1;p:1122334455667788,k0=v,") && text.ends_with(",k30=v"));
    assert_eq!(text.split(',').count(), 32);

    let long: Vec<String> = (0..8).map(|n| format!("{n}={}", "x".repeat(509))).collect();
    let upstream = trace_context_of(TRACEPARENT, &long.join(","));
    let text = sent(&upstream, &settings())["tracestate"].clone();
    assert!(text.len() <= 4096 && text.ends_with("xxx"));
    assert_eq!(text.split(',').count(), 8);
}

#[test]
fn styles_not_configured_are_neither_read_nor_written() {
    let lines = [("x-datadog-trace-id", "9"), ("traceparent", TRACEPARENT)];
    assert_eq!(received(&lines, &only(Style::Datadog)).unwrap().trace_id.as_u128(), 9);
    let w3c = received(&lines, &only(Style::TraceContext)).unwrap();
    assert_eq!(format!("{:x}", w3c.trace_id), "6a5c1f40000000003a7b9c1d2e4f6081");
    assert!(w3c.links.is_empty());
    assert_eq!(
        sent(&w3c, &only(Style::TraceContext)).into_keys().collect::<Vec<_>>(),
        ["traceparent", "tracestate"]
    );
    let nothing = PropagationSettings { extract: vec![], inject: vec![], ..settings() };
    assert!(received(&lines, &nothing).is_none() && sent(&w3c, &nothing).is_empty());
}

#[test]
fn context_without_ids_is_not_written() {
    let upstream = trace_context_of(TRACEPARENT, "");
    let mut headers = BTreeMap::new();
    propagator(&settings())
        .inject(&Outgoing { span_id: SpanId::new(0), ..outgoing(&upstream) }, &mut headers);
    propagator(&settings())
        .inject(&Outgoing { trace_id: TraceId::new(0), ..outgoing(&upstream) }, &mut headers);
    assert!(headers.is_empty());
}
