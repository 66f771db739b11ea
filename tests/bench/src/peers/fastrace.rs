//! `fastrace`, with a reporter that throws spans away, and with the one of `fastrace-datadog`.

use std::collections::HashMap;
use std::net::SocketAddr;

use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::future::FutureExt;
use fastrace::prelude::{Span, trace};
use fastrace_datadog::DatadogReporter;

use crate::line::{self, Ids};
use crate::peer::{Peer, body, incoming};
use crate::{peers, poll};

pub(crate) const PEER: Peer = Peer {
    name: peers::FASTRACE,
    start: |_| fastrace::set_reporter(Discard, Config::default()),
    // Nothing to switch: without a reporter it records nothing.
    start_off: Some(|_| ()),
    settle: fastrace::flush,
    // what comes together in its report interval of a second
    at_once: 100_000,
    // its queue takes 10 240 commands, four for a trace
    hand_overs_at_once: 2_500,
    stop: fastrace::flush,
    children: Some(children),
    tagged_children: Some(tagged_children),
    lone_root: Some(lone_root),
    async_calls: Some(async_calls),
    calls: Some(calls),
    inject: Some(inject),
    extract: Some(extract),
    lines: Some(lines),
    constant_lines: Some(constant_lines),
    ..Peer::ABSENT
};

pub(crate) const WITH_DATADOG: Peer = Peer {
    name: "fastrace-datadog",
    start: start_datadog,
    start_off: None,
    delivers: true,
    inject: None,
    extract: None,
    lines: None,
    constant_lines: None,
    ..PEER
};

struct Discard;

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        std::hint::black_box(spans);
    }
}

fn start_datadog(agent: SocketAddr) {
    fastrace::set_reporter(DatadogReporter::new(agent, "shop", "orders", "web"), Config::default());
}

#[inline(never)]
#[trace(short_name = true)]
fn call(value: u64) -> u64 {
    body(value)
}

#[inline(never)]
#[trace(short_name = true, properties = { "shop.city": "Berlin", "order.items": "{items}" })]
fn tagged_call(items: u64) -> u64 {
    body(items)
}

#[trace(short_name = true)]
async fn async_call(value: u64) -> u64 {
    poll::three_awaits(value).await
}

fn calls(count: u32) {
    for value in 0..count {
        call(u64::from(value));
    }
}

fn children(count: u32) {
    let root = Span::root("root", SpanContext::random());
    let _active = root.set_local_parent();
    calls(count);
}

fn tagged_children(count: u32) {
    let root = Span::root("root", SpanContext::random());
    let _active = root.set_local_parent();
    for value in 0..count {
        tagged_call(u64::from(value));
    }
}

fn lone_root() {
    let root = Span::root("root", SpanContext::random());
    let _active = root.set_local_parent();
    body(1);
}

fn async_calls(count: u32) {
    let root = Span::root("root", SpanContext::random());
    let calls = async {
        for value in 0..count {
            async_call(u64::from(value)).await;
        }
    };
    poll::block_on(calls.in_span(root));
}

fn inject(count: u32) {
    let parent = extracted(&incoming());
    let root = Span::root("root", parent);
    let _active = root.set_local_parent();
    for _ in 0..count {
        let mut headers = HashMap::<String, String>::with_capacity(8);
        if let Some(context) = SpanContext::current_local_parent() {
            headers.insert("traceparent".to_owned(), context.encode_w3c_traceparent());
        }
        std::hint::black_box(headers);
    }
}

fn extract(count: u32) {
    let headers = incoming();
    for _ in 0..count {
        std::hint::black_box(extracted(std::hint::black_box(&headers)));
    }
}

fn extracted(headers: &HashMap<String, String>) -> SpanContext {
    headers
        .get("traceparent")
        .and_then(|header| SpanContext::decode_w3c_traceparent(header))
        .unwrap_or_else(SpanContext::random)
}

fn lines(count: u32) {
    let root = Span::root("root", SpanContext::random());
    let _active = root.set_local_parent();
    for value in 0..count {
        if let Some(context) = SpanContext::current_local_parent() {
            line::write(&Ids { trace_id: context.trace_id.0, span_id: context.span_id.0 }, u64::from(value));
        }
    }
}

fn constant_lines(count: u32) {
    let root = Span::root("root", SpanContext::random());
    let _active = root.set_local_parent();
    let ids = Ids::constant();
    for value in 0..count {
        line::write(&ids, u64::from(value));
    }
}
