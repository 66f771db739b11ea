//! A link from a span to another one.

/// The other span, by its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// The sampling bit, under bit 31 where it is known; 0 where not.
    pub(crate) flags: u32,
}

impl Link {
    /// Bytes in a tag log.
    pub(super) const LEN: usize = 28;

    /// A link to a span whose trace is kept, is dropped, or is not decided yet.
    pub(crate) const fn new(trace_id: u128, span_id: u64, is_kept: Option<bool>) -> Self {
        let flags = match is_kept {
            Some(is_kept) => 0x8000_0000 | is_kept as u32,
            None => 0,
        };
        Self { trace_id, span_id, flags }
    }

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..16].copy_from_slice(&self.trace_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.span_id.to_le_bytes());
        bytes[24..].copy_from_slice(&self.flags.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (trace_id, rest) = bytes.split_first_chunk()?;
        let (span_id, flags) = rest.split_first_chunk()?;
        Some(Self {
            trace_id: u128::from_le_bytes(*trace_id),
            span_id: u64::from_le_bytes(*span_id),
            flags: u32::from_le_bytes(flags.try_into().ok()?),
        })
    }
}
