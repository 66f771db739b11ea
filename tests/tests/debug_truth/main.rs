//! What the debug log says of spans, traces and payloads is what the agent receives: random programs, read back from both.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod reader;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::mpsc;

use dd_traced::{LogLevel, Span, TraceFuture, active_span, span, traced};
use dd_traced_tests::{Dice, Received, WireSpan, ready, trace_id, with_tracer_of};
use reader::{Finished, Identity, finished, started};

/// Names, resources and values, some of which could look like the next field.
const TEXTS: [&str; 12] = [
    "plain",
    "two\nlines",
    "a \"b\" c",
    "back\\slash\\\\n",
    "\\u{1b}",
    "\u{1b}[31m\u{202e}",
    "é ✓ 🦀",
    " span_id=1 parent_id=2 ",
    "tags={a=\"b\"} metrics={}",
    "",
    "\" error=1",
    "x=y, z=\"w\"",
];
const KEYS: [&str; 10] =
    ["a", "b.c", "team", "quoted \"key\"", "two\nlines", "é", "k=v", "site", "http.status_code", "span.kind"];

const RULES: &str = r#"[{"service":"bank","sample_rate":0},{"name":"called","sample_rate":0.5}]"#;

fn text(dice: &mut Dice) -> &'static str {
    TEXTS[dice.below(TEXTS.len() as u64) as usize]
}

/// Does something to a span, or what stands for one.
macro_rules! mark {
    ($span:expr, $dice:expr) => {{
        let (span, dice) = (&$span, &mut *$dice);
        for _ in 0..dice.below(4) {
            let key = KEYS[dice.below(KEYS.len() as u64) as usize];
            match dice.below(12) {
                0 => span.set_metric(key, dice.below(1_000) as f64 / 8.0 - 20.0),
                1 => span.set_metric(key, f64::MAX / (1.0 + dice.below(9) as f64)),
                2 => span.set_tag(key, dice.next_u64()),
                3 => span.set_tag(key, dice.below(2) == 0),
                4 => span.unset_tag(key),
                5 => span.set_tag(key, ["server", "client", "500", "404", "200"][dice.below(5) as usize]),
                6 => span.set_tag(key, "long ".repeat(dice.below(300) as usize)),
                7 => span.set_failed(dice.below(2) == 0),
                8 => span.set_resource(text(dice)),
                9 => span.set_span_type(text(dice)),
                10 => span.record_error(&std::fmt::Error),
                _ => span.set_tag(key, text(dice)),
            }
        }
        match dice.below(20) {
            0 => span.keep(),
            1 => span.reject(),
            2 => span.set_name(text(dice)),
            3 => span.set_service(["bank", "renamed", "shop", "SHOP"][dice.below(4) as usize]),
            _ => {}
        }
    }};
}

fn new_span(dice: &mut Dice) -> Span {
    let mut builder = span(text(dice));
    if dice.below(3) == 0 {
        builder = builder.service(["bank", "renamed", "shop"][dice.below(3) as usize]);
    }
    if dice.below(8) == 0 {
        builder = builder.root();
    }
    if dice.below(2) == 0 {
        builder = builder.resource(text(dice)).tag("team", text(dice));
    }
    builder.start()
}

#[traced(name = "called", tags(site = "of the \"site\"", a = "site"))]
fn called(dice: &mut Dice, depth: u64) {
    mark!(active_span(), dice);
    act(dice, depth);
}

#[traced(name = "failing", resource = "the resource", type = "worker")]
fn failing(dice: &mut Dice, depth: u64) -> Result<(), std::fmt::Error> {
    act(dice, depth);
    Err(std::fmt::Error)
}

#[traced(name = "later", service = "bank", tags(number = depth))]
async fn later(dice: &mut Dice, depth: u64) {
    act(dice, depth);
    mark!(active_span(), dice);
}

fn act(dice: &mut Dice, depth: u64) {
    if depth == 0 {
        return;
    }
    for _ in 0..dice.below(4) {
        match dice.below(6) {
            0 => called(dice, depth - 1),
            1 => drop(failing(dice, depth - 1)),
            2 => ready(later(dice, depth - 1)),
            3 => {
                let span = new_span(dice);
                ready(async { act(dice, depth - 1) }.traced(span));
            }
            4 => drop(new_span(dice)),
            _ => {
                let span = new_span(dice);
                let active = span.activate();
                mark!(span, dice);
                act(dice, depth - 1);
                drop(active);
                mark!(span, dice);
            }
        }
    }
}

/// Whether a text is shown so: whole, or cut.
fn is_shown_as(shown: &str, text: &str) -> bool {
    shown == text || text.len() > 400 && shown.strip_suffix('…').is_some_and(|start| text.starts_with(start))
}

/// Whether two times mean the same: what a tick is worth is known better when the payload is written.
fn is_near(one: i64, other: i64) -> bool {
    one.abs_diff(other) < 100_000_000
}

/// Whether a tag is the tracer's, the trace's, or that of the events: what the log tells of a span is its own.
fn is_common(key: &str) -> bool {
    const KEYS: [&str; 7] = ["env", "version", "language", "runtime-id", "process_id", "tracer", "events"];
    key.starts_with("_dd.") || key.starts_with("_sampling") || KEYS.contains(&key)
}

