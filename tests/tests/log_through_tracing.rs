//! Records of `log` that go on to `tracing`, as they do where `tracing-subscriber` is installed with its defaults, have ids once.

use dd_traced::testing::ScopedTracer;
use dd_traced::{CorrelatedFormat, SpanLayer, dd_log, traced};
use dd_traced_tests::Written;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

#[traced("call")]
fn call() {
    dd_log!("by dd_log");
    log::info!("by log");
    tracing::info!("by tracing");
}

fn hand_on() {
    // Whichever test is the first.
    let _ = tracing_log::LogTracer::init();
}

#[test]
fn a_line_has_its_ids_once_whichever_macro_writes_it() {
    hand_on();
    let plain = || fmt::layer().with_ansi(false).without_time().with_target(false).with_writer(|| Written);
    let written = |correlated: bool| {
        let tracer = ScopedTracer::new();
        if correlated {
            let lines = plain().map_event_format(CorrelatedFormat::text);
            tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), call);
        } else {
            tracing::subscriber::with_default(tracing_subscriber::registry().with(plain()), call);
        }
        let span = tracer.finished().remove(0);
        let ids = format!("[dd.service=test dd.trace_id={:x} dd.span_id={}]", span.trace_id, span.span_id);
        let written = Written::take();
        // Behind the message stands where a record came from.
        let messages =
            written.lines().map(|line| line.split(" log.").next().unwrap_or(line).replace(&ids, "[ids]"));
        messages.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(written(true), "[ids]  INFO by dd_log\n[ids]  INFO by log\n[ids]  INFO by tracing");
    assert_eq!(written(false), " INFO [ids] by dd_log\n INFO by log\n INFO by tracing");
}

#[traced("fails")]
fn fails() {
    dd_log!(error, "no ink in {}", "the printer");
}

/// The message used to begin with the ids, so that no two failures were alike.
#[test]
fn an_error_that_is_told_by_dd_log_is_its_message() {
    hand_on();
    let tracer = ScopedTracer::new();
    let subscriber = tracing_subscriber::registry().with(SpanLayer::new());
    tracing::subscriber::with_default(subscriber, fails);
    let span = tracer.finished().remove(0);
    assert!(span.is_error && span.meta["error.message"] == "no ink in the printer", "{span:?}");
}
