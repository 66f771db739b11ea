//! Carrying a trace across process borders: writing its context into headers, reading it out of them.
//!
//! A carrier is anything that maps names to texts, behind [`Inject`] and [`Extract`]. A [`Propagator`] writes each configured
//! style of headers; reading, it takes the first that yields a context and merges the others into it. Baggage goes beside them,
//! with a trace or without.
//!
//! ```text
//!  headers ──► datadog ───────┐
//!          ├─► traceparent ───┤
//!          │   tracestate ────┼─► extract: one Upstream or none
//!          ├─► b3, b3multi ───┤
//!          └─► baggage ───────┘
//!  Outgoing ─► inject ─► each style ─► headers
//! ```
//!
//! Invariant: any bytes give a complete context or none; nothing here panics, and work is linear in what arrives.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod b3;
mod baggage;
mod carrier;
#[cfg(feature = "http")]
mod carrier_http;
mod datadog;
mod extract;
mod http_baggage;
mod inject;
mod number;
mod org_guard;
mod percent;
mod probability;
mod propagator;
mod settings;
mod styles;
mod tags;
mod text;
mod trace_context;
mod traceparent;
mod tracestate;
mod tracestate_write;

pub use carrier::{Extract, Inject};
pub(crate) use inject::{LastParent, Outgoing};
pub(crate) use org_guard::OrgGuardSettings;
pub(crate) use propagator::Propagator;
pub(crate) use settings::{BaggageTags, ExtractBehavior, MAX_TAGS_BYTES, PropagationSettings};
pub(crate) use styles::{Style, StyleList};

#[cfg(test)]
mod tests;
