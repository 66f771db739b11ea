//! Random tags of random spans beside a model: the latest of a key over both maps, the trace's own facts over all of them, those of the tracer
//! below; what was taken back is nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dd_traced::{Span, active_span, extract, span, traced};
use dd_traced_tests::{Dice, WireSpan, with_tracer_of};

/// Keys that the tracer, the chunk, the call site and the span have in common, and enough others to be many.
const KEYS: [&str; 30] = [
    "env",
    "version",
    "team",
    "shared",
    "site",
    "language",
    "runtime-id",
    "process_id",
    "_dd.origin",
    "_dd.p.dm",
    "_dd.p.tid",
    "_sampling_priority_v1",
    "_dd.base_service",
    "_dd.svc_src",
    "_dd.parent_id",
    "é",
    "",
    "a.key.longer.than.thirty.two.characters",
    "k0",
    "k1",
    "k2",
    "k3",
    "k4",
    "k5",
    "k6",
    "k7",
    "k8",
    "k9",
    "k10",
    "k11",
];

/// What the first span of a chunk is given, and what each span is; nobody can say otherwise.
const OF_FIRST: [&str; 7] = [
    "language",
    "runtime-id",
    "process_id",
    "_dd.p.dm",
    "_dd.p.tid",
    "_sampling_priority_v1",
    "_dd.tags.process",
];
const OF_EACH: [&str; 2] = ["_dd.origin", "_dd.top_level"];

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Number(f64),
}

/// A value of each key that was named, `None` where it was taken back.
type Tags = BTreeMap<String, Option<Value>>;

/// A pair of `Tags`.
fn pair(key: &str, text: &str) -> (String, Option<Value>) {
    (key.to_owned(), Some(Value::Text(text.to_owned())))
}

#[traced("called", tags(site = "site", shared = "site", env = "site"))]
fn called(act: impl FnOnce()) {
    act();
}

/// Sets or takes back so many tags, by `set`.
fn tag(tags: &mut Tags, dice: &mut Dice, set: impl Fn(&str, Option<&Value>)) {
    let most = [4, 60][dice.below(2) as usize];
    for _ in 0..dice.below(most) {
        let key = KEYS[dice.below(KEYS.len() as u64) as usize];
        let value = match dice.below(4) {
            0 => None,
            1 => Some(Value::Number(dice.below(300) as f64 / 2.0)),
            _ => Some(Value::Text("x".repeat(dice.below(300) as usize))),
        };
        set(key, value.as_ref());
        tags.insert(key.to_owned(), value);
    }
}

fn set(span: &Span, key: &str, value: Option<&Value>) {
    match value {
        None => span.unset_tag(key),
        Some(Value::Text(text)) => span.set_tag(key, text),
        Some(Value::Number(number)) => span.set_metric(key, *number),
    }
}

fn set_active(key: &str, value: Option<&Value>) {
    match value {
        None => active_span().unset_tag(key),
        Some(Value::Text(text)) => active_span().set_tag(key, text),
        Some(Value::Number(number)) => active_span().set_metric(key, *number),
    }
}

/// What a span of the tracer's own service, or of another one, has before it is given tags.
fn of_tracer(is_own: bool) -> Tags {
    let other = [("_dd.base_service", "shop"), ("_dd.svc_src", "m")];
    let of_service = if is_own { &[("version", "1.2.3")][..] } else { &other };
    let all = [("env", "test"), ("team", "tracer"), ("shared", "tracer")];
    all.iter().chain(of_service).map(|(key, text)| pair(key, text)).collect()
}

fn expect(found: &WireSpan, expected: &Tags, is_first: bool) {
    let is_given = |key: &str| OF_EACH.contains(&key) || is_first && OF_FIRST.contains(&key);
    let texts = found.meta.iter().map(|(key, text)| (key, Value::Text(text.clone())));
    let numbers = found.metrics.iter().map(|(key, number)| (key, Value::Number(*number)));
    let (mut own, mut count) = (BTreeMap::new(), 0);
    for (key, value) in texts.chain(numbers) {
        count += 1;
        if !is_given(key) {
            own.insert(key.clone(), value);
        }
    }
    let expected = expected.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
    let expected: BTreeMap<String, Value> = expected.filter(|(key, _)| !is_given(key)).collect();
    assert_eq!(own, expected, "{found:#?}");
    let keys: BTreeSet<&String> = found.meta.keys().chain(found.metrics.keys()).collect();
    assert_eq!(keys.len(), count, "a key in both maps: {found:#?}");
    assert_eq!(found.meta("_dd.origin"), Some("rum"));
    if is_first {
        assert_eq!((found.meta("language"), found.meta("_dd.p.dm")), (Some("rust"), Some("-0")));
        assert_eq!((found.meta("_dd.p.tid"), found.priority()), (Some("66b0c2d900000000"), Some(1.0)));
        assert_eq!(found.metric("process_id"), Some(f64::from(std::process::id())));
    }
}

#[test]
fn random_tags_arrive_as_the_model_has_them() {
    let headers = [
        ("x-datadog-trace-id", "77"),
        ("x-datadog-origin", "rum"),
        ("x-datadog-tags", "_dd.p.tid=66b0c2d900000000"),
    ];
    let headers: HashMap<String, String> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for seed in 0..40 {
        let (mut dice, mut expected) = (Dice::new(seed), BTreeMap::new());
        let (received, _) = with_tracer_of(
            |_, tracer| {
                let tracer = tracer.tag("team", "tracer").tag("shared", "tracer").tag("language", "none");
                tracer.partial_flush_min_spans(1 + seed as usize % 3)
            },
            |_, _| {
                let context = extract(&headers).expect("a context");
                for number in 0..20 {
                    let is_own = dice.below(3) > 0;
                    let mut builder = span(format!("span {number}")).child_of(&context);
                    if !is_own {
                        builder = builder.service("bank");
                    }
                    let parent = builder.start();
                    let mut tags = of_tracer(is_own);
                    tag(&mut tags, &mut dice, |key, value| set(&parent, key, value));
                    expected.insert(format!("span {number}"), tags);
                    let _active = parent.activate();
                    called(|| {
                        active_span().set_name(format!("call {number}"));
                        let mut tags = of_tracer(is_own);
                        tags.extend(["site", "shared", "env"].map(|key| pair(key, "site")));
                        tag(&mut tags, &mut dice, set_active);
                        expected.insert(format!("call {number}"), tags);
                    });
                }
            },
        );
        let chunks = received.chunks();
        let spans = chunks.flat_map(|chunk| chunk.iter().enumerate().map(|(place, span)| (span, place == 0)));
        let count = spans.inspect(|(span, is_first)| expect(span, &expected[&span.name], *is_first)).count();
        assert_eq!(count, expected.len(), "seed {seed}");
    }
}
