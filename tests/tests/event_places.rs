//! Lines of `tracing` belong to the span that their event belongs to: the active one, or another that the event names.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use dd_traced::testing::ScopedTracer;
use dd_traced::{CorrelatedFormat, SpanLayer, span};
use dd_traced_tests::Written;
use tracing::{Subscriber, debug_span, info, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, fmt, registry};

/// The last word of each line, and the name of the span whose ids it has.
fn places(subscriber: impl Subscriber + Send + Sync, act: impl FnOnce()) -> Vec<(String, String)> {
    let tracer = ScopedTracer::new();
    tracing::subscriber::with_default(subscriber, act);
    let spans = tracer.finished();
    let written = Written::take();
    let place = |line: &str| {
        let (block, text) = line.split_once(']').expect("a block");
        let (_, ids) = block.split_once("dd.trace_id=").expect("ids");
        let says = |span: &&dd_traced::testing::FinishedSpan| {
            ids == format!("{} dd.span_id={}", span.trace_id, span.span_id)
        };
        let name = spans.iter().find(says).map_or(ids, |span| &span.name);
        (text.split(' ').next_back().unwrap_or_default().to_owned(), name.to_owned())
    };
    written.lines().map(place).collect()
}

/// One test: the lines are kept in one place.
#[test]
fn a_line_has_the_ids_of_the_span_that_its_event_names() {
    let lines = |kinds| {
        let lines = fmt::layer()
            .with_span_events(kinds)
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .with_writer(|| Written);
        lines.map_event_format(CorrelatedFormat::text)
    };
    let act = || {
        let far = info_span!("far");
        info_span!("near").in_scope(|| {
            info!("contextual");
            info!(parent: &far, "there");
            info!(parent: None, "nowhere");
            let ours = span("ours").start();
            let _active = ours.activate();
            info!("within");
            info!(parent: &far, "there");
        });
    };
    let expected = [
        ("contextual", "near"),
        ("there", "far"),
        ("nowhere", "0 dd.span_id=0"),
        ("within", "ours"),
        ("there", "far"),
    ];
    let expected = expected.map(|(word, name)| (word.to_owned(), name.to_owned()));
    assert_eq!(places(registry().with(SpanLayer::new()).with(lines(FmtSpan::NONE)), act), expected);

    // What the subscriber says of the spans themselves.
    let live = || {
        let lived = info_span!("lived");
        info_span!("elsewhere").in_scope(|| lived.in_scope(|| ()));
        info_span!("elsewhere").in_scope(|| drop(lived));
    };
    let spoken = registry().with(SpanLayer::new()).with(lines(FmtSpan::FULL));
    let expected = [
        ("new", "lived"),
        ("new", "elsewhere"),
        ("enter", "elsewhere"),
        ("enter", "lived"),
        ("exit", "lived"),
        ("exit", "elsewhere"),
        ("close", "elsewhere"),
        ("new", "elsewhere"),
        ("enter", "elsewhere"),
        ("close", "lived"),
        ("exit", "elsewhere"),
        ("close", "elsewhere"),
    ];
    let expected = expected.map(|(word, name)| (word.to_owned(), name.to_owned()));
    assert_eq!(places(spoken, live), expected);

    // A span that the lines' own filter hides is not seen by the formatter.
    let hidden = registry().with(SpanLayer::new()).with(lines(FmtSpan::NONE).with_filter(LevelFilter::INFO));
    let act = || {
        let far = debug_span!("far");
        info_span!("near").in_scope(|| info!(parent: &far, "there"));
    };
    assert_eq!(places(hidden, act), [("there".to_owned(), "near".to_owned())]);
}
