//! Headers are written without an allocation, and read with one for each thing that is kept of them. A test binary of its own: the whole
//! process is counted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dd_traced::testing::ScopedTracer;
use dd_traced::{Extract, Inject, Span, SpanContext, extract, inject, span};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A carrier that keeps nothing but the number of bytes of its headers.
struct Nowhere(usize);

impl Inject for Nowhere {
    fn set(&mut self, name: &str, value: &str) {
        self.0 += name.len() + value.len();
    }
}

/// A carrier that holds nothing of its own.
struct Lines<'a>(&'a [Line<'a>]);

impl Extract for Lines<'_> {
    fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        self.0.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).for_each(|(_, value)| f(value));
    }
}

/// Name and value of a header.
type Line<'a> = (&'a str, &'a str);

const DATADOG: [Line<'_>; 3] = [
    ("x-datadog-trace-id", "1311768467463790320"),
    ("x-datadog-parent-id", "1147797409030816545"),
    ("x-datadog-sampling-priority", "1"),
];
const TAGS: Line<'_> = ("x-datadog-tags", "_dd.p.tid=68f0a1b200000000,_dd.p.dm=-1");
const TRACEPARENT: Line<'_> = ("traceparent", "00-68f0a1b200000000123456789abcdef0-0fedcba987654321-01");
const SHORT_TRACEPARENT: Line<'_> =
    ("traceparent", "00-0000000000000000123456789abcdef0-0fedcba987654321-01");
const OWN_STATE: Line<'_> = ("tracestate", "dd=s:1;p:0fedcba987654321;t.dm:-1");

/// Nobody else is counted meanwhile.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allocations of one of many such calls, the least of a few times: the test harness has a thread too.
fn allocations(mut call: impl FnMut()) -> usize {
    const CALLS: usize = 100;
    let mut count = || {
        let before = ALLOCATOR.stats();
        (0..CALLS).for_each(|_| call());
        let after = ALLOCATOR.stats();
        let all = after.allocations + after.reallocations - before.allocations - before.reallocations;
        all.div_ceil(CALLS)
    };
    // The first call makes what is kept for the others.
    count();
    (0..5).map(|_| count()).min().expect("some counts")
}

fn read(headers: &[Line<'_>]) -> Option<SpanContext> {
    extract(&Lines(headers))
}

fn injecting(span: &Span) -> usize {
    let mut nowhere = Nowhere(0);
    inject(span, &mut nowhere);
    let bytes = nowhere.0;
    let count = allocations(|| inject(span, &mut nowhere));
    assert!(bytes > 100 && nowhere.0 > 100 * bytes, "headers are written: {bytes} bytes");
    count
}

#[test]
fn headers_are_written_without_an_allocation() {
    let _alone = alone();
    let _tracer = ScopedTracer::new();
    let received = [&DATADOG[..], &[TAGS, TRACEPARENT, ("tracestate", "acme=1,dd=s:1;o:rum")]].concat();
    let parent = read(&received).expect("a context");
    for span in [
        span("root").root().start(),
        span("received").child_of(&parent).start(),
        span("with.baggage").child_of(&parent).baggage("user.id", "42").start(),
    ] {
        assert_eq!(injecting(&span), 0);
    }
}

#[test]
fn headers_are_read_with_one_allocation_for_each_thing_that_is_kept() {
    let _alone = alone();
    let _tracer = ScopedTracer::new();
    // The context itself, and with it what the headers say that is longer than a number.
    let cases: [(&str, &[Line<'_>], usize); 8] = [
        ("ids", &[], 1),
        ("trace state of ours", &[SHORT_TRACEPARENT, OWN_STATE], 1),
        ("tags", &[TAGS], 2),
        ("tags and trace state of ours", &[TAGS, TRACEPARENT, OWN_STATE], 2),
        ("an origin", &[("x-datadog-origin", "synthetics")], 2),
        ("trace state of others", &[TAGS, TRACEPARENT, ("tracestate", "dd=s:1,acme=k1,b=2")], 3),
        // Its items, and who shares them.
        ("baggage", &[("baggage", "user.id=42,session.id=a7")], 3),
        ("all of it", &[TAGS, TRACEPARENT, OWN_STATE, ("baggage", "user.id=42")], 4),
    ];
    for (name, more, expected) in cases {
        let headers = [&DATADOG[..], more].concat();
        assert!(read(&headers).is_some(), "{name}");
        assert_eq!(allocations(|| drop(black_box(read(black_box(&headers))))), expected, "{name}");
    }
    // What is no context costs nothing at all.
    assert_eq!(allocations(|| drop(black_box(read(&[("accept", "*/*")])))), 0);
}
