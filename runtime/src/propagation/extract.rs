//! Reading the context an incoming call belongs to, out of the headers of all configured styles.

use std::sync::Arc;

use super::b3::B3;
use super::baggage::{self, IncomingBaggage};
use super::carrier::Extract;
use super::datadog;
use super::http_baggage;
use super::org_guard;
use super::propagator::{Propagator, Slot};
use super::settings::{BaggageTags, ExtractBehavior};
use super::styles::Style;
use super::traceparent::Traceparent;
use super::tracestate::{self, Own, Tracestate};
use crate::diagnostics;
use crate::model::ids::{SpanId, TraceId};
use crate::model::upstream::{PropagatedTags, UpstreamLink};
use crate::model::{Baggage, SamplingPriority, Upstream};

impl Propagator {
    /// The context found in the carrier, or none.
    ///
    /// The first configured style that yields a context gives it. Where the later ones are looked at too, a `traceparent` of
    /// the same trace names the parent, since it is what a tracer in between rewrites, and its `tracestate` adds what other
    /// vendors said; a context of another trace becomes a link, if it names a span. Baggage comes with any context, and alone.
    ///
    /// Where the settings ask to restart traces, a new trace begins, and the context that arrived is its one link.
    pub(crate) fn extract(&self, carrier: &dyn Extract) -> Option<Upstream> {
        let settings = &self.settings;
        if settings.behavior == ExtractBehavior::Ignore {
            return None;
        }
        let mut headers = Headers::read(carrier, self);
        let mut found: Option<(Style, Upstream)> = None;
        for &style in &settings.extract {
            match &mut found {
                None => found = headers.context(style, carrier).map(|context| (style, context)),
                Some(_) if settings.extract_first => break,
                Some((_, context)) => headers.merge(style, carrier, context),
            }
        }
        let mut context = found.and_then(|(style, context)| self.resolved(context, style, carrier));
        let baggage = headers.baggage.into_items();
        if let Some(items) = http_baggage::extract(carrier, settings, baggage) {
            let none = || Upstream::new(TraceId::new(0), SpanId::new(0));
            put_baggage(context.get_or_insert_with(none), items, &settings.baggage_tags);
        }
        context
    }

    /// What is made of the context that arrived: continued, by whom the sender is, or linked to by a new trace, where it names a span.
    fn resolved(&self, mut context: Upstream, style: Style, carrier: &dyn Extract) -> Option<Upstream> {
        if let (Some(guard), Some(local)) = (&self.settings.org_guard, self.local_marker()) {
            org_guard::check(&mut context, guard, local.as_str());
        }
        if self.settings.behavior != ExtractBehavior::Restart {
            return Some(context);
        }
        if context.parent_id.is_zero() {
            return None;
        }
        let links = vec![link(&context, style, carrier, "propagation_behavior_extract")];
        Some(Upstream { links, ..Upstream::new(TraceId::new(0), SpanId::new(0)) })
    }
}

/// Headers other than `tracestate`, which is read only where `traceparent` is valid.
#[derive(Default)]
struct Headers {
    datadog: datadog::Headers,
    /// The trace and the parent that the style `datadog` named, once its context is taken out.
    datadog_ids: Option<(TraceId, SpanId)>,
    traceparent: Option<Traceparent>,
    b3: B3,
    b3_multi: B3,
    baggage: IncomingBaggage,
}

impl Headers {
    fn read(carrier: &dyn Extract, propagator: &Propagator) -> Self {
        let (names, slots) = &propagator.read;
        let tags_max_bytes = propagator.settings.tags_max_bytes;
        let mut headers = Self::default();
        let mut traceparent_lines = 0_u8;
        carrier.for_each_of(names, &mut |position, value| match slots.get(position) {
            Some(Slot::Datadog(position)) => headers.datadog.take(*position, value, tags_max_bytes),
            Some(Slot::Traceparent) => {
                traceparent_lines = traceparent_lines.saturating_add(1);
                headers.traceparent = Traceparent::parse(value);
            }
            Some(Slot::B3) => headers.b3.take_single(value),
            Some(Slot::B3Multi(position)) => headers.b3_multi.take_multi(*position, value),
            Some(Slot::Baggage) => headers.baggage.push_line(value),
            None => {}
        });
        if traceparent_lines > 1 {
            headers.traceparent = None;
        }
        if traceparent_lines > 0 && headers.traceparent.is_none() {
            diagnostics::debug(format_args!("the incoming traceparent is malformed: ignored"));
        }
        headers
    }

    /// The context of a style, the first time it is asked for.
    fn context(&mut self, style: Style, carrier: &dyn Extract) -> Option<Upstream> {
        match style {
            Style::Datadog => {
                let context = std::mem::take(&mut self.datadog).into_context();
                self.datadog_ids = context.as_ref().map(|context| (context.trace_id, context.parent_id));
                context
            }
            Style::TraceContext => Some(trace_context(self.traceparent?, carrier)),
            Style::B3 => std::mem::take(&mut self.b3).into_context(),
            Style::B3Multi => std::mem::take(&mut self.b3_multi).into_context(),
            Style::Baggage => None,
        }
    }

