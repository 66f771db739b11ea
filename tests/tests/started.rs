//! How many spans were started, and how many of those are open.

use dd_traced::{Counters, counters, span, traced};
use dd_traced_tests::with_tracer;

/// What a thread has not told yet.
const UNTOLD: u64 = 64;

#[traced]
fn nested(depth: u32) -> Counters {
    if depth == 0 { counters() } else { nested(depth - 1) }
}

#[test]
fn spans_in_handles_are_open_until_they_finish() {
    with_tracer(|_, _| {
        let handles: Vec<_> = (0..1_000).map(|_| span("open").start()).collect();
        let found = counters();
        assert!((1_000 - UNTOLD..=1_000).contains(&found.open()), "{found:?}");
        assert_eq!((found.started(), found.finished()), (found.open(), 0));
        assert!(
            format!("{found:?}").starts_with(&format!("Counters {{ open: {}, finished: 0", found.open()))
        );
        drop(handles);
        let found = counters();
        assert!(found.open() <= UNTOLD, "{found:?}");
        assert_eq!((found.started(), found.finished()), (1_000 + found.open(), 1_000));
    });
}

#[test]
fn a_thread_that_ends_has_told_of_all() {
    with_tracer(|_, _| {
        let other = |task: fn() -> Vec<dd_traced::Span>| std::thread::spawn(task).join().expect("it ends");
        let handles = other(|| (0..10).map(|_| span("open").start()).collect());
        assert_eq!(counters().open(), 10);
        std::thread::spawn(|| drop(handles)).join().expect("it ends");
        assert_eq!((counters().open(), counters().started(), counters().finished()), (0, 10, 10));
        // Children of a trace that is open elsewhere: nothing is handed over here.
        let root = span("root").start();
        let context = root.context();
        let child = std::thread::spawn(move || span("child").child_of(&context).start()).join();
        assert_eq!(counters().open(), 1);
        drop(child);
    });
}

#[test]
fn calls_count_when_they_are_handed_over() {
    with_tracer(|_, _| {
        let inside = nested(20);
        assert_eq!((inside.started(), inside.open()), (0, 0));
        assert_eq!((counters().started(), counters().open()), (21, 0));
    });
}

/// What an earlier tracer left open is none of what the next one started.
#[test]
fn each_tracer_counts_its_own() {
    let mut open = Vec::new();
    with_tracer(|_, _| open.extend((0..100).map(|_| span("open").start())));
    with_tracer(|_, _| {
        let own: Vec<_> = (0..300).map(|_| span("own").start()).collect();
        let found = counters();
        assert!((300 - UNTOLD..=300).contains(&found.open()), "{found:?}");
        assert_eq!(found.started(), found.open());
        // They come off here, and never to less than nothing.
        drop(open);
        let found = counters();
        assert!((200 - UNTOLD..=200 + UNTOLD).contains(&found.open()), "{found:?}");
        drop(own);
        let found = counters();
        assert!(found.open() <= UNTOLD && found.finished() == 300, "{found:?}");
    });
}
