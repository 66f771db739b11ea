//! The agent's contract: what a program sends is accepted by Datadog's APM test agent with all its checks, over TCP and over a Unix
//! socket.

use std::collections::BTreeSet;

use dd_traced_tests::{Report, SpanTree, TestAgent, program, run};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

fn expect_accepted(agent: &TestAgent) {
    let mut program = program(env!("CARGO_BIN_EXE_program"), "work", 700);
    program.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_SERVICE", "shop").env("DD_ENV", "test");
    let ended = run(&mut program).expect_success();
    Report::of(&ended).books.expect_settled(1_400);
    agent.expect_checks_passed();
    let traces = agent.traces();
    let ids: BTreeSet<_> = traces.iter().flatten().map(|span| span.trace_id).collect();
    assert_eq!((ids.len(), traces.iter().map(Vec::len).sum::<usize>()), (700, 1_400));
    let tree = SpanTree::of(&traces[0]).to_string();
    assert_eq!(tree, "job service=shop resource=\"the daily job\"\n  part\n");
}

#[test]
fn the_test_agent_accepts_what_is_sent_over_tcp() {
    if let Some(agent) = TestAgent::on_port(SCRATCH) {
        expect_accepted(&agent);
    }
}

#[test]
fn the_test_agent_accepts_what_is_sent_over_a_unix_socket() {
    if let Some(agent) = TestAgent::on_socket(SCRATCH) {
        expect_accepted(&agent);
    }
}
