//! Foreign bytes, straight into what reads them: the door of the fuzzer, and of the test that replays what it found.
//!
//! Compiled under `cfg(fuzzing)` and for tests alone. Each target takes any bytes and panics where a promise is broken: a reader that
//! panics itself, a context that is not whole, a header that cannot be sent or is not read back.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Overrides, Settings, foreign};
use crate::export::container::Container;
use crate::export::info;
use crate::export::settings::AgentAddress;
use crate::model::{Decision, SpanId, Upstream};
use crate::propagation::{LastParent, Outgoing, PropagationSettings, Propagator, Style};
use crate::sampling::{OwnTags, Sampler, SamplingSettings, json};

type Headers = Vec<(String, String)>;

/// What a target is called, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the name of their directory in `tests/fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("agent_answer", agent_answer),
    ("agent_info", agent_info),
    ("agent_url", agent_url),
    ("b3", b3),
    ("b3multi", b3multi),
    ("baggage", baggage),
    ("cgroup", cgroup),
    ("datadog", datadog),
    ("datadog_tags", datadog_tags),
    ("environment", environment),
    ("headers", headers),
    ("sampling_rules", sampling_rules),
    ("stable_file", stable_file),
    ("tags", tags),
    ("tracecontext", tracecontext),
    ("tracestate", tracestate),
];

/// Does what the target of this name does. Nothing where there is none.
pub fn run(name: &str, bytes: &[u8]) {
    if let Some((_, target)) = TARGETS.iter().find(|(found, _)| *found == name) {
        target(bytes);
    }
}

/// A line each: trace id, parent id, priority, origin, tags.
fn datadog(bytes: &[u8]) {
    const NAMES: [&str; 5] = [
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-datadog-origin",
        "x-datadog-tags",
    ];
    carry(&[Style::Datadog], &named(&NAMES, bytes));
}

/// The value of `x-datadog-tags`.
fn datadog_tags(bytes: &[u8]) {
    let ids = [("x-datadog-trace-id", "77"), ("x-datadog-parent-id", "88")];
    let upstream = carry(&[Style::Datadog], &with(&ids, "x-datadog-tags", [text(bytes)]));
    assert!(upstream.is_some(), "bad tags do not end a trace");
}

/// `traceparent`, then lines of `tracestate`.
fn tracecontext(bytes: &[u8]) {
    let text = text(bytes);
    let (parent, states) = text.split_once('\n').unwrap_or((&text, ""));
    let states = states.lines().map(str::to_owned);
    carry(&[Style::TraceContext], &with(&[("traceparent", parent)], "tracestate", states));
}

/// Lines of `tracestate`, beside a good `traceparent`.
fn tracestate(bytes: &[u8]) {
    let parent = ("traceparent", "00-66b0c2da00000000000000000000004d-1020304050607080-01");
    let text = text(bytes);
    let headers = with(&[parent], "tracestate", text.lines().map(str::to_owned));
    assert!(carry(&[Style::TraceContext], &headers).is_some(), "a bad tracestate does not end a trace");
}

fn b3(bytes: &[u8]) {
    carry(&[Style::B3], &named(&["b3"], bytes));
}

/// A line each: trace id, span id, sampled, flags.
fn b3multi(bytes: &[u8]) {
    let names = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"];
    carry(&[Style::B3Multi], &named(&names, bytes));
}

/// Lines of `baggage`.
fn baggage(bytes: &[u8]) {
    let text = text(bytes);
    carry(&[Style::Baggage], &with(&[], "baggage", text.lines().map(str::to_owned)));
}

/// Whole headers, a line each, for all styles at once.
fn headers(bytes: &[u8]) {
    let text = text(bytes);
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    let headers: Headers = pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let mut styles = ALL.to_vec();
    for _ in ALL {
        carry(&styles, &headers);
        styles.rotate_left(1);
    }
}

const ALL: [Style; 5] = [Style::Datadog, Style::TraceContext, Style::B3, Style::B3Multi, Style::Baggage];

/// Reads headers, sends on what they say from a span of ours, and reads that.
fn carry(extract: &[Style], headers: &Headers) -> Option<Upstream> {
    let propagator = |extract: &[Style]| {
        let (extract, inject) = (extract.to_vec(), ALL.to_vec());
        let settings = PropagationSettings { inject, extract, has_http_baggage: true, ..Default::default() };
        Propagator::new(&settings, Arc::default())
    };
    let upstream = propagator(extract).extract(headers)?;
    let has_trace = !upstream.trace_id.is_zero();
    assert!(has_trace || upstream.baggage.is_some(), "half a context: {upstream:?}");
    let outgoing = Outgoing {
        trace_id: upstream.trace_id,
        span_id: SpanId::new(7),
        decision: upstream.priority.map(Decision::inherited),
        origin: upstream.origin.as_deref(),
        tags: &upstream.tags,
        tracestate: upstream.tracestate.as_deref(),
        probability: upstream.probability.as_deref(),
        last_parent: LastParent::Own,
        baggage: upstream.baggage.as_deref(),
    };
    let mut sent = Headers::new();
    let _ = propagator(extract).inject(&outgoing, &mut sent);
    for (name, value) in &sent {
        let max_bytes = if name.contains("baggage") { 8192 } else { 4096 };
        let is_fit = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(is_fit && (1..=max_bytes).contains(&value.len()), "{name}: {value:?}");
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'), "{name:?}");
    }
    for style in ALL.iter().filter(|_| has_trace).filter(|style| **style != Style::Baggage) {
        let is_absent = style == &Style::Datadog && upstream.trace_id.low_u64() == 0;
        let Some(again) = propagator(&[*style]).extract(&sent) else {
            assert!(is_absent, "{style:?} is not read back: {sent:?}");
            continue;
        };
        let ids = (again.trace_id.low_u64(), again.parent_id);
        assert_eq!(ids, (upstream.trace_id.low_u64(), SpanId::new(7)), "{style:?}: {sent:?}");
        assert_eq!(again.propagation_error, None, "{style:?}: {sent:?}");
    }
    Some(upstream)
}

