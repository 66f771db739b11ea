//! Any bytes in, a complete context or none; what is sent is received.

use super::super::*;
use super::{outgoing, propagator};
use crate::model::ids::{SpanId, TraceId};
use crate::model::priority::{Decision, SamplingPriority};
use crate::model::upstream::PropagatedTags;
use crate::model::{Baggage, Upstream};
use proptest::prelude::*;

const NAMES: [&str; 14] = [
    "b3",
    "x-b3-traceid",
    "X-B3-SpanId",
    "x-b3-sampled",
    "x-b3-flags",
    "Baggage",
    "Ot-Baggage-Key",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-origin",
    "x-datadog-tags",
    "traceparent",
    "tracestate",
];

/// Text that is often nearly right.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<u64>().prop_map(|id| id.to_string()),
        "[0-9]{1,22}",
        "(_dd\\.p\\.[a-z]{0,3}=?[ -~]{0,4},?){0,5}",
        "_dd\\.p\\.(tid|dm)=[0-9a-f-]{1,16}",
        "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?",
        "00-0000000000000000[0-9a-f]{16}-[0-9a-f]{16}-0[01]",
        "[0-9a-fA-F]{1,33}(-[0-9a-fA-F]{1,17}(-[01dx](-.*)?)?)?",
        "[01d]",
        "([a-z%0-9 ]{0,4}=?[a-z%0-9; ]{0,4},?){0,70}",
        "(ot|dd)=(rv|th|x):[0-9a-f]{0,15};th:[0-9a-f]{0,15},a=1",
        "(([a-z]{1,2}|dd)=((s|o|p|t\\.dm|t\\.[a-z]):[ -~]{0,4};?){0,4},?){0,40}",
    ]
}

fn carrier() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    prop::collection::vec((name, value()), 0..10)
}

const STYLES: [Style; 5] = [Style::Datadog, Style::TraceContext, Style::B3, Style::B3Multi, Style::Baggage];

