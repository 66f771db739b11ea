//! Random traces decided by rules, beside a model: the root's tags at the first injection, and the last word of anybody by hand.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::model::SpanLink;
use crate::sampling::{SamplingSettings, json};
use crate::{AsContext, Span, SpanContext, inject};

#[derive(Clone, Debug)]
enum Act {
    /// On the root, or else on the active span; so below.
    Tag(bool, &'static str, &'static str),
    Number(bool, f64),
    Unset(bool, &'static str),
    Name(bool, &'static str),
    /// With a link, or without.
    Child(bool),
    /// Ends the latest child.
    End,
    Share(bool),
    /// Here, or on another thread.
    Inject(bool, bool),
    /// A child on another thread, with a tag that means something on the root alone.
    Elsewhere(&'static str),
    /// Keeps, or rejects.
    Manual(bool, bool),
    /// So many children that finish at once.
    Calls(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let key = prop_oneof![Just("plan"), Just("vip"), Just("items"), Just("other")];
    let value = prop_oneof![Just("free"), Just("gold"), Just("")];
    prop_oneof![
        4 => (any::<bool>(), key.clone(), value).prop_map(|(r, k, v)| Act::Tag(r, k, v)),
        1 => (any::<bool>(), prop_oneof![Just(42.0), Just(42.5), Just(-0.0)]).prop_map(|(r, n)| Act::Number(r, n)),
        2 => (any::<bool>(), key).prop_map(|(r, k)| Act::Unset(r, k)),
        1 => (any::<bool>(), prop_oneof![Just("kept"), Just("root")]).prop_map(|(r, n)| Act::Name(r, n)),
        3 => any::<bool>().prop_map(Act::Child),
        3 => Just(Act::End),
        2 => any::<bool>().prop_map(Act::Share),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(r, o)| Act::Inject(r, o)),
        1 => prop_oneof![Just("plan"), Just("vip")].prop_map(Act::Elsewhere),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(r, k)| Act::Manual(r, k)),
        1 => (0..4_u8).prop_map(Act::Calls),
    ]
}

/// The root as it is by now, and the priority once it is decided.
#[derive(Default)]
struct Model {
    name: String,
    tags: BTreeMap<&'static str, String>,
    decision: Option<&'static str>,
}

impl Model {
    fn decide(&mut self) -> &'static str {
        let Self { name, tags, decision } = self;
        decision.get_or_insert_with(|| {
            let plan = tags.get("plan").map(String::as_str);
            let is_kept = plan != Some("free")
                && (tags.contains_key("vip")
                    || name == "kept"
                    || tags.get("items").is_some_and(|items| items.starts_with('4') && !items.contains('.')));
            if is_kept { "2" } else { "-1" }
        })
    }
}

fn injected(span: &impl AsContext) -> String {
    let mut headers = HashMap::new();
    inject(span, &mut headers);
    headers.remove("x-datadog-sampling-priority").unwrap()
}

fn on_thread(context: &SpanContext, work: impl FnOnce(&SpanContext) -> String + Send) -> String {
    std::thread::scope(|scope| scope.spawn(|| work(context)).join().unwrap())
}

/// What is expected of the trace whose root is active, and a context of it, if one was taken.
fn run(name: &str, acts: &[Act]) -> (Model, Option<SpanContext>) {
    let root = &active_span();
    let mut model = Model { name: name.to_owned(), ..Model::default() };
    let mut saved = None;
    let mut children: Vec<(ActiveGuard, Span)> = Vec::new();
    for act in acts {
        let active = active_span();
        let at_root = |on_root: bool| on_root || children.is_empty();
        let target = |on_root: bool| if at_root(on_root) { root } else { &active };
        match *act {
            Act::Tag(on_root, key, value) => {
                target(on_root).set_tag(key, value);
                if at_root(on_root) {
                    model.tags.insert(key, value.to_owned());
                }
            }
            Act::Number(on_root, number) => {
                target(on_root).set_tag("items", number);
                if at_root(on_root) {
                    model.tags.insert("items", number.to_string());
                }
            }
            Act::Unset(on_root, key) => {
                target(on_root).unset_tag(key);
                if at_root(on_root) {
                    model.tags.remove(key);
                }
            }
            Act::Name(on_root, name) => {
                target(on_root).set_name(name);
                if at_root(on_root) {
                    model.name = name.to_owned();
                }
            }
            Act::Child(is_linked) => {
                let child = span("child").tag("vip", "of a child").start();
                if is_linked {
                    child.add_link(SpanLink::new(7, 8));
                }
                children.push((child.activate(), child));
            }
            Act::End => {
                children.pop();
            }
            Act::Share(on_root) => saved = target(on_root).context(),
            Act::Inject(on_root, elsewhere) => {
                let expected = model.decide();
                let target = target(on_root);
                let found = if elsewhere {
                    on_thread(&target.context().unwrap(), injected)
                } else {
                    injected(target)
                };
                assert_eq!(found, expected, "{act:?}");
            }
            Act::Elsewhere(key) => {
                on_thread(&root.context().unwrap(), |context| {
                    let _active = context.enter();
                    let child = span("elsewhere").start();
                    child.set_tag(key, "free");
                    String::new()
                });
            }
            Act::Manual(on_root, keeps) => {
                let target = target(on_root);
                if keeps {
                    target.keep();
                } else {
                    target.reject();
                }
                model.decision = Some(if keeps { "2" } else { "-1" });
            }
            Act::Calls(count) => {
                for _ in 0..count {
                    traced("call", || active_span().set_tag("plan", "free"));
                }
            }
        }
    }
    while children.pop().is_some() {}
    (model, saved)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rules_see_the_root_as_it_is_at_the_first_injection(is_call: bool, is_named_kept: bool, acts in prop::collection::vec(act(), 0..40)) {
        let rules = r#"[{"tags":{"plan":"free"},"sample_rate":0},{"tags":{"vip":"*"},"sample_rate":1},
            {"name":"kept","sample_rate":1},{"tags":{"items":"4*"},"sample_rate":1},{"sample_rate":0}]"#;
        let rules = json::trace_rules(rules).unwrap().rules;
        let tracer = ScopedTracer::sampling(SamplingSettings { rules, limit: 1e9, ..SamplingSettings::default() }, 300);
        let name = if is_named_kept { "kept" } else { "root" };
        let (mut model, saved) = if is_call {
            traced(name, || run(name, &acts))
        } else {
            let root = span(name).start();
            let _active = root.activate();
            run(name, &acts)
        };
        if let Some(saved) = saved {
            prop_assert_eq!(injected(&saved), model.decide());
        }
        drop(tracer);
    }
}
