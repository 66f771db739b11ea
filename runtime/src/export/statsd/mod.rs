//! Metrics over DogStatsD: where they go, how they are written, the socket. What is told is said above, on the worker.
//!
//! Fire and forget: a datagram that the system does not take at once is gone. Invariant: nobody waits for the socket, and no text from
//! outside ends a tag, a section or a line.
//!
//! Source: Datadog's "DogStatsD Datagram Format and Shell Usage", and `statsd/` of DataDog/datadog-go.

#[cfg(feature = "enable")]
mod client;
#[cfg(feature = "enable")]
mod packer;
pub(crate) mod settings;
#[cfg(feature = "enable")]
mod socket;
#[cfg(feature = "enable")]
mod tags;

#[cfg(feature = "enable")]
pub(crate) use client::{StatsdClient, StatsdFailure};
#[cfg(feature = "enable")]
pub(crate) use packer::{Constant, Kind, Metric, Number, Packer};
#[cfg(feature = "enable")]
pub(crate) use tags::Tags;
