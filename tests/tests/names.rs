//! A span has one name and one resource: rules, statistics and the agent see the same, also where a text was set to nothing.

use std::collections::BTreeSet;

use dd_traced::{active_span, span, traced};
use dd_traced_tests::{Answer, PATIENCE, with_tracer_of};

const OFFER: &str = r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true}"#;

/// Changes names and resources, in order: `n` before a name, `r` before a resource.
type Changes = &'static [&'static str];

/// How a span is made, what is changed, and the name and resource that it has then.
type Case = (fn(usize, Changes), Changes, &'static str, &'static str);

const CASES: [Case; 22] = [
    (by_hand, &[], "job", "job"),
    (by_hand, &["n"], "job", "job"),
    (by_hand, &["nnew"], "new", "new"),
    (by_hand, &["nnew", "n"], "job", "job"),
    (by_hand, &["n", "nnew"], "new", "new"),
    (by_hand, &["r"], "job", "job"),
    (by_hand, &["rGET /"], "job", "GET /"),
    (by_hand, &["rGET /", "r"], "job", "job"),
    (by_hand, &["rGET /", "nnew", "r"], "new", "new"),
    (unnamed, &[], "unnamed_operation", "unnamed_operation"),
    (unnamed, &["nnew", "n"], "unnamed_operation", "unnamed_operation"),
    (unnamed, &["rGET /"], "unnamed_operation", "GET /"),
    (named, &[], "pay", "POST /pay"),
    (named, &["n", "r"], "pay", "POST /pay"),
    (named, &["nnew"], "new", "POST /pay"),
    (named, &["nnew", "n", "rGET /"], "pay", "GET /"),
    (alike, &[], "pay", "pay"),
    (alike, &["nnew"], "new", "new"),
    (alike, &["nnew", "n"], "pay", "pay"),
    (plain, &["nnew", "rGET /", "r"], "new", "new"),
    (plain, &["n", "r"], "names.plain", "names.plain"),
    (plain, &["nnew", "n"], "names.plain", "names.plain"),
];

fn by_hand(case: usize, changes: Changes) {
    let span = span("job").root().tag("case", case.to_string()).start();
    apply(changes, |name| span.set_name(name), |resource| span.set_resource(resource));
}

fn unnamed(case: usize, changes: Changes) {
    let span = span("").root().tag("case", case.to_string()).start();
    apply(changes, |name| span.set_name(name), |resource| span.set_resource(resource));
}

#[traced(name = "pay", resource = "POST /pay", tags(case = case.to_string()))]
fn named(case: usize, changes: Changes) {
    apply_here(changes);
}

#[traced(name = "pay", resource = "pay", tags(case = case.to_string()))]
fn alike(case: usize, changes: Changes) {
    apply_here(changes);
}

#[traced(tags(case = case.to_string()))]
fn plain(case: usize, changes: Changes) {
    // The trace is shared from here on: its decision sees the root as it is told.
    let _context = active_span().context();
    apply_here(changes);
}

fn apply_here(changes: Changes) {
    let span = active_span();
    apply(changes, |name| span.set_name(name), |resource| span.set_resource(resource));
}

fn apply(changes: Changes, set_name: impl Fn(&str), set_resource: impl Fn(&str)) {
    for change in changes {
        match change.split_at(1) {
            ("n", name) => set_name(name),
            (_, resource) => set_resource(resource),
        }
    }
}

/// Each trace is kept only if the rule for its own name and resource matches.
fn rules() -> String {
    let rule = |(case, (_, _, name, resource)): (usize, &Case)| {
        format!(r#"{{"name":"{name}","resource":"{resource}","tags":{{"case":"{case}"}},"sample_rate":1}}"#)
    };
    let rules: Vec<String> = CASES.iter().enumerate().map(rule).collect();
    format!(r#"[{},{{"sample_rate":0}}]"#, rules.join(","))
}

/// The name of a span by hand used to be lost with an empty one, and a resource that is the name to stay for rules alone.
#[test]
fn names_and_resources_are_the_same_for_the_agent_for_rules_and_for_statistics() {
    let (received, books) = with_tracer_of(
        |agent, tracer| {
            agent.answers_info(Answer::ok().with_body(OFFER));
            tracer.sampling_rules(rules()).rate_limit(1_000.0)
        },
        |_, tracer| {
            // The worker has heard of the offer from here on.
            assert!(tracer.flush(PATIENCE));
            for (case, (make, changes, ..)) in CASES.into_iter().enumerate() {
                make(case, changes);
            }
        },
    );
    assert_eq!((books.finished, books.dropped("p0")), (CASES.len() as u64, 0), "the rules match");
    let spans: Vec<_> = received.spans().collect();
    for (case, (_, changes, name, resource)) in CASES.iter().enumerate() {
        let case = case.to_string();
        let span = spans.iter().find(|span| span.meta("case") == Some(&case)).expect("the span of the case");
        assert_eq!((&*span.name, &*span.resource), (*name, *resource), "{case}: {changes:?}");
    }
    let groups =
        received.statistics().into_iter().flat_map(|payload| payload.stats).flat_map(|bucket| bucket.stats);
    let counted: BTreeSet<_> = groups.map(|group| (group.name, group.resource)).collect();
    let expected = CASES.map(|(_, _, name, resource)| (name.to_owned(), resource.to_owned()));
    assert_eq!(counted, BTreeSet::from(expected));
}
