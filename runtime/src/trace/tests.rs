//! What the stack promises, through the public face.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use crate::macro_support::{CallSite, async_span, span as site_span};
use crate::testing::ScopedTracer;
use crate::{ActiveGuard, TraceFuture, active_span, span};

fn traced<R>(name: &'static str, body: impl FnOnce() -> R) -> R {
    // A call site is a constant in real code.
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named(name)));
    let _span = site_span(site).enter();
    body()
}

fn nothing() {}

/// Pending once.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn poll_once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

async fn traced_async(name: &'static str, body: impl AsyncFnOnce()) {
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named(name)));
    async_span(site).run(async move { body().await }).await;
}

#[test]
fn calls_nest_and_ship_as_one_chunk() {
    let tracer = ScopedTracer::at(1_000_000_000);
    traced("root", || {
        traced("first", nothing);
        tracer.advance(Duration::from_nanos(5));
        traced("second", || traced("inner", nothing));
    });
    assert_eq!(tracer.tree(), "root\n  first\n  second\n    inner\n");
    let spans = tracer.finished();
    assert!(spans.iter().all(|span| span.chunk == 0 && span.trace_id == spans[0].trace_id));
    assert_eq!((spans[0].start_ns, spans[0].duration_ns, spans[0].is_top_level), (1_000_000_000, 5, true));
    assert!(!spans[1].is_top_level);
}

#[test]
fn handles_and_lines_share_one_trace() {
    let tracer = ScopedTracer::new();
    let request = span("request").start();
    let active = request.activate();
    traced("handler", || {
        let query = span("query").start();
        traced("beside", nothing);
        query.finish();
    });
    drop(active);
    request.finish();
    assert_eq!(tracer.tree(), "request\n  handler\n    query\n    beside\n");
    assert!(tracer.finished().iter().all(|span| span.chunk == 0));
}

#[test]
fn activations_may_end_in_any_order() {
    let tracer = ScopedTracer::new();
    let (a, b) = (span("a").root().start(), span("b").root().start());
    let in_a = a.activate();
    let in_b = b.activate();
    drop(in_a);
    traced("under b", nothing);
    drop(in_b);
    traced("alone", nothing);
    drop((a, b));
    assert_eq!(tracer.tree(), "a\nb\n  under b\nalone\n");
}

#[test]
fn an_activation_that_ends_inside_a_call_leaves_the_call_active() {
    let tracer = ScopedTracer::new();
    let outer = span("outer").start();
    let mut active = Some(outer.activate());
    traced("call", || {
        drop(active.take());
        traced("child", nothing);
    });
    traced("next", nothing);
    drop(outer);
    assert_eq!(tracer.tree(), "outer\n  call\n    child\nnext\n");
}

#[test]
fn a_leaked_activation_of_a_finished_span_adopts_nobody() {
    let tracer = ScopedTracer::new();
    let request = span("request").start();
    std::mem::forget(request.activate());
    traced("inside", nothing);
    request.finish();
    traced("next request", nothing);
    assert_eq!(tracer.tree(), "request\n  inside\nnext request\n");
    assert_eq!(active_span().span_id().as_u64(), 0);
}

#[test]
fn an_activation_that_outlives_its_call_goes_on() {
    let tracer = ScopedTracer::new();
    let job = span("job").root().start();
    let guard: ActiveGuard = traced("begin", || job.activate());
    traced("work", nothing);
    drop(guard);
    traced("next", nothing);
    drop(job);
    assert_eq!(tracer.tree(), "job\n  work\nbegin\nnext\n");
}

#[test]
fn a_leaked_call_is_taken_off_by_the_one_around_it() {
    let tracer = ScopedTracer::new();
    traced("root", || {
        let site: &'static CallSite = Box::leak(Box::new(CallSite::named("leaked")));
        std::mem::forget(site_span(site).enter());
    });
    traced("next", nothing);
    assert_eq!(tracer.tree(), "next\n");
    drop(tracer);
}

#[test]
fn a_call_that_outlives_the_one_around_it_is_still_recorded() {
    let tracer = ScopedTracer::new();
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named("late")));
    let late = traced("root", || site_span(site).enter());
    traced("next", nothing);
    drop(late);
    assert_eq!(tracer.tree(), "root\n  late\nnext\n");
}

