//! Log correlation: the ids of the active span, as log lines carry them.
//!
//! One rule for every form (`dd_log!`, wrappers of loggers, [`correlation`]): in text, `dd.service`, `dd.env` and `dd.version` are left out where
//! they are unset, and both ids are always there, `0` without a span. Service, env and version are the tracer's, never the span's.
//! What a span is, and who is active, is the room `trace`'s business.

use std::fmt::{self, Display, Write};
use std::sync::Arc;

use crate::model::{SpanId, TraceId};
use crate::trace::{Core, active_identity};

/// What correlates a log line with a trace: service, env and version of the tracer, and the ids of the active span.
///
/// ```
/// let span = dd_traced::span("web.request").start();
/// let _active = span.activate();
/// println!("[{}] sending the mail", dd_traced::correlation());
/// // [dd.service=shop dd.env=prod dd.trace_id=6a5c1f40000000003a7b9c1d2e4f6081 dd.span_id=8875836681422449212] sending the mail
/// ```
pub fn correlation() -> Correlation {
    let (core, ids) = active_identity();
    Correlation { core, ids }
}

/// See [`correlation`]. `Display` gives `dd.service=… dd.env=… dd.version=… dd.trace_id=… dd.span_id=…`.
#[derive(Debug, Clone)]
pub struct Correlation {
    core: Option<Arc<Core>>,
    ids: Option<(u128, u64)>,
}

impl Correlation {
    /// The tracer's service, empty where no tracer runs.
    pub fn service(&self) -> &str {
        self.core.as_ref().map_or("", |core| &core.settings.identity.service)
    }

    /// The tracer's environment, empty where unset.
    pub fn env(&self) -> &str {
        self.core.as_ref().and_then(|core| core.settings.identity.env.as_deref()).unwrap_or("")
    }

    /// The tracer's version, empty where unset.
    pub fn version(&self) -> &str {
        self.core.as_ref().and_then(|core| core.settings.identity.version.as_deref()).unwrap_or("")
    }

    /// The trace id as log pipelines expect it, `0` without an active span.
    pub fn trace_id(&self) -> CorrelationId {
        let is_wide = self.core.as_ref().is_none_or(|core| core.settings.logs_128_bit_ids);
        CorrelationId(match self.ids {
            Some((trace_id, _)) if is_wide => Id::Trace(TraceId::new(trace_id)),
            Some((trace_id, _)) => Id::Trace(TraceId::new(u128::from(trace_id as u64))),
            None => Id::Span(SpanId::new(0)),
        })
    }

    /// The span id, decimal, `0` without an active span.
    pub fn span_id(&self) -> CorrelationId {
        CorrelationId(Id::Span(SpanId::new(self.ids.map_or(0, |(_, span_id)| span_id))))
    }

    /// `dd.service=… dd.env=… dd.version=… ` with what is set.
    fn identity(&self) -> &str {
        let write = || Box::new(self.write_identity().into_boxed_str());
        self.core.as_ref().map_or("", |core| core.log_identity.get_or_init(write))
    }

    fn write_identity(&self) -> String {
        let mut identity = String::new();
        for (key, value) in [("service", self.service()), ("env", self.env()), ("version", self.version())] {
            if !value.is_empty() {
                // Writing to a string does not fail.
                let _ = write!(identity, "dd.{key}={} ", Escaped(value));
            }
        }
        identity
    }
}

impl Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.identity())?;
        f.write_str("dd.trace_id=")?;
        self.trace_id().fmt(f)?;
        f.write_str(" dd.span_id=")?;
        self.span_id().fmt(f)
    }
}

/// An id as it stands in a log line: a trace id with an upper half as 32 hexadecimal digits, everything else in decimal. Obeys
/// width, fill and alignment. `Debug` gives the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CorrelationId(Id);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Trace(TraceId),
    Span(SpanId),
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Id::Trace(id) => id.fmt(f),
            Id::Span(id) => id.fmt(f),
        }
    }
}

/// The start of a `dd_log!` line: `[correlation] `, or nothing where `DD_LOGS_INJECTION` is off. For generated code.
#[doc(hidden)]
pub fn log_prefix() -> LogPrefix {
    LogPrefix(correlation())
}

/// See [`log_prefix`].
#[doc(hidden)]
#[derive(Debug)]
pub struct LogPrefix(Correlation);

impl Display for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.core.as_ref().is_some_and(|core| !core.settings.correlates_logs) {
            return Ok(());
        }
        f.write_str("[")?;
        self.0.fmt(f)?;
        f.write_str("] ")
    }
}

/// A setting inside of a line: blanks, brackets and control characters would end the field or forge another one.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            let is_unsafe =
                character.is_whitespace() || character.is_control() || matches!(character, '[' | ']' | '=');
            f.write_char(if is_unsafe { '_' } else { character })?;
        }
        Ok(())
    }
}
