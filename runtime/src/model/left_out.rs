//! What a span has too much of.

use std::ops::Add;

/// Links, events, attributes of both, and tags that are beyond the limits of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) links: u32,
    pub(crate) events: u32,
    pub(crate) attributes: u32,
    /// Those left out while the span was open; the others are counted where they are written.
    pub(crate) tags: u32,
}

impl LeftOut {
    /// Bytes in a tag log.
    pub(super) const LEN: usize = 16;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        for (into, count) in
            bytes.chunks_exact_mut(4).zip([self.links, self.events, self.attributes, self.tags])
        {
            into.copy_from_slice(&count.to_be_bytes());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut counts = bytes.chunks_exact(4).map(|bytes| bytes.try_into().map_or(0, u32::from_be_bytes));
        let mut next = || counts.next().unwrap_or_default();
        Self { links: next(), events: next(), attributes: next(), tags: next() }
    }
}

impl Add for LeftOut {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            links: self.links.saturating_add(more.links),
            events: self.events.saturating_add(more.events),
            attributes: self.attributes.saturating_add(more.attributes),
            tags: self.tags.saturating_add(more.tags),
        }
    }
}
