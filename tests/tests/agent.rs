//! The agent's contract: what a program sends is accepted by Datadog's APM test agent with all its checks, over TCP and over a Unix
//! socket.

use std::collections::BTreeSet;

use dd_traced_tests::{Report, SpanTree, TestAgent, command, program, run};

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

fn expect_shop_accepted(agent: &TestAgent) {
    let mut shop = command(env!("CARGO_BIN_EXE_example-shop"));
    run(shop.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_ENV", "test")).expect_success();
    agent.expect_checks_passed();
    let traces = agent.traces();
    let tree = SpanTree::of(traces.iter().flatten()).with_tags(&["http.status_code"]);
    assert_eq!(tree.to_string(), SHOP);
    expect_shop_counted(&agent.statistics());
}

/// What is not kept is counted all the same.
fn expect_shop_counted(groups: &[serde_json::Value]) {
    let hits = |resource: &str, field: &str| -> u64 {
        let of_resource = groups.iter().filter(|group| group["Resource"] == resource);
        of_resource.map(|group| group[field].as_u64().unwrap_or(0)).sum()
    };
    for (resource, expected) in [
        ("GET /items", [1, 0, 1]),
        ("POST /orders", [2, 0, 2]),
        ("GET /health", [1, 0, 1]),
        ("SELECT name, cents FROM items", [3, 0, 3]),
    ] {
        assert_eq!(
            ["Hits", "Errors", "TopLevelHits"].map(|field| hits(resource, field)),
            expected,
            "{resource}: {groups:#?}"
        );
    }
}

/// What a visit to the shop looks like: two services that call each other, a thread, and a failure. A request of no interest is only
/// counted.
const SHOP: &str = "\
web.request service=shop resource=\"GET /items\" type=web http.status_code=\"200\"
  dd_traced_examples.shop.list_items
    db.query service=shop-db resource=\"SELECT name, cents FROM items\" type=sql
web.request service=shop resource=\"POST /orders\" type=web http.status_code=\"201\"
  dd_traced_examples.shop.place_order
    db.query service=shop-db resource=\"SELECT name, cents FROM items\" type=sql
    dd_traced_examples.shop.total
    payment.order
      http.request resource=\"POST /charge\" type=http http.status_code=\"204\"
        web.request service=payments resource=\"POST /charge\" type=web http.status_code=\"204\"
          payment.charge
            dd_traced_examples.payments.ask_bank
    dd_traced_examples.shipping.ship service=shipping type=worker
      dd_traced_examples.shipping.pack
web.request service=shop resource=\"POST /orders\" type=web http.status_code=\"402\"
  dd_traced_examples.shop.place_order error
    db.query service=shop-db resource=\"SELECT name, cents FROM items\" type=sql
    dd_traced_examples.shop.total
    payment.order error
      http.request resource=\"POST /charge\" type=http error http.status_code=\"402\"
        web.request service=payments resource=\"POST /charge\" type=web http.status_code=\"402\"
          payment.charge error
            dd_traced_examples.payments.ask_bank error
";

#[test]
fn the_test_agent_accepts_links_and_events() {
    if let Some(agent) = TestAgent::on_port(SCRATCH) {
        let mut spans = command(env!("CARGO_BIN_EXE_spans"));
        run(spans.arg("extras").env("DD_TRACE_AGENT_URL", agent.url())).expect_success();
        agent.expect_checks_passed();
        let traces = agent.traces();
        let spans: Vec<_> = traces.iter().flatten().collect();
        assert_eq!(spans.len(), 2);
        for span in spans {
            let [link] = &span.span_links[..] else { panic!("one link: {span:#?}") };
            assert_eq!((link.trace_id_high, link.trace_id, link.span_id, link.flags), (3, 4, 5, 0x8000_0001));
            assert_eq!((link.attributes["reason"].as_str(), link.tracestate.as_str()), ("retry", "vendor=1"));
            assert_ne!(span.span_events.len() == 2, span.meta("events").is_some(), "{span:#?}");
        }
    }
}

#[test]
fn the_test_agent_accepts_the_shop_over_tcp() {
    if let Some(agent) = TestAgent::on_port(SCRATCH) {
        expect_shop_accepted(&agent);
    }
}

#[test]
fn the_test_agent_accepts_the_shop_over_a_unix_socket() {
    if let Some(agent) = TestAgent::on_socket(SCRATCH) {
        expect_shop_accepted(&agent);
    }
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
