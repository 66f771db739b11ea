//! How spans and contexts show themselves in a line.

use std::fmt::{self, Display};

use super::correlation::Correlation;
use crate::trace::{Span, SpanContext};

/// `dd.service=… dd.env=… dd.version=… dd.trace_id="…" dd.span_id="…" dd.parent_id="…"`: service, env and version of the tracer, left out
/// where unset; ids of `0` where tracing is off. It holds after the span has finished, too.
///
/// Source: DataDog/dd-trace-go, `ddtrace/tracer/span.go`, `Format` for `%v`.
impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (core, ids, parent_id) = self.identity();
        let correlation = Correlation::new(core, ids);
        f.write_str(correlation.identity())?;
        let (trace_id, span_id) = (correlation.trace_id(), correlation.span_id());
        write!(f, r#"dd.trace_id="{trace_id}" dd.span_id="{span_id}" dd.parent_id="{parent_id}""#)
    }
}

/// `dd.trace_id=… dd.span_id=…`, as they stand on a log line; `0` where tracing is off.
impl Display for SpanContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (core, ids) = self.identity();
        let correlation = Correlation::new(core, ids);
        write!(f, "dd.trace_id={} dd.span_id={}", correlation.trace_id(), correlation.span_id())
    }
}
