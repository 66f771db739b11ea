//! `dd-traced-doctor sample` decides as a tracer with the same settings does.

use std::collections::HashMap;

use dd_traced::{SamplingStep, WhySampled, extract, inject, span};
use dd_traced_tests::{Address, Answer, PATIENCE, with_agent, with_tracer_of};
use serde_json::{Value, json};

use crate::installed::examine;

const RULES: &str = r#"[{"resource":"GET /health","sample_rate":0},{"tags":{"plan":"gold*"},"sample_rate":0.5},
    {"service":"shop-db","name":"db.*","sample_rate":0.25}]"#;

/// A trace: its id, its service, its name, its resource, a tag.
type Case = (u64, &'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

const CASES: [Case; 9] = [
    (10, "shop", "web.request", "GET /health", None),
    (7, "shop", "web.request", "GET /items", Some(("plan", "golden"))),
    (10, "shop", "web.request", "GET /items", Some(("plan", "golden"))),
    (10, "shop", "web.request", "GET /items", Some(("plan", "free"))),
    (1_000, "shop-db", "db.query", "SELECT 1", None),
    (12_345, "shop-db", "db.query", "SELECT 1", None),
    (12_345, "shop-db", "web.request", "GET /", None),
    (100, "basket", "web.request", "GET /", None),
    (u64::MAX, "basket", "web.request", "GET /", None),
];

/// What a tracer decides of it.
fn decided((trace_id, service, name, resource, tag): Case) -> Value {
    let headers = [("x-datadog-trace-id", trace_id.to_string()), ("x-datadog-parent-id", "1".to_owned())];
    let headers: HashMap<String, String> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let caller = extract(&headers).expect("a context");
    let mut span = span(name).service(service).resource(resource).child_of(&caller);
    if let Some((key, value)) = tag {
        span = span.tag(key, value);
    }
    let span = span.start();
    // Now it has to be decided.
    inject(&span, &mut HashMap::<String, String>::new());
    of(&span.why_sampled().expect("a decision"))
}

fn of(why: &WhySampled) -> Value {
    let (step, rule) = match why.step() {
        SamplingStep::Rule(number) => ("rule", Some(number)),
        SamplingStep::GlobalRate => ("global_rate", None),
        SamplingStep::AgentRate => ("agent_rate", None),
        SamplingStep::Default => ("default", None),
        other => panic!("nobody asked for {other:?}"),
    };
    json!({ "kept": why.is_kept(), "step": step, "rule": rule, "rate": why.rate(), "priority": why.priority() })
}

/// The same of the installed program.
fn said((trace_id, service, name, resource, tag): Case, variables: &[(&str, &str)]) -> Value {
    let (id, tag) = (trace_id.to_string(), tag.map(|(key, value)| format!("{key}={value}")));
    let mut arguments = vec!["sample", "--trace-id", &id, "--service", service, "--name", name];
    arguments.extend(["--resource", resource]);
    arguments.extend(tag.iter().flat_map(|tag| ["--tag", tag.as_str()]));
    let examined = examine(&arguments, variables);
    assert_eq!(examined.code(), Some(0), "{:#}", examined.report);
    let detail = |name: &str| examined.detail("sample", name);
    json!({
        "kept": detail("kept"),
        "step": detail("step"),
        "rule": detail("rule"),
        "rate": detail("rate"),
        "priority": detail("priority"),
    })
}

#[test]
fn it_decides_as_a_tracer_with_the_same_settings() {
    let mut seen: Vec<Value> = Vec::new();
    for rate in [None, Some(0.75)] {
        with_tracer_of(
            |agent, tracer| {
                let rates =
                    [("service:,env:", 0.5), ("service:basket,env:test", 0.1), ("service:basket,env:", 0.9)];
                agent.answers(Answer::rates(&rates));
                let tracer = tracer.sampling_rules(RULES);
                rate.map_or(tracer.clone(), |rate| tracer.sample_rate(rate))
            },
            |agent, tracer| {
                // The rates come with the answer to a payload.
                span("first").start().finish();
                assert!(tracer.flush(PATIENCE));
                let (url, rate) = (agent.url(), rate.map(|rate| rate.to_string()).unwrap_or_default());
                let variables = [
                    ("DD_TRACE_AGENT_URL", url.as_str()),
                    ("DD_SERVICE", "shop"),
                    ("DD_ENV", "test"),
                    ("DD_TRACE_SAMPLING_RULES", RULES),
                    ("DD_TRACE_SAMPLE_RATE", &rate),
                ];
                for case in CASES {
                    let decided = decided(case);
                    assert_eq!(said(case, &variables), decided, "{case:?}");
                    seen.push(decided);
                }
            },
        );
    }
    for step in ["rule", "global_rate", "agent_rate"] {
        for kept in [true, false] {
            assert!(seen.iter().any(|seen| seen["step"] == step && seen["kept"] == kept), "{step} {kept}");
        }
    }
}

#[test]
fn without_an_agent_its_rates_are_missed_where_they_matter() {
    let nobody = Address::unused().expect("a free port").to_string();
    let sample = |rules: &str| {
        let variables = [
            ("DD_TRACE_AGENT_URL", nobody.as_str()),
            ("DD_SERVICE", "shop"),
            ("DD_TRACE_SAMPLING_RULES", rules),
        ];
        examine(&["sample"], &variables)
    };
    let examined = sample("");
    assert_eq!((examined.code(), examined.verdicts()), (Some(0), vec!["sample warn".to_owned()]));
    let rates = examined.detail("sample", "agent_rates").as_str().expect("a text");
    assert!(rates.starts_with("not known: ") && rates.contains(&nobody), "{rates}");
    assert_eq!(sample(r#"[{"sample_rate":1}]"#).verdicts(), ["sample ok"]);
}

#[test]
fn a_trace_that_the_agent_does_not_want_is_told() {
    let info = r#"{"version":"7.79.0","endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true,
        "ignore_resources":["GET /health.*"]}"#;
    with_agent(|agent| {
        agent.answers_info(Answer::ok().with_body(info));
        let url = agent.url();
        let sample = |resource, computes| {
            let variables =
                [("DD_TRACE_AGENT_URL", url.as_str()), ("DD_TRACE_STATS_COMPUTATION_ENABLED", computes)];
            let examined = examine(&["sample", "--service", "shop", "--resource", resource], &variables);
            let wanted = examined.detail("sample", "wanted").as_bool();
            (wanted, examined.words("sample").ends_with("the agent's filters leave it out"))
        };
        assert_eq!(sample("GET /healthz", "true"), (Some(false), true));
        assert_eq!(sample("GET /items", "true"), (Some(true), false));
        assert_eq!(
            sample("GET /healthz", "false"),
            (Some(false), true),
            "then it is sent, and the agent leaves it out itself"
        );
    });
}

/// The test trace is kept by hand, and arrives where no other does.
#[test]
fn settings_and_rates_by_which_nothing_is_kept_are_told() {
    let sampling = |rate: f64, info: &str, variables: &[(&str, &str)]| {
        let mut examined = None;
        with_agent(|agent| {
            agent.answers_info(Answer::ok().with_body(info));
            agent.answers(Answer::rates(&[("service:,env:", rate)]));
            let url = agent.url();
            let variables = [variables, &[("DD_TRACE_AGENT_URL", &url), ("DD_SERVICE", "shop")]].concat();
            examined = Some(examine(&[], &variables));
        });
        let examined = examined.expect("it was examined");
        assert_eq!(examined.code(), Some(0), "{:#}", examined.report);
        let verdict = examined.finding("sampling")["verdict"].as_str().expect("a verdict").to_owned();
        (verdict, examined.words("sampling").to_owned())
    };
    let filters = r#"{"filter_tags":{"require":["team:basket"]}}"#;
    for (rate, info, variables, verdict, words) in [
        (1.0, "{}", &[][..], "ok", "ordinary traces are kept, by the agent's rate (rate 1)"),
        (0.5, "{}", &[], "ok", "a part of the ordinary traces is kept, by the agent's rate (rate 0.5)"),
        (0.0, "{}", &[], "warn", "ordinary traces are not kept, by the agent's rate (rate 0)"),
        (
            1.0,
            "{}",
            &[("DD_TRACE_SAMPLE_RATE", "0")],
            "warn",
            "ordinary traces are not kept, by DD_TRACE_SAMPLE_RATE (rate 0)",
        ),
        (
            1.0,
            "{}",
            &[("DD_TRACE_SAMPLE_RATE", "0.5"), ("DD_TRACE_RATE_LIMIT", "0")],
            "warn",
            "ordinary traces are not kept, by DD_TRACE_RATE_LIMIT=0 (env_var)",
        ),
        (
            1.0,
            "{}",
            &[
                ("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":0}]"#),
                ("DD_SPAN_SAMPLING_RULES", r#"[{"service":"shop"}]"#),
            ],
            "warn",
            "ordinary traces are not kept, by sampling rule 1 (rate 0); but single spans are, by DD_SPAN_SAMPLING_RULES",
        ),
        (
            1.0,
            "{}",
            &[("DD_TRACE_SAMPLING_RULES", r#"[{"resource":"GET /health","sample_rate":0}]"#)],
            "ok",
            "ordinary traces are kept, by the agent's rate (rate 1)",
        ),
        (
            1.0,
            filters,
            &[],
            "warn",
            "ordinary traces are kept, by the agent's rate (rate 1); and the agent's filters leave them out",
        ),
        (1.0, filters, &[("DD_TRACE_ENABLED", "false")], "skipped", "tracing is switched off"),
    ] {
        assert_eq!(sampling(rate, info, variables), (verdict.to_owned(), words.to_owned()), "{variables:?}");
    }
}

/// They come with the answer to a trace.
#[test]
fn rates_that_are_not_known_are_no_promise() {
    with_agent(|agent| {
        agent.answers(Answer::rates(&[("service:,env:", 0.0)]));
        let examined = examine(&["--no-trace"], &[("DD_TRACE_AGENT_URL", &agent.url())]);
        let words = "ordinary traces are kept, by default as long as no rates of the agent are known";
        assert_eq!(examined.words("sampling"), words);
    });
}

#[test]
fn a_span_that_is_kept_alone_is_told() {
    let nobody = Address::unused().expect("a free port").to_string();
    let sample = |name| {
        let variables = [
            ("DD_TRACE_AGENT_URL", nobody.as_str()),
            ("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":0}]"#),
            ("DD_SPAN_SAMPLING_RULES", r#"[{"name":"web.*"}]"#),
        ];
        let examined = examine(&["sample", "--service", "shop", "--name", name], &variables);
        assert_eq!(examined.detail("sample", "kept"), false);
        let is_alone = examined.detail("sample", "single_span_kept").as_bool();
        (
            is_alone,
            examined.words("sample").ends_with("; but its span is kept alone, by DD_SPAN_SAMPLING_RULES"),
        )
    };
    assert_eq!(sample("web.request"), (Some(true), true));
    assert_eq!(sample("db.query"), (Some(false), false));
}

/// A rule that cannot be used decides nothing, and whoever asks is to see that.
#[test]
fn rules_that_cannot_be_used_are_told_beside_the_decision() {
    let nobody = Address::unused().expect("a free port").to_string();
    let variables = [("DD_TRACE_AGENT_URL", nobody.as_str()), ("DD_TRACE_SAMPLING_RULES", "[{")];
    let examined = examine(&["sample"], &variables);
    assert_eq!(examined.verdicts(), ["settings problem", "sample warn"]);
    assert_eq!(examined.code(), Some(3));
}