#[test]
fn a_panic_marks_the_spans_it_passes_and_no_others() {
    let tracer = ScopedTracer::new();
    let caught = std::panic::catch_unwind(|| {
        traced("outer", || {
            traced("fine", nothing);
            traced("inner", || std::panic::resume_unwind(Box::new("boom")));
        });
    });
    assert!(caught.is_err());
    traced("next", nothing);
    assert_eq!(tracer.tree(), "outer !\n  fine\n  inner !\nnext\n");
}

#[test]
fn calls_from_destructors_during_a_panic_are_not_failed() {
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            traced("cleanup", nothing);
        }
    }
    let tracer = ScopedTracer::new();
    let _ = std::panic::catch_unwind(|| {
        traced("outer", || {
            let _cleanup = Cleanup;
            std::panic::resume_unwind(Box::new("boom"));
        });
    });
    assert_eq!(tracer.tree(), "outer !\n  cleanup\n");
}

#[test]
fn a_span_finishes_on_another_thread() {
    let tracer = ScopedTracer::new();
    let job = span("job").start();
    let context = job.context();
    let worker = std::thread::spawn(move || {
        {
            let _active = context.enter();
            traced("part", nothing);
        }
        job.finish();
        job.finish();
        job.set_tag("late", "ignored");
    });
    worker.join().unwrap();
    assert_eq!(tracer.tree(), "job\n  part\n");
    assert!(tracer.finished().iter().all(|span| span.meta.is_empty()));
}

#[test]
fn spans_in_thread_local_destructors_do_no_harm() {
    struct AtExit;
    impl Drop for AtExit {
        fn drop(&mut self) {
            traced("at exit", || span("by hand").start().finish());
        }
    }
    thread_local!(static AT_EXIT: RefCell<Option<AtExit>> = const { RefCell::new(None) });
    let tracer = ScopedTracer::new();
    let parent = span("parent").start();
    for first in [true, false] {
        let context = parent.context();
        std::thread::spawn(move || {
            if first {
                AT_EXIT.with(|at_exit| *at_exit.borrow_mut() = Some(AtExit));
            }
            let _active = context.enter();
            traced("work", nothing);
            AT_EXIT.with(|at_exit| *at_exit.borrow_mut() = Some(AtExit));
        })
        .join()
        .unwrap();
    }
    parent.finish();
    assert!(tracer.tree().starts_with("parent\n  work\n"));
}

#[test]
fn a_thread_that_ends_under_a_leaked_activation_loses_nothing() {
    let tracer = ScopedTracer::new();
    let parent = span("parent").start();
    let context = parent.context();
    std::thread::spawn(move || {
        std::mem::forget(context.enter());
        traced("work", nothing);
    })
    .join()
    .unwrap();
    parent.finish();
    assert_eq!(tracer.tree(), "parent\n  work\n");
}

#[test]
fn futures_are_active_only_while_polled() {
    let tracer = ScopedTracer::new();
    let mut first = Box::pin(traced_async("first", async || {
        traced("before", nothing);
        Yield::default().await;
        traced("after", nothing);
    }));
    let mut second = Box::pin(traced_async("second", async || {
        Yield::default().await;
        traced("work", nothing);
    }));
    assert!(poll_once(&mut first).is_pending());
    traced("between", nothing);
    assert!(poll_once(&mut second).is_pending());
    assert!(poll_once(&mut first).is_ready());
    assert!(poll_once(&mut second).is_ready());
    assert_eq!(tracer.tree(), "first\n  before\n  after\nbetween\nsecond\n  work\n");
}

#[test]
fn a_future_survives_moves_between_threads() {
    let tracer = ScopedTracer::new();
    let root = span("root").start();
    let mut future = Box::pin(
        async {
            traced("here", nothing);
            Yield::default().await;
            traced("there", nothing);
            active_span().set_tag("moved", true);
        }
        .traced(span("task").child_of(&root.context()).start()),
    );
    assert!(poll_once(&mut future).is_pending());
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(poll_once(&mut future).is_ready()));
    });
    root.finish();
    assert_eq!(tracer.tree(), "root\n  task\n    here\n    there\n");
    let task = tracer.finished().into_iter().find(|span| span.name == "task").unwrap();
    assert_eq!(task.meta["moved"], "true");
}

