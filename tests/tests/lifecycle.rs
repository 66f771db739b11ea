//! A tracer starts once, ends once, and may start again; what is traced before, after and around that does no harm.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use dd_traced::{StartError, Tracer, span};
use dd_traced_tests::{Ended, Received, Report, command, program, run, with_agent, with_tracer};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
/// Five times what the guard's drop may take.
const BOUND: Duration = Duration::from_secs(10);

/// The program beside an agent.
fn acted(act: &str, number: u64) -> (Ended, Received) {
    let mut ended = None;
    let received = with_agent(|agent| {
        ended = Some(run(program(PROGRAM, act, number).env("DD_TRACE_AGENT_URL", agent.url())));
    });
    (ended.unwrap(), received)
}

#[test]
fn a_second_tracer_is_refused_and_changes_nothing() {
    let (received, _) = with_tracer(|_, _| {
        let second = Tracer::builder().service("second").agent_url("http://127.0.0.1:1").start();
        assert!(matches!(second, Err(StartError::AlreadyStarted)), "{second:?}");
        span("still here").start().finish();
    });
    assert_eq!(received.span("still here").service, "shop");
}

#[test]
fn a_second_init_is_inert_and_warns() {
    let (ended, received) = acted("init often", 1_000);
    let report = Report::of(&ended.clone().expect_success());
    report.books.expect_settled(4);
    assert_eq!(received.span_count(), 4, "dropping an inert guard ends nothing");
    assert!(report.notes["threads at work"] <= 3, "{report:?}");
    assert!((1..=2).contains(&ended.stderr_lines_with("WARN").count()), "{}", ended.stderr);
}

/// A child has a copy of everything but the worker, and starts a tracer of its own.
#[test]
fn a_forked_child_starts_a_tracer_of_its_own_and_sends_nothing_twice() {
    let (ended, received) = acted("fork", 7);
    let ended = ended.expect_success();
    let parent = Report::of(&ended);
    parent.books.expect_settled(28);
    assert_eq!((parent.books.acknowledged, parent.notes["status of the child"]), (28, 0), "{parent:?}");
    let child: Report = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((child.notes["flushed by the child"], child.notes["flushed by its own"]), (0, 1), "{child:?}");
    assert!(child.notes["forked"] > 1_000, "{child:?}");
    // Promised are 5 ms.
    assert!(child.took["first call"] < Duration::from_millis(500), "{child:?}");
    assert_eq!((child.books.finished, child.books.acknowledged), (14, 14), "{child:?}");
    let of_child: Vec<_> = received.spans().filter(|span| span.service == "child").collect();
    assert_eq!((of_child.len(), received.span_count()), (14, 42));
    let ids: BTreeSet<_> = received.spans().filter_map(|span| span.meta.get("runtime-id")).collect();
    assert_eq!(ids.len(), 2, "each process has an id of its own");
}

#[test]
fn a_tracer_may_start_again_after_its_end() {
    let (ended, received) = acted("start again", 20);
    let report = Report::of(&ended.expect_success());
    assert_eq!(received.span_count(), 40);
    let services: BTreeSet<_> = received.spans().map(|span| span.service.as_str()).collect();
    assert_eq!(services.len(), 20);
    assert_eq!(report.notes["threads at end"], 1, "the worker's thread is gone");
}

/// Neither the end of the process's tracer nor one that records nothing mutes threads with a tracer of their own.
#[test]
fn a_scoped_tracer_records_whatever_becomes_of_the_other() {
    let (ended, received) = acted("scoped", 3);
    let report = Report::of(&ended.expect_success());
    for note in ["beside a tracer", "after its end", "beside a disabled one"] {
        assert_eq!(report.notes[note], 6, "{note}");
    }
    assert_eq!((report.books.finished, received.span_count()), (0, 0), "{report:?}");
}

#[test]
fn spans_outside_of_a_tracers_life_do_no_harm() {
    let (ended, received) = acted("without tracer", 10);
    let report = Report::of(&ended.clone().expect_success());
    assert_eq!(report.books.waiting, 0);
    assert_eq!(report.notes["flushed after shutdown"], 0, "a span finished after the shutdown");
    assert_eq!(received.span_count() as u64, report.books.acknowledged);
    assert_eq!(received.spans().filter(|span| span.name == "part").count(), 20);
    assert_eq!(ended.stderr_lines_with("panicked").count(), 0, "{}", ended.stderr);
}

#[test]
fn the_guards_end_sends_what_waits() {
    let (ended, received) = acted("work", 500);
    let report = Report::of(&ended.expect_success());
    report.books.expect_settled(1_000);
    assert_eq!(received.span_count(), 1_000);
    assert!(report.took["drop"] < BOUND, "{report:?}");
}

#[test]
fn a_closed_stderr_is_no_reason_to_fail() {
    let received = with_agent(|agent| {
        let mut shell = command("sh");
        shell.args(["-c", r#"exec "$0" work 5 2>&-"#, PROGRAM]).env("DD_TRACE_AGENT_URL", agent.url());
        shell.env("DD_TRACE_DEBUG", "1");
        let report = Report::of(&run(&mut shell).expect_success());
        report.books.expect_settled(10);
    });
    assert_eq!(received.span_count(), 10);
}

#[test]
fn an_exit_is_not_held_up() {
    let (ended, _) = acted("exit", 100);
    assert_eq!(ended.status.code(), Some(3), "{ended:#?}");
    assert!(ended.took < BOUND);
}

#[test]
fn a_panic_in_main_still_sends_what_waits() {
    let (ended, received) = acted("panic", 10);
    assert_eq!(ended.status.code(), Some(101), "{ended:#?}");
    assert_eq!(received.span_count(), 21);
    assert_eq!(ended.stderr_lines_with("panicked").count(), 1, "{}", ended.stderr);
    assert!(ended.took < BOUND);
}

#[test]
fn a_panic_hook_may_flush_and_shut_down() {
    let (ended, received) = acted("panic hook", 10);
    let report = Report::of(&ended.expect_success());
    assert_eq!(received.span_count(), 20);
    assert!(report.took["panic"] < BOUND, "{report:?}");
}

/// A blocking client panics when it is dropped inside a runtime, and a runtime that is entered does so when another is.
#[test]
fn a_tracer_lives_and_ends_inside_of_tokio() {
    let (ended, received) = acted("in tokio", 10);
    let report = Report::of(&ended.clone().expect_success());
    assert_eq!(received.span_count(), 40);
    assert!(report.took["current thread"] < BOUND && report.took["many threads"] < BOUND, "{report:?}");
    assert_eq!(ended.stderr_lines_with("panicked").count(), 0, "{}", ended.stderr);
}

#[test]
fn spans_of_ending_threads_are_delivered_or_counted() {
    let (ended, received) = acted("thread locals", 20);
    let report = Report::of(&ended.clone().expect_success());
    assert_eq!(report.books.waiting, 0);
    assert_eq!(received.span_count() as u64, report.books.acknowledged);
    assert!(received.span_count() >= 40, "{report:?}");
    assert_eq!(ended.stderr_lines_with("panicked").count(), 0, "{}", ended.stderr);
}
