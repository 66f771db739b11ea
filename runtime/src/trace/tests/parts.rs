//! What long traces promise that leave in parts.

use super::*;

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

/// Each part used to look at all that were open, so that the time grew by the square of the depth.
#[test]
fn parts_are_few_where_very_many_are_open() {
    fn deep(depth: u32) {
        if depth > 0 {
            traced("level", || deep(depth - 1));
        }
    }
    let large_stack = std::thread::Builder::new().stack_size(256 << 20);
    let chunks = std::thread::scope(|scope| {
        let deep_calls = || {
            let tracer = ScopedTracer::new();
            [1_000, 40_000, 1_000].map(|depth| {
                let before = tracer.finished().len();
                deep(depth);
                let spans = tracer.finished().split_off(before);
                assert_eq!(spans.len(), depth as usize);
                spans.last().map_or(0, |last| last.chunk) - spans.first().map_or(0, |first| first.chunk)
            })
        };
        large_stack.spawn_scoped(scope, deep_calls).unwrap().join().unwrap()
    });
    assert_eq!((chunks[0], chunks[2]), (3, 3), "parts of 300, and the last one");
    assert!((9..60).contains(&chunks[1]), "{chunks:?}, and not 133");
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

/// The child was left without a parent on the stack, and its end was taken for that of the trace.
#[test]
fn a_span_whose_parent_left_with_a_part_ends_without_the_trace() {
    let tracer = ScopedTracer::new();
    let enter = |name| site_span(Box::leak(Box::new(CallSite::named(name)))).enter();
    traced("root", || {
        let parent = enter("parent");
        let child = enter("child");
        drop(parent);
        (0..300).for_each(|_| traced("call", nothing));
        let later = enter("later");
        drop(child);
        traced("after", nothing);
        drop(later);
        traced("last", nothing);
    });
    let spans = tracer.finished();
    assert_eq!(spans.len(), 306);
    let named = |name| spans.iter().find(|span| span.name == name).unwrap();
    let root = named("root");
    assert!(spans.iter().all(|span| span.trace_id == root.trace_id));
    assert_eq!(named("child").parent_id, named("parent").span_id);
    assert!(["parent", "later", "after", "last"].iter().all(|name| named(name).parent_id == root.span_id));
    assert!(named("parent").chunk < named("child").chunk);
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
fn parts_that_leave_with_their_buffer_take_no_tag_along_that_is_not_theirs() {
    for (part, late) in [(60, "short".to_owned()), (60, "x".repeat(3_000)), (300, "short".to_owned())] {
        let tracer = ScopedTracer::with_parts_of(part);
        traced("root", || {
            active_span().set_service("shop");
            active_span().set_tag("root", "early");
            for round in 0..5_u32 {
                traced("middle", || {
                    active_span().set_tag("middle", round);
                    for call in 0..100_u32 {
                        traced("call", || active_span().set_tag("call", call));
                    }
                });
                active_span().set_tag("late", late.as_str());
            }
        });
        let spans = tracer.finished();
        let named = |name| spans.iter().filter(move |span| span.name == name).collect::<Vec<_>>();
        let (roots, middles, calls) = (named("root"), named("middle"), named("call"));
        assert_eq!((roots.len(), middles.len(), calls.len()), (1, 5, 500));
        let root = roots[0];
        assert_eq!((root.meta["root"].as_str(), root.meta["late"].as_str()), ("early", late.as_str()));
        assert!(spans.iter().all(|span| span.service.as_deref() == Some("shop")));
        for (round, middle) in middles.iter().enumerate() {
            assert_eq!((middle.metrics["middle"] as usize, middle.parent_id), (round, root.span_id));
            let own: Vec<_> = calls.iter().filter(|call| call.parent_id == middle.span_id).collect();
            let numbers: Vec<_> = own.iter().map(|call| call.metrics["call"] as u32).collect();
            assert_eq!(numbers, (0..100).collect::<Vec<_>>());
            assert!(own.iter().all(|call| call.meta.is_empty() && call.metrics.len() == 1));
        }
    }
}

#[test]
fn a_tag_that_came_late_is_forgotten_with_its_spans() {
    // A step is active above a job's record, and the job is given a tag: it stands behind the tags of the step.
    fn job() {
        traced("job", || {
            let job = active_span();
            let step = span("step").start();
            let active = step.activate();
            job.set_tag("late", "SELECT ".repeat(100));
            drop(active);
        });
    }
    let tracer = ScopedTracer::new();
    let mut keeper = Box::pin(traced_async("keeper", async || {
        (0..20_u32).for_each(|n| traced("early", || active_span().set_tag("n", n)));
        Yield::default().await;
    }));
    assert!(poll_once(&mut keeper).is_pending());
    let mut handler = Box::pin(traced_async("handler", async || {
        job();
        (0..298).for_each(|_| traced("call", nothing));
        Yield::default().await;
    }));
    assert!(poll_once(&mut handler).is_pending());
    // A part of another trace leaves while both wait.
    traced("outer", || traced("middle", || (0..400).for_each(|_| traced("leaf", nothing))));
    assert!(poll_once(&mut keeper).is_ready() && poll_once(&mut handler).is_ready());
    let spans = tracer.finished();
    assert_eq!(spans.len(), 21 + 301 + 402);
    let tag =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap().meta.get("late").map(String::len);
    assert_eq!((tag("job"), tag("step"), tag("handler")), (Some(700), None, None));
    let early = spans.iter().filter(|span| span.name == "early");
    assert_eq!(early.map(|span| span.metrics["n"] as u32).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
}

#[test]
fn late_tags_of_a_span_that_stays_open_do_not_pile_up() {
    let tracer = ScopedTracer::with_parts_of(50);
    traced("loop", || {
        let own = active_span();
        for round in 0..4_000_u32 {
            let step = span("step").start();
            let active = step.activate();
            own.set_tag("round", format!("{round} {}", "x".repeat(20_000)));
            traced("call", || active_span().set_tag("n", round));
            drop(active);
        }
        own.set_tag("round", "last");
    });
    let spans = tracer.finished();
    let last = spans.iter().find(|span| span.name == "loop").unwrap();
    assert_eq!(last.meta["round"], "last");
    assert!(spans.iter().filter(|span| span.name == "call").all(|span| span.metrics.contains_key("n")));
}

#[test]
fn a_large_buffer_with_little_in_it_stays_here() {
    let tracer = ScopedTracer::new();
    let text = "x".repeat(5_000);
    traced("root", || {
        active_span().set_tag("sql", text.as_str());
        (0..299).for_each(|_| traced("call", || active_span().set_tag("text", text.as_str())));
        (0..60).for_each(|_| traced("leaf", nothing));
    });
    // The part took more than a megabyte; what is left is small and does not bring that memory along.
    let held = tracer.held_bytes();
    assert!(held.iter().sum::<usize>() < 4 << 20, "{held:?}");
}

#[test]
fn a_tracer_that_came_with_a_future_leaves_with_it() {
    let tracer = ScopedTracer::new();
    let mut future = Box::pin(traced_async("handler", async || Yield::default().await));
    assert!(poll_once(&mut future).is_pending());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Without a tracer of its own.
            traced("before", nothing);
            assert!(poll_once(&mut future).is_ready());
            traced("after", nothing);
        });
    });
    assert_eq!(tracer.tree(), "handler\n");
}
