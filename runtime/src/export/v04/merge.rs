//! Tags of a span in which keys may occur twice: sorted by key, one of each kept.

use super::block::{Pair, key_of};
use super::fields::metrics_header;
use super::room::{Full, Room};
use super::tags::{Blocks, Written};
use crate::model::{Entry, EntryKind};

/// Writes `meta` behind its header, and `metrics` if there are any; each key once over both.
///
/// The chunk's tags win over the span's own, of which the latest wins; the tracer's come last. A tag taken back hides the
/// tracer's as well.
#[cold]
#[inline(never)]
pub(super) fn tags<'a>(
    mut room: Room<'_>,
    entries: impl Iterator<Item = Entry<'a>>,
    blocks: &Blocks<'_>,
) -> Result<Written, Full> {
    let all = room.len();
    let mut pairs: Vec<(Option<Pair<'_>>, &[u8])> = Vec::new();
    let with_key = |pair: Pair<'a>| (Some(pair), key_of(pair.bytes));
    pairs.extend(blocks.given.pairs().map(|pair| (Some(pair), key_of(pair.bytes))));
    pairs.extend(entries.filter_map(|entry| {
        let bytes = entry.payload;
        match entry.kind {
            EntryKind::Meta => Some(with_key(Pair { bytes, is_number: false })),
            EntryKind::Metric => Some(with_key(Pair { bytes, is_number: true })),
            EntryKind::Unset => Some((None, key_of(bytes))),
            _ => None,
        }
    }));
    pairs.extend(blocks.constants.pairs().map(|pair| (Some(pair), key_of(pair.bytes))));
    // Stable: of equal keys the first, which is the strongest, stays first.
    pairs.sort_by_key(|(_, key)| *key);
    pairs.dedup_by_key(|(_, key)| *key);
    let (metas, numbers): (Vec<Pair<'_>>, Vec<Pair<'_>>) =
        pairs.into_iter().filter_map(|(pair, _)| pair).partition(|pair| !pair.is_number);
    let metas = put_all(&mut room, &metas)?;
    if !numbers.is_empty() {
        room.put(&metrics_header(numbers.len().min(MOST) as u16))?;
    }
    let numbers = put_all(&mut room, &numbers)?;
    Ok(Written { metas, numbers, len: all - room.len() })
}

/// The number of pairs is written in 16 bits.
const MOST: usize = u16::MAX as usize;

fn put_all(room: &mut Room<'_>, pairs: &[Pair<'_>]) -> Result<u16, Full> {
    let pairs = pairs.get(..MOST).unwrap_or(pairs);
    for pair in pairs {
        room.put(pair.bytes)?;
    }
    Ok(pairs.len() as u16)
}
