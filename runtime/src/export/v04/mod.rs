//! Chunks as the MessagePack of `/v0.4/traces`: an array of chunks, each an array of spans, each a map.
//!
//! The bytes are written in one pass over records and tag entries; lengths that are known only afterwards are filled in
//! later. Nothing here does I/O, decides about sampling, or fails: what does not fit is left for the next payload.
//!
//! Source: `pkg/trace/api/version.go` and `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent.

mod block;
mod chunk;
mod defaults;
mod events;
mod fields;
mod first;
mod links;
mod merge;
mod room;
mod shapes;
mod span;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use chunk::{Chunk, Encoder, Limits};
pub(crate) use defaults::SpanDefaults;
pub(crate) use fields::Texts;
pub(crate) use times::times;

use crate::model::times;

/// The bytes of one request.
#[derive(Debug)]
pub(crate) struct Payload {
    bytes: room::Bytes,
    chunks: u32,
    spans: usize,
}

/// An array header of fixed width, its length filled in later.
const ARRAY_32: [u8; 5] = [0xdd, 0, 0, 0, 0];

impl Payload {
    /// An empty payload in `memory`, whose content is forgotten.
    pub(crate) fn reusing(memory: Vec<u8>) -> Self {
        let mut bytes = room::Bytes::reusing(memory);
        bytes.put(&ARRAY_32);
        Self { bytes, chunks: 0, spans: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans == 0
    }

    pub(crate) fn chunks(&self) -> u32 {
        self.chunks
    }

    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    /// The body of the request.
    pub(crate) fn into_body(mut self) -> Vec<u8> {
        patch(&mut self.bytes, 0, self.chunks);
        self.bytes.into_vec()
    }
}

/// Writes the length of the array whose header stands at `at`.
fn patch(bytes: &mut room::Bytes, at: usize, len: u32) {
    bytes.replace(at + 1, &len.to_be_bytes());
}
