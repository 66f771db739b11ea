//! What a tracer makes of headers, in a form in which two tracers can be compared.

use std::collections::{BTreeMap, BTreeSet};

use dd_traced_tests::Received;
use serde_json::{Map, Value, json};

/// Facts by their names.
#[derive(Debug, Default)]
pub(crate) struct Facts(BTreeMap<&'static str, Value>);

impl Facts {
    /// Of an answer, and of what the span says that was started.
    ///
    /// # Panics
    /// Where the headers of the answer contradict each other.
    pub(crate) fn of(answer: &Value, span: &Value) -> Self {
        let mut facts = Self::default();
        let context = &answer["context"];
        for name in ["trace_id", "span_id", "priority", "baggage"] {
            facts.0.insert(name, context[name].clone());
        }
        facts.0.insert("links", links(&span["links"]));
        for name in ["last_parent", "error", "origin", "baggage_tags"] {
            facts.0.insert(name, span[name].clone());
        }
        let is_continued =
            context["trace_id"].as_str().is_some_and(|id| id.bytes().any(|digit| digit != b'0'));
        facts.add_sent(&answer["child"], is_continued);
        facts
    }

    fn add_sent(&mut self, sent: &Value, is_continued: bool) {
        let (headers, own) = (&sent["headers"], &sent["context"]);
        let number =
            |name: &str, radix| u128::from_str_radix(own[name].as_str().unwrap_or("0"), radix).unwrap_or(0);
        let (trace_id, span_id) = (number("trace_id", 16), number("span_id", 10));
        let long = if trace_id >> 64 == 0 { format!("{trace_id:016x}") } else { format!("{trace_id:032x}") };
        let texts = |name: &str| headers[name].as_str().unwrap_or_default();
        assert_eq!(texts("x-datadog-trace-id"), (trace_id as u64).to_string(), "{sent:#}");
        assert_eq!(texts("x-datadog-parent-id"), span_id.to_string(), "{sent:#}");
        assert_eq!(
            texts("traceparent").get(..53),
            Some(format!("00-{trace_id:032x}-{span_id:016x}-").as_str())
        );
        assert_eq!(
            [texts("x-b3-traceid"), texts("x-b3-spanid")],
            [long.as_str(), &format!("{span_id:016x}")]
        );
        let state = texts("b3").strip_prefix(&format!("{long}-{span_id:016x}")).map(str::to_owned);
        self.0.insert("sent b3", json!(state));

        self.0.insert("sent flags", json!(texts("traceparent").get(53..)));
        for (fact, name) in [
            ("sent priority", "x-datadog-sampling-priority"),
            ("sent origin", "x-datadog-origin"),
            ("sent sampled", "x-b3-sampled"),
            ("sent debug", "x-b3-flags"),
            ("sent baggage", "baggage"),
        ] {
            self.0.insert(fact, headers[name].clone());
        }
        let tid = format!("_dd.p.tid={:016x}", (trace_id >> 64) as u64);
        let mut tags = pairs(&headers["x-datadog-tags"], ',');
        // Each began a trace of its own.
        let has_tid = tags.remove(&tid);
        if is_continued {
            self.0.insert("sent tid", json!(has_tid));
        }
        self.0.insert("sent tags", json!(tags));
        let (dd, others) = members(texts("tracestate"), span_id);
        self.0.insert("sent dd", json!(dd));
        self.0.insert("sent vendors", json!(others));
    }

    /// The facts that are not the same in both, with what they are in each.
    pub(crate) fn difference<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'static str, &'a Value, &'a Value)> {
        self.0
            .iter()
            .map(|(name, value)| (*name, value, &other.0[name]))
            .filter(|(_, one, other)| one != other)
    }
}

/// The pairs of our member, and the members after it.
///
/// Left out: `p`, which has to be the id of the span; `t.tid`, which Python repeats though the first half of the trace id is in `traceparent`; and a member
/// `ot` that Python adds to a decision of its own, while ours hands on what others wrote.
fn members(tracestate: &str, span_id: u128) -> (BTreeSet<String>, Vec<String>) {
    let mut members = tracestate.split(',');
    let first = members.next().and_then(|first| first.strip_prefix("dd="));
    let mut own = pairs(&json!(first), ';');
    assert!(own.remove(&format!("p:{span_id:016x}")), "{tracestate}");
    own.retain(|pair| !pair.starts_with("t.tid:"));
    (own, members.filter(|member| !is_own_probability(member)).map(str::to_owned).collect())
}

