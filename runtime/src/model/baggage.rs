//! Baggage: what a user sends along with a trace, to be read by every service on its way.

use std::ops::Range;

use once_cell::race::OnceBox;

/// Keys with values, in the order in which they were first set. Shared between a span and its children, and never changed then:
/// whoever changes it makes one of its own.
///
/// ```text
/// | length of key: u32 | length of value: u32 | key | value | ...
/// ```
#[derive(Default)]
pub(crate) struct Baggage {
    /// All items, in one allocation.
    bytes: Vec<u8>,
    /// The value of the header, written at the first call that carries it.
    header: OnceBox<String>,
}

/// Bytes before each key.
const LENGTHS: usize = 8;

impl Baggage {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Makes room for an item or two of so many bytes together.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes.saturating_add(2 * LENGTHS));
    }

    /// Key and value of each item.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (lengths, after) = rest.split_first_chunk::<LENGTHS>()?;
            let lengths = u64::from_le_bytes(*lengths);
            let (key, after) = after.split_at_checked(lengths as u32 as usize)?;
            let (value, after) = after.split_at_checked((lengths >> 32) as usize)?;
            rest = after;
            Some((std::str::from_utf8(key).ok()?, std::str::from_utf8(value).ok()?))
        })
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find_map(|(found, value)| (found == key).then_some(value))
    }

    /// Adds an item at the end, or replaces the value where the key is there. A key without a character is no key.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        if key.is_empty() {
            return;
        }
        self.header = OnceBox::new();
        let Some(old) = self.place_of(key) else { return self.push(key, value) };
        let Some(lengths) = lengths_of(key, value) else { return };
        // In place: a header may name one key as often as it likes.
        let item = lengths.into_iter().chain(key.bytes()).chain(value.bytes());
        self.bytes.splice(old, item);
    }

    /// Takes an item out; false where there was none.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        let Some(item) = self.place_of(key) else { return false };
        self.header = OnceBox::new();
        self.bytes.drain(item);
        true
    }

    /// The bytes of the item under a key.
    fn place_of(&self, key: &str) -> Option<Range<usize>> {
        let mut start = 0;
        for (found, value) in self.iter() {
            let end = start + LENGTHS + found.len() + value.len();
            if found == key {
                return Some(start..end);
            }
            start = end;
        }
        None
    }

    /// The value of the header, which `write` makes once.
    pub(crate) fn header(&self, write: impl FnOnce(&Self) -> String) -> &str {
        self.header.get_or_init(|| Box::new(write(self)))
    }

    /// Adds an item at the end; one that is longer than a length can say is left out.
    fn push(&mut self, key: &str, value: &str) {
        let Some(lengths) = lengths_of(key, value) else { return };
        self.bytes.reserve(LENGTHS + key.len() + value.len());
        self.bytes.extend_from_slice(&lengths);
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
    }
}

/// What stands before the key of an item; none where a length says too little.
fn lengths_of(key: &str, value: &str) -> Option<[u8; LENGTHS]> {
    let (key, value) = (u32::try_from(key.len()).ok()?, u32::try_from(value.len()).ok()?);
    Some((u64::from(value) << 32 | u64::from(key)).to_le_bytes())
}

impl Clone for Baggage {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), header: OnceBox::new() }
    }
}

impl PartialEq for Baggage {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl std::fmt::Debug for Baggage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(baggage: &Baggage) -> Vec<(&str, &str)> {
        baggage.iter().collect()
    }

    #[test]
    fn items_keep_the_order_of_their_first_setting() {
        let mut baggage = Baggage::default();
        for (key, value) in [("b", "1"), ("a", "2"), ("c", ""), ("b", "long"), ("", "no key")] {
            baggage.set(key, value);
        }
        assert_eq!(items(&baggage), [("b", "long"), ("a", "2"), ("c", "")]);
        assert!(baggage.remove("a") && !baggage.remove("a"));
        baggage.set("a", "3");
        assert_eq!(items(&baggage), [("b", "long"), ("c", ""), ("a", "3")]);
        assert_eq!((baggage.get("c"), baggage.get("C")), (Some(""), None));
    }

    #[test]
    fn header_is_that_of_the_present_items() {
        let keys = |baggage: &Baggage| baggage.iter().map(|(key, _)| key).collect::<String>();
        let mut baggage = Baggage::default();
        baggage.set("a", "1");
        assert_eq!((baggage.header(keys), baggage.header(|_| String::new())), ("a", "a"));
        let mut other = baggage.clone();
        other.set("b", "1");
        assert_eq!((baggage.header(keys), other.header(keys)), ("a", "ab"));
        other.remove("a");
        assert_eq!(other.header(keys), "b");
    }

    proptest! {
        #[test]
        fn it_is_an_ordered_map(acts in prop::collection::vec(("[a-cé]{1,2}", prop::option::of(".{0,4}")), 0..30)) {
            let mut model: Vec<(String, String)> = Vec::new();
            let mut baggage = Baggage::default();
            for (key, value) in acts {
                let at = model.iter().position(|(found, _)| *found == key);
                match (at, value) {
                    (Some(at), Some(value)) => model[at].1 = value,
                    (None, Some(value)) => model.push((key.clone(), value)),
                    (at, None) => _ = at.map(|at| model.remove(at)),
                }
                match model.iter().find(|(found, _)| *found == key) {
                    Some((_, value)) => baggage.set(&key, value),
                    None => _ = baggage.remove(&key),
                }
                let expected: Vec<(&str, &str)> = model.iter().map(|(key, value)| (&**key, &**value)).collect();
                prop_assert_eq!(items(&baggage), expected);
            }
        }
    }
}