fn settings() -> impl Strategy<Value = PropagationSettings> {
    let styles = prop::sample::subsequence(&STYLES[..], 0..=5).prop_shuffle();
    let behavior = prop_oneof![Just(ExtractBehavior::Continue), Just(ExtractBehavior::Restart)];
    let limit = prop_oneof![Just(512), 0_usize..=512];
    (styles, any::<bool>(), any::<bool>(), limit, behavior).prop_map(
        |(styles, extract_first, has_http_baggage, tags_max_bytes, behavior)| PropagationSettings {
            inject: styles.clone(),
            extract: styles,
            extract_first,
            has_http_baggage,
            tags_max_bytes,
            behavior,
            baggage_tags: BaggageTags::All,
            org_guard: None,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_headers_give_a_complete_context_or_none(carrier in carrier(), settings in settings()) {
        let Some(upstream) = propagator(&settings).extract(&carrier) else { return Ok(()) };
        let has_trace = !upstream.trace_id.is_zero();
        prop_assert!(has_trace || upstream.baggage.is_some() || upstream.links.len() == 1);
        prop_assert!(has_trace || upstream.priority.is_none() && upstream.tags.is_empty() && upstream.origin.is_none());
        prop_assert!(upstream.links.iter().all(|link| !link.trace_id.is_zero() && !link.span_id.is_zero()));
        let mut headers: Vec<(String, String)> = Vec::new();
        let context = Outgoing { span_id: SpanId::new(7), ..outgoing(&upstream) };
        let decision = upstream.priority.map(Decision::inherited);
        propagator(&settings).inject(&Outgoing { decision, ..context }, &mut headers);
        for (name, value) in &headers {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
            let max_bytes = match name.as_str() {
                "tracestate" => 4096,
                "baggage" | "ot-baggage-key" => 8192,
                _ => 512,
            };
            prop_assert!(!value.is_empty() && value.len() <= max_bytes);
        }
        let again = propagator(&settings).extract(&headers);
        if upstream.baggage.is_some() && settings.inject.contains(&Style::Baggage) {
            // What a header cannot express alone is lost: values of blanks.
            let received = again.as_ref().and_then(|again| again.baggage.as_ref());
            let sendable = |baggage: &Baggage| -> Vec<(String, String)> {
                let trimmed = baggage.iter().map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
                trimmed.filter(|(key, value)| !key.is_empty() && !value.is_empty()).collect()
            };
            let expected = upstream.baggage.as_deref().map(sendable).unwrap_or_default();
            let mut keys: Vec<&str> = expected.iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_unstable();
            let before = keys.len();
            keys.dedup();
            if before == keys.len() {
                let received = received.map(|baggage| sendable(baggage)).unwrap_or_default();
                prop_assert_eq!(&received[..expected.len()], &expected[..]);
            }
        }
        let has_traces = settings.inject.iter().any(|style| *style != Style::Baggage);
        if has_trace && has_traces && settings.behavior == ExtractBehavior::Continue {
            let again = again.unwrap();
            // The upper half of a `datadog` id is lost where the limit leaves no room for it.
            prop_assert_eq!(again.trace_id.low_u64(), upstream.trace_id.low_u64());
            prop_assert_eq!(again.parent_id.as_u64(), 7);
            prop_assert_eq!(again.propagation_error, None);
        }
    }

    #[test]
    fn what_is_sent_is_received(
        trace_id in 1_u128..,
        span_id in 1_u64..,
        priority: i32,
        tags in prop::collection::btree_map("[a-z.]{1,8}", "[a-z0-9:/]{1,8}", 0..4),
        vendors in prop::collection::vec("[a-z]{3,8}=[a-z0-9;:]{0,8}", 0..5),
        baggage in prop::collection::btree_map("[!-~é]{1,8}", "[!-~é]([ -~é]{0,8}[!-~é])?", 0..4),
        styles in prop_oneof![
            Just(Style::DEFAULT.to_vec()),
            Just(vec![Style::TraceContext, Style::B3, Style::B3Multi, Style::Baggage]),
        ],
    ) {
        let mut propagated = PropagatedTags::default();
        for (name, value) in tags.iter().filter(|(name, _)| !["tid", "dm"].contains(&name.as_str())) {
            propagated.push(name, value);
        }
        let mut items = Baggage::default();
        for (key, value) in &baggage {
            items.set(key, value);
        }
        let foreign = vendors.join(",");
        let context = Outgoing {
            trace_id: TraceId::new(trace_id),
            span_id: SpanId::new(span_id),
            decision: Some(Decision { priority: SamplingPriority::new(priority), mechanism: None, rate: None }),
            origin: Some("synthetics"),
            tags: &propagated,
            tracestate: Some(&foreign),
            probability: None,
            last_parent: LastParent::Own,
            baggage: Some(&items),
        };
        let settings =
            PropagationSettings { inject: styles.clone(), extract: styles, ..PropagationSettings::default() };
        prop_assume!(trace_id as u64 != 0);
        let mut headers: Vec<(String, String)> = Vec::new();
        prop_assert_eq!(propagator(&settings).inject(&context, &mut headers), None);
        let upstream = propagator(&settings).extract(&headers).unwrap();
        prop_assert_eq!((upstream.trace_id, upstream.parent_id), (context.trace_id, context.span_id));
        prop_assert_eq!(upstream.priority, Some(SamplingPriority::new(priority)));
        prop_assert_eq!(upstream.origin.as_deref(), Some("synthetics"));
        prop_assert_eq!(upstream.tags, propagated);
        prop_assert_eq!(upstream.tracestate.as_deref().unwrap_or_default(), foreign);
        prop_assert_eq!(upstream.propagation_error, None);
        prop_assert!(upstream.links.is_empty());
        let received = upstream.baggage.as_deref().cloned().unwrap_or_default();
        prop_assert_eq!(received, items);
    }

    #[test]
    fn b3_says_ids_and_whether_sampled(trace_id in 1_u128.., span_id in 1_u64.., priority in prop::option::of(-2..4), is_single: bool) {
        let style = if is_single { Style::B3 } else { Style::B3Multi };
        let settings =
            PropagationSettings { inject: vec![style], extract: vec![style], ..PropagationSettings::default() };
        let other = Upstream::new(TraceId::new(1), SpanId::new(1));
        let context = Outgoing {
            trace_id: TraceId::new(trace_id),
            span_id: SpanId::new(span_id),
            decision: priority.map(|priority| Decision::inherited(SamplingPriority::new(priority))),
            ..outgoing(&other)
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        prop_assert_eq!(propagator(&settings).inject(&context, &mut headers), None);
        let upstream = propagator(&settings).extract(&headers).unwrap();
        prop_assert_eq!((upstream.trace_id, upstream.parent_id), (context.trace_id, context.span_id));
        prop_assert_eq!(upstream.priority, priority.map(|priority| SamplingPriority::new(priority.clamp(0, 2))));
        prop_assert!(upstream.tags.is_empty() && upstream.origin.is_none());
    }

    #[test]
    fn each_parser_takes_anything(text: String, bytes: Vec<u8>) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &lossy] {
            let _ = traceparent::Traceparent::parse(text);
            let _ = tags::decode(text, 512);
            tracestate::Tracestate::new(tracestate::Own::All).push_line(text);
            let mut b3 = b3::B3::default();
            b3.take_single(text);
            let _ = b3.into_context();
            let mut items = baggage::IncomingBaggage::default();
            items.push_line(text);
            let _ = items.into_items();
            let _ = probability::sanitized(text);
        }
    }
}
