//! What a span of a future promises: active during each poll, and nowhere else.

use super::*;

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
fn what_finishes_deep_inside_waits_with_the_outermost_future() {
    let leaf = async || {
        active_span().set_tag("depth", 3);
        traced("call", || active_span().set_tag("depth", 4));
        Yield::default().await;
    };
    for part in [300, 4] {
        let tracer = ScopedTracer::with_parts_of(part);
        let mut future = Box::pin(traced_async("root", async || {
            for _ in 0..5 {
                traced_async("middle", async || {
                    traced_async("leaf", leaf).await;
                    Yield::default().await;
                    // Under an open call the outermost future is still the one that is polled.
                    traced("blocking", || {
                        let mut inner = Box::pin(traced_async("leaf", leaf));
                        while poll_once(&mut inner).is_pending() {}
                    });
                })
                .await;
            }
        }));
        while poll_once(&mut future).is_pending() {
            traced("other", nothing);
        }
        let spans = tracer.finished();
        let own: Vec<_> = spans.iter().filter(|span| span.name != "other").collect();
        let named = |name| own.iter().filter(move |span| span.name == name);
        let count = ["root", "middle", "leaf", "call", "blocking"].map(|name| named(name).count());
        assert_eq!(count, [1, 5, 10, 10, 5]);
        assert!(named("leaf").all(|span| (span.metrics["depth"] - 3.0).abs() < f64::EPSILON));
        assert!(named("call").all(|span| (span.metrics["depth"] - 4.0).abs() < f64::EPSILON));
        assert!(own.iter().all(|span| span.trace_id == own[0].trace_id));
        let chunks: std::collections::BTreeSet<_> = own.iter().map(|span| span.chunk).collect();
        assert_eq!(chunks.len() == 1, part == 300, "{chunks:?}");
    }
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
#[expect(clippy::await_holding_invalid_type, reason = "what happens then is tested here")]
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
fn tags_that_panic_leave_no_span() {
    let tracer = ScopedTracer::new();
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named("never")));
    traced("root", || {
        let items: [u8; 0] = [];
        let first = std::panic::AssertUnwindSafe(|| items.first().copied().ok_or("none").unwrap());
        let start = std::panic::catch_unwind(|| async_span(site).tags(|tags| tags.tag("first", first())));
        // There used to be a span here, without an error.
        assert!(start.is_err());
    });
    assert_eq!(tracer.tree(), "root\n");
}
