//! Without an agent, or with a bad one, the application runs on, ends in time, is told once, and each lost span is counted.

use std::time::{Duration, Instant};

use dd_traced::span;
use dd_traced_tests::{Address, Answer, Ended, Report, command, program, run, with_agent, with_tracer};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
/// The guard's drop takes at most 2 s; the bound leaves room for a machine with other things to do.
const DROP_BOUND: Duration = Duration::from_secs(10);

/// Fails unless the program ended well and in time, with its books in order.
fn expect_unharmed(ended: &Ended, finished: u64) -> Report {
    assert!(ended.status.success(), "{ended:#?}");
    let report = Report::of(ended);
    report.books.expect_settled(finished);
    assert!(report.took["drop"] < DROP_BOUND, "{report:?}");
    report
}

fn warnings(ended: &Ended) -> usize {
    ended.stderr_lines_with("WARN").count()
}

/// Fails unless the program gave so many warnings; for a look at each.
fn expect_warnings<const N: usize>(ended: &Ended) -> [&str; N] {
    let warnings: Vec<_> = ended.stderr_lines_with("WARN").collect();
    assert_eq!(warnings.len(), N, "{}", ended.stderr);
    std::array::from_fn(|index| warnings[index])
}

#[test]
fn without_an_agent_the_program_runs_and_ends() {
    let nobody = Address::unused().unwrap().to_string();
    let ended = run(program(PROGRAM, "work", 100).env("DD_TRACE_AGENT_URL", nobody));
    let report = expect_unharmed(&ended, 200);
    assert_eq!(report.books.acknowledged, 0);
    assert_eq!(warnings(&ended), 1, "{}", ended.stderr);
}

#[test]
fn a_socket_that_is_not_there_is_an_agent_that_is_not_there() {
    for url in ["unix:///nowhere/at/all.socket", "unix:///dev/null", "http://127.0.0.1:9/base"] {
        let ended = run(program(PROGRAM, "work", 10).env("DD_TRACE_AGENT_URL", url));
        let report = expect_unharmed(&ended, 20);
        assert_eq!(report.books.acknowledged, 0, "{url}");
        assert_eq!(warnings(&ended), 1, "{url}: {}", ended.stderr);
    }
}

#[test]
fn many_failures_are_one_warning_and_the_rest_at_the_end() {
    let nobody = Address::unused().unwrap().to_string();
    let ended = run(program(PROGRAM, "flushes", 6).env("DD_TRACE_AGENT_URL", nobody));
    let report = expect_unharmed(&ended, 12);
    // Promised are 400 ms.
    assert!(report.took["flush"] < Duration::from_secs(3), "{report:?}");
    let [first, last] = expect_warnings(&ended);
    assert!(first.ends_with("; lost 1 trace, 2 spans: net 2"), "{first}");
    assert!(last.contains("Agent not reachable at http://127.0.0.1:"), "{last}");
    assert!(last.contains("; lost 5 traces, 10 spans: "), "{last}");
}

#[test]
fn an_agent_that_never_answers_holds_nobody_up() {
    with_agent(|agent| {
        agent.answers_all(Answer::never());
        let ended = run(program(PROGRAM, "work", 100).env("DD_TRACE_AGENT_URL", agent.url()));
        let report = expect_unharmed(&ended, 200);
        assert_eq!(report.books.acknowledged, 0);
        let [warning] = expect_warnings(&ended);
        for part in [
            &*agent.url(),
            "no answer",
            "DD_TRACE_AGENT_URL",
            "; lost 100 traces, 200 spans: shutdown_deadline 200",
        ] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
    });
}

#[test]
fn an_agent_that_never_answers_is_told_of_while_the_program_runs() {
    with_agent(|agent| {
        agent.answers_all(Answer::never());
        let ended = run(program(PROGRAM, "flushes", 8).env("DD_TRACE_AGENT_URL", agent.url()));
        expect_unharmed(&ended, 16);
        let [first, last] = expect_warnings(&ended);
        for warning in [first, last] {
            assert!(warning.contains(&*agent.url()) && warning.contains("no answer within 2s"), "{warning}");
        }
        assert!(first.ends_with("; trying again"), "{first}");
        assert!(last.contains("; lost 8 traces, 16 spans: "), "{last}");
    });
}

#[test]
fn an_agent_that_breaks_off_holds_nobody_up() {
    for answer in [Answer::reset(), Answer::ok().half(), Answer::status(500), Answer::status(302)] {
        with_agent(|agent| {
            agent.answers_all(answer.clone());
            let ended = run(program(PROGRAM, "work", 10).env("DD_TRACE_AGENT_URL", agent.url()));
            let report = expect_unharmed(&ended, 20);
            assert_eq!(report.books.acknowledged, 0, "{answer:?}");
        });
    }
}

