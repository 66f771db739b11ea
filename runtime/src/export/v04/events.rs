//! Events of a span: as the field `span_events`, or as JSON for an agent that does not know it.

use rmp::encode::{write_array_len, write_bool, write_f64, write_map_len, write_sint, write_u64, write_uint};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::block::put_str;
use crate::model::{Attribute, EventView, MAX_VALUE};

/// The value of the field `span_events`, given how ticks become Unix nanoseconds.
///
/// Source: `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent (`SpanEvent`, `AttributeAnyValue`).
pub(super) fn native(events: &[EventView<'_>], unix_ns: impl Fn(u64) -> u64) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write_array_len(&mut out, events.len() as u32);
    for event in events {
        let attributes = event.attributes.latest();
        let _ = write_map_len(&mut out, 2 + u32::from(!attributes.is_empty()));
        put_str(&mut out, "time_unix_nano");
        let _ = write_u64(&mut out, event.time.unix_ns(&unix_ns));
        put_str(&mut out, "name");
        put_str(&mut out, event.name);
        if attributes.is_empty() {
            continue;
        }
        put_str(&mut out, "attributes");
        let _ = write_map_len(&mut out, attributes.len() as u32);
        for (key, value) in attributes {
            put_str(&mut out, key);
            put_value(&mut out, value);
        }
    }
    out
}

/// A map of the type and the value under the name of the type.
fn put_value(out: &mut Vec<u8>, value: Attribute<'_>) {
    let (kind, name) = match value {
        Attribute::Text(_) => (0, "string_value"),
        Attribute::Bool(_) => (1, "bool_value"),
        Attribute::Int(_) => (2, "int_value"),
        Attribute::Double(_) => (3, "double_value"),
        Attribute::List(_) => (4, "array_value"),
    };
    let _ = write_map_len(out, 2);
    put_str(out, "type");
    let _ = write_uint(out, kind);
    put_str(out, name);
    match value {
        Attribute::Text(text) => put_str(out, text),
        Attribute::Bool(value) => {
            let _ = write_bool(out, value);
        }
        Attribute::Int(value) => {
            let _ = write_sint(out, value);
        }
        Attribute::Double(value) => {
            let _ = write_f64(out, value);
        }
        Attribute::List(list) => {
            let values: Vec<_> = list.values().collect();
            let _ = write_map_len(out, 1);
            put_str(out, "values");
            let _ = write_array_len(out, values.len() as u32);
            // A list holds no lists.
            for value in values {
                put_value(out, value);
            }
        }
    }
}

/// The value of the tag `events`: JSON of as many events, the first ones, as the agent does not cut; and how many are left out.
pub(super) fn json(events: &[EventView<'_>], unix_ns: impl Fn(u64) -> u64) -> (String, usize) {
    let (mut out, mut left_out) = (String::from("["), events.len());
    for event in events {
        let event = Json { event, time_unix_nano: event.time.unix_ns(&unix_ns) };
        let Ok(text) = serde_json::to_string(&event) else { continue };
        let separator = if out.len() > 1 { "," } else { "" };
        if out.len() + separator.len() + text.len() + "]".len() > MAX_VALUE {
            break;
        }
        out.push_str(separator);
        out.push_str(&text);
        left_out -= 1;
    }
    out.push(']');
    (out, left_out)
}

struct Json<'a> {
    event: &'a EventView<'a>,
    time_unix_nano: u64,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.event.name)?;
        map.serialize_entry("time_unix_nano", &self.time_unix_nano)?;
        let attributes = self.event.attributes.latest();
        if !attributes.is_empty() {
            map.serialize_entry("attributes", &Pairs(&attributes))?;
        }
        map.end()
    }
}

struct Pairs<'a>(&'a [(&'a str, Attribute<'a>)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, Natural(*value))))
    }
}

/// A value as JSON has it.
struct Natural<'a>(Attribute<'a>);

impl Serialize for Natural<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Attribute::Text(text) => serializer.serialize_str(text),
            Attribute::Bool(value) => serializer.serialize_bool(value),
            Attribute::Int(value) => serializer.serialize_i64(value),
            // JSON has no other numbers.
            Attribute::Double(value) if value.is_finite() => serializer.serialize_f64(value),
            Attribute::Double(value) => serializer.collect_str(&value),
            Attribute::List(list) => serializer.collect_seq(list.values().map(Natural)),
        }
    }
}
