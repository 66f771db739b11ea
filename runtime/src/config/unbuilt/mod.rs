//! Settings that other tracers have and that govern what is not built here: read, checked and listed, without effect.
//!
//! Whoever sets one to something else than what holds is told, in one notice for all of them. Whoever builds what one governs moves its row to
//! the file of its room. Not here: settings of products other than tracing, and of single integrations.
//!
//! Source of names and defaults: Datadog's documentation of library configuration, and `internal/env/supported_configurations.json` of
//! DataDog/dd-trace-go.

mod checks;

use super::otel;
use super::reader::{EXPECTED_DURATION, Reader, Row, parse_duration, row};
use super::secret::Mask;

pub(super) fn resolve(read: &mut Reader<'_>) {
    sending(read);
    metrics(read);
    spans(read);
    http(read);
    query_strings(read);
    telemetry(read);
    log_files(read);
    read.text(row("DD_API_KEY").mask(Mask::Secret).of_others());
    read.text(row("DD_SITE").default("datadoghq.com").of_others());
}

/// A switch for something that is not there: as if it were off.
fn off(read: &mut Reader<'_>, row: impl Into<Row>, default: bool) {
    read.flag(row.into().without_effect("false"), default);
}

/// A text that nobody looks at.
fn text(read: &mut Reader<'_>, name: &'static str, default: &'static str) {
    read.text(row(name).default(default).without_effect(default));
}

/// An integer that nobody looks at.
fn integer(read: &mut Reader<'_>, row: Row, default: usize) {
    read.integer(row.without_effect(""), 0..=i64::MAX as usize, default);
}

/// A number of seconds that nobody looks at.
fn seconds(read: &mut Reader<'_>, row: Row, default: f64) {
    read.number(row.without_effect(""), 0.0..=1e9, default);
}

fn sending(read: &mut Reader<'_>) {
    let protocol = row("DD_TRACE_AGENT_PROTOCOL_VERSION").aliases(&["DD_TRACE_API_VERSION"]);
    read.parsed(protocol.default("0.4").without_effect("0.4|v0.4"), "one of 0.4, 0.5, 1.0", checks::protocol);
    read.flag(row("DD_TRACE_WRITER_REUSE_CONNECTIONS").without_effect("true"), true);
    integer(read, row("DD_TRACE_SEND_RETRIES"), 0);
    let interval = row("DD_TRACE_RETRY_INTERVAL").default("1ms").without_effect("");
    read.parsed(interval, EXPECTED_DURATION, |text| parse_duration(text).map(drop));
    read.flag(row("DD_APM_TRACING_ENABLED").without_effect("true"), true);
}

fn metrics(read: &mut Reader<'_>) {
    off(read, row("DD_RUNTIME_METRICS_ENABLED").otel(otel::METRICS_EXPORTER), false);
    text(read, "DD_TRACE_STATS_ADDITIONAL_TAGS", "");
    integer(read, row("DD_TRACE_STATS_ADDITIONAL_TAGS_CARDINALITY_LIMIT"), 100);
    integer(read, row("DD_TRACE_STATS_ORIGIN_CARDINALITY_LIMIT"), 20);
}

fn spans(read: &mut Reader<'_>) {
    off(read, row("DD_TRACE_OTEL_ENABLED").otel(otel::SDK_DISABLED), false);
    off(read, "DD_TRACE_REMOVE_INTEGRATION_SERVICE_NAMES_ENABLED", false);
    read.flag(row("DD_TRACE_DEBUG_STACK").without_effect("true"), true);
    integer(read, row("DD_TRACE_SPAN_TRACEBACK_MAX_SIZE"), 30);
    text(read, "DD_TRACE_EXPERIMENTAL_FEATURES_ENABLED", "");
    let mode = row("DD_DBM_PROPAGATION_MODE").default("disabled").without_effect("disabled");
    read.word(mode, &["disabled", "service", "full"]);
}

fn http(read: &mut Reader<'_>) {
    read.remarked(row("DD_TRACE_HEADER_TAGS").without_effect(""), checks::header_tags);
    off(read, "DD_TRACE_CLIENT_IP_ENABLED", false);
    read.text(row("DD_TRACE_CLIENT_IP_HEADER").without_effect(""));
    off(read, "DD_TRACE_RESOURCE_RENAMING_ENABLED", false);
    off(read, "DD_TRACE_RESOURCE_RENAMING_ALWAYS_SIMPLIFIED_ENDPOINT", false);
}

/// No URL is looked at: what a program puts into `http.url` is sent as it is.
fn query_strings(read: &mut Reader<'_>) {
    read.flag(row("DD_TRACE_HTTP_CLIENT_TAG_QUERY_STRING").without_effect("true"), true);
    let server = row("DD_HTTP_SERVER_TAG_QUERY_STRING").aliases(&["DD_TRACE_HTTP_SERVER_TAG_QUERY_STRING"]);
    read.flag(server.without_effect("true"), true);
    off(read, "DD_TRACE_HTTP_URL_QUERY_STRING_DISABLED", false);
    for name in [
        "DD_TRACE_HTTP_URL_QUERY_STRING_ALLOWLIST",
        "DD_TRACE_HTTP_URL_QUERY_STRING_ALLOWLIST_CLIENT",
        "DD_TRACE_HTTP_URL_QUERY_STRING_ALLOWLIST_SERVER",
    ] {
        text(read, name, "");
    }
    read.text(row("DD_TRACE_OBFUSCATION_QUERY_STRING_REGEXP").keeps_empty().without_effect(""));
}

fn telemetry(read: &mut Reader<'_>) {
    off(read, "DD_INSTRUMENTATION_TELEMETRY_ENABLED", true);
    seconds(read, row("DD_TELEMETRY_HEARTBEAT_INTERVAL"), 60.0);
    seconds(read, row("DD_TELEMETRY_EXTENDED_HEARTBEAT_INTERVAL"), 86_400.0);
    off(read, "DD_TELEMETRY_METRICS_ENABLED", true);
    off(read, "DD_TELEMETRY_LOG_COLLECTION_ENABLED", true);
    off(read, "DD_TELEMETRY_DEPENDENCY_COLLECTION_ENABLED", true);
    off(read, row("DD_TELEMETRY_DEBUG").aliases(&["DD_INTERNAL_TELEMETRY_DEBUG_ENABLED"]), false);
    off(read, row("DD_REMOTE_CONFIGURATION_ENABLED").aliases(&["DD_REMOTE_CONFIG_ENABLED"]), true);
    let poll = row("DD_REMOTE_CONFIG_POLL_INTERVAL_SECONDS").aliases(&["DD_REMOTECONFIG_POLL_SECONDS"]);
    seconds(read, poll, 5.0);
    for name in [
        "DD_INSTRUMENTATION_INSTALL_ID",
        "DD_INSTRUMENTATION_INSTALL_TYPE",
        "DD_INSTRUMENTATION_INSTALL_TIME",
    ] {
        read.text(row(name).of_others());
    }
}

fn log_files(read: &mut Reader<'_>) {
    read.text(row("OTEL_LOGS_EXPORTER").default("none").without_effect("none"));
}
