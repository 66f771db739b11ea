//! Decisions of whole samplers: the table of tags by path, and the examples that all libraries agree on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::json::{self, trace_rules};
use super::{OwnTags, Sampler, SamplingSettings};
use crate::clock::Clock;
use crate::model::priority::rate_text;
use crate::model::{CallSite, Decision, Mapping, Record, SamplingPriority, TagLog, TraceFacts};

static REQUEST: CallSite = CallSite::named("http.request");
static LIMITED: CallSite = CallSite::named("limited");
static OTHER: CallSite = CallSite::named("other");

/// A sampler on a held clock.
struct Held {
    sampler: Sampler,
    ns: Arc<AtomicU64>,
}

fn held(settings: &SamplingSettings) -> Held {
    let ns = Arc::new(AtomicU64::new(1_700_000_000_000_000_000));
    let clock = Clock::Held(Arc::clone(&ns));
    let start = clock.anchor();
    let own = OwnTags { service: "web".into(), env: "prod".into(), ..OwnTags::default() };
    Held { sampler: Sampler::new(settings, own, clock, start), ns }
}

fn settings(rules: &str, rate: Option<f64>) -> SamplingSettings {
    let parsed = trace_rules(rules).unwrap();
    assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
    SamplingSettings { rules: parsed.rules, rate, ..SamplingSettings::default() }
}

impl Held {
    fn of(rules: &str, rate: Option<f64>) -> Self {
        held(&settings(rules, rate))
    }

    fn decide(&self, trace_id: u128) -> Decision {
        let (record, tags) = (Record::open(&REQUEST, 1, 0, 0), TagLog::new());
        self.sampler.decide(trace_id, None, Some((&record, &tags)))
    }
}

/// Priority, decision maker, rate, rate of the limiter, text of the rate.
fn words(decision: Decision) -> String {
    let maker = decision.mechanism.map(|mechanism| mechanism.decision_maker().as_str().to_owned());
    let rate = decision
        .rate
        .map(|applied| (applied.rate, applied.limiter, rate_text(applied.rate).as_str().to_owned()));
    format!("{} {} {rate:?}", decision.priority.as_i32(), maker.unwrap_or_default())
}

/// The agent knows services by the names they are sent under.
#[test]
fn a_mapped_service_is_decided_about_by_its_other_name() {
    let clock = Clock::Held(Arc::new(AtomicU64::new(1_700_000_000_000_000_000)));
    let pairs = vec![("web".into(), "market".into()), ("pg".into(), "orders".into())];
    let own = OwnTags { service: "web".into(), service_mapping: Mapping::new(pairs), ..OwnTags::default() };
    let rules = r#"[{"service":"market","sample_rate":0.5},{"service":"orders","sample_rate":0.25},{"sample_rate":1}]"#;
    let sampler = Sampler::new(&settings(rules, None), own, clock.clone(), clock.anchor());
    let rate = |service: Option<&str>| {
        let facts = TraceFacts::new(1, None, service.map(Into::into));
        sampler.decide_trace(&facts, || None).rate.map(|applied| applied.rate)
    };
    assert_eq!([None, Some("pg"), Some("web"), Some("other")].map(rate), [0.5, 0.25, 0.5, 1.0].map(Some));
}

