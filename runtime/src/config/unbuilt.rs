//! Settings that other tracers have and that govern what is not built here: read, checked and listed, without effect.
//!
//! Whoever sets one to something else than what holds is told, in one notice for all of them. Whoever builds what one governs moves its row to
//! the file of its room.

use super::otel;
use super::reader::{Reader, row};
use super::secret::Mask;

pub(super) fn resolve(read: &mut Reader<'_>) {
    sampling(read);
    metrics(read);
    http(read);
    read.flag(row("DD_TRACE_OTEL_ENABLED").otel(otel::SDK_DISABLED).without_effect("false"), false);
    read.text(row("DD_API_KEY").mask(Mask::Secret).without_effect(""));
}

fn sampling(read: &mut Reader<'_>) {
    read.parsed(
        row("DD_TRACE_SAMPLE_RATE").otel(otel::TRACES_SAMPLER).without_effect(""),
        "a number from 0 to 1",
        |text| text.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate)),
    );
    read.text(row("DD_TRACE_SAMPLING_RULES").without_effect(""));
    read.text(row("DD_TRACE_RATE_LIMIT").default("100").without_effect(""));
    read.text(row("DD_SPAN_SAMPLING_RULES").without_effect(""));
}

fn metrics(read: &mut Reader<'_>) {
    let runtime_metrics = row("DD_RUNTIME_METRICS_ENABLED").otel(otel::METRICS_EXPORTER);
    read.flag(runtime_metrics.without_effect("false"), false);
}

fn http(read: &mut Reader<'_>) {
    read.text(row("DD_TRACE_OBFUSCATION_QUERY_STRING_REGEXP").keeps_empty().without_effect(""));
}
