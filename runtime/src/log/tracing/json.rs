//! Members for a JSON object that somebody else writes.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use tracing_subscriber::fmt::format::Writer;

use super::members;
use crate::log::correlation::{CorrelationFields, is_reserved};

/// A buffer that grew beyond so many bytes is given up.
const KEPT_BYTES: usize = 16 * 1024;

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// Writes the object that `format` writes, with these fields as its last members. What is no object passes as it is.
///
/// Its own members of these names are left out, if it `may_have` some.
pub(super) fn insert(
    fields: &CorrelationFields<'_>,
    may_have: bool,
    writer: &mut Writer<'_>,
    format: impl FnOnce(Writer<'_>) -> fmt::Result,
) -> fmt::Result {
    // Formatters write an object in dozens of pieces, each through every writer on its way: so they write to a text, which goes on as one.
    // It is taken out of its place, for formatting may log.
    let mut line = BUFFER.try_with(Cell::take).unwrap_or_default();
    line.clear();
    let formatted = format(Writer::new(&mut line));
    if formatted.is_ok() {
        if let Some(others) = may_have.then(|| members::without(&line, is_reserved)).flatten() {
            line = others;
        }
        append(fields, &mut line);
    }
    let written = writer.write_str(&line);
    if line.capacity() <= KEPT_BYTES {
        // A thread that ends keeps nothing.
        let _ = BUFFER.try_with(|buffer| buffer.set(line));
    }
    formatted.and(written)
}

/// Writes the fields in front of the brace that ends an object.
fn append(fields: &CorrelationFields<'_>, line: &mut String) {
    let Some(object) = line.trim_ascii_end().strip_suffix('}') else { return };
    let Some(own) = object.trim_ascii_start().strip_prefix('{') else { return };
    let (is_empty, end) = (own.trim_ascii_start().is_empty(), object.len());
    let tail = match line.get(end..).unwrap_or_default() {
        "}\n" => Cow::Borrowed("}\n"),
        other => Cow::Owned(other.to_owned()),
    };
    line.truncate(end);
    if !is_empty && !fields.is_empty() {
        line.push(',');
    }
    fields.push_members(line);
    line.push_str(&tail);
}

#[cfg(test)]
#[cfg(feature = "enable")]
mod tests {
    use super::*;
    use crate::log::correlation::Correlation;
    use proptest::prelude::*;
    use serde_json::Value;

    fn inserted(text: &str, may_have: bool, correlation: &Correlation) -> String {
        let mut line = String::new();
        let format = |mut writer: Writer<'_>| writer.write_str(text);
        insert(&correlation.fields(), may_have, &mut Writer::new(&mut line), format).unwrap();
        line
    }

    fn of_span() -> Correlation {
        Correlation::new(None, Some((1 << 64, 7)))
    }

    #[test]
    fn members_come_last() {
        let ids = r#""dd.trace_id":"00000000000000010000000000000000","dd.span_id":"7""#;
        for may_have in [false, true] {
            let inserted = |text| inserted(text, may_have, &of_span());
            assert_eq!(inserted("{\"a\":1}\n"), format!("{{\"a\":1,{ids}}}\n"));
            assert_eq!(inserted(" { } \r\n"), format!(" {{ {ids}}} \r\n"));
            assert_eq!(inserted("{\"a\":{}}"), format!("{{\"a\":{{}},{ids}}}"));
        }
    }

    #[test]
    fn what_is_no_object_and_lines_without_fields_stay_as_they_are() {
        for text in ["[{}]", "text {", "text }", "}", "{", "", "\n"] {
            assert_eq!(inserted(text, true, &of_span()), text);
        }
        let none = Correlation::new(None, None);
        assert_eq!(inserted("{\"a\":1}", false, &none), "{\"a\":1}");
    }

    #[test]
    fn own_members_of_these_names_are_left_out_with_a_span_and_without() {
        let object = r#"{"dd.trace_id":1,"a":{"dd.trace_id":"2"},"dd.span_id":[{"b":"},"}],"dd.other":3}"#;
        let others = r#"{"a":{"dd.trace_id":"2"},"dd.other":3"#;
        assert_eq!(inserted(object, true, &Correlation::new(None, None)), format!("{others}}}"));
        assert!(inserted(object, true, &of_span()).starts_with(&format!("{others},\"dd.trace_id\":\"000")));
    }

    /// A formatter may log, or fail, or write a megabyte.
    #[test]
    fn lines_within_lines_and_failures_do_not_meet() {
        let mut line = String::new();
        let format = |mut writer: Writer<'_>| {
            writer.write_str("{\"outer\":")?;
            let inner = inserted("{\"inner\":1}", false, &Correlation::new(None, None));
            writer.write_str(&inner)?;
            writer.write_str("}")
        };
        let correlation = of_span();
        insert(&correlation.fields(), false, &mut Writer::new(&mut line), format).unwrap();
        assert!(line.starts_with(r#"{"outer":{"inner":1},"dd.trace_id""#), "{line}");

        let mut line = String::new();
        let fails = |mut writer: Writer<'_>| writer.write_str("{\"half\":").and(Err(fmt::Error));
        insert(&correlation.fields(), false, &mut Writer::new(&mut line), fails).unwrap_err();
        assert_eq!(line, "{\"half\":");

        inserted(&"x".repeat(1 << 20), false, &correlation);
        let kept = BUFFER.take();
        assert!(kept.capacity() <= KEPT_BYTES, "{}", kept.capacity());
    }

    proptest! {
        #[test]
        fn any_object_keeps_its_members(members: Vec<(String, String)>, may_have: bool) {
            let object: serde_json::Map<String, Value> =
                members.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
            let text = Value::Object(object.clone()).to_string();
            let read: serde_json::Map<String, Value> =
                serde_json::from_str(&inserted(&text, may_have, &of_span())).unwrap();
            prop_assert_eq!(read.get("dd.span_id").and_then(Value::as_str), Some("7"));
            for (key, value) in object {
                prop_assert!(read.get(&key) == Some(&value) || is_reserved(&key));
            }
        }
    }
}
