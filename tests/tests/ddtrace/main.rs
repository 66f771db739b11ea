//! Beside Datadog's own tracer for Python, live: what one writes into headers the other reads, in each style and with ids of 128 bits;
//! the same headers are the same context to both; the same id and rate are the same decision.
//!
//! Where the two differ on purpose, a row of [`differences::TABLE`] says so and why. A difference without a row fails, and so does a row
//! without its difference.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod cases;
mod differences;
mod facts;
mod random;

use std::collections::BTreeMap;

use dd_traced_tests::{Dice, Partner, Received, program, python, with_agent};
use serde_json::{Value, json};

use cases::Case;
use facts::Facts;

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ddtrace/partner.py");
/// Every style, so that all that is known of a context is in what is sent.
const ALL: &str = "datadog,tracecontext,b3,b3multi,baggage";

/// Both tracers. Ours is one program for each list of styles that is read, since a process has one.
struct Both {
    python: Partner,
    ours: BTreeMap<String, Partner>,
    agent: String,
    rules: String,
}

impl Both {
    /// Asks Python, then ours.
    fn ask(&mut self, styles: &str, question: &Value) -> [Value; 2] {
        [self.ask_python(styles, question), self.ask_ours(styles, question)]
    }

    fn ask_python(&mut self, styles: &str, question: &Value) -> Value {
        let mut question = question.clone();
        question["styles"] = styles.split(',').collect();
        self.python.ask(&question)
    }

    fn ask_ours(&mut self, styles: &str, question: &Value) -> Value {
        let partner = self.ours.entry(styles.to_owned()).or_insert_with(|| {
            let mut program = program(env!("CARGO_BIN_EXE_program"), "exchange", 0);
            program
                .env("DD_TRACE_AGENT_URL", &self.agent)
                .env("DD_TRACE_PROPAGATION_STYLE_EXTRACT", styles)
                .env("DD_TRACE_PROPAGATION_STYLE_INJECT", ALL)
                .env("DD_TRACE_SAMPLING_RULES", &self.rules)
                .env("DD_TRACE_RATE_LIMIT", LIMIT);
            Partner::start(&mut program)
        });
        partner.ask(question)
    }
}

/// More than is asked for.
const LIMIT: &str = "1000000";

/// Runs `test` with both tracers under these rules; gives what ours reported. `None` where there is no Python to compare with.
fn with_both(rules: &str, test: impl FnOnce(&mut Both)) -> Option<Received> {
    let mut python = python(SCRATCH)?;
    python
        .arg(SCRIPT)
        .env("DD_TRACE_AGENT_URL", "http://127.0.0.1:9")
        .env("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false")
        .env("DD_REMOTE_CONFIGURATION_ENABLED", "false")
        .env("DD_TRACE_SAMPLING_RULES", rules)
        .env("DD_TRACE_RATE_LIMIT", LIMIT);
    let python = Partner::start(&mut python);
    Some(with_agent(|agent| {
        let (ours, agent, rules) = (BTreeMap::new(), agent.url(), rules.to_owned());
        let mut both = Both { python, ours, agent, rules };
        test(&mut both);
        both.ours.into_values().for_each(Partner::end);
    }))
}

fn question(case: &Case) -> Value {
    json!({ "do": "extract", "headers": case.headers, "resource": case.name })
}

/// What a case is called in the table. One by chance is shown whole, to be repeated.
fn name(case: &Case) -> String {
    if case.name.starts_with("random") { format!("{case:?}") } else { case.name.clone() }
}

/// What one of them sent is to the other what it was meant to be.
fn expect_understood(both: &mut Both, case: &Case, sent: [&Value; 2]) {
    let headers = sent.map(|sent| json!({ "do": "extract", "headers": facts::lines(&sent["headers"]) }));
    let styles = case.styles.as_str();
    let seen = [both.ask_python(styles, &headers[1]), both.ask_ours(styles, &headers[0])];
    // The first is what Python makes of ours.
    for (sender, seen) in [(sent[1], &seen[0]), (sent[0], &seen[1])] {
        let expected = facts::understood(&sender["context"], styles);
        assert_eq!(seen["context"], expected, "{case:?}: of {sender:#}");
    }
}

