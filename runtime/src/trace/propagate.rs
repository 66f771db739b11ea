//! Contexts in and out of headers.

use std::sync::Arc;

use super::as_context::{AsContext, Seen};
use super::context::{Place, SpanContext};
use super::process;
use super::stack::{Stack, with_stack};
use crate::model::{Decision, PropagatedTags, SpanId, TraceId};
use crate::propagation::{self, Extract, Inject, LastParent, Outgoing};

/// Writes the context of a span into the headers of an outgoing call, in every style of `DD_TRACE_PROPAGATION_STYLE_INJECT`.
///
/// The span is the active one, a [`Span`](crate::Span) or named by a [`SpanContext`](crate::SpanContext), or an `Option` of one.
/// Decides whether the trace is kept, if nobody did before: from here on only [`keep`](crate::Span::keep) and
/// [`reject`](crate::Span::reject) change it. Writes nothing where tracing is off or there is no span.
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
        Seen::Own { segment, span_id } => {
            let decision = segment.core.decide(&segment.facts);
            let upstream = segment.facts.upstream.as_deref();
            let none = PropagatedTags::default();
            let outgoing = Outgoing {
                trace_id: TraceId::new(segment.trace_id()),
                span_id: SpanId::new(span_id),
                decision: Some(decision),
                origin: upstream.and_then(|upstream| upstream.origin.as_deref()),
                tags: upstream.map_or(&none, |upstream| &upstream.tags),
                tracestate: upstream.and_then(|upstream| upstream.tracestate.as_deref()),
                last_parent: LastParent::Own,
            };
            let error = propagation::inject(&outgoing, &segment.core.settings.propagation, carrier);
            if let Some(error) = error {
                segment.facts.set_propagation_error(error);
            }
        }
        Seen::Remote(upstream) => {
            let Some(core) = with_stack(Stack::core).flatten() else { return };
            let outgoing = Outgoing {
                trace_id: upstream.trace_id,
                span_id: upstream.parent_id,
                decision: upstream.priority.map(Decision::inherited),
                origin: upstream.origin.as_deref(),
                tags: &upstream.tags,
                tracestate: upstream.tracestate.as_deref(),
                last_parent: LastParent::Received(upstream.last_parent_id.as_deref()),
            };
            // Nothing of ours was started for this trace, so there is no span that an error could be noted on.
            let _ = propagation::inject(&outgoing, &core.settings.propagation, carrier);
        }
    }
}

/// Reads the context of an incoming call from its headers, by the styles of `DD_TRACE_PROPAGATION_STYLE_EXTRACT`.
///
/// Gives `None` where the headers hold none, hold nonsense, or tracing is off. Never panics and never blocks, whatever the bytes.
///
/// ```
/// use std::collections::HashMap;
///
/// let headers = HashMap::from([("x-datadog-trace-id".to_owned(), "77".to_owned())]);
/// let mut request = dd_traced::span("web.request");
/// if let Some(parent) = dd_traced::extract(&headers) {
///     request = request.child_of(&parent);
/// }
/// let span = request.start();
/// ```
pub fn extract(carrier: &impl Extract) -> Option<SpanContext> {
    if !process::is_on_quietly() {
        return None;
    }
    let (core, new_trace_id) = with_stack(|stack| {
        stack.core().map(|core| {
            let ticks = core.clock.ticks();
            (core, stack.new_trace_id(ticks))
        })
    })
    .flatten()?;
    let upstream = propagation::extract(carrier, &core.settings.propagation, || TraceId::new(new_trace_id))?;
    Some(SpanContext { place: Place::Remote(Arc::new(upstream)) })
}
