//! The style `tracecontext`: `traceparent`, and `tracestate` beside it.

use super::carrier::Inject;
use super::inject::{Outgoing, Parts};
use super::text::Text;
use super::traceparent::{self, LENGTH};
use super::tracestate::{self, MAX_OWN_BYTES};
use super::tracestate_write::{Others, join, push_own};

/// Writes both headers.
pub(super) fn inject(context: &Outgoing<'_>, parts: &Parts, carrier: &mut dyn Inject) {
    // One text for both, so that it is checked to be one only once; behind the first there is room for our own member.
    let mut text = Text::<{ LENGTH + MAX_OWN_BYTES }>::new();
    let is_sampled = context.decision.is_some_and(|decision| decision.priority.is_keep());
    traceparent::push(&mut text, parts, is_sampled);
    push_own(&mut text, context, parts);
    let (parent, own) = text.as_str().split_at_checked(LENGTH).unwrap_or_default();
    carrier.set(traceparent::HEADER, parent);
    match Others::of(context) {
        None => carrier.set(tracestate::HEADER, own),
        Some(others) => join(own, &others, |list| carrier.set(tracestate::HEADER, list)),
    }
}
