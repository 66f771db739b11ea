//! Traces as the APM test agent takes them, whole: each tag, number, link and event is that of the committed snapshot. Written anew with
//! `SNAPSHOTS=overwrite`.

use std::path::Path;
use std::process::Command;

use dd_traced_tests::{TestAgent, command, program, run};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
const RULES: &str = r#"[{"name":"health","sample_rate":0},{"tags":{"plan":"gold*"},"sample_rate":1},{"name":"order","sample_rate":0}]"#;

fn expect(snapshot: &str, mut program: Command, ignored: &[&str]) {
    let Some(agent) = TestAgent::on_port(SCRATCH) else { return };
    agent.begin(snapshot);
    program
        .env("DD_TRACE_AGENT_URL", agent.url())
        .env("DD_ENV", "test")
        .env("DD_VERSION", "1.2.3")
        // All is sent, also what is not kept.
        .env("DD_TRACE_STATS_COMPUTATION_ENABLED", "false");
    run(&mut program).expect_success();
    agent.expect_checks_passed();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    agent.expect_snapshot(snapshot, &directory, ignored);
}

#[test]
fn the_shop_sends_what_it_sent() {
    // Client and server are one process: which span is the first of its chunk is a matter of time.
    let of_the_first =
        ["meta._dd.p.dm", "metrics._sampling_priority_v1", "meta.language", "meta.error.stack"];
    expect("shop", command(env!("CARGO_BIN_EXE_example-shop")), &of_the_first);
}

/// Parts of a trace, links and events, a context from elsewhere, decisions by rule and by hand.
#[test]
fn a_trace_of_each_kind_is_what_it_was() {
    let mut program = program(env!("CARGO_BIN_EXE_program"), "story", 0);
    program
        .env("DD_SERVICE", "shop")
        .env("DD_TAGS", "team:core")
        .env("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", "2")
        .env("DD_TRACE_PROPAGATION_STYLE_EXTRACT", "datadog,tracecontext,b3,baggage")
        .env("DD_TRACE_SAMPLING_RULES", RULES)
        .env("DD_SPAN_SAMPLING_RULES", r#"[{"name":"order.step","max_per_second":50}]"#);
    // An error is noted at the time it happens.
    expect("story", program, &["span_events.time_unix_nano"]);
}
