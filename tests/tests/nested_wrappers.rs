//! A line has its ids once, through however many wrappers it goes: the innermost one adds them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use dd_traced::testing::ScopedTracer;
use dd_traced::{CorrelatedDrain, CorrelatedFormat, CorrelatedLogger, SpanContext, dd_format, span};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Log, Metadata, Record};
use slog::Drain;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<String>>);

impl Written {
    fn take(&self, context: &SpanContext) -> String {
        let written = std::mem::take(&mut *self.0.lock().unwrap());
        let (trace_id, span_id) = (context.trace_id(), context.span_id());
        let written = written.replace(&format!("{trace_id:x}"), "T").replace(&span_id.to_string(), "S");
        written.trim_end().to_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the message and the key-values.
impl Log for Written {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = Pairs(record.args().to_string());
        record.key_values().visit(&mut line).unwrap();
        self.0.lock().unwrap().push_str(&line.0);
    }

    fn flush(&self) {}
}

struct Pairs(String);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        Ok(write!(self.0, " {key}={value}")?)
    }
}

/// Hands each record to both.
struct Both<A, B>(A, B);

impl<A: Log, B: Log> Log for Both<A, B> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
        self.1.log(record);
    }

    fn flush(&self) {}
}

fn say(logger: impl Log) {
    logger.log(&Record::builder().args(format_args!("said")).level(Level::Info).target("shop").build());
}

#[test]
fn of_loggers_the_innermost_adds_the_ids() {
    let _tracer = ScopedTracer::new();
    let (span, out) = (span("work").start(), Written::default());
    let (_active, context) = (span.activate(), span.context());
    let (text, fields) = (
        "[dd.service=test dd.trace_id=T dd.span_id=S] said",
        "said dd.service=test dd.trace_id=T dd.span_id=S",
    );

    say(CorrelatedLogger::text(CorrelatedLogger::text(out.clone())));
    assert_eq!(out.take(&context), text);
    say(CorrelatedLogger::structured(CorrelatedLogger::text(out.clone())));
    assert_eq!(out.take(&context), text);
    say(CorrelatedLogger::structured(CorrelatedLogger::structured(out.clone())));
    assert_eq!(out.take(&context), fields);
    say(CorrelatedLogger::text(CorrelatedLogger::structured(out.clone())));
    assert_eq!(out.take(&context), fields);

    // One of two loggers has a wrapper of its own: the other one goes by that around both.
    let other = Written::default();
    say(CorrelatedLogger::text(Both(CorrelatedLogger::structured(out.clone()), other.clone())));
    assert_eq!((out.take(&context), other.take(&context)), (fields.to_owned(), text.to_owned()));
}

/// What a program gets that wraps both of its loggers, where one hands its records to the other.
#[test]
fn a_record_of_log_in_a_formatter_of_tracing_has_them_once() {
    let _tracer = ScopedTracer::new();
    let (span, out) = (span("work").start(), Written::default());
    let (_active, context) = (span.activate(), span.context());
    let writer = out.clone();
    let lines = fmt::layer().with_ansi(false).without_time().with_writer(move || writer.clone());
    let lines = lines.map_event_format(CorrelatedFormat::text);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
        say(CorrelatedLogger::text(tracing_log::LogTracer::new()));
    });
    let line = out.take(&context);
    assert!(line.starts_with("[dd.service=test dd.trace_id=T dd.span_id=S]  INFO "), "{line}");
    assert_eq!(line.matches("dd.trace_id").count(), 1, "{line}");
}

#[test]
fn of_drains_the_innermost_adds_the_ids() {
    let _tracer = ScopedTracer::new();
    let (span, out) = (span("work").start(), Written::default());
    let (_active, context) = (span.activate(), span.context());
    let json = || slog::Fuse(Mutex::new(slog_json::Json::new(out.clone()).build()));
    let messages = || {
        let json = slog_json::Json::new(out.clone());
        slog::Fuse(Mutex::new(
            json.add_key_value(slog::o!("msg" => slog::PushFnValue(|record, out| {
                out.emit(record.msg())
            })))
            .build(),
        ))
    };
    let say = |logger: slog::Logger| slog::info!(logger, "said");

    say(slog::Logger::root(
        CorrelatedDrain::structured(CorrelatedDrain::structured(json())).fuse(),
        slog::o!(),
    ));
    assert_eq!(out.take(&context), r#"{"dd.service":"test","dd.trace_id":"T","dd.span_id":"S"}"#);
    say(slog::Logger::root(
        CorrelatedDrain::text(CorrelatedDrain::structured(messages())).fuse(),
        slog::o!(),
    ));
    let line = r#"{"msg":"said","dd.service":"test","dd.trace_id":"T","dd.span_id":"S"}"#;
    assert_eq!(out.take(&context), line);
    say(slog::Logger::root(CorrelatedDrain::text(CorrelatedDrain::text(messages())).fuse(), slog::o!()));
    let line = r#"{"msg":"[dd.service=test dd.trace_id=T dd.span_id=S] said"}"#;
    assert_eq!(out.take(&context), line);
}

/// A line that is written while another one is formatted is a line of its own.
#[test]
fn a_line_within_the_formatting_of_another_keeps_its_ids() {
    struct Talks<L>(L, Written);

    impl<L: Log> std::fmt::Display for Talks<L> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.log(&Record::builder().args(format_args!("within")).build());
            f.write_str(&dd_format!("{dd.span_id}"))
        }
    }

    let _tracer = ScopedTracer::new();
    let (span, out, inner) = (span("work").start(), Written::default(), Written::default());
    let (_active, context) = (span.activate(), span.context());
    let talks = Talks(CorrelatedLogger::text(inner.clone()), inner.clone());
    CorrelatedLogger::text(out.clone()).log(&Record::builder().args(format_args!("{talks}")).build());
    assert_eq!(out.take(&context), "[dd.service=test dd.trace_id=T dd.span_id=S] S");
    assert_eq!(talks.1.take(&context), "[dd.service=test dd.trace_id=T dd.span_id=S] within");
}
