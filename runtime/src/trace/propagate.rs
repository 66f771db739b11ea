//! Contexts in and out of headers.

use std::sync::Arc;

use super::as_context::{AsContext, Seen};
use super::context::{Place, SpanContext};
use super::process;
use super::stack::{Stack, with_stack};
use crate::model::{Decision, PropagatedTags, SpanId, TraceId};
use crate::propagation::{Extract, Inject, LastParent, Outgoing};

/// Writes the context of a span into the headers of an outgoing call, in every style of `DD_TRACE_PROPAGATION_STYLE_INJECT`.
///
/// The span is the active one, a [`Span`](crate::Span) or named by a [`SpanContext`](crate::SpanContext), or an `Option` of one.
/// Decides whether the trace is kept, if nobody did before: from here on only [`keep`](crate::Span::keep) and
/// [`reject`](crate::Span::reject) change it. Baggage goes along, of a context without ids alone. Writes nothing where tracing is off or
/// there is no span.
///
/// ```
/// use std::collections::HashMap;
///
/// let mut headers = HashMap::new();
/// dd_traced::inject(&dd_traced::active_span(), &mut headers);
/// ```
pub fn inject(span: &impl AsContext, carrier: &mut impl Inject) {
    if process::is_on_quietly() {
        span.look(&mut |seen| inject_seen(seen, carrier));
    }
}

fn inject_seen(seen: Seen<'_>, carrier: &mut dyn Inject) {
    match seen {
        Seen::Own { segment, span_id, baggage } => {
            let decision = segment.core.decide(&segment.facts);
            let upstream = segment.facts.upstream.as_deref();
            let none = PropagatedTags::default();
            // A context that was entered is a span of another process all the same.
            let last_parent = match segment.remote(span_id) {
                Some(upstream) => LastParent::Received(upstream.last_parent_id.as_deref()),
                None => LastParent::Own,
            };
            let outgoing = Outgoing {
                trace_id: TraceId::new(segment.trace_id()),
                span_id: SpanId::new(span_id),
                decision: Some(decision),
                origin: upstream.and_then(|upstream| upstream.origin.as_deref()),
                tags: upstream.map_or(&none, |upstream| &upstream.tags),
                tracestate: upstream.and_then(|upstream| upstream.tracestate.as_deref()),
                probability: upstream.and_then(|upstream| upstream.probability.as_deref()),
                last_parent,
                baggage,
            };
            if let Some(error) = segment.core.propagator.inject(&outgoing, carrier) {
                segment.facts.set_propagation_error(error);
            }
        }
        Seen::Remote { upstream, baggage } => {
            let Some(core) = with_stack(Stack::core).flatten() else { return };
            let outgoing = Outgoing {
                trace_id: upstream.trace_id,
                span_id: upstream.parent_id,
                decision: upstream.priority.map(Decision::inherited),
                origin: upstream.origin.as_deref(),
                tags: &upstream.tags,
                tracestate: upstream.tracestate.as_deref(),
                probability: upstream.probability.as_deref(),
                last_parent: LastParent::Received(upstream.last_parent_id.as_deref()),
                baggage,
            };
            // Nothing of ours was started for this trace, so there is no span that an error could be noted on.
            let _ = core.propagator.inject(&outgoing, carrier);
        }
    }
}

/// Reads the context of an incoming call from its headers, by the styles of `DD_TRACE_PROPAGATION_STYLE_EXTRACT`.
///
/// Gives `None` where the headers hold none, hold nonsense, or tracing is off. Never panics and never blocks, whatever the bytes.
/// Headers that hold only baggage give a context whose ids are 0: its children begin traces, and have the baggage.
///
/// ```
/// use std::collections::HashMap;
///
/// let headers = HashMap::from([("x-datadog-trace-id".to_owned(), "77".to_owned())]);
/// let caller = dd_traced::extract(&headers);
/// let request = dd_traced::span("web.request").child_of(&caller).start(); // begins a trace where there is no caller
/// ```
///
/// A context that was extracted can be injected as it is, without a span in between.
pub fn extract(carrier: &impl Extract) -> Option<SpanContext> {
    if !process::is_on_quietly() {
        return None;
    }
    let core = with_stack(Stack::core).flatten()?;
    let upstream = core.propagator.extract(carrier)?;
    let baggage = upstream.baggage.clone();
    Some(SpanContext { place: Place::Remote { upstream: Arc::new(upstream), baggage } })
}
