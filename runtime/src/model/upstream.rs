//! What a carrier told about the trace a request belongs to: plain data, handed from extraction to the local root.

use super::baggage::Baggage;
use super::ids::{SpanId, TraceId};
use super::priority::SamplingPriority;
use std::borrow::Cow;
use std::sync::Arc;

/// A span context that came from another process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Upstream {
    /// Zero when a new trace begins here: only baggage arrived, or what arrived is not to be continued.
    pub(crate) trace_id: TraceId,
    /// The remote parent; zero when the trace is to be continued without one, as synthetic tests ask for.
    pub(crate) parent_id: SpanId,
    /// Absent when nobody decided yet: the sampler of this process does.
    pub(crate) priority: Option<SamplingPriority>,
    /// Where the trace came from, the tag `_dd.origin`.
    pub(crate) origin: Option<Box<str>>,
    /// The `_dd.p.*` tags except `_dd.p.tid`, which is the upper half of `trace_id`.
    pub(crate) tags: PropagatedTags,
    /// Members of other vendors in `tracestate`, in their order, joined by commas.
    pub(crate) tracestate: Option<String>,
    /// The value of the member `ot` among them, which has a place of its own when it is sent on.
    pub(crate) probability: Option<Box<str>>,
    /// The tag `_dd.parent_id` of the local root.
    pub(crate) last_parent_id: Option<Box<str>>,
    /// The tag `_dd.propagation_error` of the local root.
    pub(crate) propagation_error: Option<PropagationError>,
    /// Contexts that were not continued; links of the local root, before those the user adds.
    pub(crate) links: Vec<UpstreamLink>,
    /// What the user of another service sent along; it may come without a trace.
    pub(crate) baggage: Option<Arc<Baggage>>,
    /// A bit for each item of the baggage, in its order, that is a tag of the local root.
    pub(crate) baggage_tags: u64,
}

impl Upstream {
    /// A context that says nothing but where it belongs.
    pub(crate) fn new(trace_id: TraceId, parent_id: SpanId) -> Self {
        Self {
            trace_id,
            parent_id,
            priority: None,
            origin: None,
            tags: PropagatedTags::default(),
            tracestate: None,
            probability: None,
            last_parent_id: None,
            propagation_error: None,
            links: Vec::new(),
            baggage: None,
            baggage_tags: 0,
        }
    }

    /// What other vendors say in `tracestate`, OpenTelemetry's member first.
    pub(crate) fn tracestate_of_others(&self) -> Cow<'_, str> {
        let rest = self.tracestate.as_deref().unwrap_or_default();
        match &self.probability {
            None => rest.into(),
            Some(value) if rest.is_empty() => format!("ot={value}").into(),
            Some(value) => format!("ot={value},{rest}").into(),
        }
    }

    /// The items of the baggage that are tags of the local root.
    pub(crate) fn tagged_baggage(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut bits = self.baggage_tags;
        let items = self.baggage.iter().take(usize::from(bits != 0)).flat_map(|baggage| baggage.iter());
        items.filter(move |_| {
            let is_tag = bits & 1 == 1;
            bits >>= 1;
            is_tag
        })
    }
}

/// A link to a context that arrived but is not continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamLink {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The attribute `reason`.
    pub(crate) reason: &'static str,
    /// The attribute `context_headers`: the propagation style it came in.
    pub(crate) context_headers: &'static str,
    pub(crate) is_kept: bool,
    /// The whole `tracestate` header, only of the style `tracecontext`.
    pub(crate) tracestate: Option<Box<str>>,
}

/// What went wrong with propagated tags; the context they came with stays valid.
///
/// Source: `ddtrace/tracer/propagating_tags.go` of DataDog/dd-trace-go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PropagationError {
    /// An incoming `x-datadog-tags` is longer than the limit.
    ExtractMaxSize,
    /// An incoming `x-datadog-tags` is malformed.
    Decoding,
    /// The tags to be sent are longer than the limit.
    InjectMaxSize,
    /// A limit of zero turned the header off.
    Disabled,
    /// `_dd.p.tid` is not 16 lowercase hexadecimal digits.
    MalformedTraceIdHigh(Box<str>),
}

impl PropagationError {
    /// The value of the tag `_dd.propagation_error`.
    pub(crate) fn tag_value(&self) -> Cow<'static, str> {
        match self {
            Self::ExtractMaxSize => "extract_max_size".into(),
            Self::Decoding => "decoding_error".into(),
            Self::InjectMaxSize => "inject_max_size".into(),
            Self::Disabled => "disabled".into(),
            Self::MalformedTraceIdHigh(value) => format!("malformed_tid {value}").into(),
        }
    }
}

/// Tags that travel with the trace, `_dd.p.*`, held in the form they have in `x-datadog-tags`: one allocation for all,
/// copied as they are into the next header.
///
/// Each key begins with [`TAG_PREFIX`] and is printable ASCII without space, comma and `=`; each value is printable
/// ASCII without comma and not empty; no key occurs twice. Whoever calls `push` has checked that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PropagatedTags(String);

