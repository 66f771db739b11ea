//! The one line that says how the tracer is configured.

use serde_json::json;

use super::json::within_a_line;
use crate::config::{Origin, PartialFlush, Setting, Settings, SettingsTable, shown_tag};
use crate::diagnostics::{self, Level, date, without_secrets};
use crate::worker::AgentCheck;
use crate::worker::settings::LocalView;

/// What other tracers have and this one has not; whoever reads the line looks for it there.
const ABSENT: [&str; 7] = [
    "analytics_enabled",
    "profiling_enabled",
    "tracing_as_transport",
    "data_streams_enabled",
    "otlp_traces_export_enabled",
    "otlp_metrics_export_enabled",
    "otlp_logs_export_enabled",
];

/// The features of the package that are more than a door, and whether this build has them.
const FEATURES: [(&str, bool); 6] = [
    ("http", cfg!(feature = "http")),
    ("https", cfg!(feature = "https")),
    ("log", cfg!(feature = "log")),
    ("slog", cfg!(feature = "slog")),
    ("stream", cfg!(feature = "stream")),
    ("tracing", cfg!(feature = "tracing")),
];

/// `DATADOG TRACER CONFIGURATION - {…}`, in the form that the other tracers of Datadog print and its support reads
/// (`ddtrace/tracer/log.go` of dd-trace-go).
pub(crate) fn startup_line(
    settings: &Settings,
    unix_seconds: u32,
    runtime_id: &str,
    agent: AgentCheck<'_>,
) -> String {
    let identity = &settings.identity;
    let styles = |styles: &[crate::propagation::Style]| {
        styles.iter().map(|style| style.name()).collect::<Vec<_>>().join(",")
    };
    let is_sent = settings.agent.is_explicit || settings.writer.local_view == LocalView::Off;
    let said = |name| settings.table.get(name).map(Setting::value).filter(|value| !value.is_empty());
    let tags: serde_json::Map<String, serde_json::Value> =
        identity.tags.iter().map(|(key, value)| (key.to_string(), json!(shown_tag(key, value)))).collect();
    let mut line = json!({
        "date": date(unix_seconds),
        "version": env!("CARGO_PKG_VERSION"),
        "lang": "rust",
        "lang_version": env!("CARGO_PKG_RUST_VERSION"),
        "os_name": std::env::consts::OS,
        "os_version": os_version(),
        "architecture": std::env::consts::ARCH,
        "service": without_secrets(&identity.service),
        "env": without_secrets(identity.env.as_deref().unwrap_or("")),
        "dd_version": without_secrets(identity.version.as_deref().unwrap_or("")),
        "enabled": settings.is_enabled,
        "agent_url": is_sent.then(|| settings.agent.address.to_string()),
        "local_view": settings.writer.local_view != LocalView::Off,
        "agent_error": if let AgentCheck::Failed(cause) = agent { cause } else { "" },
        "agent_features": features(agent),
        "debug": settings.is_debug,
        "log_level": settings.messages.level.to_string().to_ascii_lowercase(),
        "service_mappings": said("DD_SERVICE_MAPPING"),
        "stats_computation_enabled": settings.statistics.is_enabled,
        "runtime_metrics_enabled": false,
        "health_metrics_enabled": settings.metrics.has_health_metrics,
        "dogstatsd_address": settings.metrics.address_beside(agents_statsd_port(agent)).map(|address| address.to_string()),
        "tags": tags,
        "runtime_id": runtime_id,
        "partial_flush_enabled": settings.partial_flush != PartialFlush::Off,
        "partial_flush_min_spans": match settings.partial_flush { PartialFlush::Off => None, PartialFlush::At(spans) => Some(spans) },
        "propagation_style_inject": styles(&settings.propagation.inject),
        "propagation_style_extract": styles(&settings.propagation.extract),
        "log_injection_enabled": settings.correlates_logs,
        "sample_rate": settings.sampling.rate,
        "sample_rate_limit": settings.sampling.limit,
        "sampling_rules": said("DD_TRACE_SAMPLING_RULES"),
        "span_sampling_rules": said("DD_SPAN_SAMPLING_RULES"),
        "sampling_rules_error": without_secrets(&settings.sampling_rules_error),
        "feature_flags": FEATURES.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect::<Vec<_>>(),
        "integrations": {},
    });
    if let Some(fields) = line.as_object_mut() {
        fields.extend(ABSENT.map(|name| (name.to_owned(), json!(false))));
    }
    format!("DATADOG TRACER CONFIGURATION - {}", within_a_line(line))
}

/// What the agent can do, as far as it matters here; null where it did not say.
fn features(agent: AgentCheck<'_>) -> serde_json::Value {
    let AgentCheck::Answered(info) = agent else { return serde_json::Value::Null };
    json!({
        "DropP0s": info.client_drop_p0s,
        "Stats": info.offers("/v0.6/stats"),
        "SpanEvents": info.span_events,
    })
}