/// The links, without those whose span another one after them names: Python's tracer has one link to a span, the last, where ours has one for each
/// style that told of it.
fn links(links: &Value) -> Value {
    let links: Vec<Value> = links.as_array().into_iter().flatten().map(unordered).collect();
    let is_same = |one: &Value, other: &Value| ["trace_id", "span_id"].iter().all(|id| one[id] == other[id]);
    let is_last = |at: usize| !links[at + 1..].iter().any(|later| is_same(&links[at], later));
    (0..links.len()).filter(|at| is_last(*at)).map(|at| links[at].clone()).collect()
}

/// A link with the members of its `tracestate` in no order: Python puts ours first, we show the header as it came.
fn unordered(link: &Value) -> Value {
    let state = link["tracestate"].as_str().unwrap_or_default();
    let members: BTreeSet<_> = state.split(',').map(str::trim).collect();
    let mut link = link.clone();
    link["tracestate"] = json!(members);
    link
}

fn is_own_probability(member: &str) -> bool {
    member.starts_with("ot=rv:") && member.contains(";th:")
}

/// The parts of a text between separators; none of what is no text.
pub(crate) fn pairs(text: &Value, separator: char) -> BTreeSet<String> {
    let text = text.as_str().unwrap_or_default();
    text.split(separator).filter(|pair| !pair.is_empty()).map(str::to_owned).collect()
}

/// Headers as questions have them.
pub(crate) fn lines(headers: &Value) -> Vec<[&str; 2]> {
    let pairs = headers.as_object().into_iter().flatten();
    pairs.map(|(name, value)| [name.as_str(), value.as_str().unwrap_or_default()]).collect()
}

/// What a receiver that reads these styles has to see of a context that was sent in all of them.
pub(crate) fn understood(sent: &Value, styles: &str) -> Value {
    let has = |style: &str| styles.split(',').any(|found| found == style);
    let baggage = if has("baggage") { sent["baggage"].clone() } else { json!({}) };
    let first = styles.split(',').find(|style| *style != "baggage");
    let priority = sent["priority"].as_i64();
    let priority = match first {
        // Kept, rejected, and kept for debugging.
        Some("b3" | "b3multi") => priority.map(|priority| priority.clamp(0, 2)),
        _ => priority,
    };
    match first {
        Some(_) => json!({
            "trace_id": sent["trace_id"], "span_id": sent["span_id"], "priority": priority, "baggage": baggage,
        }),
        None if baggage.as_object().is_none_or(Map::is_empty) => Value::Null,
        None => json!({
            "trace_id": "0".repeat(32), "span_id": "0", "priority": null, "baggage": baggage,
        }),
    }
}

/// What the one span with this resource says, as Python's answer has it.
pub(crate) fn reported(received: &Received, resource: &str) -> Value {
    let mut found = received.spans().filter(|span| span.resource == resource);
    let (Some(span), None) = (found.next(), found.next()) else { panic!("not one span of {resource}") };
    let links = span.span_links.iter().map(|link| {
        assert!(link.flags >> 31 == 1, "flags that say that they are known: {link:?}");
        let id = u128::from(link.trace_id_high) << 64 | u128::from(link.trace_id);
        json!({
            "trace_id": format!("{id:032x}"), "span_id": link.span_id.to_string(), "flags": link.flags & 1,
            "tracestate": link.tracestate, "attributes": link.attributes,
        })
    });
    let tags: BTreeMap<_, _> = span.meta.iter().filter(|(key, _)| key.starts_with("baggage.")).collect();
    json!({
        "links": links.collect::<Vec<_>>(),
        "last_parent": span.meta("_dd.parent_id"),
        "error": span.meta("_dd.propagation_error"),
        "origin": span.meta("_dd.origin"),
        "baggage_tags": tags,
    })
}
