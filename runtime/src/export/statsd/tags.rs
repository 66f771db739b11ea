//! Tags of metrics, as they are written.

use std::fmt::Write;

/// Tags in the form `key:value,key:value`. No value ends its tag, the tags or the line, whatever it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tags(String);

/// Bytes of a value. Datadog keeps 200 characters of a tag; so many of each of ours leave room in a datagram.
const MAX_BYTES: usize = 200;

impl Tags {
    /// None.
    pub(crate) const fn none() -> Self {
        Self(String::new())
    }

    /// The same with one more. Whatever has a meaning in a datagram becomes `_`, and so do blanks and control characters; what is longer
    /// than 200 bytes is cut between characters. An empty value is no tag.
    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            let separator = if self.0.is_empty() { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(self.0, "{separator}{key}:");
            let end = self.0.len() + MAX_BYTES;
            for character in value.chars().map(harmless) {
                if self.0.len() + character.len_utf8() > end {
                    break;
                }
                self.0.push(character);
            }
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn harmless(character: char) -> char {
    let has_meaning = matches!(character, '|' | '#' | ',' | '@' | '\u{fffd}');
    if has_meaning || character.is_whitespace() || character.is_control() { '_' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_separated_and_harmless() {
        let tags =
            Tags::none().with("service", "a|b#c,d\ne:f").with("env", "").with("version", "1.2 é\u{1b}");
        assert_eq!(tags.as_str(), "service:a_b_c_d_e:f,version:1.2_é_");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let kept = |value: &str| Tags::none().with("k", value).as_str().len() - "k:".len();
        assert_eq!([199, 200, 201].map(|len| kept(&"x".repeat(len))), [199, 200, 200]);
        assert_eq!(kept(&format!("x{}", "é".repeat(100))), 199);
    }
}
