//! Links: to contexts that arrived but were not continued, and those that the user added.

use std::borrow::Cow;

use rmp::encode::{write_array_len, write_map_len, write_uint};

use super::block::put_str;
use crate::model::upstream::UpstreamLink;
use crate::model::{FLAGS_KNOWN, LinkView, Upstream};

/// The value of the field `span_links`: those of the context that a local root received, then the span's own.
///
/// Source: `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent.
pub(super) fn encode(upstream: Option<&Upstream>, own: &[LinkView<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let received = upstream.map_or(&[][..], |upstream| &upstream.links);
    // Writing to memory does not fail.
    let _ = write_array_len(&mut out, (received.len() + own.len()) as u32);
    for link in received {
        let UpstreamLink { reason, context_headers, .. } = *link;
        let attributes = [("reason", reason), ("context_headers", context_headers)];
        Link {
            trace_id: link.trace_id.as_u128(),
            span_id: link.span_id.as_u64(),
            flags: FLAGS_KNOWN | u32::from(link.is_kept),
            tracestate: link.tracestate.as_deref().unwrap_or_default(),
            attributes: attributes.map(|(key, value)| (key.into(), value.into())).into(),
        }
        .write(&mut out);
    }
    for link in own {
        let LinkView { trace_id, span_id, flags, tracestate, attributes } = *link;
        Link { trace_id, span_id, flags, tracestate, attributes: attributes.texts() }.write(&mut out);
    }
    out
}

/// A link as it is sent.
struct Link<'a> {
    trace_id: u128,
    span_id: u64,
    flags: u32,
    tracestate: &'a str,
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Link<'_> {
    /// A map, without what there is nothing to say of.
    fn write(&self, out: &mut Vec<u8>) {
        let Self { tracestate, attributes, .. } = self;
        let optional = [self.flags != 0, !tracestate.is_empty(), !attributes.is_empty()];
        let _ = write_map_len(out, 3 + optional.map(u32::from).iter().sum::<u32>());
        let (low, high) = (self.trace_id as u64, (self.trace_id >> 64) as u64);
        let ids = [("trace_id", low), ("trace_id_high", high), ("span_id", self.span_id)];
        let flags = (self.flags != 0).then_some(("flags", u64::from(self.flags)));
        for (key, value) in ids.into_iter().chain(flags) {
            put_str(out, key);
            let _ = write_uint(out, value);
        }
        if !tracestate.is_empty() {
            put_str(out, "tracestate");
            put_str(out, tracestate);
        }
        if !attributes.is_empty() {
            put_str(out, "attributes");
            let _ = write_map_len(out, attributes.len() as u32);
            for text in attributes.iter().flat_map(|(key, value)| [key, value]) {
                put_str(out, text);
            }
        }
    }
}