#[test]
fn the_same_headers_are_the_same_context() {
    let mut cases = cases::all();
    let mut dice = Dice::new(4);
    cases.extend((0..400).map(|number| random::case(number, &mut dice)));
    let mut answers = Vec::new();
    let received = with_both("[]", |both| {
        for case in &cases {
            let [python, ours] = both.ask(&case.styles, &question(case));
            expect_understood(both, case, [&python["child"], &ours["child"]]);
            answers.push((python, ours));
        }
    });
    let Some(received) = received else { return };
    let mut differences = Vec::new();
    for (case, (python, ours)) in cases.iter().zip(&answers) {
        let reported = facts::reported(&received, &case.name);
        let [python, ours] = [Facts::of(python, &python["facts"]), Facts::of(ours, &reported)];
        differences.extend(
            python
                .difference(&ours)
                .map(|(fact, python, ours)| (name(case), fact, python.to_string(), ours.to_string())),
        );
    }
    differences::expect(&differences);
}

#[test]
fn a_new_trace_of_one_goes_on_in_the_other() {
    let mut dice = Dice::new(5);
    with_both("[]", |both| {
        for number in 0..40 {
            for styles in random::STYLES {
                let keep = [Value::Null, true.into(), false.into()][dice.below(3) as usize].clone();
                let question = json!({ "do": "start", "keep": keep, "baggage": random::baggage(&mut dice) });
                let [python, ours] = both.ask(styles, &question);
                for sent in [&python, &ours] {
                    let id = u128::from_str_radix(sent["context"]["trace_id"].as_str().unwrap(), 16).unwrap();
                    // Seconds, zeros, chance.
                    assert!(id >> 96 > 1_700_000_000 && (id >> 64) as u32 == 0 && id as u64 != 0, "{id:x}");
                }
                let case =
                    Case { name: format!("trace {number}"), styles: (*styles).to_owned(), headers: vec![] };
                expect_understood(both, &case, [&python, &ours]);
                let [python, ours] = [python, ours]
                    .map(|sent| Facts::of(&json!({ "context": null, "child": sent }), &Value::Null));
                let found: Vec<_> = python.difference(&ours).collect();
                assert!(found.is_empty(), "{question}: {found:#?}");
            }
        }
    });
}

/// Rates, and what their text in `_dd.p.ksr` is.
const RATES: [(&str, &str); 11] = [
    ("0", "0"),
    ("0.000002", "0.000002"),
    ("0.00002", "0.00002"),
    ("0.1", "0.1"),
    ("0.25", "0.25"),
    ("0.3333333333333333", "0.333333"),
    ("0.5", "0.5"),
    ("0.75", "0.75"),
    ("0.8888888", "0.888889"),
    ("0.99", "0.99"),
    ("1", "1"),
];

#[test]
fn the_same_id_and_rate_are_the_same_decision() {
    let rules: Vec<Value> =
        RATES.map(|(rate, _)| json!({ "name": rate, "sample_rate": rate.parse::<f64>().unwrap() })).into();
    let mut dice = Dice::new(6);
    let known = [1, 2, 7, 10, 100, 1000, 12345, 123_456_789, 3_735_928_559, 1 << 63, (1 << 63) - 1, u64::MAX];
    let ids: Vec<u64> = known.into_iter().chain((0..150).map(|_| dice.next_u64().max(1))).collect();
    let mut kept = [0; RATES.len()];
    let compared = with_both(&Value::from(rules).to_string(), |both| {
        for id in &ids {
            for ((rate, text), kept) in RATES.iter().zip(&mut kept) {
                // An upper half that decides nothing.
                let tid = format!("_dd.p.tid={:016x}", dice.next_u64() << 32);
                let headers = [
                    ["x-datadog-trace-id", &id.to_string()],
                    ["x-datadog-parent-id", "1"],
                    ["x-datadog-tags", &tid],
                ];
                let question = json!({ "do": "extract", "headers": headers, "name": rate });
                let answers = both.ask("datadog", &question);
                let sent = answers.each_ref().map(|answer| answer["child"]["headers"].clone());
                let decision = sent.each_ref().map(|sent| &sent["x-datadog-sampling-priority"]);
                assert_eq!(decision[0], decision[1], "{id} at {rate}: {sent:#?}");
                assert!(["2", "-1"].contains(&decision[1].as_str().unwrap()), "a rule decided: {sent:#?}");
                *kept += u32::from(decision[1] == "2");
                let [mut python, ours] = sent.map(|sent| facts::pairs(&sent["x-datadog-tags"], ','));
                // Python's tracer has the rate as a tag of its span, and does not send it on.
                assert_eq!(answers[0]["facts"]["rate"], *text, "{id} at {rate}");
                python.insert(format!("_dd.p.ksr={text}"));
                assert_eq!(python, ours, "{id} at {rate}");
            }
        }
    });
    if compared.is_some() {
        assert!(kept.is_sorted() && kept[0] == 0 && kept[10] as usize == ids.len(), "{kept:?}");
    }
}
