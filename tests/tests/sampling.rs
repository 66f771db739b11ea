//! Which traces are kept, and what the agent is told about it: every step that decides, each with its tags, in whole chunks and in parts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use dd_traced::{
    AsContext, SamplingStep, Span, SpanContext, TracerBuilder, WhySampled, active_span, extract, inject,
    span, traced,
};
use dd_traced_tests::{
    Answer, FakeAgent, Received, WireSpan, program, ready, run, with_agent, with_tracer, with_tracer_of,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

/// What a caller sent: a trace id, and perhaps more headers.
fn received(trace_id: u64, headers: &[(&str, &str)]) -> SpanContext {
    let mut all = HashMap::from([("x-datadog-trace-id".to_owned(), trace_id.to_string())]);
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    extract(&all).unwrap()
}

/// A trace of this id, not decided about.
fn root(trace_id: u64, name: &'static str) -> Span {
    span(name).child_of(&received(trace_id, &[])).start()
}

fn injected(span: &impl AsContext) -> HashMap<String, String> {
    let mut headers = HashMap::new();
    inject(span, &mut headers);
    headers
}

fn sampled(options: impl FnOnce(TracerBuilder) -> TracerBuilder, test: impl FnOnce(&FakeAgent)) -> Received {
    with_tracer_of(|_, tracer| options(tracer), |agent, _| test(agent)).0
}

/// What the span says of sampling, sorted: `_sampling_priority_v1`, `_dd.p.dm`, `_dd.p.ksr`, the rates.
fn said(span: &WireSpan) -> String {
    let texts = span.meta.iter().map(|(key, value)| (key, value.clone()));
    let numbers = span.metrics.iter().map(|(key, value)| (key, value.to_string()));
    let mut said: Vec<String> = texts
        .chain(numbers)
        .filter_map(|(key, value)| {
            let short = match key.as_str() {
                "_sampling_priority_v1" => "priority",
                "_dd.p.dm" | "_dd.p.ksr" => key.strip_prefix("_dd.p.")?,
                _ if key.starts_with("_dd.span_sampling.") || key.ends_with("_psr") => {
                    key.strip_prefix("_dd.")?
                }
                _ => return None,
            };
            Some(format!("{short}={value}"))
        })
        .collect();
    said.sort();
    said.join(" ")
}

/// What the only span of this name says.
fn said_of(received: &Received, name: &str) -> String {
    said(received.span(name))
}

#[test]
fn global_rate_keeps_and_rejects_with_its_rate() {
    let received = sampled(
        |tracer| tracer.sample_rate(0.25),
        |_| {
            root(1000, "kept").finish();
            root(10, "rejected").finish();
        },
    );
    assert_eq!(said_of(&received, "kept"), "dm=-3 ksr=0.25 limit_psr=1 priority=2 rule_psr=0.25");
    assert_eq!(said_of(&received, "rejected"), "dm=-3 ksr=0.25 priority=-1 rule_psr=0.25");
}

#[test]
fn rate_of_one_keeps_all_and_a_tiny_one_tells_its_rate_without_an_exponent() {
    let all = sampled(|tracer| tracer.sample_rate(1.0), |_| root(u64::MAX, "kept").finish());
    assert_eq!(said_of(&all, "kept"), "dm=-3 ksr=1 limit_psr=1 priority=2 rule_psr=1");
    let few = sampled(|tracer| tracer.sample_rate(0.000_02), |_| root(12_345, "rejected").finish());
    assert_eq!(said_of(&few, "rejected"), "dm=-3 ksr=0.00002 priority=-1 rule_psr=0.00002");
}

#[test]
fn limiter_rejects_what_a_rate_would_keep_and_counts_nothing_else() {
    let received = sampled(
        |tracer| tracer.sample_rate(0.5).rate_limit(0.001),
        |_| {
            (0..9).for_each(|_| root(10, "of the hash").finish());
            let context = received(1, &[("x-datadog-sampling-priority", "1")]);
            span("inherited").child_of(&context).start().finish();
            let kept = root(1, "kept");
            // Asked by the first injection alone.
            (0..3).for_each(|_| assert_eq!(injected(&kept)["x-datadog-sampling-priority"], "2"));
            let refused = root(1, "refused");
            assert_eq!(injected(&refused)["x-datadog-sampling-priority"], "-1");
        },
    );
    assert_eq!(said_of(&received, "kept"), "dm=-3 ksr=0.5 limit_psr=1 priority=2 rule_psr=0.5");
    assert_eq!(said_of(&received, "refused"), "dm=-3 ksr=0.5 limit_psr=0.5 priority=-1 rule_psr=0.5");
}

#[test]
fn limit_alone_limits_nothing() {
    let received = sampled(
        |tracer| tracer.rate_limit(0.0),
        |_| ["a", "b"].into_iter().for_each(|name| root(1, name).finish()),
    );
    for name in ["a", "b"] {
        assert_eq!(said_of(&received, name), "dm=-0 priority=1");
    }
}

#[test]
fn first_rule_that_matches_decides_and_the_global_rate_is_for_the_rest() {
    let rules = r#"[{"service":"web*","name":"*.request","sample_rate":0.25},{"service":"web*","sample_rate":0},
        {"tags":{"items":"4*"},"sample_rate":1}]"#;
    let received = sampled(
        |tracer| tracer.sampling_rules(rules).sample_rate(0.5),
        |_| {
            let context = received(1000, &[]);
            span("http.request").service("WebServer").child_of(&context).start().finish();
            span("http.job").service("webserver").child_of(&context).start().finish();
            span("integer").tag("items", 42).child_of(&context).start().finish();
            span("fraction").tag("items", 42.5).child_of(&context).start().finish();
        },
    );
    assert_eq!(said_of(&received, "http.request"), "dm=-3 ksr=0.25 limit_psr=1 priority=2 rule_psr=0.25");
    assert_eq!(said_of(&received, "http.job"), "dm=-3 ksr=0 priority=-1 rule_psr=0");
    assert_eq!(said_of(&received, "integer"), "dm=-3 ksr=1 limit_psr=1 priority=2 rule_psr=1");
    assert_eq!(said_of(&received, "fraction"), "dm=-3 ksr=0.5 limit_psr=1 priority=2 rule_psr=0.5");
}

