//! Percent-encoding of UTF-8, as the header `baggage` has it.
//!
//! Source: <https://www.w3.org/TR/baggage/#value>; the characters that stay as they are, `ddtrace/propagation/http.py` of
//! DataDog/dd-trace-py.

use std::borrow::Cow;

/// The characters that are written as they are, beside ASCII letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Safe(u128);

impl Safe {
    pub(super) const KEY: Self = Self::of(b"!#$&'*+-.^_`|~");
    pub(super) const VALUE: Self = Self::of(b"!#$&'()*+-./:<>?@[]^_`{|}~");

    const fn of(mut characters: &[u8]) -> Self {
        let mut set = 0;
        while let [first, rest @ ..] = characters {
            set |= 1 << *first;
            characters = rest;
        }
        Self(set)
    }

    const fn contains(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte.is_ascii() && self.0 & 1_u128.wrapping_shl(byte as u32) != 0
    }
}

/// Bytes that `text` takes when it is encoded.
pub(super) fn encoded_len(text: &str, safe: Safe) -> usize {
    let extra = text.bytes().filter(|byte| !safe.contains(*byte)).count();
    text.len().saturating_add(extra.saturating_mul(2))
}

/// Adds `text`, with each byte that is not safe as `%` and two uppercase digits.
pub(super) fn encode(text: &str, safe: Safe, out: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 0xf)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if safe.contains(byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
}

/// The text that was encoded. A `%` without two digits behind it stands for itself, and what is not UTF-8 becomes U+FFFD.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if let (b'%', Some((digits, after))) = (first, after.split_first_chunk::<2>()) {
            if let [Some(high), Some(low)] = digits.map(|digit| char::from(digit).to_digit(16)) {
                bytes.push((high << 4 | low) as u8);
                rest = after;
                continue;
            }
        }
        bytes.push(*first);
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str, safe: Safe) -> String {
        let mut out = String::new();
        encode(text, safe, &mut out);
        assert_eq!(out.len(), encoded_len(text, safe));
        out
    }

    #[test]
    fn vectors() {
        assert_eq!(encoded(r#"a b@(x)=[1];"q""#, Safe::KEY), "a%20b%40%28x%29%3D%5B1%5D%3B%22q%22");
        assert_eq!(encoded(r#"x;y, "z" é\"#, Safe::VALUE), "x%3By%2C%20%22z%22%20%C3%A9%5C");
        assert_eq!(
            (encoded("Zoë", Safe::VALUE), encoded("two words", Safe::VALUE)),
            ("Zo%C3%AB".into(), "two%20words".into())
        );
        assert_eq!((encoded("%41", Safe::VALUE), encoded("=", Safe::VALUE)), ("%2541".into(), "%3D".into()));
    }

    #[test]
    fn other_characters_stay_as_they_are() {
        for (safe, kept) in [(Safe::KEY, "!#$&'*+-.^_`|~"), (Safe::VALUE, "!#$&'()*+-./:<>?@[]^_`{|}~")] {
            for byte in 0..128_u8 {
                let character = char::from(byte);
                let is_kept = character.is_ascii_alphanumeric() || kept.contains(character);
                assert_eq!(encoded(&character.to_string(), safe).len() == 1, is_kept, "{character:?}");
            }
        }
    }

    #[test]
    fn plus_is_no_space_and_half_a_sequence_stands_for_itself() {
        for (text, expected) in [
            ("a+b", "a+b"),
            ("%", "%"),
            ("%4", "%4"),
            ("%4g%41", "%4gA"),
            ("%c3%A9", "é"),
            ("%ff!", "\u{fffd}!"),
            ("%%41", "%A"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text: String) {
            for safe in [Safe::KEY, Safe::VALUE] {
                let wire = encoded(&text, safe);
                prop_assert!(wire.bytes().all(|byte| byte.is_ascii_graphic() && !b",;=\"\\".contains(&byte)));
                prop_assert_eq!(decoded(&wire), text.as_str());
            }
        }

        #[test]
        fn anything_is_decoded(text in "[%0-9a-gé]{0,20}") {
            prop_assert!(decoded(&text).len() <= text.len().saturating_mul(3));
        }
    }
}
