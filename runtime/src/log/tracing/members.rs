//! The members of a JSON object, as text.

/// The object without the members of its root whose names are refused. `None` where the text is none.
pub(super) fn without(text: &str, is_refused: impl Fn(&str) -> bool) -> Option<String> {
    let start = text.find(|character: char| !character.is_ascii_whitespace())?;
    let (before, mut rest) = (text.get(..=start)?, text.get(start..)?.strip_prefix('{')?);
    let mut kept = String::with_capacity(text.len());
    kept.push_str(before);
    let mut is_first = true;
    loop {
        let (member, after) = rest.split_at(length(rest)?);
        if !name(member).is_some_and(&is_refused) {
            if !is_first {
                kept.push(',');
            }
            is_first = false;
            kept.push_str(member);
        }
        let Some(next) = after.strip_prefix(',') else {
            kept.push_str(after);
            return Some(kept);
        };
        rest = next;
    }
}

fn name(member: &str) -> Option<&str> {
    member.trim_ascii_start().strip_prefix('"')?.split_once('"').map(|(name, _)| name)
}

/// How far the first member goes: to the comma behind it, or to the brace that ends the object.
fn length(members: &str) -> Option<usize> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in members.bytes().enumerate() {
        if is_text {
            is_text = byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => depth += 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[cfg(feature = "enable")]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Value;

    fn refused(name: &str) -> bool {
        name.starts_with('r')
    }

    #[test]
    fn members_are_told_apart() {
        let without = |text| without(text, refused);
        assert_eq!(without(r#"{"r":1}"#).unwrap(), "{}");
        assert_eq!(without(" {\"r\":1,\n\"a\":2}\n").unwrap(), " {\n\"a\":2}\n");
        assert_eq!(
            without(r#"{"a":"\",\"r\":\\","r":{"a":[1,2]},"b":{"r":1}}"#).unwrap(),
            r#"{"a":"\",\"r\":\\","b":{"r":1}}"#
        );
        assert_eq!(without("{}").unwrap(), "{}");
        for text in ["", " ", "{", "[]", "{\"a\":]}", "{\"a", "text"] {
            assert_eq!(without(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn of_any_object_the_others_are_left(members in vec(("r?\\PC{0,3}", vec("\\PC{0,3}", 0..3)), 0..6)) {
            let mut object: serde_json::Map<String, Value> =
                members.into_iter().map(|(key, values)| (key, values.into())).collect();
            let text = Value::Object(object.clone()).to_string();
            object.retain(|key, _| !refused(key));
            let left: Value = serde_json::from_str(&without(&text, refused).unwrap()).unwrap();
            prop_assert_eq!(left, Value::Object(object));
        }

        #[test]
        fn no_text_is_too_odd(text: String, shape in "[{}\\[\\],\":r\\\\ ]*") {
            for text in [&text, &shape] {
                if let Some(kept) = without(text, refused) {
                    prop_assert!(kept.len() <= text.len());
                }
            }
        }
    }
}
