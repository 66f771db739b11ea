//! What implementations of these headers often get wrong, and is not told by the other examples.

use super::*;
use crate::model::ids::TraceId;
use crate::model::priority::Mechanism;

/// The context of a span of this process whose trace has no history.
fn fresh(trace_id: u128, decision: Option<Decision>) -> BTreeMap<String, String> {
    let upstream = Upstream::new(TraceId::new(trace_id), SpanId::new(1));
    let mut headers = BTreeMap::new();
    propagator(&settings()).inject(&Outgoing { decision, ..outgoing(&upstream) }, &mut headers);
    headers
}

#[test]
fn id_of_64_bits_is_not_extended_and_has_no_upper_half() {
    let upstream =
        received(&[("x-datadog-trace-id", "255"), ("x-datadog-parent-id", "16")], &settings()).unwrap();
    assert_eq!(upstream.trace_id.as_u128(), 255);
    let headers = sent(&upstream, &in_styles(&[Style::Datadog, Style::TraceContext, Style::B3]));
    assert_eq!(headers["x-datadog-trace-id"], "255", "decimal");
    assert!(!headers.contains_key("x-datadog-tags"));
    assert_eq!(headers["traceparent"], "00-000000000000000000000000000000ff-1122334455667788-00");
    assert_eq!(headers["b3"], "00000000000000ff-1122334455667788");
}

#[test]
fn upper_half_is_sixteen_lowercase_digits() {
    let headers = fresh(0xAB << 64 | 7, None);
    assert_eq!(headers["x-datadog-trace-id"], "7");
    assert_eq!(headers["x-datadog-tags"], "_dd.p.tid=00000000000000ab");
}

#[test]
fn last_parent_is_the_span_that_calls() {
    let upstream = trace_context_of(TRACEPARENT, "dd=s:1;p:7b2d4e6f80912a3c");
    assert_eq!(upstream.last_parent_id.as_deref(), Some("7b2d4e6f80912a3c"));
    let headers = sent(&upstream, &settings());
    assert!(headers["tracestate"].contains("p:1122334455667788") && !headers["tracestate"].contains("7b2d"));
    assert_eq!(headers["x-datadog-parent-id"], 0x1122_3344_5566_7788_u64.to_string());
}

/// A long origin, which any caller may send, used to leave no room for it.
#[test]
fn last_parent_and_maker_are_sent_whatever_the_origin() {
    for (bytes, is_sent) in [(3, true), (217, true), (218, false), (246, false), (512, false)] {
        let origin = "o".repeat(bytes);
        let lines = [
            ("x-datadog-trace-id", "9"),
            ("x-datadog-sampling-priority", "-1"),
            ("x-datadog-tags", "_dd.p.dm=-4"),
            ("x-datadog-origin", &origin),
        ];
        let headers = sent(&received(&lines, &settings()).unwrap(), &settings());
        assert_eq!(headers["x-datadog-origin"], origin);
        let member = &headers["tracestate"];
        assert!(member.starts_with("dd=s:-1;") && member.ends_with(";t.dm:-4"), "{member}");
        assert!(member.contains(";p:1122334455667788;") && member.len() <= 256, "{member}");
        assert_eq!(member.contains(&format!("o:{origin};")), is_sent, "{bytes}");
    }
}

#[test]
fn last_parent_is_stored_as_it_came_and_never_made_up() {
    let of = |tracestate| trace_context_of(TRACEPARENT, tracestate).last_parent_id;
    assert_eq!((of("dd=p:zz9").as_deref(), of("dd=s:1"), of("")), (Some("zz9"), None, None));
}

#[test]
fn our_member_is_replaced_and_comes_first() {
    let upstream = trace_context_of(TRACEPARENT, "a=1,dd=s:2;o:rum;x:y,b=2,dd=s:0");
    assert_eq!(sent(&upstream, &settings())["tracestate"], "dd=s:2;o:rum;p:1122334455667788,a=1,b=2");
}

#[test]
fn vendors_are_kept_where_our_headers_come_first() {
    let trace = TRACEPARENT.replace("6a5c1f40000000003a7b9c1d2e4f6081", "0000000000000000000000000000004d");
    let lines = [
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "5"),
        ("traceparent", &trace),
        ("tracestate", "b= x ,a=1"),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!(upstream.tracestate.as_deref(), Some("b= x,a=1"), "in their order, trimmed at the ends only");
}

#[test]
fn first_separator_parts_a_pair() {
    let upstream = trace_context_of(TRACEPARENT, "dd=t.x:a:b;o:c:d");
    assert_eq!((upstream.tags.get("_dd.p.x"), upstream.origin.as_deref()), (Some("a:b"), Some("c:d")));
    let lines = [("x-datadog-trace-id", "9"), ("x-datadog-tags", "_dd.p.k=v=w")];
    assert_eq!(received(&lines, &settings()).unwrap().tags.get("_dd.p.k"), Some("v=w"));
}

