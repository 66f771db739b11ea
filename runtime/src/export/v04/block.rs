//! Tags encoded once and copied into many spans, and the filter that notices a key met twice.

use rmp::encode::{write_f64, write_str};

pub(super) use crate::model::{packed_len as str_len, packed_text as text_of};

/// Pairs of key and value as MessagePack, string tags apart from numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct TagBlock {
    pub(super) meta: Vec<u8>,
    pub(super) metas: u16,
    pub(super) metrics: Vec<u8>,
    pub(super) numbers: u16,
    pub(super) keys: KeySet,
}

impl TagBlock {
    /// Adds a string tag under a key that the block does not have yet.
    pub(super) fn meta(&mut self, key: &str, value: &str) {
        let from = self.meta.len();
        put_str(&mut self.meta, key);
        self.keys.insert(KeyHash::new(self.meta.get(from..).unwrap_or_default()));
        put_str(&mut self.meta, value);
        self.metas += 1;
    }

    /// Adds a number tag under a key that the block does not have yet.
    pub(super) fn metric(&mut self, key: &str, value: f64) {
        let from = self.metrics.len();
        put_str(&mut self.metrics, key);
        self.keys.insert(KeyHash::new(self.metrics.get(from..).unwrap_or_default()));
        // Writing to memory does not fail.
        let _ = write_f64(&mut self.metrics, value);
        self.numbers += 1;
    }

    /// Adds a pair whose key the block does not have yet.
    pub(super) fn add(&mut self, pair: Pair<'_>) {
        self.keys.insert(KeyHash::new(key_of(pair.bytes)));
        if pair.is_number {
            self.metrics.extend_from_slice(pair.bytes);
            self.numbers += 1;
        } else {
            self.meta.extend_from_slice(pair.bytes);
            self.metas += 1;
        }
    }

    /// Takes over the content of `other`, keeping the memory.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.meta.clone_from(&other.meta);
        self.metrics.clone_from(&other.metrics);
        (self.metas, self.numbers, self.keys) = (other.metas, other.numbers, other.keys);
    }

    /// Whether a key is in both blocks.
    pub(super) fn shares_key(&self, other: &Self) -> bool {
        self.keys.may_share(&other.keys) && self.pairs().any(|pair| other.has(key_of(pair.bytes)))
    }

    /// Whether the key, as MessagePack, is in the block.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.pairs().any(|pair| key_of(pair.bytes) == key)
    }

    /// All pairs, string tags first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        pairs(&self.meta, false).chain(pairs(&self.metrics, true))
    }
}

/// One key with its value, as MessagePack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_number: bool,
}

fn pairs(mut bytes: &[u8], is_number: bool) -> impl Iterator<Item = Pair<'_>> {
    std::iter::from_fn(move || {
        let key = str_len(bytes);
        let len = key + if is_number { 9 } else { str_len(bytes.get(key..)?) };
        let (pair, rest) = bytes.split_at_checked(len).filter(|_| key > 0)?;
        bytes = rest;
        Some(Pair { bytes: pair, is_number })
    })
}

/// A set of keys of which membership is known but for false alarms: a bit in one of four words for each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySet([u64; 4]);

impl KeySet {
    fn insert(&mut self, key: KeyHash) {
        self.0[(key.0 >> 62) as usize] |= key.bit();
    }

    fn may_share(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(ours, theirs)| ours & theirs != 0)
    }

    /// The bits of the keys that share a word with this one.
    #[inline]
    pub(super) const fn word(&self, key: KeyHash) -> u64 {
        self.0[(key.0 >> 62) as usize]
    }
}

/// Where a key is in a [`KeySet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyHash(u64);

impl KeyHash {
    /// Of up to eight bytes at both ends of a key; the first of them says how long it is.
    #[inline]
    pub(super) fn new(key: &[u8]) -> Self {
        let word = if let (Some(first), Some(last)) = (key.first_chunk::<8>(), key.last_chunk::<8>()) {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
        } else if let (Some(first), Some(last)) = (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        } else {
            key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
        };
        Self(word.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The key's bit in its word.
    #[inline]
    pub(super) const fn bit(self) -> u64 {
        1 << (self.0 >> 56 & 63)
    }
}

/// The key of a pair, header included.
#[inline]
pub(super) fn key_of(pair: &[u8]) -> &[u8] {
    pair.get(..str_len(pair)).unwrap_or_default()
}

/// Appends a MessagePack string of at most 65 535 bytes, longer ones cut at a character.
pub(super) fn put_str(out: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Writing to memory does not fail.
    let _ = write_str(out, text.get(..end).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_written() {
        let mut block = TagBlock::default();
        block.meta("env", &"v".repeat(300));
        block.meta("team", "cart");
        block.metric("process_id", 7.0);
        let sizes: Vec<_> = block.pairs().map(|pair| (pair.bytes.len(), pair.is_number)).collect();
        assert_eq!(sizes, [(4 + 303, false), (5 + 5, false), (11 + 9, true)]);
        assert!(block.has(b"\xa4team") && !block.has(b"\xa4tean") && !block.has(b"\xa3dev"));
    }

    #[test]
    fn broken_bytes_end_the_reading() {
        assert_eq!(pairs(&[0xa3, b'k'], false).count(), 0);
        assert_eq!(pairs(&[0xc1, 0xc1], true).count(), 0);
        assert_eq!((str_len(&[]), key_of(&[0xd9]), text_of(&[])), (0, &[][..], &[][..]));
    }

    #[test]
    fn text_longer_than_its_header_can_say_is_cut_at_a_character() {
        let mut out = Vec::new();
        put_str(&mut out, &"é".repeat(40_000));
        assert_eq!((out.len(), str_len(&out)), (3 + 65_534, 3 + 65_534));
    }
}