#[test]
fn what_a_future_finished_travels_with_it() {
    let tracer = ScopedTracer::new();
    let mut future = Box::pin(traced_async("root", async || {
        for part in 0..3 {
            traced("call", || active_span().set_tag("part", part));
            traced_async("child", async || Yield::default().await).await;
        }
    }));
    for _ in 0..3 {
        assert!(poll_once(&mut future).is_pending());
        // Something else on the same thread, between the polls.
        traced("other", || traced("inner", nothing));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(poll_once(&mut future).is_ready()));
    });
    let spans = tracer.finished();
    let root = spans.iter().find(|span| span.name == "root").unwrap();
    let own: Vec<_> = spans.iter().filter(|span| span.trace_id == root.trace_id).collect();
    assert_eq!(own.len(), 7);
    assert!(own.iter().all(|span| span.chunk == root.chunk));
    let parts: Vec<f64> =
        own.iter().filter(|span| span.name == "call").map(|span| span.metrics["part"]).collect();
    assert_eq!(parts, [0.0, 1.0, 2.0]);
    assert_eq!(spans.len(), 13);
}

#[test]
fn what_a_dropped_future_finished_is_not_lost() {
    let tracer = ScopedTracer::new();
    let mut future = Box::pin(traced_async("cancelled", async || {
        traced_async("child", async || traced("call", nothing)).await;
        Yield::default().await;
    }));
    assert!(poll_once(&mut future).is_pending());
    std::thread::spawn(move || drop(future)).join().unwrap();
    assert_eq!(tracer.tree(), "cancelled\n  child\n    call\n");
    assert!(tracer.finished().iter().all(|span| span.chunk == 0));
}

#[test]
fn a_future_polled_inside_another_keeps_to_its_own_trace() {
    let tracer = ScopedTracer::new();
    let mut inner = Box::pin(
        async {
            traced("inner call", nothing);
            Yield::default().await;
            traced("inner call", nothing);
        }
        .traced(span("inner").root().start()),
    );
    let mut outer = Box::pin(traced_async("outer", async || {
        traced("outer call", nothing);
        assert!(poll_once(&mut inner).is_pending());
        traced("outer call", nothing);
        Yield::default().await;
        assert!(poll_once(&mut inner).is_ready());
    }));
    assert!(poll_once(&mut outer).is_pending());
    assert!(poll_once(&mut outer).is_ready());
    drop(outer);
    assert_eq!(tracer.tree(), "inner\n  inner call\n  inner call\nouter\n  outer call\n  outer call\n");
}

#[test]
fn a_future_dropped_half_way_finishes_once_without_error() {
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            traced("dropped inside", nothing);
        }
    }
    let tracer = ScopedTracer::new();
    let mut future = Box::pin(traced_async("cancelled", async || {
        let _noisy = Noisy;
        Yield::default().await;
    }));
    assert!(poll_once(&mut future).is_pending());
    drop(future);
    assert_eq!(tracer.tree(), "cancelled\n  dropped inside\n");
}

#[test]
fn a_poll_that_panics_restores_what_was_active() {
    let tracer = ScopedTracer::new();
    let outer = span("outer").start();
    let _active = outer.activate();
    let mut future = Box::pin(traced_async("fails", async || std::panic::resume_unwind(Box::new("boom"))));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll_once(&mut future))).is_err());
    traced("next", nothing);
    drop(future);
    outer.finish();
    assert_eq!(tracer.tree(), "outer\n  fails !\n  next\n");
}

#[test]
fn an_activation_held_over_an_await_does_not_leak_into_others() {
    let tracer = ScopedTracer::new();
    let mut holds = Box::pin(traced_async("task", async || {
        let step = span("step").start();
        let _active = step.activate();
        Yield::default().await;
    }));
    assert!(poll_once(&mut holds).is_pending());
    traced("other", nothing);
    assert!(poll_once(&mut holds).is_ready());
    traced("next", nothing);
    assert_eq!(tracer.tree(), "task\n  step\nother\nnext\n");
}

