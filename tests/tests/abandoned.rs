//! Spans that stay open are listed with name, ids, age and the source line that started them, whatever holds them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{SpanLayer, TraceFuture, active_span, carry, span, traced};
use dd_traced_tests::{program, run};
use tracing_subscriber::layer::SubscriberExt;

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const SECOND: Duration = Duration::from_secs(1);
const START: u64 = 1_700_000_000_000_000_000;

/// A tracer that lists spans which are open for more than ten seconds.
fn looking() -> ScopedTracer {
    ScopedTracer::debugging_abandoned_spans(START, 10 * SECOND)
}

/// The names in a list, in its order.
fn names(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| Some(line.split_once("[name: \"")?.1.split_once('"')?.0)).collect()
}

/// The line of a list for this name.
fn line_of<'a>(lines: &'a [String], name: &str) -> &'a str {
    let wanted = format!("[name: \"{name}\",");
    lines.iter().find(|line| line.contains(&wanted)).unwrap_or_else(|| panic!("no {name}: {lines:#?}"))
}

/// What a list calls the line of this file so many lines above the call.
#[track_caller]
fn above(lines: u32) -> String {
    let at = std::panic::Location::caller();
    format!("source: {}:{}]", at.file(), at.line() - lines)
}

/// A future that is never ready.
async fn for_ever() {
    poll_fn(|_| Poll::<()>::Pending).await;
}

