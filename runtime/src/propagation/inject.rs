//! Writing a span context into the headers of an outgoing call.

use super::carrier::Inject;
use super::settings::{PropagationSettings, Style};
use super::traceparent::{self, Traceparent};
use super::{datadog, tracestate};
use crate::model::ids::{SpanId, TraceId};
use crate::model::priority::Decision;
use crate::model::upstream::{PropagatedTags, PropagationError};

/// The context of the span an outgoing call is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) trace_id: TraceId,
    /// The span whose context this is, not the local root.
    pub(crate) span_id: SpanId,
    /// Taken before: injection forces it. Its mechanism and rate, where present, replace the tags `_dd.p.dm` and
    /// `_dd.p.ksr` that came from upstream. Absent only when there is no tracer to decide.
    pub(crate) decision: Option<Decision>,
    pub(crate) origin: Option<&'a str>,
    pub(crate) tags: &'a PropagatedTags,
    /// Members of other vendors, as [`Upstream::tracestate`](crate::model::upstream::Upstream::tracestate).
    pub(crate) tracestate: Option<&'a str>,
    pub(crate) last_parent: LastParent<'a>,
}

/// Which span the receiver is told as the last one of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LastParent<'a> {
    /// The span itself.
    Own,
    /// What arrived, when a received context is passed on without a span in this process.
    Received(Option<&'a str>),
}

/// Writes the headers of each configured style. Nothing is written for a context without ids.
///
/// The error, if there is one, belongs on the local root as `_dd.propagation_error`; headers other than the one it speaks
/// of were written.
pub(crate) fn inject(
    context: &Outgoing<'_>,
    settings: &PropagationSettings,
    carrier: &mut dyn Inject,
) -> Option<PropagationError> {
    if context.trace_id.is_zero() || context.span_id.is_zero() {
        return None;
    }
    let mut error = None;
    carrier.reserve(datadog::HEADERS.len().saturating_add(2));
    for style in &settings.inject {
        match style {
            Style::Datadog => error = datadog::inject(context, settings, carrier),
            Style::TraceContext => inject_trace_context(context, carrier),
        }
    }
    error
}

fn inject_trace_context(context: &Outgoing<'_>, carrier: &mut dyn Inject) {
    let is_sampled = context.decision.is_some_and(|decision| decision.priority.is_keep());
    let parent = Traceparent { trace_id: context.trace_id, parent_id: context.span_id, is_sampled };
    carrier.set(traceparent::HEADER, parent.write().as_str());
    tracestate::write(context, |value| carrier.set(tracestate::HEADER, value));
}
