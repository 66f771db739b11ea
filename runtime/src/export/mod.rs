//! From finished spans to bytes, and from bytes to the agent: the queue, the encoder, the agent client.
//!
//! What is decided about a trace (sampling, what to drop) is decided above, on the worker. Invariant: every span that enters
//! the queue is waiting, acknowledged, or dropped under a [`DropReason`].

pub(crate) mod counters;
pub(crate) mod queue;
pub(crate) mod settings;

pub use counters::{Counters, DropReason};
