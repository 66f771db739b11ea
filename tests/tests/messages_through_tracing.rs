//! The library's own messages reach `tracing` through `log`, as they do where `tracing-subscriber` is installed with its defaults.

use dd_traced::{CorrelatedFormat, LogLevel, span};
use dd_traced_tests::{Written, with_tracer_of};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

/// The wrapper used to take them for those of the HTTP client, so that nobody saw them.
#[test]
fn messages_that_were_asked_for_are_lines_without_ids() {
    tracing_log::LogTracer::init().unwrap();
    let lines =
        fmt::layer().with_ansi(false).with_writer(|| Written).map_event_format(CorrelatedFormat::text);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)).unwrap();
    let (received, _) = with_tracer_of(
        |_, tracer| tracer.debug(true).messages_to_log(),
        |_, _| {
            let job = span("job").start();
            let _active = job.activate();
            log::info!("from the program");
        },
    );
    assert_eq!(received.span_count(), 1);
    let written = Written::take;
    let lines = written();
    let (ours, others): (Vec<_>, Vec<_>) =
        lines.lines().partition(|line| line.ends_with(r#"log.target="dd_traced""#));
    assert!(ours.iter().any(|line| line.contains("DEBUG log: span finished: name=\"job\"")), "{lines}");
    assert!(ours.iter().all(|line| !line.contains("dd.trace_id=")), "{ours:#?}");
    assert_eq!(others.len(), 1, "not the HTTP client's: {others:#?}");
    assert!(others[0].starts_with("[dd.service=shop ") && others[0].contains("from the program"));

    // As events, too, by a logger of one's own.
    let logger = |_: LogLevel, message: &str| {
        tracing::info!(target: "dd_traced", "{message}");
        tracing::info!("of the logger itself");
    };
    with_tracer_of(|_, tracer| tracer.debug(true).logger(logger), |_, _| span("job").start().finish());
    let lines = written();
    assert!(lines.contains(" INFO dd_traced: span finished: name=\"job\""), "{lines}");
    assert!(lines.lines().all(|line| line.contains(" INFO dd_traced: ")), "{lines}");
}
