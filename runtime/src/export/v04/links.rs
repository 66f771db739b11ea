//! Links to contexts that arrived but were not continued.

use rmp::encode::{write_array_len, write_map_len, write_uint};

use super::block::put_str;
use crate::model::Upstream;

/// The value of the field `span_links` of a local root; empty without links.
///
/// Source: `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent.
pub(super) fn encode(upstream: &Upstream) -> Vec<u8> {
    let mut out = Vec::new();
    if upstream.links.is_empty() {
        return out;
    }
    // Writing to memory does not fail.
    let _ = write_array_len(&mut out, upstream.links.len() as u32);
    for link in &upstream.links {
        let _ = write_map_len(&mut out, 5 + u32::from(link.tracestate.is_some()));
        let numbers = [
            ("trace_id", link.trace_id.low_u64()),
            ("trace_id_high", link.trace_id.high_u64()),
            ("span_id", link.span_id.as_u64()),
            ("flags", u64::from(link.wire_flags())),
        ];
        for (key, value) in numbers {
            put_str(&mut out, key);
            let _ = write_uint(&mut out, value);
        }
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
    out
}
