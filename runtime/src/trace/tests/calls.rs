//! What spans of calls and by hand promise.

use super::*;

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
    assert_eq!(tracer.finished().iter().filter(|span| span.name == "work").count(), 2);
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
fn a_parent_is_whatever_names_a_span() {
    let tracer = ScopedTracer::new();
    {
        let first = span("first").start();
        let _active = first.activate();
        let other = span("other").root().start();
        span("of other").child_of(&other).start().finish();
        span("of context").child_of(&Some(other.context())).start().finish();
        span("of active").root().child_of(&active_span()).start().finish();
        // `None` says nothing: neither is the active span given up, nor what was said before.
        span("of none").child_of(&None::<crate::SpanContext>).start().finish();
        span("still of other").child_of(&other).child_of(&None::<crate::SpanContext>).start().finish();
    }
    let tree = "first\n  of active\n  of none\nother\n  of other\n  of context\n  still of other\n";
    assert_eq!(tracer.tree(), tree);
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
fn a_service_set_while_active_is_that_of_children() {
    let tracer = ScopedTracer::new();
    let request = span("request").start();
    let _active = request.activate();
    request.set_service("other");
    traced("child", nothing);
    request.finish();
    let services: Vec<_> = tracer.finished().into_iter().map(|span| span.service).collect();
    assert_eq!(services, [Some("other".into()), Some("other".into())]);
}
