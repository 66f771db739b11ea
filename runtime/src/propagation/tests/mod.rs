//! Whole exchanges: headers in, context, headers out.

mod commonly_wrong;
mod examples;
mod guard;
mod invalid;
mod properties;
mod reference;
mod styles;
mod worked;

use super::*;
use crate::model::ids::SpanId;
use crate::model::priority::{Decision, SamplingPriority};
use crate::model::upstream::Upstream;
use std::collections::BTreeMap;
use std::sync::Arc;

const LOCAL_SPAN: u64 = 0x1122_3344_5566_7788;
const TRACEPARENT: &str = "00-6a5c1f40000000003a7b9c1d2e4f6081-00f067aa0ba902b7-01";

fn carrier(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn propagator(settings: &PropagationSettings) -> Propagator {
    Propagator::new(settings, Arc::default())
}

fn settings() -> PropagationSettings {
    PropagationSettings::default()
}

fn in_styles(styles: &[Style]) -> PropagationSettings {
    PropagationSettings { extract: styles.to_vec(), inject: styles.to_vec(), ..settings() }
}

fn only(style: Style) -> PropagationSettings {
    in_styles(&[style])
}

fn received(lines: &[(&str, &str)], settings: &PropagationSettings) -> Option<Upstream> {
    propagator(settings).extract(&carrier(lines))
}

/// What a span in this process sends for the context it was given.
fn sent(upstream: &Upstream, settings: &PropagationSettings) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let decision = upstream.priority.map(|priority| Decision { priority, mechanism: None, rate: None });
    let context = Outgoing { decision, ..outgoing(upstream) };
    assert_eq!(propagator(settings).inject(&context, &mut headers), None);
    headers
}

fn outgoing(upstream: &Upstream) -> Outgoing<'_> {
    Outgoing {
        trace_id: upstream.trace_id,
        span_id: SpanId::new(LOCAL_SPAN),
        decision: None,
        origin: upstream.origin.as_deref(),
        tags: &upstream.tags,
        tracestate: upstream.tracestate.as_deref(),
        probability: upstream.probability.as_deref(),
        last_parent: LastParent::Own,
        baggage: upstream.baggage.as_deref(),
    }
}

fn trace_context_of(traceparent: &str, tracestate: &str) -> Upstream {
    received(&[("traceparent", traceparent), ("tracestate", tracestate)], &settings()).unwrap()
}

fn priority_and_maker(upstream: &Upstream) -> (Option<i32>, Option<&str>) {
    (upstream.priority.map(SamplingPriority::as_i32), upstream.tags.get("_dd.p.dm"))
}

/// Ids (upper half first), reason, style, whether kept, and trace state of the one link.
fn link_of(upstream: &Upstream) -> (u64, u64, u64, &str, &str, bool, Option<&str>) {
    let [link] = &upstream.links[..] else { panic!("not one link: {:?}", upstream.links) };
    (
        link.trace_id.high_u64(),
        link.trace_id.low_u64(),
        link.span_id.as_u64(),
        link.reason,
        link.context_headers,
        link.is_kept,
        link.tracestate.as_deref(),
    )
}
