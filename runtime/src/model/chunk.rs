//! Finished spans on their way out.

use std::sync::Arc;

use super::facts::TraceFacts;
use super::record::SpanBuffer;

/// Where one trace chunk stands in a batch, and what holds for all of its spans.
#[derive(Debug, Clone)]
pub(crate) struct ChunkHead {
    pub(crate) trace_id: u128,
    pub(crate) local_root_id: u64,
    /// What was decided or received for the trace; `None` where nobody asked yet and nothing came from outside.
    pub(crate) facts: Option<Arc<TraceFacts>>,
    /// Index of its first record in the batch.
    pub(crate) first: u32,
    pub(crate) len: u32,
    /// Whether no span of the segment is left open.
    pub(crate) is_last: bool,
}

/// Chunks back to back in one buffer.
#[derive(Debug, Default)]
pub(crate) struct ChunkBatch {
    pub(crate) heads: Vec<ChunkHead>,
    pub(crate) spans: SpanBuffer,
    /// Bytes of the queue's limit that these chunks hold until they are delivered or dropped.
    pub(crate) credit: usize,
}

impl ChunkBatch {
    pub(crate) const fn new() -> Self {
        Self { heads: Vec::new(), spans: SpanBuffer::new(), credit: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Forgets all content, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.spans.clear();
        self.credit = 0;
    }
}
