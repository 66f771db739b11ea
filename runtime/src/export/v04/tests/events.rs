//! Events and structured values of any content.

use proptest::prelude::*;

use super::super::testing::{KEEP, UNLIMITED, Value, WireSpan, decode, head, record, timeline};
use super::super::{Chunk, Encoder, Payload};
use super::{PLAIN, defaults};
use crate::model::{EntryKind, Flags, Record, SpanEvent, SpanLink, TagLog};

/// One span as an agent gets it that reads events, or does not.
fn encoded(record: Record, tags: &TagLog, reads_events: bool) -> WireSpan {
    let (mut payload, mut encoder) = (Payload::reusing(Vec::new()), Encoder::new(&defaults()));
    encoder.set_reads_events(reads_events);
    let head = head(5, 1, None);
    let chunk = Chunk { head: &head, records: &[record], tags, decision: KEEP, selected: &[] };
    encoder.chunk(&mut payload, &chunk, &timeline(), 0, UNLIMITED);
    decode(&payload.into_body()).remove(0).remove(0)
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let Value::Map(map) = value else { panic!("no map: {value:?}") };
    &map[name]
}

proptest! {
    #[test]
    fn any_event_arrives_in_both_forms(
        events in prop::collection::vec((".{0,30}", ".{0,30}", ".{0,60}", any::<f64>(), any::<i64>()), 1..6),
    ) {
        let (mut tags, mut span) = (TagLog::new(), record(&PLAIN, 1, 0));
        span.flags = span.flags.with(Flags::EVENTS);
        for (name, key, text, double, int) in &events {
            let event = SpanEvent::new(name).attribute(format!("t{key}"), text);
            let event = event.attribute(format!("d{key}"), *double).attribute(format!("i{key}"), vec![*int]);
            span.tags = tags.event(span.tags, &event, 1_700_000_000_000_000_007);
        }
        let native = encoded(span, &tags, true);
        prop_assert_eq!(native.meta("events"), None);
        let Some(Value::List(natives)) = native.0.get("span_events") else { panic!("no events") };
        let fallback = encoded(span, &tags, false);
        prop_assert!(!fallback.0.contains_key("span_events"));
        let json: Vec<serde_json::Value> = serde_json::from_str(fallback.meta("events").unwrap()).unwrap();
        prop_assert_eq!((natives.len(), json.len()), (events.len(), events.len()));
        for (((name, key, text, double, int), native), json) in events.iter().zip(natives).zip(&json) {
            prop_assert_eq!(field(native, "name"), &Value::Text(name.clone()));
            prop_assert_eq!(&json["name"], name);
            prop_assert_eq!(field(native, "time_unix_nano"), &Value::Int(1_700_000_000_000_000_007));
            prop_assert_eq!(&json["time_unix_nano"], 1_700_000_000_000_000_007_u64);
            let value = |kind, key: &str, name| field(field(field(native, "attributes"), &format!("{kind}{key}")), name).clone();
            prop_assert_eq!(value('t', key, "string_value"), Value::Text(text.clone()));
            prop_assert_eq!(&json["attributes"][format!("t{key}")], text);
            let Value::Float(found) = value('d', key, "double_value") else { panic!("no number") };
            prop_assert_eq!(found.to_bits(), double.to_bits());
            let found = &json["attributes"][format!("d{key}")];
            // The last bit is lost by the reader, which is quick; it is more than that of a number below the normal ones.
            let is_near = |found: f64| (found - double).abs() <= double.abs() * 1e-15 + f64::from_bits(4);
            let expected =
                if double.is_finite() { found.as_f64().is_some_and(is_near) } else { found.is_string() };
            prop_assert!(expected, "{found} for {double}");
            let Value::List(list) = field(&value('i', key, "array_value"), "values").clone() else { panic!("no list") };
            prop_assert_eq!(field(&list[0], "int_value"), &Value::Int(*int as u64));
            prop_assert_eq!(&json["attributes"][format!("i{key}")][0], *int);
        }
    }
}

proptest! {
    #[test]
    fn any_link_arrives(
        links in prop::collection::vec((any::<(u128, u64, u8)>(), ".{0,40}", ".{0,30}", ".{0,60}"), 1..6),
    ) {
        let (mut tags, mut span) = (TagLog::new(), record(&PLAIN, 1, 0));
        span.flags = span.flags.with(Flags::LINKED);
        for ((trace_id, span_id, flags), state, key, text) in &links {
            let link = SpanLink::new(*trace_id, *span_id).flags(*flags).tracestate(state).attribute(key, text);
            span.tags = tags.link(span.tags, &link);
        }
        let sent = encoded(span, &tags, false);
        let Some(Value::List(sent)) = sent.0.get("span_links") else { panic!("no links") };
        prop_assert_eq!(sent.len(), links.len());
        for (((trace_id, span_id, flags), state, key, text), sent) in links.iter().zip(sent) {
            let halves = [("trace_id_high", (trace_id >> 64) as u64), ("trace_id", *trace_id as u64)];
            for (key, value) in halves.into_iter().chain([("span_id", *span_id)]) {
                prop_assert_eq!(field(sent, key), &Value::Int(value));
            }
            prop_assert_eq!(field(sent, "flags"), &Value::Int(0x8000_0000 | u64::from(*flags)));
            if !state.is_empty() {
                prop_assert_eq!(field(sent, "tracestate"), &Value::Text(state.clone()));
            }
            prop_assert_eq!(field(field(sent, "attributes"), key), &Value::Text(text.clone()));
        }
    }
}

#[test]
fn a_span_may_have_everything_at_once() {
    let (mut tags, mut span) = (TagLog::new(), record(&PLAIN, 1, 0));
    span.flags = span.flags.with(Flags::EXTRAS).with(Flags::FIELDS);
    span.service = tags.field(0, EntryKind::Service, "other");
    for (kind, text) in [(EntryKind::SpanType, "web"), (EntryKind::Resource, "GET /")] {
        span.tags = tags.field(span.tags, kind, text);
    }
    span.tags = tags.event(span.tags, &SpanEvent::new("e"), 0);
    span.tags = tags.link(span.tags, &SpanLink::new(1, 2));
    span.tags = tags.structure(span.tags, "s", b"\x80");
    span.tags = tags.meta(span.tags, "k", "v");
    let fields = |span: &WireSpan| span.0.keys().cloned().collect::<Vec<_>>();
    let native = encoded(span, &tags, true);
    assert_eq!(native.0.len(), 15, "{:?}", fields(&native));
    let mut expected = fields(&native);
    expected.retain(|field| field != "span_events");
    let fallback = encoded(span, &tags, false);
    assert_eq!(fields(&fallback), expected);
    assert_eq!(
        (fallback.text("service"), fallback.text("type"), fallback.meta("k")),
        ("other", "web", Some("v"))
    );
    assert_eq!(fallback.meta("events"), Some(r#"[{"name":"e","time_unix_nano":0}]"#));
}
