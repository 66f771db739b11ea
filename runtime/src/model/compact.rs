//! The log of one span without what later entries replaced: a span that is given tags in a loop holds no more than it can send.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use super::entry::{Entry, EntryKind};
use super::tags::TagLog;

/// Tags of its own that a span may have.
pub(crate) const MAX_TAGS: usize = 1_000;
/// Bytes that these may take.
pub(crate) const MAX_TAG_BYTES: usize = 1 << 20;
/// From so many bytes of memory on it is worth looking what a span holds.
pub(crate) const COMPACT_FROM: usize = 2 * MAX_TAG_BYTES;

impl TagLog {
    /// The chain of a span in a log of its own, and its anchor there. Entries stand in the order in which their keys were first set, the latest of each
    /// alone; of too many tags those stay whose keys came first, as when they are sent, and the number of the others is given.
    pub(crate) fn compacted(&self, anchor: u32) -> (Self, u32, u32) {
        let mut own = self.alike();
        let (mut anchor_here, mut left_out) = (0, 0);
        let (mut tags, mut bytes, mut unset) = (0, 0, 0);
        for entry in self.latest_by_first_place(anchor) {
            let (is_tag, len) =
                (matches!(entry.kind, EntryKind::Meta | EntryKind::Metric), entry.payload.len());
            if is_tag && (tags == MAX_TAGS || bytes + len > MAX_TAG_BYTES) {
                left_out += 1;
                continue;
            }
            let is_unset = entry.kind == EntryKind::Unset;
            // Each takes something back that the site or the tracer has, and nobody has so much.
            if is_unset && unset == MAX_TAGS {
                continue;
            }
            tags += usize::from(is_tag);
            bytes += if is_tag { len } else { 0 };
            unset += usize::from(is_unset);
            anchor_here = own.copied(anchor_here, entry);
        }
        (own, anchor_here, left_out)
    }

    fn latest_by_first_place(&self, anchor: u32) -> Vec<Entry<'_>> {
        let mut places = HashMap::new();
        let mut kept: Vec<(usize, Entry<'_>)> = Vec::new();
        let mut first_name = None;
        // The latest entry is met first.
        for (place, entry) in self.entries(anchor).enumerate() {
            if entry.kind.is_one_of_many() {
                kept.push((place, entry));
                continue;
            }
            match places.entry(entry.identity()) {
                Place::Vacant(vacant) => {
                    vacant.insert(kept.len());
                    kept.push((place, entry));
                }
                // A span may go back to the name that it began with.
                Place::Occupied(_) if entry.kind == EntryKind::Name => first_name = Some((place, entry)),
                Place::Occupied(known) => {
                    if let Some((first, _)) = kept.get_mut(*known.get()) {
                        *first = place;
                    }
                }
            }
        }
        kept.extend(first_name);
        kept.sort_by_key(|(place, _)| Reverse(*place));
        kept.into_iter().map(|(_, entry)| entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LeftOut, SpanLink};

    fn shown(log: &TagLog, anchor: u32) -> Vec<String> {
        let mut entries: Vec<_> = log
            .entries(anchor)
            .map(|entry| match entry.kind {
                EntryKind::Meta => format!("{}={}", entry.key(), entry.text().unwrap()),
                EntryKind::Metric => format!("{}={}", entry.key(), entry.number().unwrap()),
                kind => format!("{kind:?}"),
            })
            .collect();
        entries.reverse();
        entries
    }

    #[test]
    fn latest_entries_stay_where_their_keys_came_first() {
        let mut log = TagLog::new();
        let mut at = log.field(0, EntryKind::Name, "began");
        at = log.meta(at, "a", "1");
        at = log.metric(at, "b", 1.0);
        log.meta(0, "of another span", "x");
        at = log.link(at, &SpanLink::new(1, 2));
        at = log.field(at, EntryKind::Name, "between");
        at = log.link(at, &SpanLink::new(3, 4));
        at = log.metric(at, "a", 2.0);
        at = log.unset(at, "c");
        at = log.structure(at, "a", b"\x80");
        at = log.meta(at, "b", "2");
        at = log.field(at, EntryKind::Name, "now");
        at = log.left_out(at, LeftOut { links: 1, ..LeftOut::default() });
        let (own, anchor, left_out) = log.compacted(at);
        let expected = ["Name", "a=2", "b=2", "Link", "Link", "Unset", "Struct", "Name", "LeftOut"];
        assert_eq!((shown(&own, anchor), left_out), (expected.map(str::to_owned).to_vec(), 0));
        let names: Vec<&str> =
            own.entries(anchor).filter(|e| e.kind == EntryKind::Name).map(|e| e.field()).collect();
        assert_eq!(names, ["now", "began"]);
        assert_eq!(own.all_left_out(anchor).links, 1);
        let (again, anchor, _) = own.compacted(anchor);
        assert_eq!((again.len(), shown(&again, anchor).len()), (own.len(), 9), "nothing is left to be done");
        assert_eq!(TagLog::new().compacted(0).1, 0);
    }

    #[test]
    fn tags_beyond_the_limits_are_counted() {
        for (count, len, left_out) in [(999, 1, 0), (1_000, 1, 0), (1_001, 1, 1), (50, 25_000, 9)] {
            let (mut log, mut at) = (TagLog::new(), 0);
            for _ in 0..2 {
                for key in 0..count {
                    at = log.meta(at, &format!("{key:04}"), &"v".repeat(len));
                }
            }
            let (own, anchor, found) = log.compacted(at);
            assert_eq!(
                (found, own.entries(anchor).count() as u32),
                (left_out, count - left_out),
                "{count} {len}"
            );
            assert_eq!(own.entries(anchor).last().unwrap().key(), "0000");
        }
    }
}
