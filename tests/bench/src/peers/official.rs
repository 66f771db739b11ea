//! `datadog-opentelemetry` through its own API, that of OpenTelemetry.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use datadog_opentelemetry::configuration::Config;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::peer::Peer;
use crate::peers;

pub(crate) const PEER: Peer = Peer {
    name: peers::OFFICIAL,
    start: |agent| start(agent, true),
    start_off: Some(|agent| start(agent, false)),
    settle,
    stop,
    // it sends when 2.5 MB are waiting, 190 bytes for a span with two tags, and drops at 5 MB
    at_once: 13_000,
    delivers: true,
    obeys_rules: true,
    children: Some(acts::children),
    tagged_children: Some(acts::tagged_children),
    lone_root: Some(acts::lone_root),
    async_calls: Some(acts::async_calls),
    calls: Some(acts::calls),
    inject: Some(acts::inject),
    extract: Some(acts::extract),
    lines: Some(acts::lines),
    constant_lines: Some(acts::constant_lines),
    ..Peer::ABSENT
};

/// Starts the provider and installs it, with its settings as they come but for the names and the agent.
pub(super) fn start(agent: SocketAddr, enabled: bool) {
    let mut config = Config::builder();
    config.set_service("shop".to_owned());
    config.set_env("bench".to_owned());
    config.set_version("1.0.0".to_owned());
    config.set_trace_agent_url(format!("http://{agent}"));
    config.set_enabled(enabled);
    let provider = datadog_opentelemetry::tracing().with_config(config.build()).init();
    let tracer = provider.tracer("shop");
    assert!(STARTED.set((provider, tracer)).is_ok(), "a child starts its tracer once");
}

pub(super) fn settle() {
    provider().force_flush().expect("the agent takes what it is sent");
}

pub(super) fn stop() {
    provider().force_flush().expect("the agent takes what it is sent");
    provider().shutdown_with_timeout(Duration::from_secs(10)).expect("the tracer ends in time");
}

pub(super) fn provider() -> &'static SdkTracerProvider {
    &STARTED.get().expect("a workload starts its tracer first").0
}

pub(super) mod acts {
    use opentelemetry::global;

    super::super::otel_api::otel_api!(opentelemetry);

    fn tracer() -> &'static opentelemetry_sdk::trace::SdkTracer {
        &super::STARTED.get().expect("a workload starts its tracer first").1
    }

    fn propagator<T>(act: impl FnMut(&dyn TextMapPropagator) -> T) -> T {
        global::get_text_map_propagator(act)
    }
}

static STARTED: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();
