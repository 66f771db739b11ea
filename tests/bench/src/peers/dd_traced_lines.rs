//! Lines of each logger in its wrapper, beside the same lines with ids taken once, and without.

use std::fmt::Write;

use dd_traced::{CorrelatedDrain, CorrelatedFormat, CorrelatedLogger, Correlation, correlation, traced};
use log::{Log, Metadata, Record};
use slog::{BorrowedKV, Drain, KV};
use tracing_subscriber::fmt;

use super::tracing_lines::Prefixed;
use crate::line;
use crate::peer::LoggerLines;

pub(super) const ALL: &[(&str, LoggerLines)] = &[
    (
        "line-log",
        LoggerLines {
            ids: |count| by_log(count, |_| Box::new(CorrelatedLogger::text(Lines))),
            constant: |count| by_log(count, |ids| Box::new(Constant(Lines, ids))),
            without: |count| by_log(count, |_| Box::new(Lines)),
        },
    ),
    (
        "line-tracing",
        LoggerLines {
            ids: |count| {
                by_tracing(count, |_| Box::new(text().map_event_format(CorrelatedFormat::text).finish()));
            },
            constant: |count| {
                let prefixed = |ids| {
                    text().map_event_format(|inner| Prefixed::text(inner, move |w| write!(w, "[{ids}] ")))
                };
                by_tracing(count, |ids| Box::new(prefixed(ids).finish()));
            },
            without: |count| by_tracing(count, |_| Box::new(text().finish())),
        },
    ),
    (
        "line-tracing-json",
        LoggerLines {
            ids: |count| {
                by_tracing(count, |_| {
                    Box::new(text().json().map_event_format(CorrelatedFormat::json).finish())
                });
            },
            constant: |count| {
                by_tracing(count, |ids| {
                    let mut members = String::from("{");
                    for (key, value) in ids.fields().iter() {
                        let _ = write!(members, "\"{key}\":\"{value}\",");
                    }
                    let prefixed = |inner| Prefixed::json(inner, move |w| w.write_str(&members));
                    Box::new(text().json().map_event_format(prefixed).finish())
                });
            },
            without: |count| by_tracing(count, |_| Box::new(text().json().finish())),
        },
    ),
    (
        "line-slog",
        LoggerLines {
            ids: |count| {
                by_slog(count, |_| slog::Logger::root(CorrelatedDrain::structured(Lines).fuse(), slog::o!()));
            },
            constant: |count| {
                by_slog(count, |ids| slog::Logger::root(Constant(Lines, ids).fuse(), slog::o!()));
            },
            without: |count| by_slog(count, |_| slog::Logger::root(Lines.fuse(), slog::o!())),
        },
    ),
];

fn text() -> fmt::SubscriberBuilder<
    fmt::format::DefaultFields,
    fmt::format::Format,
    tracing_subscriber::filter::LevelFilter,
    fn() -> &'static std::fs::File,
> {
    fmt().with_ansi(false).with_writer(line::null as fn() -> _)
}

#[traced(name = "root")]
fn by_log(count: u32, logger: impl FnOnce(Correlation) -> Box<dyn Log>) {
    let logger = logger(correlation());
    for orders in 0..count {
        let message = format_args!("placing an order of {orders} items");
        logger.log(&Record::builder().args(message).target("shop::orders").build());
    }
}

#[traced(name = "root")]
fn by_tracing(
    count: u32,
    subscriber: impl FnOnce(Correlation) -> Box<dyn tracing::Subscriber + Send + Sync>,
) {
    tracing::subscriber::with_default(subscriber(correlation()), || {
        for orders in 0..count {
            tracing::info!("placing an order of {orders} items");
        }
    });
}

#[traced(name = "root")]
fn by_slog(count: u32, logger: impl FnOnce(Correlation) -> slog::Logger) {
    let logger = logger(correlation());
    for orders in 0..count {
        slog::info!(logger, "placing an order of {orders} items");
    }
}

/// Writes lines.
struct Lines;

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        line::write_message(*record.args());
    }

    fn flush(&self) {}
}

impl Drain for Lines {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &slog::Record<'_>, _: &slog::OwnedKVList) -> Result<(), slog::Never> {
        line::write_record(*record.msg(), |line| {
            let _ = record.kv().serialize(record, &mut Members(line));
        });
        Ok(())
    }
}

struct Members<'a>(&'a mut String);

impl slog::Serializer for Members<'_> {
    fn emit_arguments(&mut self, key: slog::Key, value: &std::fmt::Arguments<'_>) -> slog::Result {
        let _ = write!(self.0, " {key}={value}");
        Ok(())
    }

    fn emit_str(&mut self, key: slog::Key, value: &str) -> slog::Result {
        let _ = write!(self.0, " {key}={value}");
        Ok(())
    }
}

/// A logger that brings ids taken once.
struct Constant<L>(L, Correlation);

impl<L: Log> Log for Constant<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let message = record.args();
        self.0.log(&record.to_builder().args(format_args!("[{}] {message}", self.1)).build());
    }

    fn flush(&self) {}
}

impl<D: Drain> Drain for Constant<D> {
    type Ok = D::Ok;
    type Err = D::Err;

    fn log(&self, record: &slog::Record<'_>, values: &slog::OwnedKVList) -> Result<D::Ok, D::Err> {
        let place =
            slog::RecordStatic { location: record.location(), tag: record.tag(), level: record.level() };
        self.0.log(&slog::Record::new(&place, record.msg(), BorrowedKV(&Ids(&self.1))), values)
    }
}

struct Ids<'a>(&'a Correlation);

impl KV for Ids<'_> {
    fn serialize(&self, _: &slog::Record<'_>, serializer: &mut dyn slog::Serializer) -> slog::Result {
        self.0.fields().iter().try_for_each(|(key, value)| serializer.emit_str(key, value))
    }
}
