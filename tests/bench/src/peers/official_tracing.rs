//! `datadog-opentelemetry` as its documentation shows it: spans by `tracing`, over the bridge `tracing-opentelemetry`.

use std::collections::HashMap;
use std::net::SocketAddr;

use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::info_span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::fmt::format::{DefaultFields, Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{self, FormatEvent};
use tracing_subscriber::layer::Layered;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use super::tracing_lines::Prefixed;
use super::{official, tracing_spans};
use crate::line::{self, Ids};
use crate::peer::{LoggerLines, Peer, incoming};

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
    logger_lines: &[
        (
            "line-tracing",
            LoggerLines { ids: fmt_lines, constant: constant_fmt_lines, without: bare_fmt_lines },
        ),
        (
            "line-tracing-json",
            LoggerLines { ids: json_lines, constant: constant_json_lines, without: bare_json_lines },
        ),
    ],
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

/// As its users do it: a formatter of events of their own, which looks at OpenTelemetry's context.
fn fmt_lines(count: u32) {
    let ids = |writer: &mut Writer<'_>| write!(writer, "[{}] ", current_ids());
    by_fmt(count, |format| Prefixed::text(format, ids));
}

fn constant_fmt_lines(count: u32) {
    let ids = Ids::constant();
    by_fmt(count, |format| Prefixed::text(format, move |writer: &mut Writer<'_>| write!(writer, "[{ids}] ")));
}

fn bare_fmt_lines(count: u32) {
    by_fmt(count, |format| format);
}

fn json_lines(count: u32) {
    let ids = |writer: &mut Writer<'_>| write!(writer, "{{{},", current_ids().members());
    by_json(count, |format| Prefixed::json(format, ids));
}

fn constant_json_lines(count: u32) {
    let members = format!("{{{},", Ids::constant().members());
    by_json(count, |format| {
        Prefixed::json(format, move |writer: &mut Writer<'_>| writer.write_str(&members))
    });
}

fn bare_json_lines(count: u32) {
    by_json(count, |format| format);
}

fn current_ids() -> Ids {
    let context = opentelemetry::Context::current();
    let span = context.span();
    let context = span.span_context();
    Ids {
        trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(context.span_id().to_bytes()),
    }
}

/// The registry with the bridge to OpenTelemetry.
type Spans = Layered<OpenTelemetryLayer<Registry, SdkTracer>, Registry>;

fn by_fmt<E>(count: u32, format: impl FnOnce(Format) -> E)
where
    E: FormatEvent<Spans, DefaultFields> + Send + Sync + 'static,
{
    lines_by(count, fmt::layer().with_ansi(false).with_writer(line::null).map_event_format(format));
}

fn by_json<E>(count: u32, format: impl FnOnce(Format<Json>) -> E)
where
    E: FormatEvent<Spans, JsonFields> + Send + Sync + 'static,
{
    lines_by(count, fmt::layer().json().with_writer(line::null).map_event_format(format));
}

fn lines_by(count: u32, lines: impl Layer<Spans> + Send + Sync) {
    let layer = tracing_opentelemetry::layer().with_tracer(official::provider().tracer("shop"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer).with(lines), || {
        let _active = info_span!("root").entered();
        for orders in 0..count {
            tracing::info!("placing an order of {orders} items");
        }
    });
}
