//! Which spans of a frame have baggage of their own.

use std::sync::Arc;

use crate::model::Baggage;

/// Baggage by span id: of the frame's own span, and of those records whose baggage is not their parent's. Spans without an entry
/// have what their parent has.
///
/// Nothing is taken out when a span finishes, which would cost all others; ids are met once, so that what is left over is found
/// by nobody, and goes when the next entry comes.
#[derive(Debug, Default)]
pub(crate) struct FrameBaggage {
    entries: Vec<(u64, Arc<Baggage>)>,
}

impl FrameBaggage {
    pub(crate) fn of(&self, span_id: u64) -> Option<&Arc<Baggage>> {
        self.entries.iter().rev().find_map(|(id, baggage)| (*id == span_id).then_some(baggage))
    }

    pub(crate) fn set(&mut self, span_id: u64, baggage: Arc<Baggage>) {
        match self.entries.iter_mut().find(|(id, _)| *id == span_id) {
            Some((_, old)) => *old = baggage,
            None => self.entries.push((span_id, baggage)),
        }
    }

    /// Drops the entries of spans that are over.
    pub(crate) fn retain(&mut self, is_open: impl Fn(u64) -> bool) {
        self.entries.retain(|(id, _)| is_open(*id));
    }
}
