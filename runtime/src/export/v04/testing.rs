//! Payloads read back by a decoder of its own, in which a key that occurs twice fails the test.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Chunk, Encoder, Limits, Payload, SpanDefaults};
use crate::clock::{Clock, Timeline};
use crate::model::{
    CallSite, ChunkBatch, ChunkHead, Decision, Flags, Mechanism, NO_INDEX, Record, SamplingPriority, TagLog,
    TraceFacts,
};

/// Decodes a map and refuses a key met twice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unique<T>(pub(crate) BTreeMap<String, T>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique<T>, A::Error> {
                let mut map = BTreeMap::new();
                while let Some((key, value)) = access.next_entry::<String, T>()? {
                    assert!(map.insert(key.clone(), value).is_none(), "{key} occurs twice");
                }
                Ok(Unique(map))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// Any value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(u64),
    Float(f64),
    Bool(bool),
    Bytes(Vec<u8>),
    Map(BTreeMap<String, Value>),
    List(Vec<Value>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Int(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Int(value as u64))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
                Ok(Value::Bytes(value.to_vec()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Float(value))
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
                let reader = serde::de::value::MapAccessDeserializer::new(access);
                Unique::deserialize(reader).map(|Unique(map)| Value::Map(map))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = access.next_element()? {
                    list.push(value);
                }
                Ok(Value::List(list))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// One span of the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WireSpan(pub(crate) BTreeMap<String, Value>);

impl WireSpan {
    pub(crate) fn text(&self, field: &str) -> &str {
        let Some(Value::Text(text)) = self.0.get(field) else { return "" };
        text
    }

    pub(crate) fn int(&self, field: &str) -> u64 {
        let Some(Value::Int(value)) = self.0.get(field) else { panic!("no number {field} in {self:?}") };
        *value
    }

    pub(crate) fn meta(&self, key: &str) -> Option<&str> {
        match self.0.get("meta") {
            Some(Value::Map(map)) => match map.get(key)? {
                Value::Text(text) => Some(text),
                other => panic!("{key} is {other:?}"),
            },
            _ => None,
        }
    }

    pub(crate) fn metric(&self, key: &str) -> Option<f64> {
        match self.0.get("metrics") {
            Some(Value::Map(map)) => match map.get(key)? {
                Value::Float(value) => Some(*value),
                other => panic!("{key} is {other:?}"),
            },
            _ => None,
        }
    }
}

/// The chunks of a payload.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Vec<WireSpan>> {
    let chunks: Vec<Vec<Unique<Value>>> = rmp_serde::from_slice(bytes).expect("a payload");
    chunks.into_iter().map(|chunk| chunk.into_iter().map(|Unique(span)| WireSpan(span)).collect()).collect()
}

/// A finished span of a site that took 500 ns.
pub(crate) fn record(site: &'static CallSite, span_id: u64, parent_id: u64) -> Record {
    Record {
        site,
        span_id,
        parent_id,
        start: 1_700_000_000_000_000_000 + span_id,
        end: 1_700_000_000_000_000_500 + span_id,
        tags: 0,
        service: 0,
        parent_index: NO_INDEX,
        flags: Flags::FINISHED,
    }
}

pub(crate) const KEEP: Decision =
    Decision { priority: SamplingPriority::AUTO_KEEP, mechanism: Some(Mechanism::DEFAULT), rate: None };

pub(crate) const UNLIMITED: Limits = Limits { max_bytes: usize::MAX, max_alone: usize::MAX };

/// A translation for ticks that are Unix nanoseconds.
pub(crate) fn timeline() -> Timeline {
    let clock = Clock::Held(Arc::new(AtomicU64::new(1_700_000_001_000_000_000)));
    Timeline::new(&clock, clock.anchor(), clock.anchor())
}

pub(crate) fn head(trace_id: u128, local_root_id: u64, facts: Option<TraceFacts>) -> ChunkHead {
    ChunkHead {
        trace_id,
        local_root_id,
        facts: facts.map(Arc::new),
        buffer: 0,
        first: 0,
        len: 0,
        is_last: true,
    }
}

/// Encodes one chunk whole and reads it back.
pub(crate) fn encoded(
    defaults: &SpanDefaults,
    head: &ChunkHead,
    records: &[Record],
    tags: &TagLog,
    decision: Decision,
) -> Vec<WireSpan> {
    encoded_counting(defaults, head, records, tags, decision).0
}

/// The same with the number of tags that are left out.
pub(crate) fn encoded_counting(
    defaults: &SpanDefaults,
    head: &ChunkHead,
    records: &[Record],
    tags: &TagLog,
    decision: Decision,
) -> (Vec<WireSpan>, u64) {
    let mut payload = Payload::reusing(Vec::new());
    let chunk = Chunk { head, records, tags, decision, selected: &[] };
    let part = Encoder::new(defaults).chunk(&mut payload, &chunk, &timeline(), 0, UNLIMITED);
    assert_eq!((part.until, part.too_large, payload.chunks()), (records.len(), 0, 1));
    (decode(&payload.into_body()).pop().expect("one chunk"), part.left_out_tags)
}

/// A batch of `chunks` chunks with `spans` spans each.
pub(crate) fn batch(site: &'static CallSite, chunks: u64, spans: u64) -> ChunkBatch {
    let mut batch = ChunkBatch::new();
    for trace in 1..=chunks {
        let first = batch.common.len() as u32;
        for index in 0..spans {
            let span_id = trace * 1_000_000 + index;
            let mut record = record(site, span_id, if index == 0 { 0 } else { trace * 1_000_000 });
            record.tags = batch.common.tags.meta(record.tags, "order.kind", "online");
            record.tags = batch.common.tags.metric(record.tags, "order.items", 3.0);
            batch.common.records.push(record);
        }
        let head = ChunkHead { first, len: spans as u32, ..head(u128::from(trace), trace * 1_000_000, None) };
        batch.heads.push(head);
    }
    batch
}