#[test]
fn an_agent_that_comes_back_gets_what_waits() {
    let received = with_agent(|agent| {
        agent.answers_next(Answer::reset());
        agent.answers_next(Answer::status(503));
        let ended = run(program(PROGRAM, "work", 10).env("DD_TRACE_AGENT_URL", agent.url()));
        let report = expect_unharmed(&ended, 20);
        assert_eq!(report.books.acknowledged, 20);
    });
    assert_eq!(received.span_count(), 20);
}

#[test]
fn a_refused_payload_is_lost_at_once_under_its_reason() {
    for (status, reason) in
        [(400, "http_4xx"), (401, "http_4xx"), (403, "http_4xx"), (405, "http_4xx"), (302, "http_4xx")]
    {
        let (received, books) = with_tracer(|agent, tracer| {
            agent.answers(Answer::status(status));
            // The worker looks at the queue once when it starts; from here on it waits, and one payload takes all seven.
            tracer.flush(Duration::from_secs(5));
            for _ in 0..7 {
                span("refused").root().start().finish();
            }
            tracer.flush(Duration::from_secs(5));
        });
        assert_eq!(books.dropped(reason), 7, "{status}: {books:?}");
        assert_eq!(received.payloads().count(), 1, "{status} is not tried again");
    }
}

#[test]
fn retries_end_and_the_loss_has_its_reason() {
    for (answer, reason) in [
        (Answer::status(500), "http_5xx"),
        (Answer::status(503), "http_5xx"),
        (Answer::status(429), "overload"),
        (Answer::reset(), "net"),
    ] {
        let (received, books) = with_tracer(|agent, tracer| {
            agent.answers(answer.clone());
            span("lost").start().finish();
            tracer.flush(Duration::from_secs(15));
        });
        assert_eq!(books.dropped(reason), 1, "{answer:?}: {books:?}");
        // Whoever resets does not see the spans, but the count in the header.
        let attempts = received
            .requests
            .iter()
            .filter(|request| request.is_traces() && request.header("x-datadog-trace-count") != Some("0"));
        assert!((2..=5).contains(&attempts.count()), "{answer:?}: {received:#?}");
    }
}

/// A connection that could not be made is tried again.
#[test]
fn without_descriptors_a_payload_is_tried_as_often_as_any_other() {
    let received = with_agent(|agent| {
        // Else there is a connection already.
        agent.answers_info(Answer::reset());
        let mut shell = command("sh");
        shell.args(["-c", r#"ulimit -n 64; exec "$0" "no descriptors" 3"#, PROGRAM]);
        shell.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_DEBUG", "1");
        let ended = run(&mut shell).expect_success();
        let report = Report::of(&ended);
        assert_eq!((report.notes["flushed without"], report.notes["flushed with"]), (0, 1), "{report:?}");
        assert_eq!((report.books.dropped("net"), report.books.acknowledged), (6, 6), "{report:?}");
        let attempts: Vec<_> = ended.stderr_lines_with("payload not sent").collect();
        assert_eq!(attempts.len(), 4, "{}", ended.stderr);
        assert!(attempts.iter().all(|line| line.contains("Too many open files")), "{attempts:?}");
    });
    assert_eq!(received.span_count(), 6);
}

#[test]
fn waits_end_at_their_deadlines() {
    // Promised are 300 ms; without a deadline all retries of a silent agent take longer than this.
    let bound = Duration::from_secs(5);
    let (_, books) = with_tracer(|agent, tracer| {
        agent.answers_all(Answer::never());
        span("waiting").start().finish();
        let start = Instant::now();
        assert!(!tracer.flush(Duration::from_millis(200)));
        assert!(start.elapsed() < bound, "flush: {:?}", start.elapsed());
        span("another").start().finish();
        let start = Instant::now();
        assert!(!dd_traced::shutdown(Duration::from_millis(200)));
        assert!(start.elapsed() < bound, "shutdown: {:?}", start.elapsed());
        // A tracer that has ended has nothing left to do, but spans were lost.
        let again = Duration::from_secs(10);
        assert!(!tracer.flush(again) && !dd_traced::flush(again) && !dd_traced::shutdown(again));
        span("too late").start().finish();
    });
    assert_eq!(books.acknowledged, 0);
    assert_eq!(books.dropped("shutdown_deadline"), 2, "{books:?}");
    assert_eq!(books.dropped("after_shutdown"), 1, "{books:?}");
}

/// 40 MB of spans for a queue of 16 MiB, and an agent that takes none.
#[test]
fn a_full_queue_refuses_and_counts() {
    with_agent(|agent| {
        agent.answers_all(Answer::never());
        let ended = run(program(PROGRAM, "burst", 4_000).env("DD_TRACE_AGENT_URL", agent.url()));
        let report = expect_unharmed(&ended, 4_000);
        assert!(report.books.dropped("queue_full") > 1_000, "{report:?}");
        assert!(report.books.dropped("queue_full") < 3_500, "{report:?}");
        assert!(report.took["work"] < Duration::from_secs(5), "the application did not wait: {report:?}");
        assert!(warnings(&ended) <= 2, "{}", ended.stderr);
    });
}
