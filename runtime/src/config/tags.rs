//! The grammar of `DD_TAGS`.
//!
//! Source: the public description of `DD_TAGS` and `internal/utils.go` (`ParseTagString`) of DataDog/dd-trace-go.

use std::collections::HashMap;

/// The tags a text names, each key once with its last value.
///
/// A text with any comma is split at commas, any other at spaces; each item at its first colon. An item without a colon is
/// a key with an empty value, one without a key is left out. Takes linear time.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let separator = if text.contains(',') { ',' } else { ' ' };
    let mut tags: Vec<(String, String)> = Vec::new();
    let mut places = HashMap::new();
    for item in text.split(separator) {
        let (key, value) = item.split_once(':').unwrap_or((item, ""));
        let key = key.trim();
        if key.is_empty() {
            continue;
        }
        let value = value.trim().to_owned();
        let place = *places.entry(key).or_insert(tags.len());
        match tags.get_mut(place) {
            Some((_, old)) => *old = value,
            None => tags.push((key.to_owned(), value)),
        }
    }
    tags
}

/// Adds a tag, or gives its key the new value.
pub(super) fn set(tags: &mut Vec<(String, String)>, key: String, value: String) {
    match tags.iter_mut().find(|(found, _)| *found == key) {
        Some((_, old)) => *old = value,
        None => tags.push((key, value)),
    }
}

/// Takes a tag out. A present but empty one counts as absent.
pub(super) fn take(tags: &mut Vec<(String, String)>, key: &str) -> Option<String> {
    let position = tags.iter().position(|(found, _)| found == key)?;
    let (_, value) = tags.remove(position);
    if value.is_empty() { None } else { Some(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grammar_gives_the_known_results() {
        let cases: [(&str, &[(&str, &str)]); 11] = [
            ("team:core,tier:1", &[("team", "core"), ("tier", "1")]),
            ("team:core tier:1", &[("team", "core"), ("tier", "1")]),
            ("team:core,zone:eu west:2 x:", &[("team", "core"), ("zone", "eu west:2 x:")]),
            ("team:core zone:eu x:", &[("team", "core"), ("zone", "eu"), ("x", "")]),
            (
                "team:core    zone :eu  k: v  x:",
                &[("team", "core"), ("zone", ""), ("k", ""), ("v", ""), ("x", "")],
            ),
            ("team :core, zone : eu", &[("team", "core"), ("zone", "eu")]),
            ("url:http://h:8080/p flag", &[("url", "http://h:8080/p"), ("flag", "")]),
            ("a:b:  , ,  C:d:e ", &[("a", "b:"), ("C", "d:e")]),
            ("p:q,r,s", &[("p", "q"), ("r", ""), ("s", "")]),
            ("n,7", &[("n", ""), ("7", "")]),
            ("a:1,a:2", &[("a", "2")]),
        ];
        for (text, expected) in cases {
            let tags = parse(text);
            let found: Vec<(&str, &str)> =
                tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert!(parse("").is_empty() && parse(" , :x,").is_empty());
    }

    #[test]
    fn many_tags_are_all_kept_each_key_once() {
        let text: Vec<String> = (0..100_000).map(|at| format!("key{}:{at}", at % 50_000)).collect();
        let tags = parse(&text.join(","));
        let is_last = |(at, (key, value)): (usize, &(String, String))| {
            *key == format!("key{at}") && *value == (at + 50_000).to_string()
        };
        assert!(tags.len() == 50_000 && tags.iter().enumerate().all(is_last));
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text: String) {
            let tags = parse(&text);
            prop_assert!(tags.iter().all(|(key, value)| !key.is_empty() && key.trim() == key && value.trim() == value));
        }
    }
}
