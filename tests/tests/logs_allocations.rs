//! A line with ids allocates no more than the same line without, whichever logger writes it. A test binary of its own: the whole process
//! is counted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::fmt::Write;
use std::io;
use std::panic::UnwindSafe;
use std::sync::{Mutex, PoisonError};

use dd_traced::testing::ScopedTracer;
use dd_traced::{CorrelatedDrain, CorrelatedFormat, CorrelatedLogger, correlation, dd_log, span};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Log, Metadata, Record};
use slog::{Drain, KV};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Where lines end: nothing is kept but their number of bytes and the memory they were in.
static LINE: Mutex<(usize, String)> = Mutex::new((0, String::new()));

fn write_line(write: impl FnOnce(&mut String)) {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    line.1.clear();
    write(&mut line.1);
    line.0 = line.1.len();
}

/// The last line.
fn written() -> String {
    LINE.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
}

/// Allocations of 100 such lines, the least of a few times: the test harness has a thread too.
fn allocations(mut say: impl FnMut()) -> usize {
    let mut count = || {
        let before = ALLOCATOR.stats();
        (0..100).for_each(|_| say());
        let after = ALLOCATOR.stats();
        after.allocations + after.reallocations - before.allocations - before.reallocations
    };
    // The first lines make what is kept for the others.
    count();
    (0..5).map(|_| count()).min().expect("some counts")
}

struct Writing;

impl Log for Writing {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        write_line(|line| {
            let _ = write!(line, "{} {}", record.level(), record.args());
            record.key_values().visit(&mut Pairs(line)).expect("pairs");
        });
    }

    fn flush(&self) {}
}

struct Pairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let _ = write!(self.0, " {key}={value}");
        Ok(())
    }
}

impl Drain for Writing {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &slog::Record<'_>, values: &slog::OwnedKVList) -> Result<(), slog::Never> {
        write_line(|line| {
            let _ = write!(line, "{} {}", record.level(), record.msg());
            let _ = record.kv().serialize(record, &mut Emitted(line));
            let _ = values.serialize(record, &mut Emitted(line));
        });
        Ok(())
    }
}

struct Emitted<'a>(&'a mut String);

impl slog::Serializer for Emitted<'_> {
    fn emit_arguments(&mut self, key: slog::Key, value: &std::fmt::Arguments<'_>) -> slog::Result {
        let _ = write!(self.0, " {key}={value}");
        Ok(())
    }
}

impl io::Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_line(|line| line.push_str(std::str::from_utf8(bytes).unwrap_or_default()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn by_log(logger: &impl Log) -> usize {
    allocations(|| {
        let pairs = [("items", 2)];
        logger.log(&Record::builder().args(format_args!("an order")).key_values(&pairs).build());
    })
}

fn by_slog(
    drain: impl slog::SendSyncRefUnwindSafeDrain<Ok = (), Err = slog::Never> + UnwindSafe + 'static,
) -> usize {
    let logger = slog::Logger::root(drain, slog::o!("of" => "root"));
    allocations(|| slog::info!(logger, "an order"; "items" => 2))
}

fn by_tracing(subscriber: impl tracing::Subscriber + Send + Sync) -> usize {
    tracing::subscriber::with_default(subscriber, || allocations(|| tracing::info!(items = 2, "an order")))
}

#[test]
fn ids_on_a_line_allocate_nothing() {
    let tracer = ScopedTracer::new();
    let span = span("work").start();
    let _active = span.activate();
    let says_ids = |what: &str| {
        let line = written();
        assert!(line.contains(&span.span_id().to_string()), "{what}: {line}");
    };

    assert_eq!(allocations(|| write_line(|line| write!(line, "{}", correlation()).expect("a line"))), 0);
    says_ids("correlation");
    let context = span.context();
    let shown = || write_line(|line| write!(line, "{span} {context}").expect("a line"));
    assert_eq!(allocations(shown), 0);
    says_ids("span and context");
    let fields =
        || correlation().fields().iter().for_each(|(key, value)| assert!(key.len() + value.len() > 0));
    assert_eq!(allocations(fields), 0);

    log::set_boxed_logger(Box::new(Writing)).expect("no other logger");
    log::set_max_level(log::LevelFilter::Info);
    assert_eq!(allocations(|| dd_log!("an order of {} items", 2)), 0);
    says_ids("dd_log!");
    assert_eq!(by_log(&CorrelatedLogger::text(Writing)), by_log(&Writing));
    assert_eq!(by_log(&CorrelatedLogger::text(Writing)), 0);
    says_ids("log, text");
    assert_eq!(by_log(&CorrelatedLogger::structured(Writing)), 0);
    says_ids("log, structured");

    assert_eq!(by_slog(CorrelatedDrain::text(Writing)), by_slog(Writing));
    let structured = by_slog(CorrelatedDrain::structured(Writing));
    says_ids("slog");
    assert_eq!(structured, by_slog(Writing));

    let format = || tracing_subscriber::fmt().without_time().with_writer(|| Writing);
    let text = by_tracing(format().map_event_format(CorrelatedFormat::text).finish());
    says_ids("tracing, text");
    assert_eq!(text, by_tracing(format().finish()));
    let json = by_tracing(format().json().map_event_format(CorrelatedFormat::json).finish());
    says_ids("tracing, json");
    assert_eq!(json, by_tracing(format().json().finish()));
    drop(tracer);
}