/// Each line under the name in its place.
fn named(names: &[&str], bytes: &[u8]) -> Headers {
    let text = text(bytes);
    names.iter().zip(text.split('\n')).map(|(name, line)| ((*name).to_owned(), line.to_owned())).collect()
}

fn with(given: &[(&str, &str)], name: &str, lines: impl IntoIterator<Item = String>) -> Headers {
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    given.chain(lines.into_iter().map(|line| (name.to_owned(), line))).collect()
}

/// The answer to a trace payload, which may hold rates.
fn agent_answer(bytes: &[u8]) {
    let clock = Clock::system();
    let start = clock.anchor();
    let sampler = Sampler::new(&SamplingSettings::default(), OwnTags::default(), clock, start);
    sampler.learn(bytes);
    let applied = sampler.decide(77, Some("web"), None).rate;
    assert!(applied.is_none_or(|applied| (0.0..=1.0).contains(&applied.rate)), "{applied:?}");
}

/// The answer to `/info`.
fn agent_info(bytes: &[u8]) {
    if let Some(info) = info::read(bytes) {
        assert!(info.endpoints.len() <= 1_000 && info.peer_tags.len() <= 1_000);
    }
}

/// What is shown of an address is an address.
fn agent_url(bytes: &[u8]) {
    if let Ok(address) = AgentAddress::parse(&text(bytes)) {
        let shown = address.to_string();
        assert_eq!(AgentAddress::parse(&shown).ok().map(|again| again.to_string()), Some(shown));
    }
}

/// `/proc/self/cgroup` of a process with a namespace of its own: what is found can be a header, and is no more than an id.
fn cgroup(bytes: &[u8]) {
    let text = text(bytes);
    let Container { id, entity_id } = Container::from_cgroup(&text, Some(1), |path| Some(path.len() as u64));
    assert!(id.is_none() || entity_id.is_some(), "{id:?} is no entity");
    for found in [id, entity_id].into_iter().flatten() {
        let is_id = found.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        assert!(is_id && (1..=70).contains(&found.len()), "{found:?}");
    }
}

/// As rules for traces and for spans.
fn sampling_rules(bytes: &[u8]) {
    let text = text(bytes);
    let traces = json::trace_rules(&text).map(|parsed| parsed.rules.iter().map(|rule| rule.rate).collect());
    let spans = json::span_rules(&text).map(|parsed| parsed.rules.iter().map(|rule| rule.rate).collect());
    let rates: Vec<f64> = [traces, spans].into_iter().flatten().flat_map(|rates: Vec<f64>| rates).collect();
    assert!(rates.iter().all(|rate| (0.0..=1.0).contains(rate)), "{rates:?}");
}

/// The value of `DD_TAGS`.
fn tags(bytes: &[u8]) {
    let settings = resolved(&[("DD_TAGS".to_owned(), text(bytes))]);
    assert!(settings.identity.tags.iter().all(|(key, _)| !key.is_empty()), "{:?}", settings.identity.tags);
}

/// Variables, a line each: `NAME=value`.
fn environment(bytes: &[u8]) {
    let text = text(bytes);
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<_> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let settings = resolved(&variables);
    // Secrets are masked in the table; whatever is in it can be printed.
    let _ = settings.table.to_string();
}

fn resolved(variables: &[(String, String)]) -> Settings {
    resolve(&foreign::environment(variables))
}

/// A configuration file.
fn stable_file(bytes: &[u8]) {
    resolve(&foreign::file(bytes));
}

fn resolve(source: &crate::config::Source) -> Settings {
    match Settings::resolve(&Overrides::default(), source) {
        Ok((settings, _)) => settings,
        Err(error) => unreachable!("only an address in code is refused: {error}"),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What the fuzzer found, and what it began with. A failure names the file.
    #[test]
    fn the_corpus_breaks_no_promise() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
        for (name, target) in TARGETS {
            let mut files = 0;
            for file in std::fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
                let path = file.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                let outcome = std::panic::catch_unwind(|| target(&bytes));
                assert!(outcome.is_ok(), "{} breaks a promise", path.display());
                files += 1;
            }
            assert!(files >= 3, "{name} has {files} files");
            assert!(fuzz.join("fuzz_targets").join(name).with_extension("rs").exists(), "{name}");
        }
    }
}
