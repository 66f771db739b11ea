//! The headers that every request to the agent carries.
//!
//! Source: `ddtrace/tracer/transport.go` of DataDog/dd-trace-go and `pkg/trace/api/internal/header/headers.go` of
//! DataDog/datadog-agent for the names.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::container::Container;

/// The version of the rates last received; echoed, so that the agent may answer that nothing changed.
pub(super) const RATES_VERSION: HeaderName = HeaderName::from_static("datadog-rates-payload-version");
/// A hash of what the agent says of itself; on each of its answers.
pub(super) const AGENT_STATE: HeaderName = HeaderName::from_static("datadog-agent-state");
/// The number of chunks in the body.
pub(super) const TRACE_COUNT: HeaderName = HeaderName::from_static("x-datadog-trace-count");

/// The constant headers of all requests.
pub(super) fn constant(container: &Container, external_env: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("datadog-meta-lang", "rust"),
        ("datadog-meta-lang-version", LANG_VERSION),
        ("datadog-meta-lang-interpreter", INTERPRETER),
        ("datadog-meta-tracer-version", env!("CARGO_PKG_VERSION")),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("datadog-container-id", container.id.as_deref()),
        ("datadog-entity-id", container.entity_id.as_deref()),
        ("datadog-external-env", external_env),
    ] {
        // None of them may be sent empty.
        let value =
            value.filter(|value| !value.is_empty()).and_then(|value| HeaderValue::from_str(value).ok());
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// Adds the constant headers of requests to `/v0.4/traces`.
pub(super) fn add_for_traces(headers: &mut HeaderMap) {
    for (name, value) in [
        ("datadog-client-computed-top-level", "yes"),
        // Else an agent that drops a payload because it is overloaded answers 200.
        ("datadog-send-real-http-status", "1"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// The oldest Rust supported: what compiled us can be asked only by a build script with work to do.
pub(crate) const LANG_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// How it was compiled.
pub(crate) const INTERPRETER: &str = if cfg!(target_arch = "x86_64") {
    "rustc-x86_64"
} else if cfg!(target_arch = "aarch64") {
    "rustc-aarch64"
} else {
    "rustc"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_sent() {
        let headers = constant(&Container::default(), Some(""));
        for name in ["datadog-container-id", "datadog-entity-id", "datadog-external-env"] {
            assert!(!headers.contains_key(name), "{name}");
        }
        assert_eq!(headers["datadog-meta-lang"], "rust");
    }

    #[test]
    fn container_is_told() {
        let container = Container { id: Some("abc".into()), entity_id: Some("ci-abc".into()) };
        let headers = constant(&container, Some("it-false,cn-web,pu-1"));
        assert_eq!(headers["datadog-container-id"], "abc");
        assert_eq!(headers["datadog-entity-id"], "ci-abc");
        assert_eq!(headers["datadog-external-env"], "it-false,cn-web,pu-1");
        assert!(constant(&container, Some("two\nlines")).get("datadog-external-env").is_none());
    }
}
