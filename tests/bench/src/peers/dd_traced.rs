//! The tracer itself, as its documentation shows it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use dd_traced::testing::ScopedTracer;
use dd_traced::{Tracer, TracerGuard, active_span, traced};

use crate::line;
use crate::peer::{Encode, Peer, body, incoming};
use crate::{peers, poll};

pub(crate) const PEER: Peer = Peer {
    name: peers::DD_TRACED,
    start: |agent| start(agent, true),
    start_off: Some(|agent| start(agent, false)),
    settle,
    stop,
    // it sends when 2 MiB are waiting, about 230 bytes for a span with two tags
    at_once: 9_000,
    delivers: true,
    obeys_rules: true,
    children: Some(children),
    tagged_children: Some(tagged_children),
    lone_root: Some(lone_root),
    async_calls: Some(|count| poll::block_on(async_calls(count))),
    calls: Some(calls),
    inject: Some(inject),
    headers: Some(crate::headers::figures),
    extract: Some(extract),
    lines: Some(lines),
    constant_lines: Some(constant_lines),
    logger_lines: super::dd_traced_lines::ALL,
    encode_v04: Some(encode_v04),
    ..Peer::ABSENT
};

fn encode_v04(spans: u32) -> Encode {
    let tracer = ScopedTracer::new();
    tagged_children(spans - 1);
    Box::new(tracer.payload_encoder())
}

fn start(agent: SocketAddr, enabled: bool) {
    let guard = Tracer::builder()
        .service("shop")
        .env("bench")
        .version("1.0.0")
        .agent_url(format!("http://{agent}"))
        .enabled(enabled)
        .start()
        .expect("a child starts its tracer once");
    assert!(GUARD.set(guard).is_ok(), "a child starts its tracer once");
}

fn settle() {
    dd_traced::flush(Duration::from_secs(5));
}

fn stop() {
    settle();
    dd_traced::shutdown(Duration::from_secs(10));
}

#[inline(never)]
#[traced]
fn call(value: u64) -> u64 {
    body(value)
}

#[inline(never)]
#[traced(tags(shop.city = "Berlin", order.items = items))]
fn tagged_call(items: u64) -> u64 {
    body(items)
}

#[traced]
async fn async_call(value: u64) -> u64 {
    poll::three_awaits(value).await
}

fn calls(count: u32) {
    for value in 0..count {
        call(u64::from(value));
    }
}

#[traced(name = "root")]
fn children(count: u32) {
    calls(count);
}

#[traced(name = "root")]
fn tagged_children(count: u32) {
    for value in 0..count {
        tagged_call(u64::from(value));
    }
}

#[traced(name = "root")]
fn lone_root() {
    body(1);
}

#[traced(name = "root")]
async fn async_calls(count: u32) {
    for value in 0..count {
        async_call(u64::from(value)).await;
    }
}

fn inject(count: u32) {
    let parent = dd_traced::extract(&incoming()).expect("the headers are those of a trace");
    let span = dd_traced::span("root").child_of(&parent).start();
    let _active = span.activate();
    for _ in 0..count {
        let mut headers = HashMap::<String, String>::with_capacity(8);
        dd_traced::inject(&active_span(), &mut headers);
        std::hint::black_box(headers);
    }
}

fn extract(count: u32) {
    let headers = incoming();
    for _ in 0..count {
        std::hint::black_box(dd_traced::extract(std::hint::black_box(&headers)));
    }
}

#[traced(name = "root")]
fn lines(count: u32) {
    for value in 0..count {
        line::write(&dd_traced::correlation(), u64::from(value));
    }
}

#[traced(name = "root")]
fn constant_lines(count: u32) {
    let ids = dd_traced::correlation();
    for value in 0..count {
        line::write(&ids, u64::from(value));
    }
}

static GUARD: OnceLock<TracerGuard> = OnceLock::new();
