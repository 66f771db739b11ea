//! Rules read from JSON: `DD_TRACE_SAMPLING_RULES`, `DD_SPAN_SAMPLING_RULES`, and what remote configuration sends.
//!
//! A rule that cannot be used is left out, with a fault that says why; the others hold. A text that is no list of rules gives
//! none.
//!
//! Source: `ddtrace/tracer/rules_sampler.go` of DataDog/dd-trace-go for the fields.

use serde_json::{Map, Value};

use super::glob::Pattern;
use super::rule::{Conditions, Provenance, Rule, SpanRule};

/// Rules, and what is wrong with the text they were read from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parsed<R> {
    pub(crate) rules: Vec<R>,
    /// In words, such as `rule 2 is left out: it has no sample_rate`.
    pub(crate) faults: Vec<String>,
}

/// Reads the rules for traces of this process.
///
/// # Errors
///
/// Says in words why the text holds no list of rules.
pub(crate) fn trace_rules(json: &str) -> Result<Parsed<Rule>, String> {
    let list = list(json)?;
    Ok(parsed(&list, |fields, number| trace_rule(fields, Provenance::Local, number)))
}

/// Reads the rules for single spans.
///
/// # Errors
///
/// As [`trace_rules`].
pub(crate) fn span_rules(json: &str) -> Result<Parsed<SpanRule>, String> {
    Ok(parsed(&list(json)?, |fields, _| {
        Ok(SpanRule {
            conditions: conditions(fields)?,
            rate: rate(fields)?.unwrap_or(1.0),
            max_per_second: max_per_second(fields)?,
        })
    }))
}

/// Reads the rules of remote configuration, `tracing_sampling_rules`, and puts them in the order in which they count: those of a
/// customer, then dynamic ones, then the rest, each as they came. A rule needs a provenance and a condition.
///
/// # Errors
///
/// As [`trace_rules`].
#[cfg_attr(not(test), expect(dead_code, reason = "called by the room that reads remote configuration"))]
pub(crate) fn remote_rules(list: &Value) -> Result<Parsed<Rule>, String> {
    let list = list.as_array().ok_or_else(not_a_list)?;
    let mut parsed = parsed(list, |fields, number| {
        let provenance = match fields.get("provenance").and_then(Value::as_str) {
            Some("customer") => Provenance::Customer,
            Some("dynamic") => Provenance::Dynamic,
            Some("default") => Provenance::Local,
            _ => return Err("it has no provenance".to_owned()),
        };
        let has = |name: &&str| fields.get(*name).is_some_and(|value| !value.is_null());
        if !["service", "name", "resource", "tags"].iter().any(has) {
            return Err("it has no condition".to_owned());
        }
        trace_rule(fields, provenance, number)
    });
    parsed.rules.sort_by_key(|rule| rule.provenance);
    Ok(parsed)
}

fn list(json: &str) -> Result<Vec<Value>, String> {
    match serde_json::from_str(json) {
        Ok(Value::Array(list)) => Ok(list),
        Ok(_) => Err(not_a_list()),
        Err(error) => Err(format!("it is not JSON: {error}; there are no rules")),
    }
}

/// Rules that are told of one by one; of the rest their number.
const MAX_FAULTS: usize = 7;

fn not_a_list() -> String {
    "it is not a list of rules; there are none".to_owned()
}

fn parsed<R>(list: &[Value], read: impl Fn(&Map<String, Value>, u32) -> Result<R, String>) -> Parsed<R> {
    let mut parsed = Parsed { rules: Vec::new(), faults: Vec::new() };
    let mut more = 0;
    for (rule, number) in list.iter().zip(1..) {
        let fields = rule.as_object().ok_or_else(|| "it is not an object".to_owned());
        match fields.and_then(|fields| read(fields, number)) {
            Ok(rule) => parsed.rules.push(rule),
            Err(fault) if parsed.faults.len() < MAX_FAULTS => {
                parsed.faults.push(format!("rule {number} is left out: {fault}"));
            }
            Err(_) => more += 1,
        }
    }
    if more > 0 {
        parsed.faults.push(format!("{more} more rules are left out"));
    }
    parsed
}

