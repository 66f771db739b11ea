//! Tags of a span in which keys may occur twice: sorted by key, one of each kept.

use super::block::{Pair, key_of};
use super::fields::metrics_header;
use super::room::{Full, Room};
use super::tags::{Blocks, Written};
use crate::model::{Entry, EntryKind, MAX_TAG_BYTES, MAX_TAGS};

/// A pair, `None` where it was taken back, and its key.
type Keyed<'a> = (Option<Pair<'a>>, &'a [u8]);

/// Writes `meta` behind its header, and `metrics` if there are any; each key once over both.
///
/// The chunk's tags win over the span's own, of which the latest wins; the tracer's come last. A tag taken back hides the
/// tracer's as well. Of too many own tags those stay whose keys came first.
#[cold]
#[inline(never)]
pub(super) fn tags<'a>(
    mut room: Room<'_>,
    entries: impl Iterator<Item = Entry<'a>>,
    blocks: &Blocks<'_>,
) -> Result<Written, Full> {
    let all = room.len();
    let (own, left_out) = own_tags(entries, blocks);
    let mut pairs: Vec<Keyed<'_>> = Vec::new();
    pairs.extend(blocks.given.pairs().map(|pair| (Some(pair), key_of(pair.bytes))));
    pairs.extend(own);
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
    Ok(Written { metas, numbers, len: all - room.len(), left_out })
}

/// The latest tag of each key, `None` for one that was taken back, as far as there may be so many; and how many are left out.
fn own_tags<'a>(entries: impl Iterator<Item = Entry<'a>>, blocks: &Blocks<'_>) -> (Vec<Keyed<'a>>, u32) {
    let tag = |entry: Entry<'a>| {
        let bytes = entry.payload;
        match entry.kind {
            EntryKind::Meta => Some(Some(Pair { bytes, is_number: false })),
            EntryKind::Metric => Some(Some(Pair { bytes, is_number: true })),
            EntryKind::Unset => Some(None),
            _ => None,
        }
        .map(|pair| (pair, key_of(bytes)))
    };
    let mut tags: Vec<(usize, Keyed<'_>)> = entries.filter_map(tag).enumerate().collect();
    // Stable: of equal keys the latest stays first.
    tags.sort_by_key(|(_, (_, key))| *key);
    tags.dedup_by(|(earlier, (_, key)), (latest, (_, kept))| {
        let is_same = key == kept;
        if is_same {
            // The place of a tag is that of its key's first entry.
            *latest = *earlier;
        }
        is_same
    });
    tags.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let (mut count, mut bytes, mut left_out) = (0, 0, 0);
    let mut kept = Vec::with_capacity(tags.len().min(MAX_TAGS));
    for (_, tag) in tags {
        // What the chunk gives is not the span's own.
        if let (Some(pair), key) = tag {
            if blocks.given.has(key) {
                continue;
            }
            if count == MAX_TAGS || bytes + pair.bytes.len() > MAX_TAG_BYTES {
                left_out += 1;
                continue;
            }
            count += 1;
            bytes += pair.bytes.len();
        }
        kept.push(tag);
    }
    (kept, left_out)
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