/// Where the agent says that it takes metrics.
fn agents_statsd_port(agent: AgentCheck<'_>) -> Option<u16> {
    let AgentCheck::Answered(info) = agent else { return None };
    info.statsd_port
}

/// The release of the system.
fn os_version() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Tells in the debug log what holds, a line for each setting, and who said so.
pub(crate) fn log_settings(table: &SettingsTable) {
    if !diagnostics::is_shown(Level::Debug) {
        return;
    }
    for setting in table.iter().filter(|setting| setting.has_effect() || setting.origin() != Origin::Default)
    {
        let (name, variable) = (setting.name(), setting.variable());
        let under = if variable == name { String::new() } else { format!(" {variable}") };
        diagnostics::debug(format_args!("{name}={} ({}{under})", setting.value(), setting.origin()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Source};
    use crate::diagnostics::is_hostile;

    #[test]
    fn the_line_shows_the_address_without_its_password() {
        let mut overrides = Overrides::default();
        overrides.set("DD_TRACE_AGENT_URL", "http://me:s3cret@agent:8126");
        overrides.set("DD_SERVICE", "shop\n");
        overrides.tag("db.password".into(), "s3cret".into());
        overrides.set("DD_ENV", "prod,token=s3cret");
        overrides.set("DD_VERSION", "1,password=s3cret");
        overrides.set("DD_SERVICE_MAPPING", "shop:token=s3cret");
        let (settings, _) = Settings::resolve(&overrides, &Source::default()).unwrap();
        let line = startup_line(&settings, 0, "id", AgentCheck::Unknown);
        assert!(line.starts_with("DATADOG TRACER CONFIGURATION - {"));
        assert!(line.contains(r#""agent_url":"http://agent:8126""#) && !line.contains("s3cret"), "{line}");
        assert!(line.contains(r#""service":"shop""#) && !line.contains('\n'));
    }

    /// It used to show the port before the agent named another.
    #[test]
    fn the_line_shows_where_metrics_go() {
        let address = |variables: &[(&'static str, &str)], statsd_port| {
            let mut overrides = Overrides::default();
            for (name, value) in variables {
                overrides.set(name, value);
            }
            let (settings, _) = Settings::resolve(&overrides, &Source::default()).unwrap();
            let info = crate::model::AgentInfo { statsd_port, ..Default::default() };
            let line = startup_line(&settings, 0, "id", AgentCheck::Answered(&info));
            let json: serde_json::Value = serde_json::from_str(line.split_once(" - ").unwrap().1).unwrap();
            json["dogstatsd_address"].clone()
        };
        let named = [("DD_DOGSTATSD_URL", "udp://metrics:1")];
        assert_eq!([address(&[], None), address(&[], Some(9125))], ["localhost:8125", "localhost:9125"]);
        assert_eq!(address(&named, Some(9125)), "metrics:1");
        assert_eq!(address(&[("DD_DOGSTATSD_DISABLE", "true")], Some(9125)), json!(null));
    }

    /// What support looks for, whichever tracer it is.
    #[test]
    fn the_line_has_the_fields_of_the_other_tracers() {
        let (settings, _) = Settings::resolve(&Overrides::default(), &Source::default()).unwrap();
        let line = startup_line(&settings, 0, "id", AgentCheck::Unknown);
        let (_, json) = line.split_once(" - ").unwrap();
        let read: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
        let common = "date os_name os_version version lang lang_version env service enabled agent_url agent_error \
            debug analytics_enabled sample_rate sample_rate_limit sampling_rules span_sampling_rules \
            sampling_rules_error service_mappings tags runtime_metrics_enabled health_metrics_enabled \
            log_injection_enabled profiling_enabled dd_version architecture agent_features partial_flush_enabled \
            partial_flush_min_spans propagation_style_inject propagation_style_extract dogstatsd_address \
            integrations feature_flags tracing_as_transport data_streams_enabled otlp_traces_export_enabled \
            otlp_metrics_export_enabled otlp_logs_export_enabled";
        let missing: Vec<_> = common.split_whitespace().filter(|name| !read.contains_key(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// A message escapes them as Rust does, which no reader of JSON understands.
    #[test]
    fn the_line_is_json_whatever_it_carries() {
        let value = "a\u{7f}\u{9f}\u{2028}\u{202e}\u{1b}\"é";
        let mut overrides = Overrides::default();
        overrides.tag("note".into(), value.into());
        overrides.set("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":0.5}]"#);
        let (settings, _) = Settings::resolve(&overrides, &Source::default()).unwrap();
        let line = startup_line(&settings, 0, "id", AgentCheck::Unknown);
        let (_, json) = line.split_once(" - ").unwrap();
        assert!(!json.contains(is_hostile), "{json:?}");
        let read: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(read["tags"]["note"], value);
        assert_eq!(read["sampling_rules"], r#"[{"sample_rate":0.5}]"#);
        assert_eq!((&read["sample_rate"], &read["sample_rate_limit"]), (&json!(null), &json!(100.0)));
    }
}
