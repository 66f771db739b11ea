//! How many spans may be open at a time: further ones are not recorded, and counted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use dd_traced_tests::{Report, program, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
/// A thread tells of what it started at so many.
const UNTOLD: u64 = 1_024;

/// What a program reports that has 600 000 spans open.
fn report(act: &str) -> Report {
    let mut report = None;
    with_agent(|agent| {
        let mut program = program(PROGRAM, act, 600_000);
        program.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "1000000000");
        report = Some(Report::of(&run(&mut program).expect_success()));
    });
    report.expect("the agent ran")
}

#[track_caller]
fn assert_about_100_000(refused: u64) {
    assert!((100_000 - UNTOLD..=100_000 + UNTOLD).contains(&refused), "{refused}");
}

#[test]
fn handles_beyond_the_limit_are_not_recorded_until_others_finish() {
    let report = report("open handles");
    for round in 1..=2 {
        assert_about_100_000(report.notes[&format!("unrecorded {round}")]);
        assert_eq!(report.notes[&format!("root is active {round}")], 1, "it is as if they were not there");
    }
    assert_eq!(report.notes["recording"], 1);
    let unrecorded = report.notes["unrecorded 1"] + report.notes["unrecorded 2"];
    assert_eq!(report.books.dropped("open_limit"), unrecorded, "{:?}", report.books);
    report.books.expect_settled(1 + 2 * 600_000 + 2 * 2 + 2 + 1);
}

#[test]
fn futures_beyond_the_limit_run_without_a_span() {
    let report = report("open futures");
    assert_about_100_000(report.books.dropped("open_limit"));
    report.books.expect_settled(1 + 600_000 + 2);
}

#[test]
fn calls_beyond_the_limit_run_without_a_span() {
    let report = report("open calls");
    assert_about_100_000(report.books.dropped("open_limit") / 2);
    report.books.expect_settled(2 * 600_000 + 2);
}
