//! Carrying a trace across process borders: writing its context into headers, reading it out of them.
//!
//! A carrier is anything that maps names to texts, behind [`Inject`] and [`Extract`]. Two styles of headers exist,
//! `datadog` and `tracecontext`; [`inject()`] writes each configured one, [`extract()`] takes the first that yields a context
//! and merges the others into it.
//!
//! ```text
//!  headers ──► datadog ─────┐
//!          └─► traceparent ─┼─► extract: one Upstream or none
//!              tracestate ──┘
//!  Outgoing ─► inject ─► datadog, tracecontext ─► headers
//! ```
//!
//! Invariant: any bytes give a complete context or none; nothing here panics, and work is linear in what arrives.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod carrier;
#[cfg(feature = "http")]
mod carrier_http;
mod datadog;
mod extract;
mod inject;
mod number;
mod settings;
mod tags;
mod text;
mod traceparent;
mod tracestate;
mod tracestate_write;

pub use carrier::{Extract, Inject};
pub(crate) use extract::extract;
pub(crate) use inject::{LastParent, Outgoing, inject};
pub(crate) use settings::{ExtractBehavior, MAX_TAGS_BYTES, PropagationSettings, Style, StyleList};

#[cfg(test)]
mod examples;
#[cfg(test)]
mod properties;
