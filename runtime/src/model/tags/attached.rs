//! What a span has besides tags, in the same log: links, events, structured values, and how much of all was left out.

use std::collections::HashSet;

use super::{HEADER, MAX_KEY, MAX_STRUCT, TagLog, cut};
use crate::model::entry::{BIN_HEADER, Entry, EntryKind};
use crate::model::event::{EventView, SpanEvent};
use crate::model::left_out::LeftOut;
use crate::model::link::{LinkView, SpanLink};
use crate::model::msgpack::{push_str, str_len};

impl TagLog {
    /// Appends a link and gives the span's new anchor.
    pub(crate) fn link(&mut self, anchor: u32, link: &SpanLink) -> u32 {
        self.bytes(anchor, EntryKind::Link, &link.to_bytes())
    }

    /// The links of one span, the first one first.
    pub(crate) fn links(&self, anchor: u32) -> Vec<LinkView<'_>> {
        let links = self.entries(anchor).filter(|entry| entry.kind == EntryKind::Link);
        let mut links: Vec<_> = links.filter_map(|entry| LinkView::from_bytes(entry.payload)).collect();
        links.reverse();
        links
    }

    /// Appends an event that is added at `ticks`, and gives the span's new anchor.
    pub(crate) fn event(&mut self, anchor: u32, event: &SpanEvent, ticks: u64) -> u32 {
        self.bytes(anchor, EntryKind::Event, &event.to_bytes(ticks))
    }

    /// The events of one span, the first one first.
    pub(crate) fn events(&self, anchor: u32) -> Vec<EventView<'_>> {
        let events = self.entries(anchor).filter(|entry| entry.kind == EntryKind::Event);
        let mut events: Vec<_> = events.filter_map(|entry| EventView::from_bytes(entry.payload)).collect();
        events.reverse();
        events
    }

    /// Appends a structured value, MessagePack itself, and gives the span's new anchor. Larger ones than [`MAX_STRUCT`] are left out.
    pub(crate) fn structure(&mut self, anchor: u32, key: &str, value: &[u8]) -> u32 {
        if value.len() > MAX_STRUCT {
            return anchor;
        }
        let mut pair = Vec::with_capacity(str_len(key) + BIN_HEADER + value.len());
        push_str(&mut pair, cut(key, MAX_KEY));
        pair.push(0xc6);
        pair.extend_from_slice(&(value.len() as u32).to_be_bytes());
        pair.extend_from_slice(value);
        self.bytes(anchor, EntryKind::Struct, &pair)
    }

    /// The structured values of one span, the latest of each key unless it was taken back.
    pub(crate) fn structures(&self, anchor: u32) -> Vec<Entry<'_>> {
        let mut seen = HashSet::new();
        let about = |kind| matches!(kind, EntryKind::Struct | EntryKind::Unset);
        let latest = self.entries(anchor).filter(|entry| about(entry.kind) && seen.insert(entry.key_bytes()));
        latest.filter(|entry| entry.kind == EntryKind::Struct).collect()
    }

    /// Counts links and events that a span has too much of, and gives its new anchor. The count is one entry, or few where tags come
    /// between: only the latest entries are looked at.
    pub(crate) fn left_out(&mut self, anchor: u32, more: LeftOut) -> u32 {
        let mut place = anchor;
        for _ in 0..32 {
            let Some((entry, previous)) = self.at(place) else { break };
            if entry.kind == EntryKind::LeftOut {
                let sum = LeftOut::from_bytes(entry.payload) + more;
                let from = place as usize - 1 + HEADER;
                if let Some(into) = self.bytes.get_mut(from..from + LeftOut::LEN) {
                    into.copy_from_slice(&sum.to_bytes());
                }
                return anchor;
            }
            place = previous;
        }
        self.bytes(anchor, EntryKind::LeftOut, &more.to_bytes())
    }

    /// Links and events that a span had too much of.
    pub(crate) fn all_left_out(&self, anchor: u32) -> LeftOut {
        let counts = self.entries(anchor).filter(|entry| entry.kind == EntryKind::LeftOut);
        counts
            .map(|entry| LeftOut::from_bytes(entry.payload))
            .fold(LeftOut::default(), |sum, count| sum + count)
    }
}
