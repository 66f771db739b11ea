//! What docs/doctor.md shows is what the program prints.

use dd_traced_tests::{Answer, repository, run, with_agent};
use regex::Regex;

use crate::installed::doctor;

/// What differs from run to run, and the address of the page.
fn settled(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, stands_for) in [
        (r"http://(127\.0\.0\.1|localhost):\d+", "http://localhost:8126"),
        (r"\b127\.0\.0\.1:8125\b", "localhost:8125"),
        (r"\b[0-9a-f]{32}\b", "<trace id>"),
        (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
        (r"of \d+ are set", "of <all> are set"),
        (r"  +", "  "),
        (r"trace_id=\d+", "trace_id=<digits>"),
        (r"span_id([= ])\d+", "span_id$1<digits>"),
    ] {
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, stands_for).into_owned();
    }
    text
}

/// The lines of an output. Their order is not looked at: settings stand in that in which they are resolved, which is nobody's business.
fn lines(text: &str) -> Vec<String> {
    let settled = settled(text);
    let mut lines: Vec<String> =
        settled.lines().filter(|line| !line.starts_with("$ ")).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn expect_on_page(arguments: &[&str], variables: &[(&str, &str)]) {
    let printed = run(&mut doctor(arguments, variables)).stdout;
    let page = std::fs::read_to_string(repository().join("docs/doctor.md")).expect("docs/doctor.md");
    let mut blocks = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    assert!(blocks.any(|block| lines(block) == lines(&printed)), "docs/doctor.md does not show\n{printed}");
}

const INFO: &str = r#"{"version":"7.79.0","endpoints":["/v0.3/traces","/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true,
    "span_events":true,"peer_tags":["db.name","peer.service"],"config":{"default_env":"none","max_request_bytes":26214400,"statsd_port":8125}}"#;

#[test]
fn the_page_shows_what_is_printed() {
    expect_on_page(&["--help"], &[]);
    let rules = r#"[{"resource":"GET /health","sample_rate":0}]"#;
    with_agent(|agent| {
        agent.answers_info(Answer::ok().with_body(INFO).dated(0));
        agent.answers(Answer::rates(&[("service:,env:", 1.0), ("service:shop,env:prod", 0.25)]));
        let url = agent.url();
        let variables = [("DD_SERVICE", "shop"), ("DD_ENV", "prod"), ("DD_TRACE_AGENT_URL", url.as_str())];
        expect_on_page(&[], &variables);
        let variables = [variables.as_slice(), &[("DD_TRACE_SAMPLING_RULES", rules)]].concat();
        expect_on_page(&["sample", "--resource", "GET /health"], &variables);
    });
}
