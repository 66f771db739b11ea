//! The examples of loggers write what `docs/logs.md` shows, with the ids that the agent received; and the page's pipeline takes them in.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod page;
mod pipeline;

use dd_traced_tests::{Ended, TestAgent, WireSpan, command, run, trace_id, with_agent};
use regex::Regex;
use serde_json::Value;

use crate::page::Page;
use crate::pipeline::Pipeline;

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
/// Each example, by its name on the page.
const EXAMPLES: [(&str, &str); 3] = [
    ("lines-log", env!("CARGO_BIN_EXE_example-lines-log")),
    ("lines-tracing", env!("CARGO_BIN_EXE_example-lines-tracing")),
    ("lines-slog", env!("CARGO_BIN_EXE_example-lines-slog")),
];
const FORMS: [&str; 2] = ["text", "json"];

/// What is on the page instead of two trace ids, four span ids and a time.
const TRACES: [&str; 2] = ["6a5c1f40000000003a7b9c1d2e4f6081", "6a5c1f41000000009be1c24f7a5d0e32"];
const SPANS: [&str; 4] =
    ["8875836681422449212", "2836532839823915602", "13516135150613602062", "4254373050602621525"];
const TIMES: [(&str, &str); 2] = [
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "2026-11-20T14:14:08.817527Z"),
    (r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{3}", "Nov 20 14:14:09.819"),
];

fn example(program: &str, form: &str, agent: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command = command(program);
    command.arg(form).env("DD_TRACE_AGENT_URL", agent).env("DD_TRACE_STARTUP_LOGS", "false");
    command.env("DD_SERVICE", "shop").env("DD_ENV", "prod").env("DD_VERSION", "1.4.2");
    run(command.envs(variables.iter().copied())).expect_success()
}

/// The chunks of the two orders, the earlier one first, each with its first span first.
fn orders(mut chunks: Vec<Vec<WireSpan>>) -> [Vec<WireSpan>; 2] {
    for chunk in &mut chunks {
        chunk.sort_by_key(|span| span.parent_id != 0);
    }
    chunks.sort_by_key(|chunk| chunk[0].start);
    <[Vec<WireSpan>; 2]>::try_from(chunks).unwrap_or_else(|chunks| panic!("not two orders: {chunks:#?}"))
}

/// Trace and span of each of the four lines: none, an order, another one and what failed below it.
fn spans_of_lines(orders: &[Vec<WireSpan>; 2]) -> [Option<(u128, u64)>; 4] {
    let span = |order: &[WireSpan], at: usize| Some((trace_id(order)?, order[at].span_id));
    let [first, second] = orders;
    let names: Vec<&str> = second.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["order.place", "stock.reserve"]);
    [None, span(first, 0), span(second, 0), span(second, 1)]
}

fn received_by_fake_agent(act: impl FnOnce(&str)) -> Vec<Vec<WireSpan>> {
    with_agent(|agent| act(&agent.url())).chunks().map(<[WireSpan]>::to_vec).collect()
}

#[test]
fn examples_write_what_the_page_shows() {
    let mut page = Page::read("docs/logs.md");
    for (name, program) in EXAMPLES {
        for form in FORMS {
            let mut lines = String::new();
            let chunks = received_by_fake_agent(|agent| lines = example(program, form, agent, &[]).stdout);
            let orders = orders(chunks);
            // Their names here, where they are built once more.
            lines = lines.replace("example_lines_", "lines_");
            for (order, sample) in orders.iter().zip(TRACES) {
                let trace_id = trace_id(order).unwrap_or_default();
                lines = lines.replace(&format!("{trace_id:032x}"), sample);
            }
            for (span, sample) in orders.iter().flatten().zip(SPANS) {
                lines = lines.replace(&span.span_id.to_string(), sample);
            }
            for (time, sample) in TIMES {
                let time = Regex::new(time).unwrap_or_else(|error| panic!("{error}"));
                lines = time.replace_all(&lines, sample).into_owned();
            }
            page.expect(&format!("{name} {form}"), &lines);
        }
    }
    page.close();
}

