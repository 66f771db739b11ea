//! Links: to contexts that arrived but were not continued, and those that the user added.

use rmp::encode::{write_array_len, write_map_len, write_uint};

use super::block::put_str;
use crate::model::{Link, Upstream};

/// The value of the field `span_links`: those of the context that a local root received, then the span's own.
///
/// Source: `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent.
pub(super) fn encode(upstream: Option<&Upstream>, own: &[Link]) -> Vec<u8> {
    let mut out = Vec::new();
    let received = upstream.map_or(&[][..], |upstream| &upstream.links);
    // Writing to memory does not fail.
    let _ = write_array_len(&mut out, (received.len() + own.len()) as u32);
    for link in received {
        let _ = write_map_len(&mut out, 5 + u32::from(link.tracestate.is_some()));
        let ids = Link::new(link.trace_id.as_u128(), link.span_id.as_u64(), Some(link.is_kept));
        put_ids(&mut out, ids);
        if let Some(tracestate) = &link.tracestate {
            put_str(&mut out, "tracestate");
            put_str(&mut out, tracestate);
        }
        put_str(&mut out, "attributes");
        let _ = write_map_len(&mut out, 2);
        for text in ["reason", link.reason, "context_headers", link.context_headers] {
            put_str(&mut out, text);
        }
    }
    for link in own {
        let _ = write_map_len(&mut out, if link.flags == 0 { 3 } else { 4 });
        put_ids(&mut out, *link);
    }
    out
}

/// The ids, and the flags where something is known.
fn put_ids(out: &mut Vec<u8>, link: Link) {
    let (low, high) = (link.trace_id as u64, (link.trace_id >> 64) as u64);
    let pairs = [("trace_id", low), ("trace_id_high", high), ("span_id", link.span_id)];
    let flags = (link.flags != 0).then_some(("flags", u64::from(link.flags)));
    for (key, value) in pairs.into_iter().chain(flags) {
        put_str(out, key);
        let _ = write_uint(out, value);
    }
}
