//! Drains of `slog`.

use slog::{BorrowedKV, Drain, FlushError, KV, Key, Level, OwnedKVList, Record, RecordStatic, Serializer};

use super::correlation::CorrelationFields;
use super::prefix::{Announced, Bracketed, Depth};
use super::{correlation, logs_injection};

/// A drain of `slog` whose records carry service, env, version and the ids of the active span.
///
/// The ids are those of the thread that logs: put it in front of `slog_async::Async`, never behind. Where ids on log lines are switched off
/// (see [`set_logs_injection`](crate::set_logs_injection)), records pass as they are.
///
/// ```
/// use slog::Drain;
///
/// # let drain = slog::Discard; // slog_async::Async::new(slog_json::Json::default(std::io::stdout()).fuse()).build()
/// let logger = slog::Logger::root(dd_traced::CorrelatedDrain::structured(drain).fuse(), slog::o!());
/// slog::info!(logger, "placing an order"; "items" => 2);
/// ```
#[derive(Debug)]
pub struct CorrelatedDrain<D> {
    inner: D,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Structured,
}

impl<D: Drain> CorrelatedDrain<D> {
    /// For a drain that writes text: the message starts with `[dd.service=… dd.trace_id=… dd.span_id=…] `.
    pub fn text(inner: D) -> Self {
        Self { inner, form: Form::Text }
    }

    /// For a drain that writes key-values, such as one that writes JSON: to those of a record come `dd.service`, `dd.env`, `dd.version`,
    /// `dd.trace_id` and `dd.span_id`, all strings, as the last ones. A pair of these names that a record or its logger brings itself stays before
    /// them; of two members with one name, readers of JSON take the later.
    pub fn structured(inner: D) -> Self {
        Self { inner, form: Form::Structured }
    }
}

impl<D: Drain> Drain for CorrelatedDrain<D> {
    type Ok = D::Ok;
    type Err = D::Err;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<D::Ok, D::Err> {
        if !logs_injection() {
            return self.inner.log(record, values);
        }
        let correlation = correlation();
        let _announced = Announced::enter();
        let place = RecordStatic { location: record.location(), tag: record.tag(), level: record.level() };
        match self.form {
            Form::Text => {
                let (prefix, message) = (Bracketed(&correlation, Depth::here()), record.msg());
                let log = |message: &_| self.inner.log(&Record::new(&place, message, record.kv()), values);
                log(&format_args!("{prefix}{message}"))
            }
            Form::Structured => {
                let pairs = Pairs { fields: correlation.fields(), place: Depth::here(), own: record.kv() };
                self.inner.log(&Record::new(&place, record.msg(), BorrowedKV(&pairs)), values)
            }
        }
    }

    fn flush(&self) -> Result<(), FlushError> {
        self.inner.flush()
    }

    fn is_enabled(&self, level: Level) -> bool {
        self.inner.is_enabled(level)
    }
}

/// The fields of correlation behind those of the record, which stand alone where a wrapper further in adds the ids.
struct Pairs<'a> {
    fields: CorrelationFields<'a>,
    place: Depth,
    own: BorrowedKV<'a>,
}

impl KV for Pairs<'_> {
    fn serialize(&self, record: &Record<'_>, serializer: &mut dyn Serializer) -> slog::Result {
        self.own.0.serialize(record, serializer)?;
        if !self.place.is_passed() {
            for (key, value) in self.fields.iter() {
                serializer.emit_str(Key::from(key), value)?;
            }
        }
        Ok(())
    }
}