#[test]
fn global_rate_of_one_keeps_by_hand_of_the_user() {
    assert_eq!(words(Held::of("[]", Some(1.0)).decide(u128::MAX)), r#"2 -3 Some((1.0, Some(1.0), "1"))"#);
}

#[test]
fn nothing_set_keeps_by_default_and_asks_no_limiter() {
    let held = held(&SamplingSettings { limit: 0.0, ..SamplingSettings::default() });
    assert_eq!(words(held.decide(10)), "1 -0 None");
}

#[test]
fn matching_rule_decides_also_where_it_rejects() {
    let held = Held::of(r#"[{"sample_rate":0}]"#, Some(1.0));
    assert_eq!(words(held.decide(1)), r#"-1 -3 Some((0.0, None, "0"))"#);
}

#[test]
fn first_rule_that_matches_is_compared_with_the_hash() {
    let rules = r#"[{"service":"web*","name":"*.request","sample_rate":0.25},{"sample_rate":1}]"#;
    let held = Held::of(rules, None);
    let (record, tags) = (Record::open(&REQUEST, 1, 0, 0), TagLog::new());
    let decide = |id, service| words(held.sampler.decide(id, Some(service), Some((&record, &tags))));
    assert_eq!(decide(1000, "WebServer"), r#"2 -3 Some((0.25, Some(1.0), "0.25"))"#);
    assert_eq!(decide(10, "WebServer"), r#"-1 -3 Some((0.25, None, "0.25"))"#);
    assert_eq!(decide(10, "api"), r#"2 -3 Some((1.0, Some(1.0), "1"))"#);
    assert_eq!(
        decide((10 << 64) + 1000, "WebServer"),
        r#"2 -3 Some((0.25, Some(1.0), "0.25"))"#,
        "the low half counts"
    );
}

#[test]
fn agent_rate_of_the_service_decides_else_its_default() {
    let held = Held::of("[]", None);
    held.sampler.learn(br#"{"rate_by_service":{"service:web,env:prod":0.1,"service:,env:":0.5}}"#);
    assert_eq!(words(held.decide(100)), r#"1 -1 Some((0.1, None, "0.1"))"#);
    assert_eq!(words(held.decide(10)), r#"0 -1 Some((0.1, None, "0.1"))"#);
    let other = held.sampler.decide(7, Some("api"), None);
    assert_eq!(words(other), r#"1 -1 Some((0.5, None, "0.5"))"#);
}

/// The `env` tag of the root used to be overlooked: its own environment is what the agent counts it under.
#[test]
fn agent_rate_is_that_of_the_roots_own_environment() {
    static STAGED: CallSite = CallSite::named("staged").tags(&[("env", "stage")]);
    let held = Held::of("[]", None);
    let table = r#"{"rate_by_service":{"service:web,env:prod":0.125,"service:web,env:stage":0.25,"service:,env:":0.5,"service:web,env:":0.75}}"#;
    let rate = |site: &'static CallSite, change: &dyn Fn(&mut TagLog) -> u32| {
        let (mut record, mut tags) = (Record::open(site, 1, 0, 0), TagLog::new());
        record.tags = change(&mut tags);
        held.sampler.decide(1, None, Some((&record, &tags))).rate.map(|applied| applied.rate)
    };
    assert!(!held.sampler.looks_at_local_root());
    held.sampler.learn(table.as_bytes());
    assert!(held.sampler.looks_at_local_root(), "this service is seen in another environment");
    assert_eq!(rate(&REQUEST, &|_| 0), Some(0.125));
    assert_eq!(rate(&STAGED, &|_| 0), Some(0.25));
    assert_eq!(rate(&REQUEST, &|tags| tags.meta(0, "env", "stage")), Some(0.25));
    assert_eq!(rate(&STAGED, &|tags| tags.meta(0, "env", "qa")), Some(0.5), "the agent's default");
    assert_eq!(rate(&STAGED, &|tags| tags.unset(0, "env")), Some(0.75));
    held.sampler.learn(br#"{"rate_by_service":{"service:web,env:prod":1,"service:pay,env:stage":1}}"#);
    assert!(!held.sampler.looks_at_local_root());
}

#[test]
fn tiny_global_rate_is_told_as_it_is() {
    assert_eq!(
        words(Held::of("[]", Some(0.000_02)).decide(12_345)),
        r#"-1 -3 Some((2e-5, None, "0.00002"))"#
    );
}

#[test]
fn number_of_a_tag_is_compared_by_its_digits() {
    let held = Held::of(r#"[{"tags":{"items":"4*"},"sample_rate":1},{"sample_rate":0}]"#, None);
    for (items, expected) in [(42.0, SamplingPriority::USER_KEEP), (42.5, SamplingPriority::USER_REJECT)] {
        let (mut record, mut tags) = (Record::open(&REQUEST, 1, 0, 0), TagLog::new());
        record.tags = tags.metric(0, "items", items);
        assert_eq!(held.sampler.decide(1, None, Some((&record, &tags))).priority, expected, "{items}");
    }
    assert_eq!(held.sampler.decide(1, None, None).priority, SamplingPriority::USER_REJECT, "no tag at all");
}

#[test]
fn limiter_is_asked_by_rules_that_keep_and_refills() {
    let limited =
        SamplingSettings { limit: 1.0, ..settings(r#"[{"name":"none","sample_rate":1}]"#, Some(0.5)) };
    let held = held(&limited);
    for rejected in [10, 12_345, 10] {
        assert_eq!(
            words(held.decide(rejected)),
            r#"-1 -3 Some((0.5, None, "0.5"))"#,
            "the hash rejects for nothing"
        );
    }
    assert_eq!(words(held.decide(1)), r#"2 -3 Some((0.5, Some(1.0), "0.5"))"#);
    assert_eq!(words(held.decide(1)), r#"-1 -3 Some((0.5, Some(0.5), "0.5"))"#);
    held.ns.fetch_add(2_000_000_000, Ordering::Relaxed);
    assert_eq!(words(held.decide(1)), r#"2 -3 Some((0.5, Some(1.0), "0.5"))"#);
    held.sampler.set_policy(Vec::new(), None);
    assert_eq!(words(held.decide(1)), "1 -0 None", "the agent's rates know no limiter");
}

#[test]
fn remote_rules_replace_the_local_ones_and_say_where_they_are_from() {
    let held = Held::of(r#"[{"sample_rate":0}]"#, Some(0.0));
    let list = serde_json::json!([
        {"name": "http.*", "provenance": "dynamic", "sample_rate": 1},
        {"service": "web", "provenance": "customer", "sample_rate": 0.5},
    ]);
    held.sampler.set_policy(json::remote_rules(&list).unwrap().rules, Some(0.0));
    assert_eq!(words(held.decide(1)), r#"2 -11 Some((0.5, Some(1.0), "0.5"))"#);
    assert_eq!(words(held.decide(10)), r#"-1 -11 Some((0.5, None, "0.5"))"#);
    let (record, tags) = (Record::open(&REQUEST, 1, 0, 0), TagLog::new());
    let other = held.sampler.decide(10, Some("api"), Some((&record, &tags)));
    assert_eq!(words(other), r#"2 -12 Some((1.0, Some(1.0), "1"))"#);
    assert_eq!(words(held.sampler.decide(10, Some("api"), None)), r#"-1 -3 Some((0.0, None, "0"))"#);
}

#[test]
fn single_span_is_selected_by_its_own_id_and_the_limiter_of_its_rule() {
    let spans = json::span_rules(
        r#"[{"name":"limited","max_per_second":3},{"name":"*.request","sample_rate":0.25},{"sample_rate":0},{}]"#,
    );
    let held = held(&SamplingSettings { span_rules: spans.unwrap().rules, ..SamplingSettings::default() });
    let select = |site: &'static CallSite, ids: &[u64]| {
        let records: Vec<_> = ids.iter().map(|id| Record::open(site, *id, 0, 0)).collect();
        let selected = held.sampler.select(&records, &TagLog::new());
        selected.iter().map(|span| (span.span_id, span.rate, span.max_per_second)).collect::<Vec<_>>()
    };
    assert_eq!(
        select(&REQUEST, &[1000, 10, 1]),
        [(1, 0.25, None), (1000, 0.25, None)],
        "by the id of the span"
    );
    assert_eq!(
        select(&LIMITED, &[8, 7, 6, 5]),
        [(6, 1.0, Some(3.0)), (7, 1.0, Some(3.0)), (8, 1.0, Some(3.0))]
    );
    assert_eq!(select(&LIMITED, &[9]), []);
    held.ns.fetch_add(1_000_000_000, Ordering::Relaxed);
    assert_eq!(select(&LIMITED, &[1, 2, 3, 4]).len(), 3);
    assert_eq!(select(&OTHER, &[1]), [], "the first that matches decides");
}

/// On the way to the worker a service gets the name it is sent with; mapped once more, it would be another.
#[test]
fn service_is_mapped_once() {
    let pairs = [("cart", "basket"), ("basket", "bag")].map(|(from, to)| (from.into(), to.into()));
    let own = OwnTags {
        service: "web".into(),
        service_mapping: Mapping::new(pairs.to_vec()),
        ..OwnTags::default()
    };
    let clock = Clock::Held(Arc::default());
    let start = clock.anchor();
    let rules = r#"[{"service":"basket","sample_rate":1},{"sample_rate":0}]"#;
    let sampler = Sampler::new(&settings(rules, None), own, clock, start);
    let kept = |decision: Decision| decision.priority.is_keep();
    assert!(kept(sampler.decide_trace(&TraceFacts::new(1, None, Some("cart".into())), || None)));
    assert!(kept(sampler.decide(1, Some("basket"), None)));
    assert!(!kept(sampler.decide_trace(&TraceFacts::new(1, None, Some("basket".into())), || None)));
}

#[test]
fn each_rule_for_single_spans_has_a_limiter_of_its_own() {
    let rules = r#"[{"name":"limited","max_per_second":2},{"name":"other","max_per_second":1}]"#;
    let span_rules = json::span_rules(rules).unwrap().rules;
    let held = held(&SamplingSettings { span_rules, limit: 0.0, ..SamplingSettings::default() });
    let records: Vec<_> = [&LIMITED, &OTHER, &LIMITED, &OTHER, &LIMITED]
        .into_iter()
        .zip(1..)
        .map(|(site, id)| Record::open(site, id, 0, 0))
        .collect();
    let selected = held.sampler.select(&records, &TagLog::new());
    assert_eq!(selected.iter().map(|span| span.span_id).collect::<Vec<_>>(), [1, 2, 3]);
}
