//! JSON that a message can carry: on one line, and whole.

use std::fmt::Write;

use serde_json::Value;

use crate::diagnostics::is_hostile;

/// A message has 64 KiB, and as a text within JSON this may take twice its bytes.
const MAX_BYTES: usize = 30 << 10;
/// Bytes of a text, or of as many tags, that are left where all is too long, at least.
const MIN_CUT: usize = 64;

/// An object on one line. What is too long for that is cut in its texts and in the number of its `tags`, so that it is JSON still.
pub(super) fn within_a_line(mut object: Value) -> String {
    let mut most = MAX_BYTES;
    loop {
        let text = on_one_line(&object.to_string());
        most /= 2;
        if text.len() <= MAX_BYTES || most < MIN_CUT {
            return text;
        }
        if let Some(Value::Object(tags)) = object.get_mut("tags") {
            let mut left = most / MIN_CUT;
            tags.retain(|_, _| left.checked_sub(1).map(|less| left = less).is_some());
        }
        cut(&mut object, most);
    }
}

fn cut(value: &mut Value, max_bytes: usize) {
    match value {
        Value::String(text) if text.len() > max_bytes => {
            let end = (0..=max_bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| cut(value, max_bytes)),
        _ => {}
    }
}

/// JSON in which every character that a message may not carry raw is a JSON escape: the escapes of the messages are none.
pub(crate) fn on_one_line(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hostile(character) {
            // All of them are of the basic plane. Writing to a string does not fail.
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_too_long_is_cut_and_stays_json() {
        let tags = |count| {
            let tags = (0..count).map(|number| (format!("key{number}"), json!("value")));
            Value::Object(tags.collect())
        };
        let short = json!({ "service": "shop", "tags": tags(10), "rules": null, "is_on": true });
        assert_eq!(within_a_line(short.clone()), short.to_string());
        for filling in ["x", "\"", "\u{1b}", "é", "\\"] {
            let long = filling.repeat(100_000);
            let object = json!({ "service": long, "rules": long, "tags": tags(50_000), "version": "0.1.0", "deep": { "text": long } });
            let text = within_a_line(object);
            assert!(text.len() <= MAX_BYTES && text.len() > MAX_BYTES / 8, "{}", text.len());
            let read: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["version"], "0.1.0");
            assert!(read["tags"].as_object().is_some_and(|tags| tags.len() > 5), "{text}");
            for cut in [&read["service"], &read["rules"], &read["deep"]["text"]] {
                let cut = cut.as_str().unwrap().strip_suffix('…').unwrap();
                assert!(cut.len() > 300 && long.starts_with(cut), "{cut}");
            }
        }
    }
}
