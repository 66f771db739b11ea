//! Tags of a span in which keys may occur twice: sorted by key, one of each kept.

use super::block::{Pair, key_of};
use super::span::{Blocks, Counts};
use crate::model::{Entry, EntryKind};

/// Appends the string tags to `out` and the number tags to `numbers`, each key once over both.
///
/// The chunk's tags win over the span's own, of which the latest wins; the tracer's come last. A tag taken back hides the
/// tracer's as well.
pub(super) fn tags<'a>(
    out: &mut Vec<u8>,
    numbers: &mut Vec<u8>,
    entries: impl Iterator<Item = Entry<'a>>,
    blocks: &Blocks<'_>,
) -> Counts {
    let mut pairs: Vec<(Option<Pair<'_>>, &[u8])> = Vec::new();
    let with_key = |pair: Pair<'a>| (Some(pair), key_of(pair.bytes));
    for block in blocks.chunk.into_iter().chain([blocks.all]) {
        pairs.extend(block.pairs().map(|pair| (Some(pair), key_of(pair.bytes))));
    }
    pairs.extend(entries.filter_map(|entry| {
        let bytes = entry.payload;
        match entry.kind {
            EntryKind::Meta => Some(with_key(Pair { bytes, is_number: false })),
            EntryKind::Metric => Some(with_key(Pair { bytes, is_number: true })),
            EntryKind::Unset => Some((None, key_of(bytes))),
            EntryKind::Name | EntryKind::Resource | EntryKind::SpanType | EntryKind::Service => None,
        }
    }));
    pairs.extend(blocks.constants.pairs().map(|pair| (Some(pair), key_of(pair.bytes))));
    // Stable: of equal keys the first, which is the strongest, stays first.
    pairs.sort_by_key(|(_, key)| *key);
    pairs.dedup_by_key(|(_, key)| *key);
    let mut counts = Counts::default();
    for pair in pairs.into_iter().filter_map(|(pair, _)| pair) {
        let (map, count) = if pair.is_number {
            (&mut *numbers, &mut counts.numbers)
        } else {
            (&mut *out, &mut counts.metas)
        };
        // The number of pairs is written in 16 bits.
        if *count < u16::MAX {
            map.extend_from_slice(pair.bytes);
            *count += 1;
        }
    }
    counts
}
