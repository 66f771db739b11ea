//! All that the debug log of the shop says, beside an agent and without one, in text and in JSON, held against recordings.
//!
//! After a change of the shop or of the messages, read what `DEBUG_LOG=overwrite cargo test -p dd-traced-tests --test shop_log` has
//! changed in `recorded/`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recording;

use std::collections::BTreeMap;
use std::path::Path;

use dd_traced_tests::{Address, Answer, command, run, with_agent};
use regex::Regex;

use crate::recording::recording;

/// What an agent of these days says of itself.
const INFO: &str = r#"{"version":"7.79.0","endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true,
    "span_kinds_stats_computed":["server","client","producer","consumer"],"peer_tags":["peer.service","db.name"]}"#;

/// What the shop says in one visit, with an agent at this address.
fn said(agent: &str, is_json: &str) -> String {
    let mut shop = command(env!("CARGO_BIN_EXE_example-shop"));
    shop.env("DD_TRACE_AGENT_URL", agent);
    shop.envs([("DD_TRACE_DEBUG", "true"), ("DD_LOG_FORMAT_JSON", is_json)]);
    // All is sent at the end, however slow the machine is.
    shop.env("DD_TRACE_WRITER_INTERVAL_SECONDS", "60");
    run(&mut shop).expect_success().stderr
}

#[expect(clippy::disallowed_methods, reason = "a test may read its environment")]
fn hold(name: &str, agent: &str, is_json: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shop_log/recorded").join(name);
    let found = recording(&said(agent, is_json), agent);
    if std::env::var_os("DEBUG_LOG").is_some_and(|wish| wish == "overwrite") {
        return std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let differing = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    assert!(found == expected, "{}: {differing:#?} in\n{found}", path.display());
}

fn hold_beside_an_agent(name: &str, is_json: &str) {
    let received = with_agent(|agent| {
        agent.answers_info(Answer::ok().with_body(INFO));
        agent.answers(Answer::rates(&[("service:,env:", 0.5), ("service:shop,env:", 1.0)]));
        hold(name, &agent.url(), is_json);
    });
    assert_eq!(received.span_count(), 23, "all but the one that was rejected: {}", received.tree());
}

#[test]
fn text_beside_an_agent_is_as_recorded() {
    hold_beside_an_agent("agent.txt", "false");
}

/// Each was translated from the processor's counter anew, some microseconds apart.
#[test]
fn finish_tells_the_start_of_the_start() {
    let said = said(&Address::unused().unwrap().to_string(), "false");
    let starts = |told: &str| -> BTreeMap<String, String> {
        let start = Regex::new(&format!("{told}: .* span_id=([0-9]+) .* start_ns=([0-9]+)")).unwrap();
        start.captures_iter(&said).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
    };
    let (started, finished) = (starts("span started"), starts("span finished"));
    assert_eq!(
        (started.len(), started),
        (24, finished),
        "handles, functions and futures, on several threads"
    );
}

#[test]
fn json_beside_an_agent_is_as_recorded() {
    hold_beside_an_agent("agent.jsonl", "true");
}

#[test]
fn text_without_an_agent_is_as_recorded() {
    hold("no_agent.txt", &Address::unused().unwrap().to_string(), "false");
}

#[test]
fn json_without_an_agent_is_as_recorded() {
    hold("no_agent.jsonl", &Address::unused().unwrap().to_string(), "true");
}
