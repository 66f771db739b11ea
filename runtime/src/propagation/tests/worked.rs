//! Exchanges from end to end, with every header that goes out.

use super::*;
use crate::model::ids::TraceId;
use crate::model::priority::Mechanism;
use crate::model::upstream::{PropagatedTags, PropagationError};

const ALL: [Style; 5] = [Style::Datadog, Style::TraceContext, Style::B3, Style::B3Multi, Style::Baggage];

fn root(tags: &PropagatedTags, decision: Decision) -> Outgoing<'_> {
    Outgoing {
        trace_id: TraceId::new(0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081),
        span_id: SpanId::new(0x7b2d_4e6f_8091_2a3c),
        decision: Some(decision),
        origin: None,
        tags,
        tracestate: None,
        probability: None,
        last_parent: LastParent::Own,
        baggage: None,
    }
}

#[test]
fn new_root_in_all_styles_and_in_those_by_default() {
    let decision = Decision {
        priority: SamplingPriority::AUTO_KEEP,
        mechanism: Some(Mechanism::AGENT_RATE),
        rate: None,
    };
    let mut expected = carrier(&[
        ("b3", "6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-1"),
        ("traceparent", "00-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01"),
        ("tracestate", "dd=s:1;p:7b2d4e6f80912a3c;t.dm:-1"),
        ("x-b3-sampled", "1"),
        ("x-b3-spanid", "7b2d4e6f80912a3c"),
        ("x-b3-traceid", "6a5c1f40000000003a7b9c1d2e4f6081"),
        ("x-datadog-parent-id", "8875836681422449212"),
        ("x-datadog-sampling-priority", "1"),
        ("x-datadog-tags", "_dd.p.dm=-1,_dd.p.tid=6a5c1f4000000000"),
        ("x-datadog-trace-id", "4214133525480169601"),
    ]);
    let tags = PropagatedTags::default();
    let sent = |settings: &PropagationSettings| {
        let mut headers = BTreeMap::new();
        assert_eq!(propagator(settings).inject(&root(&tags, decision), &mut headers), None);
        headers.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(sent(&in_styles(&ALL)), expected);
    // By default, without B3.
    expected.retain(|(name, _)| !name.contains("b3"));
    assert_eq!(sent(&settings()), expected);
}

#[test]
fn each_style_alone_gives_the_same_ids() {
    let lines = [
        ("x-datadog-trace-id", "4214133525480169601"),
        ("x-datadog-parent-id", "8875836681422449212"),
        ("x-datadog-tags", "_dd.p.dm=-1,_dd.p.tid=6a5c1f4000000000"),
        ("traceparent", "00-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01"),
        ("b3", "6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-1"),
        ("X-B3-TraceId", "6a5c1f40000000003a7b9c1d2e4f6081"),
        ("X-B3-SpanId", "7b2d4e6f80912a3c"),
    ];
    let all = received(&lines, &in_styles(&ALL)).unwrap();
    assert!(all.links.is_empty() && all.last_parent_id.is_none());
    for style in [Style::Datadog, Style::TraceContext, Style::B3, Style::B3Multi] {
        let upstream = received(&lines, &only(style)).unwrap();
        assert_eq!((upstream.trace_id, upstream.parent_id), (all.trace_id, all.parent_id), "{style:?}");
        assert_eq!(upstream.trace_id.as_u128(), 0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081);
    }
    assert_eq!(received(&lines, &only(Style::Baggage)), None);
}

#[test]
fn conflicting_trace_is_linked_to_and_its_vendors_are_not_sent_on() {
    let lines = [
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "500"),
        ("x-datadog-sampling-priority", "1"),
        ("x-datadog-tags", "_dd.p.tid=66b0c2d900000000"),
        ("traceparent", "00-66b0c2da00000000000000000000004d-1020304050607080-01"),
        ("tracestate", "dd=s:2,acme=k1"),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!((upstream.trace_id.low_u64(), upstream.parent_id.as_u64()), (77, 500));
    let (high, span_id) = (0x66b0_c2da_0000_0000, 1_161_981_756_646_125_696);
    let expected = (high, 77, span_id, "terminated_context", "tracecontext", true, Some("dd=s:2,acme=k1"));
    assert_eq!(link_of(&upstream), expected);
    assert_eq!(sent(&upstream, &settings())["tracestate"], "dd=s:1;p:1122334455667788");
}

#[test]
fn characters_of_our_member_are_replaced_one_way() {
    let mut upstream = trace_context_of(TRACEPARENT, "");
    upstream.origin = Some("a=b;c~d".into());
    // A comma comes from no header; the name of a tag decides nothing here.
    upstream.tags.push("team", "x=y; z");
    let text = sent(&upstream, &only(Style::TraceContext))["tracestate"].clone();
    assert_eq!(text, "dd=s:1;o:a~b_c_d;p:1122334455667788;t.team:x~y_ z");
    let back = trace_context_of(TRACEPARENT, &text);
    assert_eq!((back.origin.as_deref(), back.tags.get("_dd.p.team")), (Some("a=b_c_d"), Some("x=y_ z")));
}

#[test]
fn restart_begins_a_trace_and_keeps_baggage() {
    let restart = PropagationSettings { behavior: ExtractBehavior::Restart, ..settings() };
    let lines = [
        ("x-datadog-trace-id", "901"),
        ("x-datadog-parent-id", "44"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-origin", "rum"),
        ("x-datadog-tags", "_dd.p.tid=66b0c2d900000000,_dd.p.dm=-4"),
        ("baggage", "tier=gold"),
        // Terminated by itself, and no link any more.
        ("traceparent", TRACEPARENT),
    ];
    let upstream = received(&lines, &restart).unwrap();
    let expected = (0x66b0_c2d9_0000_0000, 901, 44, "propagation_behavior_extract", "datadog", true, None);
    assert_eq!(link_of(&upstream), expected);
    let rest = Upstream { links: vec![], baggage: None, ..upstream.clone() };
    assert_eq!(rest, Upstream::new(TraceId::new(0), SpanId::new(0)));
    let begun = Upstream { trace_id: TraceId::new(5), ..upstream };
    assert_eq!(sent(&begun, &restart)["baggage"], "tier=gold");

    let w3c = [("traceparent", TRACEPARENT), ("tracestate", "dd=s:-1,acme=1"), ("x-datadog-trace-id", "901")];
    let first = PropagationSettings { extract: vec![Style::TraceContext, Style::Datadog], ..restart.clone() };
    let restarted = received(&w3c, &first).unwrap();
    let (_, _, span_id, _, style, is_kept, tracestate) = link_of(&restarted);
    assert_eq!(
        (span_id, style, is_kept, tracestate),
        (0x00f0_67aa_0ba9_02b7, "tracecontext", true, Some("dd=s:-1,acme=1"))
    );
    let alone = received(&[("baggage", "tier=gold")], &restart).unwrap();
    assert!(alone.links.is_empty() && alone.baggage.is_some());
    assert_eq!(received(&[], &restart), None);

    // There used to be a link to a span that is none.
    let no_parent =
        [("x-datadog-trace-id", "901"), ("x-datadog-origin", "synthetics"), ("baggage", "tier=gold")];
    assert_eq!(received(&no_parent, &restart).unwrap(), alone);
    assert_eq!(received(&no_parent[..2], &restart), None);
}

#[test]
fn ignore_reads_nothing_at_all() {
    let ignore = PropagationSettings { behavior: ExtractBehavior::Ignore, ..settings() };
    let lines = [("x-datadog-trace-id", "901"), ("traceparent", TRACEPARENT), ("baggage", "tier=gold")];
    assert_eq!(received(&lines, &ignore), None);
}

#[test]
fn too_many_tags_are_no_header_and_what_fits_of_our_member() {
    let mut upstream =
        received(&[("x-datadog-trace-id", "9"), ("x-datadog-origin", "rum")], &settings()).unwrap();
    let pair =
        |name: &str, length: usize| (name.to_owned(), "x".repeat(length - "_dd.p.=".len() - name.len()));
    for (name, value) in [pair("a", 100), pair("b", 300), pair("c", 118)] {
        upstream.tags.push(&name, &value);
    }
    assert_eq!(upstream.tags.as_str().len(), 520);
    let mut headers = BTreeMap::new();
    let context =
        Outgoing { decision: Some(Decision::inherited(SamplingPriority::AUTO_KEEP)), ..outgoing(&upstream) };
    let error = propagator(&settings()).inject(&context, &mut headers);
    assert_eq!(error, Some(PropagationError::InjectMaxSize));
    assert!(!headers.contains_key("x-datadog-tags"));
    assert_eq!(
        ["x-datadog-trace-id", "x-datadog-sampling-priority", "x-datadog-origin"]
            .map(|name| headers[name].as_str()),
        ["9", "1", "rum"]
    );
    let member = &headers["tracestate"];
    assert!(member.contains(";t.a:x") && member.contains(";t.c:x") && !member.contains("t.b:"), "{member}");
}
