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

/// Bytes allocated while headers are read once.
fn bytes(headers: &[Line<'_>]) -> usize {
    let count = || {
        let before = ALLOCATOR.stats();
        drop(black_box(read(black_box(headers))));
        let after = ALLOCATOR.stats();
        let grown = usize::try_from(after.bytes_reallocated - before.bytes_reallocated).unwrap_or(0);
        after.bytes_allocated - before.bytes_allocated + grown
    };
    // The first call makes what is kept for the others.
    count();
    (0..5).map(|_| count()).min().expect("some counts")
}

/// A key that was named again and again used to take all of the baggage anew each time, 1.4 MB for 8 KiB of it.
#[test]
fn headers_of_64_kib_make_nobody_allocate_more_than_that() {
    const ALL: usize = 64 << 10;
    let _alone = alone();
    let _tracer = ScopedTracer::new();
    let filled = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    let tags = (10..34).fold(String::new(), |tags, number| format!("{tags}_dd.p.{number}=1,"));
    let long = format!("k={},", "v".repeat(7_900));
    let cases = [
        ("a key again and again", "baggage", format!("{long}{}a=1", filled("a=1,", 240))),
        ("an item that changes its length", "baggage", format!("{}a=1", filled("a=1,a=22222,", 8_000))),
        ("characters that are none", "baggage", format!("{}=1", filled("%ff", 8_000))),
        ("tabs", "tracestate", filled("a=1\t,", ALL)),
        ("nothing but tabs", "tracestate", filled("\t", ALL)),
        ("members of others", "tracestate", filled("a=1,", ALL)),
        ("malformed probabilities", "tracestate", filled(&format!("ot={},", "rv:0;".repeat(100)), ALL)),
        ("tags again and again in our member", "tracestate", format!("dd={}", filled("t.a:1;t.b:~;", 250))),
        ("tags again and again", "x-datadog-tags", format!("{tags}{}_dd.p.a=1", filled("_dd.p.a=1,", 150))),
    ];
    for (name, header, value) in &cases {
        // Of the same trace, and of another one, to which there is a link then.
        for traceparent in [SHORT_TRACEPARENT, TRACEPARENT] {
            let headers = [&DATADOG[..], &[traceparent, (header, value.as_str())]].concat();
            let all = headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            assert!(read(&headers).is_some() && all <= ALL + 500, "{name}: {all} bytes of headers");
            assert!(bytes(&headers) <= ALL, "{name}: {} bytes for {all}", bytes(&headers));
        }
    }
}