#[test]
fn a_trace_that_goes_on_ships_in_parts_of_300() {
    let tracer = ScopedTracer::new();
    traced("root", || {
        for (calls, chunks) in [(299, 0), (1, 1), (299, 1), (1, 2)] {
            (0..calls).for_each(|_| traced("call", nothing));
            assert_eq!(tracer.finished().last().map_or(0, |span| span.chunk + 1), chunks);
        }
        active_span().set_tag("still", "here");
    });
    let spans = tracer.finished();
    let root = spans.last().unwrap();
    assert_eq!((spans.len(), root.name.as_str(), root.meta["still"].as_str()), (601, "root", "here"));
    assert!(spans.iter().all(|span| span.trace_id == root.trace_id));
    assert!(spans.iter().filter(|span| span.name == "call").all(|span| span.parent_id == root.span_id));
}

#[test]
fn parts_keep_the_parents_of_deep_calls() {
    fn deep(depth: u32) {
        if depth > 0 {
            traced("level", || deep(depth - 1));
            traced("leaf", nothing);
        }
    }
    let tracer = ScopedTracer::new();
    deep(400);
    let spans = tracer.finished();
    assert_eq!(spans.len(), 800);
    let ids: std::collections::HashMap<_, _> =
        spans.iter().map(|span| (span.span_id, span.name.as_str())).collect();
    // Each level has a level and a leaf inside, but for the two outermost spans, which are roots of traces of their own.
    let roots = spans.iter().filter(|span| span.parent_id.as_u64() == 0).count();
    assert_eq!(roots, 2);
    assert!(
        spans.iter().filter(|span| span.parent_id.as_u64() != 0).all(|span| ids[&span.parent_id] == "level")
    );
}

#[test]
fn owned_children_of_a_long_future_ship_in_parts() {
    let tracer = ScopedTracer::new();
    let mut future = Box::pin(traced_async("root", async || {
        for _ in 0..1_000 {
            traced_async("child", async || Yield::default().await).await;
        }
    }));
    while poll_once(&mut future).is_pending() {}
    let spans = tracer.finished();
    assert_eq!(spans.len(), 1_001);
    assert!(spans.iter().map(|span| span.chunk).max() >= Some(3));
    let root = spans.iter().find(|span| span.name == "root").unwrap();
    assert!(spans.iter().all(|span| span.span_id == root.span_id || span.parent_id == root.span_id));
}

#[test]
fn services_are_inherited_and_mark_their_entry() {
    let tracer = ScopedTracer::new();
    let web = span("web").service("shop").start();
    let active = web.activate();
    traced("handler", || {
        let query = span("query").service("shop-db").start();
        let _active = query.activate();
        traced("parse", nothing);
        span("same").service("shop-db").start().finish();
    });
    drop(active);
    web.finish();
    let spans = tracer.finished();
    let service = |name: &str| {
        let span = spans.iter().find(|span| span.name == name).unwrap();
        (span.service.as_deref().unwrap().to_owned(), span.is_top_level)
    };
    assert_eq!(service("web"), ("shop".into(), true));
    assert_eq!(service("handler"), ("shop".into(), false));
    assert_eq!(service("query"), ("shop-db".into(), true));
    assert_eq!(service("parse"), ("shop-db".into(), false));
    assert_eq!(service("same"), ("shop-db".into(), false));
}

#[test]
fn given_times_are_kept() {
    let tracer = ScopedTracer::new();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let span = span("import").start_at(start).start();
    span.finish_at(start + Duration::from_millis(7));
    let finished = tracer.finished();
    assert_eq!((finished[0].start_ns, finished[0].duration_ns), (1_700_000_000_000_000_000, 7_000_000));
}

#[test]
fn a_child_of_a_finished_span_belongs_to_its_trace() {
    let tracer = ScopedTracer::new();
    let parent = span("parent").start();
    let context = parent.context();
    parent.finish();
    span("late").child_of(&context).start().finish();
    assert_eq!(tracer.tree(), "parent\n  late\n");
    let spans = tracer.finished();
    assert_eq!(spans[0].trace_id, spans[1].trace_id);
}

