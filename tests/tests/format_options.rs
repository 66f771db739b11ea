//! A formatter of `tracing-subscriber` keeps every option in its wrapper: the line is the same but for the ids.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};

use dd_traced::testing::ScopedTracer;
use dd_traced::{CorrelatedFormat, correlation, span};
use tracing::info_span;
use tracing_subscriber::fmt::format::{FmtSpan, Writer};
use tracing_subscriber::fmt::time::FormatTime;

thread_local! {
    static WRITTEN: RefCell<String> = const { RefCell::new(String::new()) };
}

#[derive(Clone, Copy)]
struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A time that stands still.
struct Noon;

impl FormatTime for Noon {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str("12:00")
    }
}

fn written(subscriber: impl tracing::Subscriber + Send + Sync) -> String {
    tracing::subscriber::with_default(subscriber, || {
        info_span!("outer", order = 7).in_scope(|| {
            info_span!("inner", text = "a \"quoted\" {brace}").in_scope(|| {
                tracing::info!(items = 2, quoted = "\"{}\"", "an order\nof two lines");
                tracing::warn!("}}, {{");
            });
        });
    });
    WRITTEN.take()
}

/// What a subscriber writes as it is, and in its wrapper.
macro_rules! lines {
    ($form:ident, $builder:expr) => {
        (
            stringify!($builder),
            written($builder.with_writer(|| Kept).finish()),
            written($builder.with_writer(|| Kept).map_event_format(CorrelatedFormat::$form).finish()),
        )
    };
}

#[test]
fn text_is_the_same_but_for_the_block_in_front() {
    let _tracer = ScopedTracer::new();
    let span = span("work").start();
    let _active = span.activate();
    let block = format!("[{}] ", correlation());
    let fmt = || tracing_subscriber::fmt().with_ansi(false);
    for (options, plain, wrapped) in [
        lines!(text, fmt().with_timer(Noon)),
        lines!(text, fmt().without_time().with_ansi(true)),
        lines!(text, fmt().without_time().with_target(false).with_level(false)),
        lines!(text, fmt().without_time().with_file(true).with_line_number(true)),
        lines!(text, fmt().without_time().with_thread_ids(true).with_thread_names(true)),
        lines!(text, fmt().without_time().with_span_events(FmtSpan::ENTER | FmtSpan::EXIT)),
        lines!(text, fmt().without_time().compact()),
        lines!(text, fmt().without_time().pretty()),
        lines!(text, fmt().with_timer(Noon).with_max_level(tracing::Level::WARN)),
    ] {
        assert!(!plain.is_empty(), "{options}");
        let events = if options.contains("WARN") {
            1
        } else if options.contains("FmtSpan") {
            6
        } else {
            2
        };
        assert_eq!(wrapped.matches(&block).count(), events, "{options}: {wrapped}");
        assert!(wrapped.starts_with(&block), "{options}: {wrapped}");
        assert_eq!(wrapped.replace(&block, ""), plain, "{options}");
    }
}

#[test]
fn json_is_the_same_but_for_the_last_members() {
    let _tracer = ScopedTracer::new();
    let span = span("work").start();
    let _active = span.activate();
    let members = correlation()
        .fields()
        .iter()
        .fold(String::new(), |members, (key, value)| format!("{members},\"{key}\":\"{value}\""));
    let fmt = || tracing_subscriber::fmt().json();
    for (options, plain, wrapped) in [
        lines!(json, fmt().with_timer(Noon)),
        lines!(json, fmt().without_time().flatten_event(true)),
        lines!(json, fmt().without_time().flatten_event(true).with_current_span(false).with_span_list(false)),
        lines!(json, fmt().without_time().with_current_span(false)),
        lines!(json, fmt().without_time().with_span_list(false).with_level(false)),
        lines!(json, fmt().with_timer(Noon).with_file(true).with_line_number(true).with_thread_ids(true)),
        lines!(
            json,
            fmt().without_time().with_target(false).with_level(false).with_span_events(FmtSpan::CLOSE)
        ),
    ] {
        let stable = |lines: &str| {
            let objects = lines.lines().map(serde_json::from_str::<serde_json::Value>);
            objects.map(|object| object.expect("an object")).collect::<Vec<_>>()
        };
        assert!(stable(&plain).len() > 1, "{options}");
        for line in wrapped.lines() {
            assert!(line.ends_with(&format!("{members}}}")), "{options}: {line}");
        }
        if options.contains("CLOSE") {
            // How long a span was busy differs from run to run.
            assert_eq!(stable(&wrapped).len(), stable(&plain).len(), "{options}");
        } else {
            assert_eq!(wrapped.replace(&members, ""), plain, "{options}");
        }
    }
}
