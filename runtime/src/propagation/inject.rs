//! Writing a span context into the headers of an outgoing call.

use super::carrier::Inject;
use super::org_guard::OrgMarker;
use super::propagator::Propagator;
use super::styles::Style;
use super::{b3, baggage, datadog, http_baggage, org_guard, trace_context};
use crate::model::Baggage;
use crate::model::ids::{self, SpanId, TraceId};
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
    /// Members of other vendors, as [`Upstream::tracestate`](crate::model::Upstream::tracestate).
    pub(crate) tracestate: Option<&'a str>,
    /// OpenTelemetry's among them, as [`Upstream::probability`](crate::model::Upstream::probability).
    pub(crate) probability: Option<&'a str>,
    pub(crate) last_parent: LastParent<'a>,
    /// Sent also where there is no trace.
    pub(crate) baggage: Option<&'a Baggage>,
}

/// Which span the receiver is told as the last one of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LastParent<'a> {
    /// The span itself.
    Own,
    /// What arrived, when a received context is passed on without a span in this process.
    Received(Option<&'a str>),
}

/// What several styles write, worked out once.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) trace_id_high: [u8; 16],
    pub(super) trace_id_low: [u8; 16],
    pub(super) span_id: [u8; 16],
    /// The tags that a decision of this process gives.
    pub(super) maker: Option<ShortText>,
    pub(super) rate: Option<ShortText>,
    /// The marker of the organisation, where it is to be sent.
    pub(super) marker: Option<OrgMarker>,
}

impl Parts {
    fn of(context: &Outgoing<'_>, marker: Option<OrgMarker>) -> Self {
        let (mechanism, rate) =
            context.decision.map_or((None, None), |decision| (decision.mechanism, decision.rate));
        Self {
            trace_id_high: ids::hex(context.trace_id.high_u64()),
            trace_id_low: ids::hex(context.trace_id.low_u64()),
            span_id: ids::hex(context.span_id.as_u64()),
            maker: mechanism.map(Mechanism::decision_maker),
            rate: rate.map(|applied| rate_text(applied.rate)),
            marker,
        }
    }

    pub(super) fn replaces_nothing(&self) -> bool {
        self.maker.is_none() && self.rate.is_none() && self.marker.is_none()
    }

    /// Whether a tag that came from upstream is written with a value of this process.
    pub(super) fn replaces(&self, key: &str) -> bool {
        match key {
            TAG_DECISION_MAKER => self.maker.is_some(),
            TAG_KNUTH_RATE => self.rate.is_some(),
            org_guard::TAG => self.marker.is_some(),
            _ => false,
        }
    }
}

impl Propagator {
    /// Writes the headers of each configured style: those of a trace where there are ids, those of baggage where there are items.
    /// Of neither, nothing is touched.
    ///
    /// The error, if there is one, belongs on the local root as `_dd.propagation_error`; headers other than the one it speaks
    /// of were written.
    pub(crate) fn inject(
        &self,
        context: &Outgoing<'_>,
        carrier: &mut dyn Inject,
    ) -> Option<PropagationError> {
        let has_trace = !context.trace_id.is_zero() && !context.span_id.is_zero();
        let baggage = context.baggage.filter(|baggage| !baggage.is_empty());
        if !has_trace && baggage.is_none() {
            return None;
        }
        let legacy = match baggage {
            Some(baggage) if self.settings.has_http_baggage => http_baggage::headers(baggage),
            _ => Vec::new(),
        };
        if legacy.is_empty() {
            carrier.begin(&self.written);
        } else {
            let legacy = legacy.iter().map(|(name, _)| name.as_str());
            let names: Vec<&str> = self.written.iter().copied().chain(legacy).collect();
            carrier.begin(&names);
        }
        let mut error = None;
        let parts = Parts::of(context, self.local_marker());
        let priority = context.decision.map(|decision| decision.priority);
        for style in &self.settings.inject {
            match style {
                Style::Baggage => {
                    let header = baggage.map_or("", |baggage| baggage.header(baggage::header));
                    if !header.is_empty() {
                        carrier.set(baggage::HEADER, header);
                    }
                }
                Style::Datadog => {
                    if has_trace {
                        error = datadog::inject(context, &parts, &self.settings, carrier);
                    }
                    http_baggage::inject(&legacy, carrier);
                }
                _ if !has_trace => {}
                Style::TraceContext => trace_context::inject(context, &parts, carrier),
                Style::B3 => {
                    carrier.set(b3::SINGLE, b3::single(context.trace_id, context.span_id, priority).as_str());
                }
                Style::B3Multi => {
                    b3::multi(context.trace_id, context.span_id, priority, |name, value| {
                        carrier.set(name, value);
                    });
                }
            }
        }
        error
    }
}
