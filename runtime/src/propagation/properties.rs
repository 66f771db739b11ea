//! Any bytes in, a complete context or none; what is sent is received.

use super::*;
use crate::model::ids::{SpanId, TraceId};
use crate::model::priority::{Decision, SamplingPriority};
use crate::model::upstream::{PropagatedTags, Upstream};
use proptest::prelude::*;
use std::sync::Arc;

const NAMES: [&str; 7] = [
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
        "(([a-z]{1,2}|dd)=((s|o|p|t\\.dm|t\\.[a-z]):[ -~]{0,4};?){0,4},?){0,40}",
    ]
}

fn carrier() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    prop::collection::vec((name, value()), 0..10)
}

fn settings() -> impl Strategy<Value = PropagationSettings> {
    let styles = prop_oneof![
        Just(vec![Style::Datadog, Style::TraceContext]),
        Just(vec![Style::TraceContext, Style::Datadog]),
        Just(vec![Style::TraceContext]),
        Just(vec![Style::Datadog]),
    ];
    (styles, any::<bool>(), prop_oneof![Just(512), 0_usize..600]).prop_map(
        |(styles, extract_first, tags_max_bytes)| PropagationSettings {
            inject: styles.clone(),
            extract: styles,
            extract_first,
            tags_max_bytes: tags_max_bytes.min(512),
            ..PropagationSettings::default()
        },
    )
}

fn propagator(settings: &PropagationSettings) -> Propagator {
    Propagator::new(settings, Arc::default())
}

fn outgoing(upstream: &Upstream) -> Outgoing<'_> {
    Outgoing {
        trace_id: upstream.trace_id,
        span_id: SpanId::new(7),
        decision: upstream.priority.map(|priority| Decision { priority, mechanism: None, rate: None }),
        origin: upstream.origin.as_deref(),
        tags: &upstream.tags,
        tracestate: upstream.tracestate.as_deref(),
        probability: upstream.probability.as_deref(),
        last_parent: LastParent::Own,
        baggage: upstream.baggage.as_deref(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_headers_give_a_complete_context_or_none(carrier in carrier(), settings in settings()) {
        let Some(upstream) = propagator(&settings).extract(&carrier) else { return Ok(()) };
        prop_assert!(!upstream.trace_id.is_zero());
        prop_assert!(upstream.links.iter().all(|link| !link.trace_id.is_zero() && !link.span_id.is_zero()));
        let mut headers: Vec<(String, String)> = Vec::new();
        propagator(&settings).inject(&outgoing(&upstream), &mut headers);
        for (name, value) in &headers {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
            let max_bytes = if name == "tracestate" { 4096 } else { 512 };
            prop_assert!(!value.is_empty() && value.len() <= max_bytes);
        }
        let again = propagator(&settings).extract(&headers).unwrap();
        // The upper half of a `datadog` id is lost where the limit leaves no room for it.
        prop_assert_eq!(again.trace_id.low_u64(), upstream.trace_id.low_u64());
        prop_assert_eq!(again.parent_id.as_u64(), 7);
        prop_assert_eq!(again.propagation_error, None);
    }

    #[test]
    fn what_is_sent_is_received(
        trace_id in 1_u128..,
        span_id in 1_u64..,
        priority: i32,
        tags in prop::collection::btree_map("[a-z.]{1,8}", "[a-z0-9:/]{1,8}", 0..4),
        vendors in prop::collection::vec("[a-z]{3,8}=[a-z0-9;:]{0,8}", 0..5),
        is_w3c_only: bool,
    ) {
        let mut propagated = PropagatedTags::default();
        for (name, value) in tags.iter().filter(|(name, _)| !["tid", "dm"].contains(&name.as_str())) {
            propagated.push(name, value);
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
            baggage: None,
        };
        let styles = if is_w3c_only { vec![Style::TraceContext] } else { Style::DEFAULT.to_vec() };
        let settings = PropagationSettings { inject: styles, ..PropagationSettings::default() };
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
    }

    #[test]
    fn each_parser_takes_anything(text: String, bytes: Vec<u8>) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &lossy] {
            let _ = traceparent::Traceparent::parse(text);
            let _ = tags::decode(text, 512);
            tracestate::Tracestate::new(tracestate::Own::All).push_line(text);
        }
    }
}
