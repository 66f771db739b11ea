//! Settings that other tracers have and that govern what is not built here: read, checked and listed, without effect.
//!
//! Whoever sets one to something else than what holds is told, in one notice for all of them. Whoever builds what one governs moves its row to
//! the file of its room.

use super::otel;
use super::reader::{Reader, row};
use super::secret::Mask;

pub(super) fn resolve(read: &mut Reader<'_>) {
    metrics(read);
    http(read);
    read.flag(row("DD_TRACE_OTEL_ENABLED").otel(otel::SDK_DISABLED).without_effect("false"), false);
    read.text(row("DD_API_KEY").mask(Mask::Secret).of_others());
}

fn metrics(read: &mut Reader<'_>) {
    let runtime_metrics = row("DD_RUNTIME_METRICS_ENABLED").otel(otel::METRICS_EXPORTER);
    read.flag(runtime_metrics.without_effect("false"), false);
}

fn http(read: &mut Reader<'_>) {
    read.text(row("DD_TRACE_OBFUSCATION_QUERY_STRING_REGEXP").keeps_empty().without_effect(""));
}
