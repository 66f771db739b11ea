//! Writing a span context into the headers of an outgoing call.

use super::carrier::Inject;
use super::settings::{PropagationSettings, Style};
use super::traceparent::{self, Traceparent};
use super::{datadog, tracestate, tracestate_write};
use crate::model::ids::{SpanId, TraceId};
use crate::model::priority::{Decision, Mechanism, ShortText, rate_text};
use crate::model::upstream::{PropagatedTags, PropagationError, TAG_DECISION_MAKER, TAG_KNUTH_RATE};

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

/// The tags a decision of this process gives, written once for all styles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    pub(super) maker: Option<ShortText>,
    pub(super) rate: Option<ShortText>,
}

impl Decided {
    fn of(decision: Option<Decision>) -> Self {
        let maker = decision.and_then(|decision| decision.mechanism).map(Mechanism::decision_maker);
        Self {
            maker,
            rate: decision.and_then(|decision| decision.rate).map(|applied| rate_text(applied.rate)),
        }
    }

    pub(super) fn replaces_nothing(&self) -> bool {
        self.maker.is_none() && self.rate.is_none()
    }

    /// Whether the decision replaces a tag that came from upstream.
    pub(super) fn replaces(&self, key: &str) -> bool {
        self.maker.is_some() && key == TAG_DECISION_MAKER || self.rate.is_some() && key == TAG_KNUTH_RATE
    }
}

/// All headers that may be written.
const HEADERS: [&str; 7] = {
    let [trace_id, parent_id, priority, origin, tags] = datadog::HEADERS;
    [trace_id, parent_id, priority, origin, tags, traceparent::HEADER, tracestate::HEADER]
};

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
    let decided = Decided::of(context.decision);
    carrier.begin(&HEADERS);
    for style in &settings.inject {
        match style {
            Style::Datadog => error = datadog::inject(context, &decided, settings, carrier),
            Style::TraceContext => inject_trace_context(context, &decided, carrier),
        }
    }
    error
}

fn inject_trace_context(context: &Outgoing<'_>, decided: &Decided, carrier: &mut dyn Inject) {
    let is_sampled = context.decision.is_some_and(|decision| decision.priority.is_keep());
    let parent = Traceparent { trace_id: context.trace_id, parent_id: context.span_id, is_sampled };
    carrier.set(traceparent::HEADER, parent.write().as_str());
    tracestate_write::write(context, decided, |value| carrier.set(tracestate::HEADER, value));
}