#[test]
fn default_keeps_until_the_agent_gives_rates() {
    let received = with_tracer(|agent, tracer| {
        let rates = r#"{"rate_by_service":{"service:shop,env:test":0.1,"service:shop,env:stage":0.25,"service:,env:":0.5}}"#;
        agent.answers(Answer::ok().with_body(rates));
        root(10, "first").finish();
        assert!(tracer.flush(dd_traced_tests::PATIENCE));
        root(100, "kept").finish();
        root(10, "rejected").finish();
        span("other").service("api").child_of(&received(7, &[])).start().finish();
        span("staged").tag("env", "stage").child_of(&received(10, &[])).start().finish();
        let shared = root(10, "shared");
        shared.set_tag("env", "stage");
        let from_elsewhere = std::thread::scope(|scope| {
            let context = shared.context();
            scope.spawn(move || injected(&context)["x-datadog-sampling-priority"].clone()).join()
        });
        assert_eq!(from_elsewhere.unwrap(), "0");
    })
    .0;
    assert_eq!(said_of(&received, "first"), "dm=-0 priority=1");
    assert_eq!(said_of(&received, "kept"), "agent_psr=0.1 dm=-1 ksr=0.1 priority=1");
    assert_eq!(said_of(&received, "rejected"), "agent_psr=0.1 dm=-1 ksr=0.1 priority=0");
    assert_eq!(said_of(&received, "other"), "agent_psr=0.5 dm=-1 ksr=0.5 priority=1");
    for name in ["staged", "shared"] {
        assert_eq!(
            said_of(&received, name),
            "agent_psr=0.25 dm=-1 ksr=0.25 priority=0",
            "{name}: its own env"
        );
    }
}

