//! What guards and contexts promise, in whatever order they end.

use super::*;

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
fn a_context_hands_the_service_on_that_its_span_had() {
    let tracer = ScopedTracer::new();
    let span = span("handle").start();
    let before = span.context();
    {
        let _active = before.enter();
        span.set_service("orders");
        traced("under the context", nothing);
    }
    {
        let _active = span.context().enter();
        traced("under a later context", nothing);
    }
    {
        let _active = span.activate();
        span.set_service("shop");
        traced("under the span", nothing);
    }
    span.finish();
    let spans = tracer.finished();
    let service = |name| spans.iter().find(|span| span.name == name).unwrap().service.as_deref();
    assert_eq!(service("under the context"), None);
    assert_eq!(service("under a later context"), Some("orders"));
    assert_eq!((service("under the span"), service("handle")), (Some("shop"), Some("shop")));
}
