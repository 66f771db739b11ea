//! What somebody sees who runs the shop for the first time, without an agent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn shop(arguments: &[&str]) -> Output {
    shop_with(arguments, &[])
}

fn shop_with(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What is written of each trace about its spans, without durations and bars.
fn trees(stderr: &str) -> Vec<String> {
    let traces = stderr.split("\ntrace ").skip(1).filter_map(|trace| trace.split("\n\n").next());
    let labels = |trace: &str| {
        trace.lines().skip(1).fold(String::new(), |tree, line| {
            let is_bar = |character| "━╸╺".contains(character);
            let label = line.trim_end_matches(|character| is_bar(character) || character == ' ');
            let label =
                if label == line { line } else { label.rsplit_once("  ").map_or(label, |(label, _)| label) };
            tree + label.trim_end() + "\n"
        })
    };
    traces.map(labels).collect()
}

#[test]
fn traces_are_printed_and_the_program_ends() {
    let output = shop(&[]);
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stderr}");
    let [items, order, refused, health] = &trees(&stderr)[..] else { panic!("{stderr}") };
    assert_eq!(
        items,
        "\
web.request GET /items
└─ dd_traced_examples.shop.list_items
   └─ [shop-db] db.query SELECT name, cents FROM items
"
    );
    assert_eq!(
        order,
        "\
web.request POST /orders
└─ dd_traced_examples.shop.place_order
   ├─ [shop-db] db.query SELECT name, cents FROM items
   ├─ dd_traced_examples.shop.total
   ├─ payment.order
   │  └─ http.request POST /charge
   │     └─ [payments] web.request POST /charge
   │        └─ payment.charge
   │           └─ dd_traced_examples.payments.ask_bank
   └─ [shipping] dd_traced_examples.shipping.ship
      └─ dd_traced_examples.shipping.pack
"
    );
    assert_eq!(
        refused,
        "\
web.request POST /orders
└─ ✗ dd_traced_examples.shop.place_order
   │ payment refused: the card has expired
   ├─ [shop-db] db.query SELECT name, cents FROM items
   ├─ dd_traced_examples.shop.total
   └─ ✗ payment.order
      └─ ✗ http.request POST /charge
         │ HTTP status client error (402 Payment Required)
         └─ [payments] web.request POST /charge
            └─ ✗ payment.charge
               │ the card has expired
               └─ ✗ dd_traced_examples.payments.ask_bank
"
    );
    assert_eq!(health, "web.request GET /health\n");
    assert!(stderr.contains("rejected by hand"), "{stderr}");
    assert!(stdout.contains("24 spans, 24 printed above as one tree for each trace.\n"), "{stdout}");
}

/// For each setting: whether trees are printed, and the line about the spans.
#[test]
fn closing_line_tells_what_became_of_the_spans() {
    let printed = "\n24 spans, 24 printed above as one tree for each trace.\n";
    let unsent = "\n24 spans, 0 acknowledged by the agent, dropped: 24 ";
    for (variables, is_printed, expected) in [
        (&[("DD_TRACE_LOCAL_VIEW", "WATERFALL")][..], true, printed),
        (&[("DD_TRACE_LOCAL_VIEW", "nonsense")], true, printed),
        (&[("DD_TRACE_AGENT_URL", "ftp://x")], true, printed),
        (&[("DD_TRACE_AGENT_URL", "x"), ("DD_TRACE_LOCAL_VIEW", "waterfall")], true, printed),
        (&[("DD_TRACE_AGENT_URL", " "), ("DD_AGENT_HOST", "")], true, printed),
        (&[("DD_TRACE_AGENT_URL", "http://127.0.0.1:9")], false, unsent),
        (&[("DD_TRACE_AGENT_URL", "http://127.0.0.1:9"), ("DD_TRACE_LOCAL_VIEW", "Waterfall")], true, unsent),
        (&[("DD_AGENT_HOST", "127.0.0.1"), ("DD_TRACE_AGENT_PORT", "9")], false, unsent),
        (&[("DD_TRACE_AGENT_URL", "ftp://x"), ("DD_TRACE_AGENT_PORT", "9")], false, unsent),
        (&[("DD_TRACE_ENABLED", "false")], false, "\nNo spans: "),
        (
            &[("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "10")],
            false,
            "\n24 spans, 0 printed above as one tree for each trace, dropped: 24 queue_full.\nNext: see the warnings",
        ),
    ] {
        let output = shop_with(&[], variables);
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "{variables:?}: {stderr}");
        assert!(stdout.contains(expected), "{variables:?}: {stdout}{stderr}");
        assert_eq!(stderr.contains("\ntrace "), is_printed, "{variables:?}: {stderr}");
    }
}

#[test]
fn log_lines_of_one_order_carry_one_trace_id() {
    let stderr = text(shop(&[]).stderr);
    let trace_id = |message: &str| {
        let line = stderr.lines().find(|line| line.ends_with(message)).unwrap();
        line.split("dd.trace_id=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned()
    };
    let ordered = trace_id("2 × tea ordered");
    assert_eq!(ordered.len(), 32);
    assert_eq!(trace_id("900 cents charged"), ordered);
    assert_eq!(trace_id("order 1 left the house"), ordered);
    assert_ne!(trace_id("1 × kettle ordered"), ordered);
    assert!(stderr.contains(&format!("\ntrace {ordered} · shop · ")), "{stderr}");
}

#[test]
fn wrong_arguments_give_the_usage() {
    let output = shop(&["--sreve"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(output.stderr);
    assert!(stderr.starts_with("unknown arguments: --sreve\n\nUsage: shop [--serve]\n"), "{stderr}");
    assert!(output.stdout.is_empty());
}