fn trace_rule(fields: &Map<String, Value>, provenance: Provenance, number: u32) -> Result<Rule, String> {
    let rate = rate(fields)?.ok_or("it has no sample_rate")?;
    Ok(Rule { conditions: conditions(fields)?, rate, provenance, number })
}

fn conditions(fields: &Map<String, Value>) -> Result<Conditions, String> {
    let (service, name) = (text(fields, "service")?, text(fields, "name")?);
    Ok(Conditions::new(service, name, text(fields, "resource")?, tags(fields)?))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} is not a text")),
    }
}

/// An object of keys and patterns, or the list of `{"key": …, "value_glob": …}` that remote configuration sends.
fn tags(fields: &Map<String, Value>) -> Result<Vec<(Box<str>, Pattern)>, String> {
    let tag = |key: &str, pattern: Option<&Value>| {
        let pattern = pattern.and_then(Value::as_str);
        pattern.map(|pattern| (key.into(), Pattern::new(pattern))).ok_or("a tag has no pattern")
    };
    let tags: Result<Vec<_>, _> = match fields.get("tags") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(tags)) => tags.iter().map(|(key, pattern)| tag(key, Some(pattern))).collect(),
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|entry| match entry.get("key").and_then(Value::as_str) {
                Some(key) => tag(key, entry.get("value_glob")),
                None => Err("a tag has no key"),
            })
            .collect(),
        Some(_) => Err("tags is not an object"),
    };
    tags.map_err(str::to_owned)
}

fn rate(fields: &Map<String, Value>) -> Result<Option<f64>, String> {
    match number(fields, "sample_rate")? {
        Some(rate) if !(0.0..=1.0).contains(&rate) => Err("sample_rate is not from 0 to 1".to_owned()),
        rate => Ok(rate),
    }
}

fn max_per_second(fields: &Map<String, Value>) -> Result<Option<f64>, String> {
    match number(fields, "max_per_second")? {
        Some(limit) if limit < 0.0 => Err("max_per_second is below 0".to_owned()),
        limit => Ok(limit),
    }
}

fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("{name} is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::examined::{Examined, OwnTags};
    use proptest::prelude::*;

    fn rates(json: &str) -> Vec<f64> {
        trace_rules(json).unwrap().rules.iter().map(|rule| rule.rate).collect()
    }

    #[test]
    fn rules_keep_their_order_and_what_is_unknown_is_ignored() {
        let json = r#"[{"service":"web*","name":"*.request","sample_rate":0.25,"max_per_second":3,"what":{}},
            {"sample_rate":0, "resource":null, "tags":{}, "service":""}, {"sample_rate":1}]"#;
        let parsed = trace_rules(json).unwrap();
        assert_eq!((rates(json), parsed.faults), (vec![0.25, 0.0, 1.0], vec![]));
        assert_eq!(parsed.rules[1].conditions, Conditions::default());
        assert_eq!(parsed.rules.iter().map(|rule| rule.number).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn rule_that_cannot_be_used_is_left_out_alone() {
        for (rule, fault) in [
            ("{}", "it has no sample_rate"),
            (r#"{"sample_rate":null}"#, "it has no sample_rate"),
            (r#"{"sample_rate":"0.5"}"#, "sample_rate is not a number"),
            (r#"{"sample_rate":1.01}"#, "sample_rate is not from 0 to 1"),
            (r#"{"sample_rate":-0.1}"#, "sample_rate is not from 0 to 1"),
            (r#"{"sample_rate":1,"service":7}"#, "service is not a text"),
            (r#"{"sample_rate":1,"tags":"x"}"#, "tags is not an object"),
            (r#"{"sample_rate":1,"tags":{"a":1}}"#, "a tag has no pattern"),
            (r#"{"sample_rate":1,"tags":[{"value_glob":"x"}]}"#, "a tag has no key"),
            (r#""rule""#, "it is not an object"),
        ] {
            let parsed =
                trace_rules(&format!(r#"[{{"sample_rate":0.5}},{rule},{{"sample_rate":0.75}}]"#)).unwrap();
            assert_eq!(parsed.faults, [format!("rule 2 is left out: {fault}")], "{rule}");
            assert_eq!(
                parsed.rules.iter().map(|rule| (rule.rate, rule.number)).collect::<Vec<_>>(),
                [(0.5, 1), (0.75, 3)]
            );
        }
    }

    #[test]
    fn of_many_faults_the_rest_is_counted() {
        for (count, told) in
            [(7, "rule 7 is left out: it has no sample_rate"), (9, "2 more rules are left out")]
        {
            let parsed = trace_rules(&format!("[{}]", vec!["{}"; count].join(","))).unwrap();
            assert_eq!(parsed.faults.last().unwrap(), told);
            assert!(parsed.faults.len() <= MAX_FAULTS + 1);
        }
    }

    #[test]
    fn text_that_is_no_list_gives_no_rules() {
        for json in ["", "{", "{}", "7", "null", "[{\"sample_rate\":1}", "[1e999]", &"[".repeat(10_000)] {
            let (traces, spans) = (trace_rules(json), span_rules(json));
            let fault = traces.expect_err(json);
            assert!(fault.ends_with("there are no rules") || fault.ends_with("there are none"), "{fault}");
            assert_eq!(spans.expect_err(json), fault);
        }
    }

    #[test]
    fn span_rules_have_defaults() {
        let parsed = span_rules(
            r#"[{"name":"a"},{"sample_rate":0.5,"max_per_second":2.5},{"max_per_second":-1},{"max_per_second":"9"}]"#,
        );
        let parsed = parsed.unwrap();
        let read: Vec<_> = parsed.rules.iter().map(|rule| (rule.rate, rule.max_per_second)).collect();
        assert_eq!(read, [(1.0, None), (0.5, Some(2.5))]);
        assert_eq!(
            parsed.faults,
            [
                "rule 3 is left out: max_per_second is below 0",
                "rule 4 is left out: max_per_second is not a number"
            ]
        );
    }

    #[test]
    fn remote_rules_are_ordered_by_provenance_and_have_tags_in_a_list() {
        let list = serde_json::json!([
            {"service": "a", "provenance": "default", "sample_rate": 0.1},
            {"service": "b", "provenance": "dynamic", "sample_rate": 0.2},
            {"tags": [{"key": "k", "value_glob": "v*"}], "provenance": "customer", "sample_rate": 0.3},
            {"service": "c", "provenance": "dynamic", "sample_rate": 0.4},
            {"service": "d", "provenance": "customer", "sample_rate": 0.5},
            {"service": "e", "sample_rate": 0.6},
            {"provenance": "customer", "sample_rate": 0.7},
            {"service": "f", "provenance": "customer"},
        ]);
        let parsed = remote_rules(&list).unwrap();
        let read: Vec<_> = parsed
            .rules
            .iter()
            .map(|rule| (rule.rate, rule.provenance.mechanism().decision_maker()))
            .collect();
        let texts: Vec<_> = read.iter().map(|(rate, maker)| (*rate, maker.as_str())).collect();
        assert_eq!(texts, [(0.3, "-11"), (0.5, "-11"), (0.2, "-12"), (0.4, "-12"), (0.1, "-3")]);
        assert_eq!(parsed.faults.len(), 3);
        let own = OwnTags { tags: vec![("k".into(), "value".into())], ..OwnTags::default() };
        let span = Examined { service: "x", span: None, own: &own };
        assert!(parsed.rules[0].conditions.matches(&span));
        assert!(!parsed.rules[0].conditions.matches(&Examined { own: &OwnTags::default(), ..span }));
        assert!(remote_rules(&Value::Null).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_taken(
            any: String,
            rules in "\\[(\\{(\"(sample_rate|service|name|tags|max_per_second|provenance)\":(-?[0-9.e]{1,4}|\"[*?a]{0,3}\"|null|\\{\\}|\\[\\]),?){0,4}\\},?){0,3}\\]",
        ) {
            for text in [&any, &rules] {
                if let (Ok(traces), Ok(spans)) = (trace_rules(text), span_rules(text)) {
                    prop_assert!(traces.rules.iter().all(|rule| (0.0..=1.0).contains(&rule.rate)));
                    prop_assert!(spans.rules.iter().all(|rule| (0.0..=1.0).contains(&rule.rate)));
                    prop_assert!(spans.rules.iter().all(|rule| rule.max_per_second.is_none_or(|limit| limit >= 0.0)));
                }
                if let Ok(value) = serde_json::from_str(text) {
                    let _ = remote_rules(&value);
                }
            }
        }
    }
}
