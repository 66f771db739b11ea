//! Statistics of spans, computed here instead of by the agent: so that traces that are not kept need not be sent.
//!
//! Here spans are counted and the counts are written as bytes. When they are sent, and what is not sent because of them, is
//! the worker's business. Invariant: a bucket is never in the future, and memory is bounded whatever spans say.
//!
//! ```text
//! span ──profile of its site, tags──► key ──► group in a bucket of 10 s ──► payload of /v0.6/stats
//! ```

#[cfg(feature = "enable")]
mod bucket;
#[cfg(feature = "enable")]
mod concentrator;
#[cfg(feature = "enable")]
mod grpc;
#[cfg(feature = "enable")]
mod key;
#[cfg(feature = "enable")]
mod look;
#[cfg(feature = "enable")]
mod payload;
#[cfg(feature = "enable")]
mod peer;
#[cfg(feature = "enable")]
mod profile;
pub(crate) mod settings;
#[cfg(feature = "enable")]
mod sketch;
#[cfg(feature = "enable")]
mod statistics;
#[cfg(feature = "enable")]
mod tags;
#[cfg(feature = "enable")]
mod tally;
#[cfg(test)]
#[cfg(feature = "enable")]
mod tests;

#[cfg(feature = "enable")]
pub(crate) use concentrator::Counted;
#[cfg(feature = "enable")]
pub(crate) use payload::Header;
#[cfg(feature = "enable")]
pub(crate) use statistics::Statistics;
#[cfg(feature = "enable")]
pub(crate) use tally::{Collapsed, StatsTally};
