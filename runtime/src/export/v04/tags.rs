//! A span's tags as the end of its map: those of its chunk, of the tracer and its own, copied as they are.

use super::block::{KeyHash, TagBlock, key_of, str_len};
use super::fields;
use super::room::{Full, Room};
use crate::model::{EntryKind, Record, TagLog};

/// The sources of a span's tags besides its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks<'a> {
    /// From the chunk: wins over the span's own tags.
    pub(super) given: &'a TagBlock,
    /// From the tracer: gives way to the span's own tags.
    pub(super) constants: &'a TagBlock,
}

/// How many pairs the two maps have, and how many bytes were written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) metas: u16,
    pub(super) numbers: u16,
    pub(super) len: usize,
    /// Tags of the span that were left out.
    pub(super) left_out: u32,
}

/// Why copying ended early.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    Full,
    /// Copying does not do: a key occurs twice, a tag was taken back, or there are many tags.
    Unfit,
}

impl From<Full> for Stop {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

/// From so many tags on, duplicates are found by sorting instead of comparing.
const MANY_TAGS: usize = 16;

/// Writes string tags to `room`, behind those of the tracer, and `metrics` if there are any.
#[inline]
pub(super) fn copy(
    mut room: Room<'_>,
    record: &Record,
    log: &TagLog,
    blocks: &Blocks<'_>,
) -> Result<Written, Stop> {
    let Blocks { given, constants } = *blocks;
    let all = room.len();
    room.take(constants.meta.len())?;
    if given.metas > 0 {
        room.put(&given.meta)?;
    }
    let mut seen = 0;
    let (mut metas, mut numbers) = (0, 0);
    let mut latest_number: &[u8] = &[];
    for entry in log.entries(record.tags) {
        let is_number = match entry.kind {
            EntryKind::Meta => false,
            EntryKind::Metric => true,
            EntryKind::Unset => return Err(Stop::Unfit),
            _ => continue,
        };
        let Some(key) = entry.payload.get(..str_len(entry.payload)) else { return Err(Stop::Unfit) };
        let hash = KeyHash::new(key);
        let similar = seen | given.keys.word(hash) | constants.keys.word(hash);
        if similar & hash.bit() != 0 && is_taken(key, record, log, blocks) || metas + numbers == MANY_TAGS {
            return Err(Stop::Unfit);
        }
        seen |= hash.bit();
        if !is_number {
            metas += 1;
            room.put_short(entry.payload)?;
            continue;
        }
        if numbers == 0 {
            latest_number = entry.payload;
        }
        numbers += 1;
    }
    let metas = given.metas + constants.metas + metas as u16;
    let others = given.numbers + constants.numbers;
    let all_numbers = others + numbers as u16;
    if all_numbers > 0 {
        room.put_short(&fields::metrics_header(all_numbers))?;
        if others > 0 {
            room.put(&given.metrics)?;
            room.put(&constants.metrics)?;
        }
        room.put_short(latest_number)?;
        if numbers > 1 {
            // A second look at the entries costs less than keeping the numbers aside.
            let all = log.entries(record.tags).filter(|entry| entry.kind == EntryKind::Metric);
            for entry in all.skip(1) {
                room.put_short(entry.payload)?;
            }
        }
    }
    Ok(Written { metas, numbers: all_numbers, len: all - room.len(), left_out: 0 })
}

/// Whether a key that may have been met was: in a block, or in a tag of the span later than the one it is borrowed from.
#[cold]
#[inline(never)]
fn is_taken(key: &[u8], record: &Record, log: &TagLog, blocks: &Blocks<'_>) -> bool {
    let is_tag = |kind| matches!(kind, EntryKind::Meta | EntryKind::Metric);
    let all = log.entries(record.tags).filter(|entry| is_tag(entry.kind));
    let mut later = all.take_while(|entry| entry.payload.as_ptr() != key.as_ptr());
    let Blocks { given, constants } = blocks;
    given.has(key) || constants.has(key) || later.any(|entry| key_of(entry.payload) == key)
}
