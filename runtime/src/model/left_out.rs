//! What a span has too much of.

use std::ops::Add;

/// Links and events that are beyond the limits of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) links: u32,
    pub(crate) events: u32,
}

impl LeftOut {
    /// Bytes in a tag log.
    pub(super) const LEN: usize = 8;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        (u64::from(self.links) << 32 | u64::from(self.events)).to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let both = bytes.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self { links: (both >> 32) as u32, events: both as u32 }
    }
}

impl Add for LeftOut {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        let Self { links, events } = self;
        Self { links: links.saturating_add(more.links), events: events.saturating_add(more.events) }
    }
}
