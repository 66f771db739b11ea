//! Loggers of the `log` crate.

use log::kv::{Error, Key, Source, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use super::correlation::{CorrelationFields, is_reserved};
use super::prefix::{Announced, Bracketed, Depth};
use super::{correlation, logs_injection};
use crate::diagnostics::MESSAGES;
use crate::worker;

/// A logger of the `log` crate whose lines carry service, env, version and the ids of the active span.
///
/// Every record gets them, whether it comes from `log::info!`, from [`dd_log!`](crate::dd_log), which leaves its own prefix out here, or from
/// a library. Where ids on log lines are switched off (see [`set_logs_injection`](crate::set_logs_injection)), records pass as they are. In any case, of the
/// library's own threads only its messages pass, where they were asked for (`TracerBuilder::messages_to_log`): its HTTP client tells of each request.
///
/// ```
/// # struct Logger;
/// # impl log::Log for Logger {
/// #     fn enabled(&self, _: &log::Metadata<'_>) -> bool { true }
/// #     fn log(&self, _: &log::Record<'_>) {}
/// #     fn flush(&self) {}
/// # }
/// # let logger = Logger; // env_logger::Builder::from_default_env().build()
/// dd_traced::CorrelatedLogger::text(logger).install(log::LevelFilter::Info)?;
/// # Ok::<(), log::SetLoggerError>(())
/// ```
#[derive(Debug)]
pub struct CorrelatedLogger<L> {
    inner: L,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Structured,
}

impl<L: Log> CorrelatedLogger<L> {
    /// For a logger that writes text: the message starts with `[dd.service=… dd.trace_id=… dd.span_id=…] `.
    pub fn text(inner: L) -> Self {
        Self { inner, form: Form::Text }
    }

    /// For a logger that writes the key-values of a record, such as one that writes JSON: they start with `dd.service`, `dd.env`, `dd.version`,
    /// `dd.trace_id` and `dd.span_id`, all strings. A key of these names that a record brings itself is left out, also where there is no span.
    pub fn structured(inner: L) -> Self {
        Self { inner, form: Form::Structured }
    }

    /// Makes it the logger of the process, for records up to `max_level`.
    ///
    /// `env_logger` knows the level that `RUST_LOG` asks for: `let level = logger.filter();`, before the logger goes into its wrapper.
    ///
    /// # Errors
    ///
    /// Where the process has a logger already; nothing changes then.
    pub fn install(self, max_level: LevelFilter) -> Result<(), SetLoggerError>
    where
        L: 'static,
    {
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(max_level);
        Ok(())
    }
}

impl<L: Log> Log for CorrelatedLogger<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        // What sends spans has nothing to say in the user's log, unless its messages were asked for; they belong to no trace.
        if worker::is_worker_thread() {
            if record.target() == MESSAGES {
                self.inner.log(record);
            }
            return;
        }
        if !logs_injection() {
            return self.inner.log(record);
        }
        let correlation = correlation();
        let _announced = Announced::enter();
        match self.form {
            Form::Text => {
                let prefix = Bracketed(&correlation, Depth::here());
                let message = record.args();
                self.inner.log(&record.to_builder().args(format_args!("{prefix}{message}")).build());
            }
            Form::Structured => {
                let own = record.key_values();
                let pairs = Pairs { fields: correlation.fields(), place: Depth::here(), own };
                self.inner.log(&record.to_builder().key_values(&pairs).build());
            }
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

/// The fields of correlation before those of the record, which stand alone where a wrapper further in adds the ids.
struct Pairs<'a> {
    fields: CorrelationFields<'a>,
    place: Depth,
    own: &'a dyn Source,
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        if self.place.is_passed() {
            return self.own.visit(visitor);
        }
        for (key, value) in self.fields.iter() {
            visitor.visit_pair(Key::from_str(key), Value::from(value))?;
        }
        self.own.visit(&mut Others(visitor))
    }
}

/// Passes on what has no name of ours, so that no line says twice where it belongs, or says it where we do not.
struct Others<'a, 'v>(&'v mut dyn VisitSource<'a>);

impl<'kvs> VisitSource<'kvs> for Others<'kvs, '_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        if is_reserved(key.as_str()) { Ok(()) } else { self.0.visit_pair(key, value) }
    }
}