#[test]
fn inherited_decision_stays_as_it_came() {
    let rejecting = |tracer: TracerBuilder| tracer.sampling_rules(r#"[{"sample_rate":0}]"#);
    let received = sampled(rejecting, |_| {
        let headers = [
            ("x-datadog-sampling-priority", "1"),
            ("x-datadog-origin", "rum"),
            ("x-datadog-tags", "_dd.p.ksr=0.50"),
        ];
        let kept = span("kept").child_of(&received(7, &headers)).start();
        assert_eq!(kept.why_sampled().unwrap().step(), SamplingStep::Inherited);
        assert_eq!(injected(&kept)["x-datadog-tags"], "_dd.p.ksr=0.50");
        kept.finish();
        let headers = [("x-datadog-sampling-priority", "3"), ("x-datadog-tags", "_dd.p.dm=-5")];
        span("other").child_of(&received(7, &headers)).start().finish();
    });
    assert_eq!(said_of(&received, "kept"), "ksr=0.50 priority=1");
    assert_eq!(said_of(&received, "other"), "dm=-5 priority=3");
}

#[test]
fn manual_decision_of_any_span_wins_over_all_others() {
    let received = sampled(
        |tracer| tracer.sample_rate(1.0),
        |_| {
            let root_ = root(1, "dropped");
            assert_eq!(injected(&root_)["x-datadog-sampling-priority"], "2");
            let child = span("child").child_of(&root_.context()).start();
            child.reject();
            assert_eq!(child.why_sampled().unwrap().step(), SamplingStep::Manual);
            assert_eq!(injected(&root_)["x-datadog-tags"], "_dd.p.dm=-4");
            drop((child, root_));
            let context =
                received(1, &[("x-datadog-sampling-priority", "0"), ("x-datadog-tags", "_dd.p.dm=-1")]);
            let kept = span("kept").child_of(&context).start();
            kept.reject();
            kept.keep();
        },
    );
    assert_eq!(said_of(&received, "dropped"), "dm=-4 priority=-1");
    assert_eq!(said_of(&received, "child"), "");
    assert_eq!(said_of(&received, "kept"), "dm=-4 priority=2");
}

#[traced(name = "by.attribute", tags(manual.keep = keeps, order.id = 7))]
fn keeping(keeps: bool) -> Option<WhySampled> {
    active_span().why_sampled()
}

#[traced(name = "by.constant", tags("manual.drop" = "1"))]
fn dropping() {
    keeping_inside();
}

#[traced(name = "inside", tags(sampling.priority = -1, manual.keep = "false"))]
fn keeping_inside() {}

#[traced(name = "by.future", tags(sampling.priority = 1))]
async fn keeping_future() -> Option<WhySampled> {
    active_span().why_sampled()
}

#[traced(name = "by.placed", root, tags(manual.drop = true))]
fn dropping_placed() {}

#[test]
fn tags_that_decide_are_not_sent() {
    let received = sampled(
        |tracer| tracer.sample_rate(0.5),
        |_| {
            for (name, key, is_kept) in [
                ("kept", "manual.keep", true),
                ("dropped", "manual.drop", false),
                ("priority", "sampling.priority", true),
            ] {
                let root = root(if is_kept { 10 } else { 1 }, name);
                let child = span("child").child_of(&root.context()).start();
                child.set_tag(key, 1);
                root.set_tag("manual.keep", false);
                root.set_metric("manual.drop", 0.0);
                root.set_tag("manual.drop", "0");
                assert_eq!(injected(&root)["x-datadog-sampling-priority"], if is_kept { "2" } else { "-1" });
            }
            span("built").child_of(&received(10, &[])).tag("manual.keep", "").start().finish();
            assert!(keeping(true).unwrap().is_kept() && keeping(false).is_none());
            dropping();
            assert!(ready(keeping_future()).unwrap().is_kept());
            dropping_placed();
            active_span().set_tag("manual.keep", true);
        },
    );
    let manual = |name: &str| said_of(&received, name);
    for name in ["kept", "priority", "built", "by.future"] {
        assert_eq!(manual(name), "dm=-4 priority=2", "{name}");
    }
    for name in ["dropped", "by.constant", "by.placed"] {
        assert_eq!(manual(name), "dm=-4 priority=-1", "{name}");
    }
    let attributes: Vec<_> = received.spans().filter(|span| span.name == "by.attribute").collect();
    assert!(attributes.iter().all(|span| span.metric("order.id") == Some(7.0)));
    assert_eq!(said(attributes[0]), "dm=-4 priority=2");
    assert!(said(attributes[1]).starts_with("dm=-3"), "false decides nothing");
    for key in ["manual.keep", "manual.drop", "sampling.priority"] {
        assert!(received.spans().all(|span| span.meta(key).is_none() && span.metric(key).is_none()), "{key}");
    }
}

#[test]
fn tags_set_before_the_injection_decide_and_later_ones_do_not() {
    let rules = r#"[{"tags":{"plan":"free"},"sample_rate":0},{"tags":{"vip":"yes"},"sample_rate":1},
        {"tags":{"route":"*"},"sample_rate":0}]"#;
    let received = sampled(
        |tracer| tracer.sampling_rules(rules),
        |_| {
            let root = span("root").tag("route", "/x").start();
            let child = span("child").child_of(&root.context()).tag("plan", "free").start();
            root.set_tag("vip", "yes");
            assert!(root.why_sampled().is_none());
            let headers = injected(&child);
            assert_eq!(headers["x-datadog-sampling-priority"], "2");
            assert_eq!(
                headers["x-datadog-tags"].split(',').filter(|tag| !tag.starts_with("_dd.p.tid")).count(),
                2
            );
            root.set_tag("plan", "free");
            let why = root.why_sampled().unwrap();
            assert_eq!(why.to_string(), "kept by sampling rule 2 (rate 1), limiter at 1");
            assert_eq!(
                (why.step(), why.rate(), why.limiter_rate()),
                (SamplingStep::Rule(2), Some(1.0), Some(1.0))
            );
        },
    );
    assert_eq!(said_of(&received, "root"), "dm=-3 ksr=1 limit_psr=1 priority=2 rule_psr=1");
    assert_eq!(said_of(&received, "child"), "");
}