fn expect_same(told: &Finished, span: &WireSpan, trace_id: u128) {
    let Finished { identity, duration, error, meta, metrics } = told;
    let sent = Identity {
        name: span.name.clone(),
        trace_id,
        parent_id: span.parent_id,
        service: span.service.clone(),
        resource: span.resource.clone(),
        span_type: span.span_type.clone().unwrap_or_default(),
        start: identity.start,
    };
    assert_eq!((identity, *error), (&sent, span.error), "{span:#?}");
    assert!(is_near(identity.start, span.start) && is_near(*duration, span.duration), "{told:#?} {span:#?}");
    for (key, value) in meta {
        let sent = span.meta(key).unwrap_or_else(|| panic!("{key} was not sent: {told:#?} {span:#?}"));
        assert!(is_shown_as(value, sent), "{key}: {value:?} {sent:?}");
    }
    for (key, value) in metrics {
        assert_eq!(span.metric(key), Some(*value), "{key}: {told:#?} {span:#?}");
    }
    let is_told = |key: &String| meta.contains_key(key) || metrics.contains_key(key);
    let mut sent = span.meta.keys().chain(span.metrics.keys());
    assert!(sent.all(|key| is_told(key) || is_common(key)), "{told:#?} {span:#?}");
}

/// What follows these words in a line, up to the next space.
fn word_after<'a>(line: &'a str, words: &str) -> &'a str {
    let rest = line.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {line}")).1;
    rest.split([' ', ',', ';']).next().unwrap()
}

fn expect_all_told(received: &Received, messages: &[String]) {
    let of = |start: &'static str| messages.iter().filter_map(move |message| message.strip_prefix(start));
    let finished: BTreeMap<u64, Finished> = of("span finished: ").map(finished).collect();
    let started: BTreeMap<u64, Identity> = of("span started: ").map(started).collect();
    assert_eq!(of("span started: ").count(), started.len(), "none is told of twice");
    assert_eq!(of("span finished: ").count(), finished.len(), "none is told of twice");
    assert_eq!((started.len(), finished.len()), (received.span_count(), received.span_count()));
    let (mut sent, mut told, mut decisions) = (Vec::new(), Vec::new(), Vec::new());
    for chunk in received.chunks() {
        let trace_id = trace_id(chunk).unwrap();
        for span in chunk {
            expect_same(&finished[&span.span_id], span, trace_id);
            let started = &started[&span.span_id];
            assert_eq!((started.trace_id, started.parent_id), (trace_id, span.parent_id));
            assert_eq!(started.start, finished[&span.span_id].identity.start);
        }
        let errors = chunk.iter().filter(|span| span.error != 0).count();
        sent.push((trace_id, chunk.len(), errors));
        decisions.push((trace_id, chunk[0].priority().unwrap() > 0.0));
    }
    for line in of("trace handed over: ") {
        let count = |name| word_after(line, name).parse::<usize>().unwrap();
        let trace_id = u128::from_str_radix(word_after(line, "trace_id="), 16).unwrap();
        told.push((trace_id, count(" spans="), count(" errors=")));
    }
    told.sort_unstable();
    sent.sort_unstable();
    assert_eq!(told, sent);
    let decided = of("trace ").filter_map(|line| {
        let (id, why) = line.split_once(' ')?;
        Some((u128::from_str_radix(id, 16).ok()?, why.starts_with("kept by ")))
    });
    let mut decided: Vec<(u128, bool)> = decided.collect();
    decided.sort_unstable();
    decisions.sort_unstable();
    assert_eq!(decided, decisions);
    for start in ["attempt to send payload: ", "sent payload: "] {
        assert_eq!(of(start).count(), received.payloads().count());
        for (line, payload) in of(start).zip(received.payloads()) {
            let (size, traces, spans) = (payload.body.len(), payload.chunks.len(), payload.span_count());
            let expected = format!("size: {size} traces: {traces} spans: {spans} to http://");
            assert!(line.starts_with(&expected), "{line}: {expected}");
        }
    }
}

#[test]
fn what_is_told_is_what_is_sent() {
    for seed in 1..=24 {
        let (send, receive) = mpsc::channel();
        let logger = move |_: LogLevel, message: &str| drop(send.send(message.to_owned()));
        let mut dice = Dice::new(seed);
        let (received, _) = with_tracer_of(
            |_, tracer| {
                let tracer = tracer.debug(true).logger(logger).tag("tracer", "all");
                let tracer = match seed % 4 {
                    0 => tracer.sample_rate(0.5),
                    1 => tracer.sampling_rules(RULES).rate_limit(3.0),
                    _ => tracer,
                };
                tracer.partial_flush_min_spans(1 + seed as usize % 5 * 10)
            },
            |_, _| {
                for _ in 0..10 {
                    act(&mut dice, 6);
                }
            },
        );
        let messages: Vec<String> = receive.try_iter().collect();
        let told = catch_unwind(|| expect_all_told(&received, &messages));
        assert!(told.is_ok(), "seed {seed}");
    }
}