/// Variables, and what a trace id is with them.
type IdForm = (&'static [(&'static str, &'static str)], fn(u128) -> String);

/// How ids may be written.
const ID_FORMS: [IdForm; 3] = [
    (&[], |id| format!("{id:032x}")),
    (&[("DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED", "false")], |id| (id as u64).to_string()),
    (&[("DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED", "false")], |id| id.to_string()),
];

/// What of a line became known to the pipeline, held against the spans.
fn expect_ids(lines: &str, form: &str, spans: [Option<(u128, u64)>; 4], trace_text: fn(u128) -> String) {
    let pipeline = Pipeline::read(&Page::read("docs/logs.md"));
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (line, span) in lines.into_iter().zip(spans) {
        let taken = pipeline.take(line);
        let field = |name: &str| taken.get(name).map(String::as_str);
        let zero = (form == "text").then(|| "0".to_owned());
        let trace_id = span.map(|(id, _)| trace_text(id)).or(zero.clone());
        let span_id = span.map(|(_, id)| id.to_string()).or(zero);
        assert_eq!(
            (field("trace_id"), field("span_id")),
            (trace_id.as_deref(), span_id.as_deref()),
            "{line}"
        );
        assert_eq!(
            (field("service"), field("env"), field("version")),
            (Some("shop"), Some("prod"), Some("1.4.2"))
        );
        if form == "json" {
            let object: serde_json::Map<String, Value> =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let ours = object.iter().filter(|(key, _)| key.starts_with("dd."));
            assert!(ours.clone().all(|(_, value)| value.is_string()), "{line}");
            assert_eq!(ours.count(), if span.is_some() { 5 } else { 3 }, "{line}");
        }
    }
}

#[test]
fn lines_hold_the_ids_that_the_agent_received() {
    for (_, program) in EXAMPLES {
        for form in FORMS {
            for (variables, trace_text) in ID_FORMS {
                let mut lines = String::new();
                let chunks =
                    received_by_fake_agent(|agent| lines = example(program, form, agent, variables).stdout);
                expect_ids(&lines, form, spans_of_lines(&orders(chunks)), trace_text);
            }
        }
    }
}

#[test]
fn lines_hold_the_ids_that_the_test_agent_received() {
    for (_, program) in EXAMPLES {
        for (variables, trace_text) in ID_FORMS.into_iter().take(2) {
            let Some(agent) = TestAgent::on_port(SCRATCH) else { return };
            let lines = example(program, "json", &agent.url(), variables).stdout;
            agent.expect_checks_passed();
            expect_ids(&lines, "json", spans_of_lines(&orders(agent.traces())), trace_text);
        }
    }
}

/// The fields of a line: of text, those of its first brackets with ids.
fn fields(line: &str, form: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {line}")).to_owned();
    if form == "json" {
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let ours = object.iter().filter(|(key, _)| key.starts_with("dd."));
        return ours.map(|(key, value)| (key.clone(), text(value))).collect();
    }
    let block = line.split_once("[dd.").and_then(|(_, rest)| rest.split_once(']')).map(|(block, _)| block);
    let pairs = block.into_iter().flat_map(|block| block.split(' ')).map(|pair| pair.split_once('='));
    let named =
        |(key, value): (&str, &str)| (format!("dd.{}", key.trim_start_matches("dd.")), value.to_owned());
    let mut fields: Vec<_> =
        pairs.map(|pair| named(pair.unwrap_or_else(|| panic!("no pair: {line}")))).collect();
    fields.sort();
    fields
}

/// The lines of each example in each form, with these variables and an agent that nobody runs.
fn lines_of_each(variables: &[(&str, &str)]) -> Vec<(&'static str, &'static str, String)> {
    let mut all = Vec::new();
    for (name, program) in EXAMPLES {
        for form in FORMS {
            let ended = example(program, form, "http://127.0.0.1:9", variables);
            let lines: Vec<_> = ended.stdout.lines().map(str::to_owned).collect();
            assert_eq!(lines.len(), 4, "{name} {form}: {lines:#?}");
            all.extend(lines.into_iter().map(|line| (name, form, line)));
        }
    }
    all
}

#[test]
fn with_tracing_off_lines_belong_to_the_service_and_to_no_trace() {
    let identity = [("dd.env", "prod"), ("dd.service", "shop"), ("dd.version", "1.4.2")];
    let zeros = [("dd.env", "prod"), ("dd.service", "shop"), ("dd.span_id", "0"), ("dd.trace_id", "0")];
    for (name, form, line) in lines_of_each(&[("DD_TRACE_ENABLED", "false")]) {
        let fields = fields(&line, form);
        let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        if form == "json" {
            assert_eq!(fields, identity, "{name}: {line}");
        } else {
            assert_eq!((&fields[..4], fields[4]), (&zeros[..], identity[2]), "{name}: {line}");
        }
    }
}

#[test]
fn without_injection_lines_are_as_they_came() {
    for (name, form, line) in lines_of_each(&[("DD_LOGS_INJECTION", "false")]) {
        assert!(!line.contains("dd."), "{name} {form}: {line}");
    }
}

/// What ends a field, a text of JSON, a line, or begins an escape sequence, in a setting.
#[test]
fn settings_forge_nothing_in_any_form() {
    let hostile = [
        ("DD_SERVICE", "a\\\",\"dd.trace_id\":\"1\"] [dd.trace_id=1"),
        ("DD_ENV", "x\n{\u{1b}[31m"),
        ("DD_VERSION", "1\u{202e}\t\u{2028}2"),
    ];
    let expected = [
        ("dd.service", "a\\_,_dd.trace_id_:_1____dd.trace_id_1"),
        ("dd.env", "x_{__31m"),
        ("dd.version", "1___2"),
    ];
    for (name, form, line) in lines_of_each(&hostile) {
        let fields = fields(&line, form);
        for (key, value) in expected {
            let found: Vec<_> = fields.iter().filter(|(found, _)| found == key).collect();
            assert!(matches!(found[..], [(_, found)] if found == value), "{name} {form} {key}: {line}");
        }
        let ids = fields.iter().filter(|(key, _)| key.ends_with("_id")).count();
        assert!(ids == 2 || (ids == 0 && form == "json"), "{name} {form}: {line}");
    }
}

#[test]
fn an_unknown_form_is_an_error() {
    for (name, program) in EXAMPLES {
        let ended = run(command(program).arg("jsno").env("DD_TRACE_ENABLED", "false"));
        assert!(!ended.status.success() && ended.stdout.is_empty(), "{name}: {ended:?}");
        assert!(ended.stderr.contains("jsno") && ended.stderr.contains("text and json"), "{name}: {ended:?}");
    }
}

/// What a message says after the brackets counts for nothing, and lines of others are left alone.
#[test]
fn a_message_can_not_forge_ids() {
    let pipeline = Pipeline::read(&Page::read("docs/logs.md"));
    let forged = "[dd.service=evil dd.trace_id=1 dd.span_id=2]";
    for before in ["", "[INFO  shop] ", "2026-11-20T14:14:08Z INFO "] {
        let line =
            format!("{before}[dd.service=shop dd.trace_id=7 dd.span_id=8] said {forged} and\n{forged}");
        let taken = pipeline.take(&line);
        let taken: Vec<_> = taken.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(taken, [("service", "shop"), ("span_id", "8"), ("trace_id", "7")], "{line}");
    }
    assert!(pipeline.take("[INFO shop] no ids here").is_empty());
    // The parser used to take the message of JSON, too.
    for key in ["message", "msg"] {
        let line = serde_json::json!({key: forged, "dd.service": "shop"}).to_string();
        let taken: Vec<_> = pipeline.take(&line).into_iter().collect();
        assert_eq!(taken, [("service".to_owned(), "shop".to_owned())], "{line}");
    }
}
