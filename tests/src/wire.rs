//! Traces as they are on the wire, decoded strictly: a field that the agent does not know fails the test.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A span of `/v0.4/traces`.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireSpan {
    /// The service.
    pub service: String,
    /// The operation name.
    pub name: String,
    /// The resource.
    pub resource: String,
    /// The low half of the trace id.
    pub trace_id: u64,
    /// The span id.
    pub span_id: u64,
    /// The parent's span id; 0 for a root.
    #[serde(default)]
    pub parent_id: u64,
    /// Start, in nanoseconds since the Unix epoch.
    pub start: i64,
    /// Duration in nanoseconds.
    pub duration: i64,
    /// 1 for a failed span.
    #[serde(default)]
    pub error: i32,
    /// String tags.
    #[serde(default, deserialize_with = "each_key_once")]
    pub meta: BTreeMap<String, String>,
    /// Number tags.
    #[serde(default, deserialize_with = "each_key_once")]
    pub metrics: BTreeMap<String, f64>,
    /// The span type.
    #[serde(rename = "type", default)]
    pub span_type: Option<String>,
    /// Links to other spans.
    #[serde(default)]
    pub span_links: Vec<SpanLink>,
    /// Events within the span.
    #[serde(default)]
    pub span_events: Vec<SpanEvent>,
    /// Structured values.
    #[serde(default, deserialize_with = "each_key_once")]
    pub meta_struct: BTreeMap<String, Blob>,
}

impl WireSpan {
    /// A string tag.
    pub fn meta(&self, key: &str) -> Option<&str> {
        self.meta.get(key).map(String::as_str)
    }

    /// A number tag.
    pub fn metric(&self, key: &str) -> Option<f64> {
        self.metrics.get(key).copied()
    }

    /// The sampling priority, on the first span of a chunk.
    pub fn priority(&self) -> Option<f64> {
        self.metric("_sampling_priority_v1")
    }

    /// The end, in nanoseconds since the Unix epoch.
    pub fn end(&self) -> i64 {
        self.start + self.duration
    }
}

/// A map, refused where a key stands twice: of which value then holds, decoders have different opinions.
fn each_key_once<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    struct Pairs<V>(PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = pairs.next_entry::<String, V>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format!("{key:?} stands twice")));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Pairs(PhantomData))
}

/// A byte string, which has to be one on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A link to a span of this or another trace.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanLink {
    /// The low half of the trace id.
    pub trace_id: u64,
    /// The high half of the trace id.
    #[serde(default)]
    pub trace_id_high: u64,
    /// The span id.
    pub span_id: u64,
    /// Attributes of the link.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// The W3C trace state.
    #[serde(default)]
    pub tracestate: String,
    /// The W3C flags, with bit 31 as the mark that they are known.
    #[serde(default)]
    pub flags: u32,
}

/// An event within a span.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanEvent {
    /// When, in nanoseconds since the Unix epoch.
    pub time_unix_nano: u64,
    /// What happened.
    pub name: String,
    /// Attributes, each a map with `type` and one value.
    #[serde(default)]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// The whole trace id of a chunk: the high half stands on its first span.
pub fn trace_id(chunk: &[WireSpan]) -> Option<u128> {
    let first = chunk.first()?;
    let high = match first.meta("_dd.p.tid") {
        None => 0,
        Some(text) => u64::from_str_radix(text, 16).ok()?,
    };
    Some(u128::from(high) << 64 | u128::from(first.trace_id))
}

/// Decodes a payload of `/v0.4/traces` and holds what the agent would refuse or repair.
pub fn decode_v04(body: &[u8]) -> Result<Vec<Vec<WireSpan>>, String> {
    let chunks: Vec<Vec<WireSpan>> =
        rmp_serde::from_slice(body).map_err(|error| format!("not a v0.4 payload: {error}"))?;
    for chunk in &chunks {
        check_chunk(chunk)?;
    }
    Ok(chunks)
}

fn check_chunk(chunk: &[WireSpan]) -> Result<(), String> {
    let first = chunk.first().ok_or("an empty chunk")?;
    let mut ids: Vec<u64> = chunk.iter().map(|span| span.span_id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("a span id appears twice in the chunk of {first:?}"));
    }
    if first.priority().is_none() {
        return Err(format!("no sampling priority on the first span of a chunk: {first:?}"));
    }
    for span in chunk {
        let fault = match span {
            span if span.trace_id == 0 => "trace id 0",
            span if span.trace_id != first.trace_id => "two traces in one chunk",
            span if span.span_id == 0 => "span id 0",
            span if span.span_id == span.parent_id => "a span that is its own parent",
            span if span.start <= 0 => "no start",
            span if span.duration < 0 => "a negative duration",
            span if span.name.is_empty() => "no name",
            span if span.service.is_empty() => "no service",
            span if span.resource.is_empty() => "no resource",
            _ => continue,
        };
        return Err(format!("{fault}: {span:?}"));
    }
    Ok(())
}
