//! Log correlation: the ids of the active span, as log lines carry them.
//!
//! One rule for every form (`dd_log!`, wrappers of loggers, [`correlation`]): in text, `dd.service`, `dd.env` and `dd.version` are left out where
//! they are unset, and both ids are always there, `0` without a span; structured lines have the same fields as strings, and no ids without a
//! span. Service, env and version are the tracer's, never the span's. A line says it once: where a wrapper adds the ids, `dd_log!` does not.
//!
//! What a span is, and who is active, is the room `trace`'s business.

mod correlation;
#[cfg(feature = "log")]
#[expect(clippy::module_inception, reason = "each door has the name of its crate")]
mod log;
mod prefix;
#[cfg(feature = "slog")]
mod slog;
mod spans;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "log")]
pub use self::log::CorrelatedLogger;
#[cfg(feature = "slog")]
pub use self::slog::CorrelatedDrain;
#[cfg(feature = "tracing")]
pub use self::tracing::{CorrelatedFormat, SpanLayer};
pub use correlation::{Correlation, CorrelationFields, CorrelationId, correlation};
pub use prefix::log_prefix;

use crate::trace;

/// Whether log lines get ids without being asked line by line: the prefix of `dd_log!`, and what the wrappers of loggers add.
///
/// Starts as `DD_LOGS_INJECTION` says, which defaults to true; [`set_logs_injection`] changes it. False where the crate is compiled
/// without `enable`.
pub fn logs_injection() -> bool {
    cfg!(feature = "enable") && trace::correlates_logs()
}

/// Turns the ids on log lines on or off, for the whole process, from now on. The next tracer that starts goes by its settings again.
///
/// Off, wrapped loggers get the program's records as they came, and `dd_log!` writes no prefix; placeholders such as `{dd.trace_id}` and
/// [`correlation`] go on giving the ids.
///
/// ```
/// dd_traced::set_logs_injection(false);
/// assert_eq!(dd_traced::dd_format!("idle"), "idle");
/// ```
pub fn set_logs_injection(is_on: bool) {
    trace::set_correlates_logs(is_on);
}
