//! `datadog-opentelemetry` as its documentation shows it: spans by `tracing`, over the bridge `tracing-opentelemetry`.

use std::collections::HashMap;
use std::net::SocketAddr;

use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use tracing::info_span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use super::{official, tracing_spans};
use crate::line::{self, Ids};
use crate::peer::{Peer, incoming};

pub(crate) const PEER: Peer = Peer {
    name: "datadog-opentelemetry + tracing",
    start: |agent| start(agent, true),
    start_off: Some(|agent| start(agent, false)),
    settle: official::settle,
    stop: official::stop,
    // as without `tracing`, but its spans carry eight tags more
    at_once: 4_000,
    delivers: true,
    obeys_rules: true,
    children: Some(tracing_spans::children),
    tagged_children: Some(tracing_spans::tagged_children),
    lone_root: Some(tracing_spans::lone_root),
    async_calls: Some(tracing_spans::async_calls),
    calls: Some(tracing_spans::calls),
    inject: Some(inject),
    extract: Some(official::acts::extract),
    lines: Some(lines),
    constant_lines: Some(constant_lines),
    ..Peer::ABSENT
};

fn start(agent: SocketAddr, enabled: bool) {
    official::start(agent, enabled);
    let layer = tracing_opentelemetry::layer().with_tracer(official::provider().tracer("shop"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("a child starts its tracer once");
}

fn inject(count: u32) {
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&incoming()));
    let span = info_span!("root");
    let _ = span.set_parent(parent);
    let _active = span.enter();
    for _ in 0..count {
        let mut headers = HashMap::<String, String>::with_capacity(8);
        let context = tracing::Span::current().context();
        global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut headers));
        std::hint::black_box(headers);
    }
}

fn lines(count: u32) {
    let _active = info_span!("root").entered();
    for value in 0..count {
        let context = tracing::Span::current().context();
        let span = context.span();
        let context = span.span_context();
        let ids = Ids {
            trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(context.span_id().to_bytes()),
        };
        line::write(&ids, u64::from(value));
    }
}

fn constant_lines(count: u32) {
    let _active = info_span!("root").entered();
    let ids = Ids::constant();
    for value in 0..count {
        line::write(&ids, u64::from(value));
    }
}
