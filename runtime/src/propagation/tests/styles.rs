//! Several styles together, in the order they are configured in; baggage in both of its forms.

use super::*;
use crate::model::priority::Mechanism;

const SAME: [(&str, &str); 6] = [
    ("x-datadog-trace-id", "77"),
    ("x-datadog-parent-id", "500"),
    ("traceparent", "00-0000000000000000000000000000004d-1020304050607080-01"),
    ("tracestate", "acme=1"),
    ("b3", "4d-6-d"),
    ("x-b3-traceid", "4d"),
];

#[test]
fn traceparent_names_the_parent_whichever_style_is_first() {
    for (styles, priority, last_parent) in [
        (&[Style::Datadog, Style::TraceContext][..], None, Some("00000000000001f4")),
        (&[Style::B3, Style::Datadog, Style::TraceContext], Some(2), Some("00000000000001f4")),
        (&[Style::B3, Style::TraceContext, Style::Datadog], Some(2), Some("00000000000001f4")),
        (&[Style::B3, Style::TraceContext], Some(2), None),
        (&[Style::B3Multi, Style::TraceContext], None, None),
        (&[Style::TraceContext, Style::Datadog, Style::B3], Some(1), None),
    ] {
        let upstream = received(&SAME, &in_styles(styles)).unwrap();
        assert_eq!(upstream.parent_id.as_u64(), 0x1020_3040_5060_7080, "{styles:?}");
        assert_eq!(upstream.tracestate.as_deref(), Some("acme=1"));
        assert_eq!(upstream.priority.map(SamplingPriority::as_i32), priority, "{styles:?}");
        assert_eq!(upstream.last_parent_id.as_deref(), last_parent, "{styles:?}");
        assert!(upstream.links.is_empty());
    }
}

#[test]
fn first_style_that_yields_a_context_ends_the_search() {
    let first = |styles: &[Style]| PropagationSettings { extract_first: true, ..in_styles(styles) };
    let upstream = received(&SAME, &first(&[Style::Datadog, Style::TraceContext])).unwrap();
    assert_eq!(
        (upstream.parent_id.as_u64(), upstream.tracestate, upstream.last_parent_id),
        (500, None, None)
    );
    let without = &SAME[2..];
    let upstream = received(without, &first(&[Style::Datadog, Style::TraceContext, Style::B3])).unwrap();
    assert_eq!(upstream.parent_id.as_u64(), 0x1020_3040_5060_7080, "the first had none");
    assert!(upstream.links.is_empty());
}

#[test]
fn context_without_a_span_is_no_link() {
    let lines =
        [("traceparent", TRACEPARENT), ("x-datadog-trace-id", "77"), ("b3", "0-1-1"), ("x-b3-traceid", "4e")];
    let all = in_styles(&[Style::TraceContext, Style::Datadog, Style::B3, Style::B3Multi]);
    assert!(received(&lines, &all).unwrap().links.is_empty());
}

#[test]
fn nothing_of_an_earlier_call_is_left_in_the_carrier() {
    let mut headers = carrier(&[
        ("Traceparent", "old"),
        ("X-B3-Flags", "1"),
        ("x-b3-parentspanid", "7"),
        ("BAGGAGE", "old=1"),
        ("b3", "kept"),
        ("x-datadog-origin", "old"),
        ("ot-baggage-old", "kept"),
    ]);
    let upstream = trace_context_of(TRACEPARENT, "");
    let styles = in_styles(&[Style::Datadog, Style::TraceContext, Style::B3Multi, Style::Baggage]);
    let decision = Some(Decision::inherited(SamplingPriority::AUTO_KEEP));
    propagator(&styles).inject(&Outgoing { decision, ..outgoing(&upstream) }, &mut headers);
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "b3",
        "ot-baggage-old",
        "traceparent",
        "tracestate",
        "x-b3-sampled",
        "x-b3-spanid",
        "x-b3-traceid",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-datadog-tags",
        "x-datadog-trace-id",
    ];
    assert_eq!(names, expected);
}

#[test]
fn keys_of_the_setting_become_tags() {
    let lines = [("x-datadog-trace-id", "9"), ("baggage", "a=1,user.id=2,b=3,account.id=4")];
    let tags = |keys: &str| {
        let settings = PropagationSettings { baggage_tags: BaggageTags::parse(keys), ..settings() };
        let upstream = received(&lines, &settings).unwrap();
        upstream.tagged_baggage().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
    };
    assert_eq!(tags("user.id,session.id,account.id"), "user.id=2,account.id=4");
    assert_eq!(
        (tags("*").as_str(), tags(""), tags("A,user*,b").as_str()),
        ("a=1,user.id=2,b=3,account.id=4", String::new(), "b=3")
    );
}

