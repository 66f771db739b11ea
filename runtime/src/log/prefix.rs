//! The start of a `dd_log!` line, and who makes it needless.

use std::cell::Cell;
use std::fmt::{self, Display};

use super::{Correlation, correlation, logs_injection};

/// The start of a `dd_log!` line: `[correlation] `. Nothing where ids on log lines are switched off, or where the line is formatted by a
/// logger in a wrapper, which adds them itself. For generated code.
#[doc(hidden)]
pub fn log_prefix() -> LogPrefix {
    LogPrefix { correlation: logs_injection().then(correlation), wrappers: Announced::count() }
}

/// See [`log_prefix`].
#[doc(hidden)]
#[derive(Debug)]
pub struct LogPrefix {
    correlation: Option<Correlation>,
    /// Those around the place of the line: it may stand in the formatting of another one.
    wrappers: u32,
}

impl Display for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.correlation {
            Some(correlation) if Announced::count() <= self.wrappers => Bracketed(correlation).fmt(f),
            _ => Ok(()),
        }
    }
}

/// `[correlation] `.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bracketed<'a>(pub(super) &'a Correlation);

impl Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        self.0.fmt(f)?;
        f.write_str("] ")
    }
}

thread_local! {
    static WRAPPERS: Cell<u32> = const { Cell::new(0) };
}

/// A wrapper that hands a line with ids to its logger, for as long as that takes. Only lines that really pass through one lose their prefix,
/// so that a wrapper which nobody installed, or one of two loggers, costs no ids.
#[derive(Debug)]
pub(super) struct Announced(());

impl Announced {
    #[cfg_attr(
        not(any(feature = "log", feature = "slog", feature = "tracing")),
        expect(dead_code, reason = "there are no wrappers")
    )]
    pub(super) fn enter() -> Self {
        WRAPPERS.set(WRAPPERS.get().saturating_add(1));
        Self(())
    }

    fn count() -> u32 {
        WRAPPERS.get()
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        WRAPPERS.set(WRAPPERS.get().saturating_sub(1));
    }
}