fn poll_once(future: impl Future) {
    assert!(pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[traced(name = "sync")]
fn sync(inside: impl FnOnce()) {
    inside();
}

#[traced(name = "tagged", tags(order))]
fn tagged(order: u32, inside: impl FnOnce()) {
    inside();
    let _ = order;
}

#[traced(name = "rooted", root)]
fn rooted(inside: impl FnOnce()) {
    inside();
}

#[traced(name = "async")]
async fn asynchronous() {
    for_ever().await;
}

#[traced(name = "async.child")]
async fn child() {
    asynchronous().await;
}

#[traced(name = "returned", tags(order))]
fn returned(order: u32) -> impl Future<Output = u32> {
    async move {
        for_ever().await;
        order
    }
}

#[test]
fn each_kind_of_span_is_listed_with_the_line_that_started_it() {
    let tracer = looking();
    let subscriber = tracing_subscriber::registry().with(SpanLayer::new());
    tracing::subscriber::with_default(subscriber, || {
        let mut lines = Vec::new();
        let by_hand = span("by hand").start();
        let by_hand_line = above(1);
        let several = span("several lines").resource("r").start();
        let several_line = above(1);
        let bridged = tracing::info_span!("bridged");
        let bridged_line = above(1);
        let future = for_ever().traced(span("future").start());
        let future_line = above(1);
        let innermost = || {
            let mut context = Context::from_waker(Waker::noop());
            let (mut children, mut returned) = (pin!(child()), pin!(returned(1)));
            assert!(children.as_mut().poll(&mut context).is_pending());
            assert!(returned.as_mut().poll(&mut context).is_pending());
            tracer.advance(11 * SECOND);
            lines = tracer.abandoned_spans();
        };
        sync(|| tagged(1, || rooted(innermost)));
        drop((by_hand, several, bridged, future));

        assert_eq!(lines[0], "10 abandoned spans: open for more than 10s, the oldest first");
        for (name, at) in [
            ("by hand", by_hand_line),
            ("several lines", several_line),
            ("bridged", bridged_line),
            ("future", future_line),
            ("sync", attribute_of("fn sync(")),
            ("tagged", attribute_of("fn tagged(")),
            ("rooted", attribute_of("fn rooted(")),
            ("async", attribute_of("async fn asynchronous(")),
            ("async.child", attribute_of("async fn child(")),
            ("returned", attribute_of("fn returned(")),
        ] {
            let line = line_of(&lines, name);
            assert!(line.contains(&at) && line.contains("age: 11 sec,"), "{at} expected: {line}");
        }
    });
    assert_eq!(tracer.open_spans(), [""; 0], "all have finished");
    assert_eq!(tracer.finished().len(), 10);
}

/// What a list calls the line of the attribute above a function.
fn attribute_of(function: &str) -> String {
    let source = include_str!("abandoned.rs");
    format!("source: {}:{}]", file!(), source.lines().position(|line| line.starts_with(function)).unwrap())
}

#[test]
fn ids_and_age_are_those_of_the_span() {
    let tracer = looking();
    let span = span("order\nplace \"now\"").start();
    let context = span.context();
    tracer.advance(10 * SECOND);
    assert_eq!(tracer.abandoned_spans(), [""; 0], "it is as old as it may be");
    tracer.advance(591 * SECOND);
    let lines = tracer.abandoned_spans();
    let expected = format!(
        "abandoned span: [name: \"order\\nplace \\\"now\\\"\", span_id: {}, trace_id: {:032x}, age: 601 sec, source: ",
        context.span_id().as_u64(),
        context.trace_id().as_u128()
    );
    assert!(lines.len() == 2 && lines[1].starts_with(&expected), "{lines:#?}");
}

#[test]
fn the_oldest_stands_first_and_finished_ones_nowhere() {
    let tracer = looking();
    let spans: Vec<_> = (0..5)
        .map(|number| {
            tracer.advance(SECOND);
            span(format!("span {number}")).start()
        })
        .collect();
    sync(|| {});
    poll_once(async {
        drop(asynchronous());
        for_ever().await;
    });
    spans[1].finish();
    tracer.advance(8 * SECOND);
    assert_eq!(names(&tracer.abandoned_spans()), ["span 0"]);
    tracer.advance(9 * SECOND);
    assert_eq!(names(&tracer.abandoned_spans()), ["span 2", "span 3", "span 4"], "each is told of once");
    assert_eq!(tracer.abandoned_spans(), [""; 0]);
    spans[3].finish();
    let left = tracer.open_spans();
    assert_eq!(left[0], "3 abandoned spans: open at the shutdown, the oldest first");
    assert_eq!(names(&left), ["span 0", "span 2", "span 4"]);
    assert_eq!(tracer.counters().abandoned_spans(), 4);
}

#[test]
fn a_long_list_says_how_many_more_there_are() {
    let tracer = looking();
    let spans: Vec<_> = (0..150).map(|number| span(format!("span {number}")).start()).collect();
    tracer.advance(11 * SECOND);
    let lines = tracer.abandoned_spans();
    assert_eq!((lines.len(), names(&lines).len()), (102, 100));
    assert_eq!(lines[101], "and 50 more abandoned spans");
    drop(spans);
}

#[test]
fn forgotten_spans_stay_listed() {
    let tracer = looking();
    std::mem::forget(span("handle").start());
    let leaked = span("activated").start();
    std::mem::forget(leaked.activate());
    std::mem::forget(leaked);
    let mut future = Box::pin(asynchronous());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::mem::forget(future);
    std::thread::spawn(carry(|| {
        // Its thread ends, the span never.
        std::mem::forget(span("thread").start());
    }))
    .join()
    .unwrap();
    tracer.advance(11 * SECOND);
    let lines = tracer.abandoned_spans();
    let mut names = names(&lines);
    names.sort_unstable();
    assert_eq!(names, ["activated", "async", "handle", "thread"]);
}

#[test]
fn spans_of_a_blocked_thread_are_listed_and_those_finished_elsewhere_not() {
    let tracer = looking();
    let request = span("request").start();
    let active = request.activate();
    let (blocked, is_blocked) = channel();
    let (release, released) = channel::<()>();
    let thread = std::thread::spawn(carry(move || {
        sync(|| {
            blocked.send(()).unwrap();
            let _ = released.recv();
        });
    }));
    let elsewhere = span("elsewhere").start();
    std::thread::spawn(move || elsewhere.finish()).join().unwrap();
    is_blocked.recv().unwrap();
    tracer.advance(11 * SECOND);
    let lines = tracer.abandoned_spans();
    let mut found = names(&lines);
    found.sort_unstable();
    assert_eq!(found, ["request", "sync"]);
    drop((active, release));
    thread.join().unwrap();
    request.finish();
    assert_eq!(tracer.open_spans(), [""; 0]);
}

#[test]
fn trees_are_the_same_with_and_without_the_list() {
    let tree = |tracer: ScopedTracer| {
        sync(|| {
            for order in 0..400 {
                tagged(order, || active_span().set_tag("inside", true));
            }
            let outer = span("outer").start();
            let _active = outer.activate();
            rooted(|| sync(|| {}));
            poll_once(child());
        });
        let spans = tracer.finished();
        let named =
            |id| spans.iter().find(|span| span.span_id == id).map_or("", |span| &span.name).to_owned();
        let fact = |span: &FinishedSpan| {
            (span.name.clone(), named(span.parent_id), span.meta.clone(), span.is_top_level)
        };
        let mut facts: Vec<_> = spans.iter().map(fact).collect();
        facts.sort();
        facts
    };
    let with = tree(looking());
    assert_eq!(with.len(), 406);
    assert!(with == tree(ScopedTracer::at(START)), "{with:?}");
    assert!(with == tree(ScopedTracer::new()), "{with:?}");
}

/// A span finishes while another tracer, which lists nothing, stands above its own.
#[test]
fn span_below_another_tracer_is_taken_off_the_list() {
    let other = ScopedTracer::new();
    let foreign = span("foreign").start();
    let tracer = looking();
    let mut lines = Vec::new();
    sync(|| {
        // The activation is left over when `sync` ends.
        std::mem::forget(foreign.activate());
        tagged(1, || lines = tracer.open_spans());
    });
    assert_eq!(names(&lines), ["sync"], "what the other one records is none of these");
    assert_eq!(tracer.open_spans(), [""; 0]);
    foreign.finish();
    sync(|| {});
    assert_eq!((tracer.finished().len(), other.finished().len()), (2, 2));
}

#[test]
fn nothing_is_listed_unless_asked_for() {
    let tracer = ScopedTracer::at(START);
    let span = span("open").start();
    tracer.advance(3600 * SECOND);
    assert_eq!((tracer.abandoned_spans(), tracer.open_spans()), (vec![], vec![]));
    assert_eq!(tracer.counters().abandoned_spans(), 0);
    drop(span);
}

/// What the program says of abandoned spans.
fn told(variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = program(PROGRAM, "abandoned", 1);
    command.env("DD_TRACE_AGENT_URL", "http://127.0.0.1:9").envs(variables.iter().copied());
    let ended = run(&mut command).expect_success();
    ended.stderr_lines_with("abandoned span").map(str::to_owned).collect()
}

#[test]
fn open_spans_are_listed_at_the_shutdown_whatever_the_level() {
    for level in ["warn", "error", "off"] {
        let lines = told(&[("DD_TRACE_DEBUG_ABANDONED_SPANS", "1"), ("DD_TRACE_LOG_LEVEL", level)]);
        assert!(lines[0].contains("WARN: 2 abandoned spans: open at the shutdown"), "{lines:#?}");
        assert_eq!(names(&lines[..3]), [r"never\nfinished", "leaked"], "{lines:#?}");
        assert!(lines[1].contains("program.rs:"), "{lines:#?}");
        // The tracer is started again, and knows nothing of the spans before.
        assert!(lines[3].contains("WARN: 1 abandoned span: open at the shutdown"), "{lines:#?}");
        assert_eq!((names(&lines[3..]), lines.len()), (vec!["again"], 5), "{lines:#?}");
    }
}

#[test]
fn without_the_switch_nothing_is_said() {
    assert_eq!(told(&[("DD_TRACE_ABANDONED_SPAN_TIMEOUT", "1ns")]), [""; 0]);
    assert_eq!(told(&[("DD_TRACE_DEBUG", "1")]), [""; 0]);
}
