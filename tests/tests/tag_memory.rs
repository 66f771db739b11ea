//! A span by hand that is given tags in a loop holds no more than it can send. A test binary of its own: the memory of the whole process is
//! counted.

use std::alloc::System;

use dd_traced::{Span, counters, span};
use dd_traced_tests::{PATIENCE, with_tracer};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that are held.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

/// The most that is held while so many tags are set, beyond what was before.
fn peak(span: &Span, rounds: u32, set: impl Fn(&Span, u32)) -> usize {
    let before = held();
    let most = (0..rounds).map(|round| {
        set(span, round);
        held()
    });
    most.max().unwrap_or_default().saturating_sub(before)
}

/// The log used to grow up to 64 MiB, and what was set from there on was lost: the latest values, of all things.
#[test]
fn tags_set_in_a_loop_take_no_more_memory_than_a_span_may_send() {
    const LIMIT: usize = 8 << 20;
    let mut peaks = Vec::new();
    let (received, _) = with_tracer(|_, tracer| {
        let job = span("job").service("batch").tag("first", "kept").start();
        job.set_name("other");
        peaks.push(peak(&job, 400_000, |job, round| {
            job.set_metric("progress", round.into());
            job.set_tag("phase", if round % 2 == 0 { "even" } else { "odd" });
        }));
        job.set_name("");
        job.finish();
        let bomb = span("bomb").start();
        peaks.push(peak(&bomb, 30_000, |bomb, round| {
            bomb.set_tag(format!("key.{round}"), "x".repeat(500));
        }));
        bomb.set_tag("key.0", "latest");
        bomb.finish();
        assert!(tracer.flush(PATIENCE));
        assert_eq!(counters().left_out_tags(), 29_000);
    });
    assert!(peaks.iter().all(|peak| *peak < LIMIT), "{peaks:?}");
    let job = received.span("job");
    assert_eq!((job.metric("progress"), job.meta("phase")), (Some(399_999.0), Some("odd")));
    assert_eq!((&*job.service, job.meta("first")), ("batch", Some("kept")));
    let bomb = received.span("bomb");
    let keys = bomb.meta.keys().filter(|key| key.starts_with("key."));
    assert_eq!((keys.count(), bomb.meta("key.0"), bomb.meta("key.1000")), (1_000, Some("latest"), None));
}
