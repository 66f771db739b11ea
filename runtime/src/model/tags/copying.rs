//! From one log into another: single chains, what came later, whole logs.

use super::{MAX_JOINED, TagLog};
use crate::model::entry::{Entry, EntryKind};

impl TagLog {
    /// Copies one field entry of another log, such as the service that a child inherits.
    pub(crate) fn copy_field(&mut self, from: &TagLog, at: u32) -> u32 {
        match from.at(at) {
            Some((entry, _)) => self.copied(0, entry),
            None => 0,
        }
    }

    /// Copies the chain of a span behind this log's end, without what later entries replace, and gives its anchor here.
    pub(crate) fn copy_chain(&mut self, from: &TagLog, anchor: u32) -> u32 {
        self.copy_where(from, anchor, |_| true)
    }

    /// Like [`TagLog::copy_chain`], without the entries of one kind.
    pub(crate) fn copy_chain_but(&mut self, from: &TagLog, anchor: u32, kind: EntryKind) -> u32 {
        self.copy_where(from, anchor, |entry| entry.kind != kind)
    }

    fn copy_where(&mut self, from: &TagLog, anchor: u32, is_wanted: impl Fn(&Entry<'_>) -> bool) -> u32 {
        let mut entries: Vec<_> = from.latest(anchor).filter(|entry| is_wanted(entry)).collect();
        entries.reverse();
        entries.into_iter().fold(0, |anchor, entry| self.copied(anchor, entry))
    }

    /// Appends names, resources and tags of another log's span, from the latest one back to but without that at `before`, to the
    /// span at `anchor` here, and gives its new anchor.
    pub(crate) fn copy_later(&mut self, anchor: u32, from: &TagLog, latest: u32, before: u32) -> u32 {
        let mut entries = from.entries(latest);
        let mut later = Vec::new();
        while entries.anchor != before {
            let Some(entry) = entries.next() else { break };
            later.push(entry);
        }
        let is_copied = |entry: &Entry<'_>| {
            use EntryKind::{Meta, Metric, Name, Resource, Unset};
            matches!(entry.kind, Meta | Metric | Name | Resource | Unset)
        };
        later.into_iter().rev().filter(is_copied).fold(anchor, |anchor, entry| self.copied(anchor, entry))
    }

    /// Appends another log's bytes from `from_byte` on; anchors into them move by the result. `None` where both are too much for one
    /// log.
    pub(crate) fn append(&mut self, other: &TagLog, from_byte: usize) -> Option<i64> {
        let from = other.bytes.get(from_byte..other.used).unwrap_or_default();
        let start = self.used;
        if from.len() > MAX_JOINED.saturating_sub(start) {
            return None;
        }
        if let Some(into) = self.room(from.len()) {
            into.copy_from_slice(from);
        }
        Some(start as i64 - from_byte as i64)
    }

    /// Begins an empty log with the first `len` bytes of another one; anchors into them hold here, too.
    pub(crate) fn copy_start(&mut self, other: &TagLog, len: usize) {
        self.used = 0;
        let from = other.bytes.get(..len.min(other.used)).unwrap_or_default();
        if let Some(into) = self.room(from.len()) {
            into.copy_from_slice(from);
        }
    }
}