#[test]
fn percent_signs_are_no_escapes_in_tracestate() {
    let upstream = trace_context_of(TRACEPARENT, "dd=s:1;t.x:%41 b;o:a%2Cb");
    assert_eq!((upstream.tags.get("_dd.p.x"), upstream.origin.as_deref()), (Some("%41 b"), Some("a%2Cb")));
    let text = sent(&upstream, &settings())["tracestate"].clone();
    assert_eq!(text, "dd=s:1;o:a%2Cb;p:1122334455667788;t.x:%41 b");
}

#[test]
fn header_names_have_any_case() {
    let lines = [
        ("X-DATADOG-TRACE-ID", "9"),
        ("X-Datadog-Parent-Id", "5"),
        ("x-datadog-SAMPLING-priority", "2"),
        ("X-Datadog-Tags", "_dd.p.a=1"),
        ("BAGGAGE", "a=1"),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!((upstream.parent_id.as_u64(), upstream.priority), (5, Some(SamplingPriority::USER_KEEP)));
    assert!(upstream.tags.get("_dd.p.a").is_some() && upstream.baggage.is_some());
    assert!(received(&[("B3", "9-5-1")], &only(Style::B3)).is_some());
    assert!(received(&[("X-B3-TRACEID", "9"), ("x-b3-SPANID", "5")], &only(Style::B3Multi)).is_some());
}

#[test]
fn nothing_is_written_that_has_no_value() {
    let headers = fresh(7, None);
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["traceparent", "tracestate", "x-datadog-parent-id", "x-datadog-trace-id"]);
    assert_eq!(headers["tracestate"], "dd=p:1122334455667788");
}

#[test]
fn unknown_priority_goes_on_as_it_came() {
    for (priority, flag) in [("-2", "00"), ("3", "01"), ("2147483647", "01"), ("-2147483648", "00")] {
        let lines = [("x-datadog-trace-id", "9"), ("x-datadog-sampling-priority", priority)];
        let headers = sent(&received(&lines, &settings()).unwrap(), &settings());
        assert_eq!(headers["x-datadog-sampling-priority"], priority);
        assert!(
            headers["tracestate"].starts_with(&format!("dd=s:{priority};"))
                && headers["traceparent"].ends_with(flag)
        );
    }
}

#[test]
fn second_context_of_the_same_trace_is_no_link() {
    let lines = [
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "5"),
        ("b3", "4d-6-1"),
        ("x-b3-traceid", "4d"),
        ("x-b3-spanid", "7"),
    ];
    let all = in_styles(&[Style::Datadog, Style::B3, Style::B3Multi]);
    let upstream = received(&lines, &all).unwrap();
    assert_eq!((upstream.parent_id.as_u64(), upstream.links.len()), (5, 0));
}

#[test]
fn links_of_other_styles_have_no_trace_state() {
    let lines = [
        ("traceparent", TRACEPARENT),
        ("tracestate", "acme=1"),
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "5"),
        ("b3", "4e-6-1"),
        ("x-b3-traceid", "4f"),
        ("x-b3-spanid", "7"),
        ("x-b3-sampled", "0"),
    ];
    let all = in_styles(&[Style::TraceContext, Style::B3, Style::Datadog, Style::B3Multi]);
    let upstream = received(&lines, &all).unwrap();
    let found: Vec<_> = upstream
        .links
        .iter()
        .map(|link| (link.context_headers, link.trace_id.low_u64(), link.is_kept, link.tracestate.is_some()))
        .collect();
    assert_eq!(
        found,
        [("b3", 0x4e, true, false), ("datadog", 77, false, false), ("b3multi", 0x4f, false, false)]
    );
    assert!(upstream.links.iter().all(|link| link.reason == "terminated_context"));
}

#[test]
fn decision_that_was_overruled_has_no_old_maker() {
    let upstream = trace_context_of(&TRACEPARENT.replace("-01", "-00"), "dd=s:2;t.dm:-4;t.x:1");
    let headers = sent(&upstream, &settings());
    assert_eq!(headers["x-datadog-tags"], "_dd.p.tid=6a5c1f4000000000,_dd.p.x=1");
    assert_eq!(headers["tracestate"], "dd=s:0;p:1122334455667788;t.x:1");
}

#[test]
fn tags_are_all_or_nothing_and_pairs_of_our_member_are_not() {
    let mut upstream =
        received(&[("x-datadog-trace-id", "9"), ("x-datadog-tags", "_dd.p.dm=-4")], &settings()).unwrap();
    upstream.tags.push("long", &"x".repeat(500));
    upstream.tags.push("short", "1");
    let mut headers = BTreeMap::new();
    propagator(&settings()).inject(&outgoing(&upstream), &mut headers);
    assert!(!headers.contains_key("x-datadog-tags"));
    assert_eq!(headers["tracestate"], "dd=p:1122334455667788;t.dm:-4;t.short:1");
}

#[test]
fn limit_of_rule_is_no_probability() {
    use crate::model::priority::Applied;
    let rejected = |limiter| Decision {
        priority: SamplingPriority::USER_REJECT,
        mechanism: Some(Mechanism::LOCAL_RULE),
        rate: Some(Applied { limiter, ..Applied::of(1.0) }),
    };
    assert!(!fresh(3, Some(rejected(Some(0.5))))["tracestate"].contains("ot="));
}