#[test]
fn first_span_of_each_part_says_the_decision_and_the_root_alone_its_rates() {
    let received = sampled(
        |tracer| tracer.sampling_rules(r#"[{"tags":{"vip":"*"},"sample_rate":0.5},{"sample_rate":0}]"#),
        |_| {
            let root = root(1, "root");
            let _active = root.activate();
            active_span().set_tag("vip", 1);
            (0..700).for_each(|_| span("part").start().finish());
            active_span().unset_tag("vip");
        },
    );
    let chunks: Vec<_> = received.chunks().collect();
    assert_eq!(chunks.len(), 3);
    for chunk in &chunks {
        let rates = if chunk[0].name == "root" { (" limit_psr=1", " rule_psr=0.5") } else { ("", "") };
        assert_eq!(said(&chunk[0]), format!("dm=-3 ksr=0.5{} priority=2{}", rates.0, rates.1));
        assert!(chunk[1..].iter().all(|span| said(span).is_empty()));
    }
    assert_eq!(chunks.iter().filter(|chunk| chunk[0].name == "root").count(), 1);
}

#[test]
fn single_spans_of_traces_that_are_not_kept_are_marked() {
    let rules = r#"[{"name":"db.*","tags":{"slow":"true"}},{"name":"half","sample_rate":0},
        {"service":"limited","max_per_second":0.001,"sample_rate":1},{"name":"never"},{"name":"half"}]"#;
    let received = sampled(
        |tracer| tracer.span_sampling_rules(rules),
        |_| {
            let inherited = received(7, &[("x-datadog-sampling-priority", "0")]);
            let root = span("web").child_of(&inherited).start();
            span("db.query").tag("slow", true).child_of(&root.context()).start().finish();
            span("db.fast").child_of(&root.context()).start().finish();
            span("half").child_of(&root.context()).start().finish();
            root.finish();
            for name in ["limited.1", "limited.2"] {
                let lone = span(name).service("limited").root().start();
                lone.reject();
            }
            let kept = span("db.kept").tag("slow", true).root().start();
            kept.keep();
        },
    );
    assert_eq!(said_of(&received, "web"), "priority=0", "it stays as it is");
    let whole = "span_sampling.mechanism=8 span_sampling.rule_rate=1";
    assert_eq!(said_of(&received, "db.query"), whole);
    assert_eq!(said_of(&received, "db.fast"), "");
    assert_eq!(said_of(&received, "half"), "", "the first rule that matches decides");
    let limited = "span_sampling.max_per_second=0.001 span_sampling.mechanism=8 span_sampling.rule_rate=1";
    assert_eq!(said_of(&received, "limited.1"), format!("dm=-4 priority=-1 {limited}"));
    assert_eq!(said_of(&received, "limited.2"), "dm=-4 priority=-1");
    assert_eq!(said_of(&received, "db.kept"), "dm=-4 priority=2", "of kept traces none");
}

