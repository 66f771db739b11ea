//! Reading the context an incoming call belongs to, out of the headers of all configured styles.

use super::carrier::Extract;
use super::datadog;
use super::settings::{ExtractBehavior, PropagationSettings, Style};
use super::text::is_printable;
use super::traceparent::{self, Traceparent};
use super::tracestate::{self, Own, Tracestate};
use crate::diagnostics;
use crate::model::ids::{SpanId, TraceId};
use crate::model::priority::SamplingPriority;
use crate::model::upstream::{PropagatedTags, Upstream, UpstreamLink};

/// The context found in the carrier, or none.
///
/// The first configured style that yields a context gives it. Where the later ones are looked at too, a `traceparent` of
/// the same trace names the parent, since it is what a tracer in between rewrites, and its `tracestate` adds what other
/// vendors said; a context of another trace becomes a link, if it names a span.
///
/// When the setting asks to restart traces, `new_trace_id` gives the id of a new trace without parent, and the context
/// that arrived is its one link.
pub(crate) fn extract(
    carrier: &dyn Extract,
    settings: &PropagationSettings,
    new_trace_id: impl FnOnce() -> TraceId,
) -> Option<Upstream> {
    if settings.behavior == ExtractBehavior::Ignore {
        return None;
    }
    let mut headers = Headers::read(carrier, settings);
    let mut found: Option<(Style, Upstream)> = None;
    for &style in &settings.extract {
        match &mut found {
            None => found = headers.context(style, carrier).map(|context| (style, context)),
            Some(_) if settings.extract_first => break,
            Some((_, context)) => headers.merge(style, carrier, context),
        }
    }
    let (style, context) = found?;
    match settings.behavior {
        ExtractBehavior::Restart => Some(restarted(&context, style, carrier, new_trace_id())),
        ExtractBehavior::Continue | ExtractBehavior::Ignore => Some(context),
    }
}

/// Headers other than `tracestate`, which is read only where `traceparent` is valid.
struct Headers {
    datadog: datadog::Headers,
    traceparent: Option<Traceparent>,
}

impl Headers {
    fn read(carrier: &dyn Extract, settings: &PropagationSettings) -> Self {
        const ALL: [&str; 6] = {
            let [trace_id, parent_id, priority, origin, tags] = datadog::HEADERS;
            [trace_id, parent_id, priority, origin, tags, traceparent::HEADER]
        };
        const TRACEPARENT: usize = ALL.len() - 1;
        let has = |style| settings.extract.contains(&style);
        let (skipped, names): (usize, &[&str]) = match (has(Style::Datadog), has(Style::TraceContext)) {
            (true, true) => (0, &ALL),
            (true, false) => (0, &datadog::HEADERS),
            (false, true) => (TRACEPARENT, &[traceparent::HEADER]),
            (false, false) => (0, &[]),
        };
        let mut headers = Self { datadog: datadog::Headers::default(), traceparent: None };
        let mut traceparent_lines = 0_u8;
        carrier.for_each_of(names, &mut |position, value| match position.saturating_add(skipped) {
            TRACEPARENT => {
                traceparent_lines = traceparent_lines.saturating_add(1);
                headers.traceparent = Traceparent::parse(value);
            }
            position => headers.datadog.take(position, value, settings.tags_max_bytes),
        });
        if traceparent_lines > 1 {
            headers.traceparent = None;
        }
        if traceparent_lines > 0 && headers.traceparent.is_none() {
            diagnostics::debug(format_args!("the incoming traceparent is malformed: ignored"));
        }
        headers
    }

    /// The context of a style that is the first to give one.
    fn context(&mut self, style: Style, carrier: &dyn Extract) -> Option<Upstream> {
        match style {
            Style::Datadog => std::mem::take(&mut self.datadog).into_context(),
            Style::TraceContext => Some(trace_context(self.traceparent?, carrier)),
        }
    }

    /// Adds what a later style says to the context already found.
    fn merge(&mut self, style: Style, carrier: &dyn Extract, context: &mut Upstream) {
        match (style, self.traceparent) {
            (Style::TraceContext, Some(parent)) if parent.trace_id == context.trace_id => {
                merge_same_trace(parent, carrier, context);
            }
            (Style::TraceContext, None) => {}
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

fn non_empty(text: String) -> Option<Box<str>> {
    if text.is_empty() { None } else { Some(text.into_boxed_str()) }
}

fn trace_context(parent: Traceparent, carrier: &dyn Extract) -> Upstream {
    let mut state = read_tracestate(carrier, Own::All);
    let priority = reconciled(parent.is_sampled, state.priority, &mut state.tags);
    Upstream {
        trace_id: parent.trace_id,
        parent_id: parent.parent_id,
        priority: Some(SamplingPriority::new(priority)),
        origin: state.origin,
        tags: state.tags,
        tracestate: non_empty(state.foreign),
        last_parent_id: state.last_parent_id,
        propagation_error: state.error,
        links: Vec::new(),
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
        (false, Some(_)) => {
            tags.remove("dm");
            0
        }
        (false, None) => 0,
    }
}

fn merge_same_trace(parent: Traceparent, carrier: &dyn Extract, context: &mut Upstream) {
    let has_same_parent = parent.parent_id == context.parent_id;
    let state = read_tracestate(carrier, if has_same_parent { Own::Nothing } else { Own::LastParent });
    context.tracestate = non_empty(state.foreign);
    if has_same_parent {
        return;
    }
    let known = Some(context.parent_id).filter(|id| !id.is_zero());
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

/// The header as it came, as far as it may be shown again.
fn whole_tracestate(carrier: &dyn Extract) -> Option<Box<str>> {
    let mut whole = String::new();
    carrier.for_each(tracestate::HEADER, &mut |line| {
        let length = whole.len().saturating_add(line.len());
        if is_printable(line) && length < tracestate::MAX_LIST_BYTES {
            if !whole.is_empty() {
                whole.push(',');
            }
            whole.push_str(line);
        }
    });
    non_empty(whole)
}

fn restarted(context: &Upstream, style: Style, carrier: &dyn Extract, trace_id: TraceId) -> Upstream {
    Upstream {
        trace_id,
        parent_id: SpanId::new(0),
        priority: None,
        origin: None,
        tags: PropagatedTags::default(),
        tracestate: None,
        last_parent_id: None,
        propagation_error: None,
        links: vec![link(context, style, carrier, "propagation_behavior_extract")],
    }
}