/// What all keys of propagated tags begin with.
pub(crate) const TAG_PREFIX: &str = "_dd.p.";
/// The decision maker, `-N`.
pub(crate) const TAG_DECISION_MAKER: &str = "_dd.p.dm";
/// The rate the decision was taken with.
pub(crate) const TAG_KNUTH_RATE: &str = "_dd.p.ksr";

impl PropagatedTags {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The tags as the header `x-datadog-tags` has them.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Key and value of each tag, in order of arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        pieces(&self.0, b',').filter_map(|pair| cut(pair, b'='))
    }

    /// The value under the whole key, for instance `_dd.p.dm`.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find_map(|(found, value)| (found == key).then_some(value))
    }

    /// The decision maker, and key and value of the other tags; where it does not come first, as it mostly does, it is among them.
    pub(crate) fn maker_and_rest(&self) -> (Option<&str>, impl Iterator<Item = (&str, &str)>) {
        let (maker, rest) = match self.0.strip_prefix("_dd.p.dm=") {
            Some(first) => {
                let (maker, rest) = cut(first, b',').unwrap_or((first, ""));
                (Some(maker), rest)
            }
            None => (self.get(TAG_DECISION_MAKER), self.0.as_str()),
        };
        (maker, pieces(rest, b',').filter_map(|pair| cut(pair, b'=')))
    }

    /// Adds a tag, or replaces the one under the same key.
    pub(crate) fn push(&mut self, key_after_prefix: &str, value: &str) {
        if !self.0.is_empty() {
            self.remove(key_after_prefix);
        }
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.reserve(TAG_PREFIX.len() + key_after_prefix.len() + 1 + value.len());
        self.0.push_str(TAG_PREFIX);
        self.0.push_str(key_after_prefix);
        self.0.push('=');
        self.0.push_str(value);
    }

    /// Removes the tag of this name, if it is there.
    pub(crate) fn remove(&mut self, key_after_prefix: &str) {
        let is_named = |pair: &str| {
            pair.strip_prefix(TAG_PREFIX)
                .and_then(|rest| rest.strip_prefix(key_after_prefix))
                .is_some_and(|rest| rest.starts_with('='))
        };
        let mut start = 0;
        let place = pieces(&self.0, b',').find_map(|pair| {
            let place = start..start + pair.len();
            start = place.end + 1;
            is_named(pair).then_some(place)
        });
        // With the comma behind it, or the one before it where it is the last.
        match place {
            None => {}
            Some(place) if place.end < self.0.len() => _ = self.0.drain(place.start..=place.end),
            Some(place) => self.0.truncate(place.start.saturating_sub(1)),
        }
    }
}

/// The parts of a text between separators; none for an empty text.
///
/// Like `str::split` for one ASCII character, and several times as fast on texts as short as headers are.
pub(crate) fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = cut(text, separator).map_or((text, None), |(piece, after)| (piece, Some(after)));
        rest = after;
        Some(piece)
    })
}

/// What stands before and after the first `separator`, an ASCII character.
pub(crate) fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let position = position(text.as_bytes(), separator)?;
    Some((text.get(..position)?, text.get(position.checked_add(1)?..)?))
}

/// Eight bytes at a time: the byte looked for becomes zero, and the lowest zero byte borrows into its own high bit.
fn position(bytes: &[u8], byte: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        let zeroed = u64::from_le_bytes(*eight) ^ (ONES * u64::from(byte));
        let hits = zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7);
        if hits != 0 {
            return Some(bytes.len() - rest.len() + (hits.trailing_zeros() / 8) as usize);
        }
        rest = after;
    }
    let in_rest = rest.iter().position(|found| *found == byte)?;
    Some(bytes.len() - rest.len() + in_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_their_order_and_later_ones_replace() {
        let mut tags = PropagatedTags::default();
        assert!(tags.is_empty() && tags.iter().next().is_none());
        tags.push("dm", "-1");
        tags.push("team", "x=y");
        tags.push("dm", "-4");
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("_dd.p.team", "x=y"), ("_dd.p.dm", "-4")]);
        assert_eq!(tags.get(TAG_DECISION_MAKER), Some("-4"));
        tags.remove("te");
        assert_eq!(tags.get("_dd.p.team"), Some("x=y"));
        tags.remove("team");
        tags.remove("dm");
        assert!(tags.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn cutting_agrees_with_the_standard_library(text in "[a-zé,=\u{1}-\u{3}]{0,40}") {
            proptest::prop_assert_eq!(cut(&text, b','), text.split_once(','));
            let expected: Vec<&str> = text.split('=').filter(|_| !text.is_empty()).collect();
            proptest::prop_assert_eq!(pieces(&text, b'=').collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn errors_have_the_texts_of_the_tag() {
        assert_eq!(PropagationError::Decoding.tag_value(), "decoding_error");
        assert_eq!(PropagationError::MalformedTraceIdHigh("12".into()).tag_value(), "malformed_tid 12");
    }
}
