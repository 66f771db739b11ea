//! Without `DD_TRACE_DEBUG_ABANDONED_SPANS` an open span costs its own memory and no more: nobody lists it. A test binary of its own: the
//! whole process is counted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use dd_traced::testing::ScopedTracer;
use dd_traced::{Tracer, span, traced};
use dd_traced_tests::Address;
use stats_alloc::{INSTRUMENTED_SYSTEM, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Spans of one measurement.
const SPANS: usize = 1_000;
const THOUSANDS: usize = 4;
/// Bytes that the list takes for a span at the least: ids, the start, a name, a source line.
const LISTED: usize = 64;

/// Nobody else is counted meanwhile.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What spans cost that stay open: allocations, and bytes that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    allocations: usize,
    bytes: isize,
}

impl Cost {
    fn between(before: &Stats, after: &Stats) -> Self {
        let allocations = |stats: &Stats| stats.allocations + stats.reallocations;
        let bytes = |stats: &Stats| stats.bytes_allocated as isize - stats.bytes_deallocated as isize;
        Self { allocations: allocations(after) - allocations(before), bytes: bytes(after) - bytes(before) }
    }

    /// So many spans, which were listed too, cost more than without the list.
    fn expect_listed(&self, spans: usize, without: Self) {
        assert!(self.bytes >= without.bytes + (LISTED * spans) as isize, "{self:?}, without {without:?}");
        assert!(self.allocations > without.allocations, "{self:?}, without {without:?}");
    }
}

/// The cheapest of some tries, each cost by itself, since other threads allocate and free now and then: that of the test harness, the worker. Each try
/// has a thread and a tracer of its own: memory that a list would have from the try before would hide it.
fn cheapest<T>(tracer: impl Fn() -> T + Sync, measure: impl Fn() -> Vec<Cost> + Sync) -> Vec<Cost> {
    let a_try = || {
        let tracer = tracer();
        let costs = measure();
        drop(tracer);
        costs
    };
    let tries = [(); 6].map(|()| thread::scope(|scope| scope.spawn(a_try).join().expect("costs")));
    let cheaper = |one: Cost, other: Cost| {
        // Of the same allocations, what somebody else freed meanwhile is less.
        if (one.allocations, -one.bytes) <= (other.allocations, -other.bytes) { one } else { other }
    };
    let both = |one: Vec<Cost>, other: Vec<Cost>| {
        one.into_iter().zip(other).map(|(one, other)| cheaper(one, other)).collect()
    };
    tries.into_iter().reduce(both).expect("some tries")
}

/// What each further thousand of these costs while those before stay open.
fn further<T>(start: impl Fn() -> T) -> Vec<Cost> {
    let mut open = Vec::with_capacity((THOUSANDS + 1) * SPANS);
    // The first ones make what is kept for others of their kind.
    open.extend((0..SPANS).map(|_| start()));
    let mut thousand = || {
        let before = ALLOCATOR.stats();
        open.extend((0..SPANS).map(|_| start()));
        Cost::between(&before, &ALLOCATOR.stats())
    };
    (0..THOUSANDS).map(|_| thousand()).collect()
}

/// Every thousand costs the same, so many allocations a span and at most so many bytes: nothing grows with the number of open spans but they themselves.
fn expect_constant(costs: &[Cost], allocations: usize, max_bytes: usize) {
    for cost in costs {
        assert_eq!(cost, &costs[0], "{costs:?}");
        assert_eq!(cost.allocations, allocations * SPANS, "{costs:?}");
        // What is left to the limit has no room for the list.
        let left = (max_bytes * SPANS) as isize - cost.bytes;
        assert!((0..(LISTED * SPANS) as isize).contains(&left), "{costs:?}");
    }
}

fn sum(costs: &[Cost]) -> Cost {
    let allocations = costs.iter().map(|cost| cost.allocations).sum();
    Cost { allocations, bytes: costs.iter().map(|cost| cost.bytes).sum() }
}

#[traced(name = "task")]
async fn task() {
    poll_fn(|_| Poll::<()>::Pending).await;
}

/// A future that is under way.
fn started() -> Pin<Box<dyn Future<Output = ()>>> {
    let mut future = Box::pin(task());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

#[traced(name = "call")]
fn call(further: usize, innermost: &mut dyn FnMut()) {
    if further > 1 { call(further - 1, innermost) } else { innermost() }
}

/// What so many calls within each other cost.
fn cost_of_calls(calls: usize) -> Vec<Cost> {
    let (before, mut inside) = (ALLOCATOR.stats(), None);
    call(calls, &mut || inside = Some(ALLOCATOR.stats()));
    vec![Cost::between(&before, &inside.expect("the innermost call"))]
}

fn listing() -> ScopedTracer {
    ScopedTracer::debugging_abandoned_spans(1_700_000_000_000_000_000, Duration::from_secs(600))
}

#[test]
fn an_open_handle_costs_itself_alone() {
    let _alone = alone();
    let measure = || further(|| span("handle").start());
    let without = cheapest(ScopedTracer::new, measure);
    expect_constant(&without, 5, 560);
    sum(&cheapest(listing, measure)).expect_listed(THOUSANDS * SPANS, sum(&without));
}

#[test]
fn an_open_future_costs_itself_alone() {
    let _alone = alone();
    let measure = || further(started);
    let without = cheapest(ScopedTracer::new, measure);
    expect_constant(&without, 4, 632);
    sum(&cheapest(listing, measure)).expect_listed(THOUSANDS * SPANS, sum(&without));
}

/// Their records are in memory of the thread, which doubles: seldom an allocation, and a bound on bytes.
#[test]
fn an_open_call_costs_its_record_alone() {
    const CALLS: usize = 4 * SPANS;
    let _alone = alone();
    let measure = || cost_of_calls(CALLS);
    let without = cheapest(ScopedTracer::new, measure)[0];
    assert!(without.allocations < 30 && without.bytes <= 100 * CALLS as isize, "{without:?}");
    cheapest(listing, measure)[0].expect_listed(CALLS, without);
}

/// The tracer of a program, as it is unless somebody asks.
#[test]
fn the_tracer_of_the_process_lists_nothing_unless_asked() {
    let _alone = alone();
    let nobody = Address::unused().expect("a free port").to_string();
    let builder = || Tracer::builder().agent_url(&nobody).startup_logs(false);
    let measure = || further(|| span("handle").start());
    let without = cheapest(|| builder().start().expect("no other tracer"), measure);
    // Its worker frees what a connection took, so that bytes say less. A table of spans would grow now and then.
    assert!(without.iter().all(|cost| cost.allocations == 5 * SPANS), "{without:?}");
    let listing = || builder().debug_abandoned_spans(true).start().expect("no other tracer");
    let with = sum(&cheapest(listing, measure));
    assert!(with.allocations >= 6 * THOUSANDS * SPANS, "{with:?}");
}
