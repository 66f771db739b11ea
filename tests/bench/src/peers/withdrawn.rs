//! `opentelemetry-datadog`, withdrawn, through the API of OpenTelemetry: batches, v0.5, its blocking client.

#![expect(deprecated, reason = "withdrawn, and still what most people have")]

use std::net::SocketAddr;
use std::sync::OnceLock;

use opentelemetry_datadog::{DatadogPropagator, new_pipeline};
use opentelemetry_sdk_withdrawn::trace::{SdkTracer, SdkTracerProvider};
use opentelemetry_withdrawn::global;
use opentelemetry_withdrawn::trace::TracerProvider;

use crate::peer::Peer;
use crate::peers;

pub(crate) const PEER: Peer = Peer {
    name: peers::WITHDRAWN,
    start,
    settle,
    stop,
    // its queue takes 2 048 spans
    at_once: 2_000,
    delivers: true,
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

fn start(agent: SocketAddr) {
    let provider = new_pipeline()
        .with_service_name("shop")
        .with_env("bench")
        .with_version("1.0.0")
        .with_agent_endpoint(format!("http://{agent}"))
        .install_batch()
        .expect("the pipeline has a client");
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(DatadogPropagator::new());
    let tracer = provider.tracer("shop");
    assert!(STARTED.set((provider, tracer)).is_ok(), "a child starts its tracer once");
}

fn settle() {
    provider().force_flush().expect("the agent takes what it is sent");
}

fn stop() {
    settle();
    provider().shutdown().expect("the tracer ends in time");
}

fn provider() -> &'static SdkTracerProvider {
    &STARTED.get().expect("a workload starts its tracer first").0
}

mod acts {
    use opentelemetry_withdrawn::global;

    super::super::otel_api::otel_api!(opentelemetry_withdrawn);

    fn tracer() -> &'static opentelemetry_sdk_withdrawn::trace::SdkTracer {
        &super::STARTED.get().expect("a workload starts its tracer first").1
    }

    fn propagator<T>(act: impl FnMut(&dyn TextMapPropagator) -> T) -> T {
        global::get_text_map_propagator(act)
    }
}

static STARTED: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();
