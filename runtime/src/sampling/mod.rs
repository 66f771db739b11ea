//! Deciding whether a trace is kept, and which of its spans where it is not.
//!
//! ```text
//! rules, the first that matches ──► global rate ──► agent's rate ──► default: keep
//!        └───── hash keeps ──► limiter ─┘
//! ```
//!
//! A manual or inherited decision never comes here. What is decided about is the local root with its latest tags, whoever asks;
//! the asking thread, or the worker, brings it. Invariant: a limiter is asked once about a trace, and never lets more through than
//! its rate.

mod agent_rates;
#[cfg(feature = "enable")]
mod answer;
mod examined;
mod glob;
#[cfg(feature = "enable")]
pub(crate) mod json;
mod knuth;
mod limiter;
mod rule;
mod sampler;
pub(crate) mod settings;
mod span_sampler;
#[cfg(test)]
#[cfg(feature = "enable")]
mod tests;
#[cfg(feature = "enable")]
mod trace_filter;
mod why;

#[cfg(feature = "doctor")]
pub(crate) use agent_rates::AgentRates;
pub(crate) use examined::OwnTags;
#[cfg(feature = "enable")]
pub(crate) use knuth::is_kept;
pub(crate) use sampler::Sampler;
pub(crate) use settings::SamplingSettings;
#[cfg(feature = "enable")]
pub(crate) use trace_filter::TraceFilter;
#[cfg(feature = "doctor")]
pub(crate) use trace_filter::normalized;
pub use why::{SamplingStep, WhySampled};
