//! A link from a span to another one.

use super::attributes::{AttributeValue, Attributes, AttributesView};
use super::ids::{SpanId, TraceId};
use super::msgpack::{push_str, read_str};

/// A link from a span to another one: of the same trace or not, of this process or not.
///
/// What names a span becomes a link to it by `into`; a link can say more than that:
///
/// ```
/// use dd_traced::{SpanLink, span};
///
/// let message = span("queue.receive").start().context();
/// let batch = span("batch.run").link(SpanLink::to(&message).attribute("position", 3)).start();
/// batch.add_link(&message);
/// ```
///
/// Source: `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent (`SpanLink`).
#[must_use = "a link is added to a span"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanLink {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// The W3C trace flags under bit 31 where they are known; 0 where not.
    pub(crate) flags: u32,
    /// Empty without one.
    pub(crate) tracestate: Box<str>,
    pub(crate) attributes: Attributes,
}

/// Says of the flags of a link that they are known.
pub(crate) const FLAGS_KNOWN: u32 = 1 << 31;
/// Bytes of the longest `tracestate` of a link: half of one would be wrong, so a longer one is left out.
const MAX_TRACESTATE: usize = 4_096;

impl SpanLink {
    /// A link to the span of these ids. Without both (0 is none) it is added to no span.
    pub fn new(trace_id: u128, span_id: u64) -> Self {
        let (tracestate, attributes) = (Box::default(), Attributes::default());
        Self { trace_id, span_id, flags: 0, tracestate, attributes }
    }

    /// Says why or how the spans belong together. On the wire each attribute is text, those of a list `key.0`, `key.1`, and so on.
    ///
    /// A later value of a key wins. At most 128, keys cut at 200 bytes and texts at 25 000; what goes beyond 256 KiB together is left out
    /// and counted.
    pub fn attribute(mut self, key: impl AsRef<str>, value: impl AttributeValue) -> Self {
        self.attributes.push(key.as_ref(), &value);
        self
    }

    /// The trace flags of the other span, as `traceparent` has them: bit 0 says that it is sampled. Unknown by default.
    pub fn flags(mut self, flags: u8) -> Self {
        self.flags = FLAGS_KNOWN | u32::from(flags);
        self
    }

    /// The `tracestate` header that came with the ids. Empty by default; one of more than 4 096 bytes is left out.
    pub fn tracestate(mut self, tracestate: impl AsRef<str>) -> Self {
        let tracestate = tracestate.as_ref();
        self.tracestate = if tracestate.len() > MAX_TRACESTATE { Box::default() } else { tracestate.into() };
        self
    }

    /// The trace id of the other span.
    pub fn trace_id(&self) -> TraceId {
        TraceId::new(self.trace_id)
    }

    /// The id of the other span.
    pub fn span_id(&self) -> SpanId {
        SpanId::new(self.span_id)
    }

    /// With the flags of a trace that is kept, is dropped, or is not decided yet.
    pub(crate) fn kept(mut self, is_kept: Option<bool>) -> Self {
        self.flags = is_kept.map_or(0, |is_kept| FLAGS_KNOWN | u32::from(is_kept));
        self
    }

    /// Whether there is a span to link to.
    pub(crate) fn has_ids(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// As it stands in a tag log.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let AttributesView { count, bytes } = self.attributes.view();
        let mut out = Vec::with_capacity(HEAD + 3 + self.tracestate.len() + bytes.len());
        out.extend_from_slice(&self.trace_id.to_le_bytes());
        out.extend_from_slice(&self.span_id.to_le_bytes());
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        push_str(&mut out, &self.tracestate);
        out.extend_from_slice(bytes);
        out
    }
}

/// Bytes of what has a fixed place: ids, flags, and the number of attributes.
const HEAD: usize = 30;

/// A link as it stands in a tag log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkView<'a> {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// Under bit 31 where they are known; 0 where not.
    pub(crate) flags: u32,
    /// Empty without one.
    pub(crate) tracestate: &'a str,
    pub(crate) attributes: AttributesView<'a>,
}

impl<'a> LinkView<'a> {
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (trace_id, rest) = bytes.split_first_chunk()?;
        let (span_id, rest) = rest.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (tracestate, len) = read_str(rest)?;
        Some(Self {
            trace_id: u128::from_le_bytes(*trace_id),
            span_id: u64::from_le_bytes(*span_id),
            flags: u32::from_le_bytes(*flags),
            tracestate,
            attributes: AttributesView { count: u16::from_le_bytes(*count), bytes: rest.get(len..)? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_is_read_as_it_was_written() {
        let link = SpanLink::new(3 << 64 | 4, 5).flags(1).tracestate("a=b").attribute("reason", "retry");
        let bytes = link.to_bytes();
        let view = LinkView::from_bytes(&bytes).unwrap();
        assert_eq!(
            (view.trace_id, view.span_id, view.flags, view.tracestate),
            (3 << 64 | 4, 5, 0x8000_0001, "a=b")
        );
        assert_eq!(view.attributes, link.attributes.view());
        assert!(link.has_ids() && !SpanLink::new(0, 1).has_ids() && !SpanLink::new(1, 0).has_ids());
    }

    #[test]
    fn a_trace_state_is_whole_or_left_out() {
        for (len, kept) in [(4_095, 4_095), (4_096, 4_096), (4_097, 0)] {
            assert_eq!(SpanLink::new(1, 2).tracestate("s".repeat(len)).tracestate.len(), kept);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_link_or_none(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(view) = LinkView::from_bytes(&bytes) {
                let _ = view.attributes.latest();
            }
        }
    }
}