    /// Adds what a later style says to the context already found.
    fn merge(&mut self, style: Style, carrier: &dyn Extract, context: &mut Upstream) {
        match (style, self.traceparent) {
            (Style::TraceContext, Some(parent)) if parent.trace_id == context.trace_id => {
                let ours = self.datadog_ids.or_else(|| self.datadog.ids());
                let ours = ours.filter(|(trace_id, _)| *trace_id == context.trace_id);
                merge_same_trace(parent, ours.map(|(_, parent_id)| parent_id), carrier, context);
            }
            _ => {
                let other = self
                    .context(style, carrier)
                    .filter(|other| other.trace_id != context.trace_id && !other.parent_id.is_zero());
                context.links.extend(other.map(|other| link(&other, style, carrier, "terminated_context")));
            }
        }
    }
}

fn read_tracestate(carrier: &dyn Extract, own: Own) -> Tracestate {
    let mut state = Tracestate::new(own);
    carrier.for_each(tracestate::HEADER, &mut |line| state.push_line(line));
    state
}

fn non_empty(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn trace_context(parent: Traceparent, carrier: &dyn Extract) -> Upstream {
    let mut state = read_tracestate(carrier, Own::All);
    let priority = reconciled(parent.is_sampled, state.priority, &mut state.tags);
    Upstream {
        priority: Some(SamplingPriority::new(priority)),
        origin: state.origin,
        tags: state.tags,
        tracestate: non_empty(state.foreign),
        probability: state.probability,
        last_parent_id: state.last_parent_id,
        propagation_error: state.error,
        ..Upstream::new(parent.trace_id, parent.parent_id)
    }
}

/// The priority, where a tracer that does not know ours may have changed the flag: the flag decides between keep and
/// reject, our own number refines it.
fn reconciled(is_sampled: bool, own: Option<i32>, tags: &mut PropagatedTags) -> i32 {
    match (is_sampled, own) {
        (true, Some(priority)) if priority > 0 => priority,
        (true, Some(_)) => {
            tags.push("dm", "-0");
            1
        }
        (true, None) => 1,
        (false, Some(priority)) if priority <= 0 => priority,
        // Whoever is named did not take this decision.
        (false, _) => {
            tags.remove("dm");
            0
        }
    }
}

/// Adds the `tracestate` of the same trace. `ours` is the parent that the style `datadog` names: the last span of ours, where
/// `tracestate` does not tell it.
fn merge_same_trace(
    parent: Traceparent,
    ours: Option<SpanId>,
    carrier: &dyn Extract,
    context: &mut Upstream,
) {
    let has_same_parent = parent.parent_id == context.parent_id;
    let state = read_tracestate(carrier, if has_same_parent { Own::Nothing } else { Own::LastParent });
    context.tracestate = non_empty(state.foreign);
    context.probability = state.probability;
    if has_same_parent {
        return;
    }
    let known = ours.filter(|id| !id.is_zero());
    context.last_parent_id = state.last_parent_id.or_else(|| known.map(|id| format!("{id:x}").into()));
    context.parent_id = parent.parent_id;
}

fn link(context: &Upstream, style: Style, carrier: &dyn Extract, reason: &'static str) -> UpstreamLink {
    UpstreamLink {
        trace_id: context.trace_id,
        span_id: context.parent_id,
        reason,
        context_headers: style.name(),
        is_kept: context.priority.is_some_and(SamplingPriority::is_keep),
        tracestate: if style == Style::TraceContext { whole_tracestate(carrier) } else { None },
    }
}

/// The header as it came, as far as it may be shown again. A tab, which may stand around commas, becomes a space.
fn whole_tracestate(carrier: &dyn Extract) -> Option<Box<str>> {
    let mut whole = String::new();
    carrier.for_each(tracestate::HEADER, &mut |line| {
        let length = whole.len().saturating_add(line.len());
        let is_shown = |byte| matches!(byte, b'\t' | b' '..=b'~');
        if length < tracestate::MAX_LIST_BYTES && line.bytes().all(is_shown) {
            if !whole.is_empty() {
                whole.push(',');
            }
            whole.extend(line.chars().map(|character| if character == '\t' { ' ' } else { character }));
        }
    });
    non_empty(whole).map(String::into_boxed_str)
}

/// Gives a context its baggage, and says which items are tags.
fn put_baggage(context: &mut Upstream, items: Baggage, keys: &BaggageTags) {
    // No more items than bits are read.
    let bits = items.iter().enumerate().filter(|(_, (key, _))| keys.contains(key));
    context.baggage_tags = bits.fold(0, |tags, (at, _)| tags | 1_u64.checked_shl(at as u32).unwrap_or(0));
    context.baggage = Some(Arc::new(items));
}

const _: () = assert!(baggage::MAX_ITEMS <= u64::BITS as usize);