#[test]
fn single_span_is_decided_by_its_own_id() {
    let received = sampled(
        |tracer| tracer.span_sampling_rules(r#"[{"sample_rate":0.5}]"#).sample_rate(0.0),
        |_| (0..64).for_each(|_| root(1, "job").finish()),
    );
    let mut kept = 0;
    for span in received.spans() {
        let is_kept = span.span_id.wrapping_mul(1_111_111_111_111_111_111) <= 1 << 63;
        assert_eq!(span.metric("_dd.span_sampling.rule_rate").is_some(), is_kept);
        kept += u32::from(is_kept);
    }
    assert!((1..64).contains(&kept), "all of 64 fall on one side once in 2^63 runs");
}

#[test]
fn settings_and_reasons_are_those_of_the_environment() {
    let rules = std::env::temp_dir().join(format!("dd-traced-sampling-{}.json", std::process::id()));
    std::fs::write(&rules, r#"[{"sample_rate":7},{"name":"job","sample_rate":0}]"#).unwrap();
    let mut stderr = String::new();
    let received = with_agent(|agent| {
        let mut program = program(PROGRAM, "work", 2);
        program
            .env("DD_TRACE_AGENT_URL", agent.url())
            .env("DD_TRACE_DEBUG", "1")
            .env("DD_TRACE_LOCAL_VIEW", "waterfall")
            .env("DD_TRACE_SAMPLE_RATE", "often")
            .env("DD_TRACE_SAMPLING_RULES_FILE", &rules)
            .env("DD_SPAN_SAMPLING_RULES", r#"[{"name":"p*t"}]"#);
        stderr = run(&mut program).expect_success().stderr;
    });
    std::fs::remove_file(&rules).unwrap();
    let roots = received.spans().filter(|span| span.name == "job");
    assert_eq!(roots.map(said).collect::<Vec<_>>(), ["dm=-3 ksr=0 priority=-1 rule_psr=0"; 2]);
    let parts = received.spans().filter(|span| span.name == "part");
    assert_eq!(
        parts.map(said).collect::<Vec<_>>(),
        ["span_sampling.mechanism=8 span_sampling.rule_rate=1"; 2]
    );
    let lines = |text: &str| stderr.lines().filter(|line| line.contains(text)).count();
    let reason = "rejected by sampling rule 2 (rate 0)";
    assert_eq!(lines(&format!("{reason}; single spans kept: 1")), 2, "in the debug log: {stderr}");
    assert_eq!(stderr.lines().filter(|line| line.trim() == reason).count(), 2, "in the local view: {stderr}");
    assert_eq!(
        lines("WARN: DD_TRACE_SAMPLING_RULES_FILE: rule 1 is left out: sample_rate is not from 0 to 1"),
        1,
        "{stderr}"
    );
    assert_eq!(lines("DD_TRACE_SAMPLE_RATE: \"often\" is not a number from 0 to 1"), 1, "{stderr}");
}
