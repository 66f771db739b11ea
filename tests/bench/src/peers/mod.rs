//! The subjects, a file each.

mod bare;
#[cfg(feature = "dd-traced")]
mod dd_traced;
#[cfg(feature = "dd-traced")]
mod dd_traced_lines;
mod fastrace;
mod libdd;
mod official;
mod official_tracing;
mod otel_api;
mod tracing_lines;
mod tracing_registry;
mod tracing_spans;
mod withdrawn;

use crate::peer::Peer;

pub(crate) const BARE: &str = "bare";
pub(crate) const DD_TRACED: &str = "dd-traced";
pub(crate) const FASTRACE: &str = "fastrace";
pub(crate) const OFFICIAL: &str = "datadog-opentelemetry";
pub(crate) const WITHDRAWN: &str = "opentelemetry-datadog";
pub(crate) const LIBDD: &str = "libdd-trace-utils";

/// In the order of the table's columns.
pub(crate) const ALL: &[&Peer] = &[
    &bare::PEER,
    #[cfg(feature = "dd-traced")]
    &dd_traced::PEER,
    &fastrace::PEER,
    &fastrace::WITH_DATADOG,
    &official::PEER,
    &official_tracing::PEER,
    &withdrawn::PEER,
    &tracing_registry::PEER,
    &libdd::PEER,
];

pub(crate) fn find(name: &str) -> Option<&'static Peer> {
    ALL.iter().copied().find(|peer| peer.name == name)
}