#[test]
fn setters_reach_the_active_span_wherever_it_is() {
    let tracer = ScopedTracer::new();
    traced("line", || active_span().set_tag("n", 1));
    let handle = span("handle").start();
    {
        let _active = handle.activate();
        active_span().set_resource("GET /");
        active_span().set_error(&std::fmt::Error);
    }
    handle.finish();
    let mut future = Box::pin(traced_async("future", async || active_span().set_span_type("web")));
    assert!(poll_once(&mut future).is_ready());
    active_span().set_tag("nobody", "there");
    let spans = tracer.finished();
    assert_eq!(spans[0].metrics["n"].to_bits(), 1f64.to_bits());
    assert_eq!((spans[1].resource.as_deref(), spans[1].is_error), (Some("GET /"), true));
    assert_eq!(spans[1].meta["error.type"], "core::fmt::Error");
    assert_eq!(spans[2].span_type, "web");
}

#[test]
fn tags_of_a_caller_survive_what_is_active_above_it() {
    let tracer = ScopedTracer::new();
    traced("outer", || {
        let outer = active_span();
        let other = span("other").root().start();
        {
            let _active = other.activate();
            outer.set_tag("a", 1);
            traced("inner", || active_span().set_tag("secret", "inner's"));
            outer.set_tag("b", "late");
        }
        outer.set_tag("c", 3);
    });
    let spans = tracer.finished();
    let outer = spans.iter().find(|span| span.name == "outer").unwrap();
    assert_eq!(outer.metrics.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(outer.meta, [("b".to_owned(), "late".to_owned())].into());
}

#[test]
fn parts_of_an_activation_that_ended_inside_a_call_lose_nothing() {
    let tracer = ScopedTracer::new();
    let outer = span("outer").start();
    let mut active = Some(outer.activate());
    traced("call", || {
        drop(active.take());
        (0..450).for_each(|_| traced("child", nothing));
    });
    drop(outer);
    assert_eq!(tracer.finished().len(), 452);
    assert_eq!(tracer.counters().finished(), 452);
}

#[test]
fn a_trace_that_ended_below_another_adopts_nobody() {
    let tracer = ScopedTracer::new();
    let (job, guard) = traced("begin", || {
        (0..200).for_each(|_| traced("call", nothing));
        let job = span("job").start();
        let guard = job.activate();
        (job, guard)
    });
    (0..100).for_each(|_| traced("work", nothing));
    drop(job);
    drop(guard);
    traced("next request", nothing);
    let spans = tracer.finished();
    let trace_of = |name: &str| spans.iter().find(|span| span.name == name).unwrap().trace_id;
    assert_eq!(spans.len(), 303);
    assert_ne!(trace_of("begin"), trace_of("next request"));
}

#[test]
fn a_future_that_panics_before_its_first_poll_holds_no_trace() {
    let tracer = ScopedTracer::new();
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named("never")));
    traced("root", || {
        let items: [u8; 0] = [];
        let first = std::panic::AssertUnwindSafe(|| items.first().copied().ok_or("none").unwrap());
        let start = std::panic::catch_unwind(|| async_span(site).tags(|tags| tags.tag("first", first())));
        assert!(start.is_err());
    });
    assert_eq!(tracer.tree(), "root\n  never\n");
}

#[test]
fn a_context_of_another_tracer_leaves_nothing_behind() {
    let tracer = ScopedTracer::new();
    let context = span("root").start().context();
    std::thread::spawn(move || {
        drop(context.enter());
        traced("stray", nothing);
    })
    .join()
    .unwrap();
    assert_eq!(tracer.tree(), "root\n");
}

#[test]
fn tracers_of_a_thread_may_end_in_any_order() {
    let mut tracer = ScopedTracer::new();
    traced("first", nothing);
    tracer = {
        let next = ScopedTracer::new();
        drop(tracer);
        next
    };
    traced("second", nothing);
    assert_eq!(tracer.tree(), "second\n");
}

#[test]
fn a_service_set_while_active_is_that_of_children() {
    let tracer = ScopedTracer::new();
    let request = span("request").start();
    let _active = request.activate();
    request.set_service("other");
    traced("child", nothing);
    request.finish();
    assert!(tracer.finished().iter().all(|span| span.service.as_deref() == Some("other")));
}
