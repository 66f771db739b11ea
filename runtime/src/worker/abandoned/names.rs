//! How often spans of each name were abandoned, for the health metrics.

use std::collections::BTreeMap;

use crate::export::statsd::Tags;

/// Abandoned spans by their operation name. Invariant: memory is bounded, and the sum is that of all that were added.
#[derive(Debug, Default)]
pub(crate) struct AbandonedNames {
    /// By the name as a tag has it: names that are one tag are one metric.
    named: BTreeMap<Tags, u64>,
    /// Those of further names, and of none.
    others: u64,
}

/// Names that are told apart in the life of a tracer: each one with each service is a series that somebody pays for, and a name may hold an id.
const MAX_NAMES: usize = 100;

impl AbandonedNames {
    /// Counts a span.
    pub(crate) fn add(&mut self, name: &str) {
        let tag = Tags::none().with("name", name);
        let is_counted_by_name = self.named.len() < MAX_NAMES || self.named.contains_key(&tag);
        let count = if is_counted_by_name && tag != Tags::none() {
            self.named.entry(tag).or_default()
        } else {
            &mut self.others
        };
        *count += 1;
    }

    /// How many there were, by the tag `name`; without one those that are not told apart.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Tags, u64)> {
        let named = self.named.iter().map(|(tag, count)| (tag.clone(), *count));
        named.chain([(Tags::none(), self.others)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(names: impl IntoIterator<Item = String>) -> Vec<(String, u64)> {
        let mut counted = AbandonedNames::default();
        names.into_iter().for_each(|name| counted.add(&name));
        counted.counts().map(|(tags, count)| (tags.as_str().to_owned(), count)).collect()
    }

    #[test]
    fn names_beyond_the_limit_are_one_and_known_ones_go_on() {
        for (names, others) in [(99, 0), (100, 0), (101, 1), (5_000, 4_900)] {
            let all = || (0..names).map(|number| format!("name {number:04}"));
            let counts = counted(all().chain(all()));
            assert_eq!(counts.len(), names.min(100) + 1);
            let (last, named) = counts.split_last().unwrap();
            assert_eq!(last, &(String::new(), 2 * others), "{names}");
            assert!(named.iter().all(|(_, count)| *count == 2), "{named:?}");
            assert_eq!(named[0].0, "name:name_0000");
        }
    }

    /// As two of them, each would be told by the other's difference.
    #[test]
    fn names_that_are_one_tag_are_one() {
        let long = |end| format!("{}{end}", "x".repeat(200));
        let counts = counted(["a b".into(), "a|b".into(), String::new(), long("1"), long("2")]);
        let expected = [("name:a_b".to_owned(), 2), (format!("name:{}", long("")), 2), (String::new(), 1)];
        assert_eq!(counts, expected);
    }
}