#[test]
fn older_form_of_baggage_goes_with_the_style_datadog() {
    let on = PropagationSettings { has_http_baggage: true, ..settings() };
    let lines = [
        ("x-datadog-trace-id", "9"),
        ("OT-Baggage-User", "Zo%C3%AB"),
        ("ot-baggage-a", "older"),
        ("ot-baggage-", "no key"),
        ("ot-baggage-b", ""),
        ("baggage", "a=newer"),
    ];
    let upstream = received(&lines, &on).unwrap();
    let items: Vec<_> = upstream.baggage.as_ref().unwrap().iter().collect();
    assert_eq!(items, [("a", "newer"), ("user", "Zoë")]);
    let headers = sent(&upstream, &on);
    assert_eq!(
        (headers["ot-baggage-user"].as_str(), headers["ot-baggage-a"].as_str()),
        ("Zo%C3%AB", "newer")
    );
    assert_eq!(headers["baggage"], "a=newer,user=Zo%C3%AB");
    let mut stale = carrier(&[("OT-BAGGAGE-USER", "stale")]);
    propagator(&on).inject(&outgoing(&upstream), &mut stale);
    assert_eq!(stale.iter().filter(|(name, _)| name.eq_ignore_ascii_case("ot-baggage-user")).count(), 1);

    for off in [
        settings(),
        PropagationSettings {
            extract: vec![Style::TraceContext],
            inject: vec![Style::TraceContext],
            ..on.clone()
        },
    ] {
        assert_eq!(received(&lines[1..3], &off), None);
        assert!(!sent(&upstream, &off).keys().any(|name| name.starts_with("ot-")));
    }
    let many: Vec<(String, String)> = (0..100).map(|n| (format!("ot-baggage-{n}"), "v".to_owned())).collect();
    let upstream = propagator(&on).extract(&many).unwrap();
    assert_eq!(upstream.baggage.unwrap().iter().count(), 64);
    let long = carrier(&[("ot-baggage-a", &"x".repeat(9_000))]);
    assert_eq!(propagator(&on).extract(&long), None);
}

#[test]
fn probability_stands_behind_our_member() {
    let upstream =
        trace_context_of(TRACEPARENT, "a=1,ot=rv:d1bd9efe7cb2aa;th:c;x:Y,b=2,ot=rv:00000000000000");
    assert_eq!(upstream.probability.as_deref(), Some("rv:d1bd9efe7cb2aa;th:c;x:Y"));
    let text = |decision: Decision| {
        let mut headers = BTreeMap::new();
        propagator(&settings())
            .inject(&Outgoing { decision: Some(decision), ..outgoing(&upstream) }, &mut headers);
        headers.remove("tracestate").unwrap()
    };
    let inherited = Decision::inherited(SamplingPriority::AUTO_KEEP);
    assert_eq!(text(inherited), "dd=s:1;p:1122334455667788,ot=rv:d1bd9efe7cb2aa;th:c;x:Y,a=1,b=2");
    let by_hand =
        Decision { priority: SamplingPriority::USER_KEEP, mechanism: Some(Mechanism::MANUAL), rate: None };
    assert_eq!(text(by_hand), "dd=s:2;p:1122334455667788;t.dm:-4,ot=rv:d1bd9efe7cb2aa;x:Y,a=1,b=2");
    let only_threshold = trace_context_of(TRACEPARENT, "ot=th:c");
    let mut headers = BTreeMap::new();
    propagator(&settings())
        .inject(&Outgoing { decision: Some(by_hand), ..outgoing(&only_threshold) }, &mut headers);
    assert_eq!(headers["tracestate"], "dd=s:2;p:1122334455667788;t.dm:-4");
    let none = trace_context_of(TRACEPARENT, "ot=nonsense,a=1");
    assert_eq!(sent(&none, &settings())["tracestate"], "dd=s:1;p:1122334455667788,a=1");
}

#[test]
fn probability_of_a_decision_taken_here_is_the_second_of_32_members() {
    use crate::model::priority::Applied;
    let members: Vec<String> = (0..31).map(|n| format!("k{n}=v")).collect();
    let members = members.join(",");
    let other = Upstream::new(crate::model::TraceId::new(3), SpanId::new(1));
    let context = Outgoing {
        decision: Some(Decision {
            priority: SamplingPriority::AUTO_KEEP,
            mechanism: Some(Mechanism::AGENT_RATE),
            rate: Some(Applied::of(0.25)),
        }),
        tracestate: Some(&members),
        ..outgoing(&other)
    };
    let mut headers = BTreeMap::new();
    propagator(&settings()).inject(&context, &mut headers);
    let text = &headers["tracestate"];
    let expected = "dd=s:1;p:1122334455667788;t.dm:-1;t.ksr:0.25,ot=rv:d1bd9efe7cb2aa;th:c,k0=v,";
    assert!(text.starts_with(expected) && text.ends_with(",k29=v"), "{text}");
    assert_eq!(text.split(',').count(), 32);
}
