//! From finished spans to bytes, and from bytes to the agent: the queue, the encoder, the agent client; metrics to DogStatsD.
//!
//! What is decided about a trace (sampling, what to drop) is decided above, on the worker. Invariant: every span that enters
//! the queue is waiting, acknowledged, or dropped under a [`DropReason`].

#[cfg(feature = "enable")]
pub(crate) mod client;
#[cfg(feature = "enable")]
pub(crate) mod container;
pub(crate) mod counters;
mod custody;
#[cfg(test)]
#[cfg(feature = "enable")]
pub(crate) mod fake_agent;
#[cfg(feature = "enable")]
pub(crate) mod headers;
#[cfg(feature = "enable")]
pub(crate) mod info;
#[cfg(feature = "enable")]
mod parcel;
pub(crate) mod queue;
#[cfg(feature = "enable")]
pub(crate) mod resolve;
pub(crate) mod settings;
pub(crate) mod statsd;
#[cfg(feature = "enable")]
pub(crate) mod v04;

pub use counters::{Counters, DropReason};
