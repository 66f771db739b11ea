//! How many spans may be open at a time, and how much memory their tags may take: further ones are not recorded, and counted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use dd_traced_tests::{Ended, Report, Running, program, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
/// Half a million spans are a few seconds of work, without optimization and beside other tests.
const LONG: Duration = Duration::from_secs(150);
/// A thread tells of what it started at so many.
const UNTOLD: u64 = 64;

fn acted(act: &str, number: u64, env: &[(&str, &str)]) -> Ended {
    let mut ended = None;
    with_agent(|agent| {
        let mut program = program(PROGRAM, act, number);
        program.env("DD_TRACE_AGENT_URL", agent.url()).envs(env.iter().copied());
        ended = Some(Running::start(&mut program).wait(LONG));
    });
    ended.expect("the agent ran")
}

/// What a program reports that has 600 000 spans open.
fn report(act: &str) -> Report {
    let room = ("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "1000000000");
    Report::of(&acted(act, 600_000, &[room]).expect_success())
}

fn ended(act: &str, number: u64) -> Report {
    Report::of(&acted(act, number, &[]).expect_success())
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

/// What a span is beside its tags is not looked at.
const TAGS_KIB: std::ops::Range<u64> = 60 << 10..100 << 10;

#[test]
fn tags_of_open_spans_hold_so_much_and_no_further_span_is_recorded_then() {
    const PARTS: u64 = 20_000;
    let report = ended("open tags", PARTS);
    let mut unrecorded = 0;
    for round in 1..=2 {
        let note = |what: &str| report.notes[&format!("{what} {round}")];
        // 8 KiB each in 63 MiB.
        assert!((PARTS - 8_064..PARTS - 7_800).contains(&note("unrecorded")), "{report:?}");
        unrecorded += note("unrecorded");
        // Those that are open have the last of it.
        let left_out = note("left out") - note("left out before");
        assert!((PARTS - 10..PARTS + 120).contains(&left_out), "{report:?}");
    }
    assert!(TAGS_KIB.contains(&report.notes["grown by KiB 1"]), "{report:?}");
    assert!(report.notes["grown by KiB 2"] < TAGS_KIB.end, "{report:?}");
    assert_eq!(report.notes["recording"], 1);
    assert_eq!(report.books.dropped("open_limit"), unrecorded, "{report:?}");
    report.books.expect_settled(2 * (PARTS + 1) + 1);
}

/// Small ones count where there are many: else those of half a million spans would hold twice as much.
#[test]
fn many_small_tags_hold_no_more_than_few_large_ones() {
    const SPANS: u64 = 400_000;
    let report = ended("open small tags", SPANS);
    let recorded = SPANS - report.notes["unrecorded"];
    // 200 bytes each; those count that start beside 16 384 others.
    assert!((recorded - 16_384 - UNTOLD) * 200 < 64 << 20, "{report:?}");
    assert!(recorded * 256 > 63 << 20, "{report:?}");
    assert_eq!((report.notes["left out"], report.notes["recording"]), (0, 1), "{report:?}");
    report.books.expect_settled(SPANS + 1);
}

#[test]
fn tags_of_open_calls_hold_so_much() {
    const CALLS: u64 = 20_000;
    let report = ended("open tagged calls", CALLS);
    let refused = report.books.dropped("open_limit");
    // The room for records was doubled for the last time before the tags had filled theirs.
    assert!(refused > 0 && refused + report.notes["left out"] > 2 * (CALLS - 8_192), "{report:?}");
    assert!(refused + report.notes["left out"] < 2 * (CALLS - 7_000), "{report:?}");
    assert!(TAGS_KIB.contains(&report.notes["grown by KiB"]), "{report:?}");
    assert!(report.notes["grown by KiB in all"] < 160 << 10, "parts leave by copies: {report:?}");
    assert_eq!(report.notes["left out"], report.notes["left out again"], "it is given back");
    report.books.expect_settled(2 * CALLS + 1);
}

/// The limit of a child that dropped them was higher by as many.
#[test]
fn what_a_forked_childs_parent_has_open_does_not_count_in_the_child() {
    const SPANS: u64 = 300_000;
    for act in ["fork open", "fork drop"] {
        let ended = acted(act, SPANS, &[]).expect_success();
        let parent = Report::of(&ended);
        let child = ended.stdout.lines().next().expect("a line of the child");
        let child: Report = serde_json::from_str(child).expect("a report");
        assert_eq!(parent.notes["status of the child"], 0);
        for report in [parent, child] {
            assert_eq!(report.notes["recording"], SPANS + SPANS / 64, "{act}: {report:?}");
            assert_eq!(report.notes["one more"], 0, "{act}: {report:?}");
        }
    }
}
