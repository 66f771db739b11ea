//! The start of a `dd_log!` line, and who makes it needless.

use std::cell::Cell;
use std::fmt::{self, Display};

use super::{Correlation, correlation, logs_injection};

/// The start of a `dd_log!` line: `[correlation] `. Nothing where ids on log lines are switched off, or where the line is formatted by a
/// logger in a wrapper, which adds them itself. For generated code.
#[doc(hidden)]
pub fn log_prefix() -> LogPrefix {
    LogPrefix { correlation: logs_injection().then(correlation), place: Depth::here() }
}

/// See [`log_prefix`].
#[doc(hidden)]
#[derive(Debug)]
pub struct LogPrefix {
    correlation: Option<Correlation>,
    /// The line may stand in the formatting of another one.
    place: Depth,
}

impl Display for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.correlation {
            Some(correlation) => Bracketed(correlation, self.place).fmt(f),
            None => Ok(()),
        }
    }
}

/// `[correlation] `. Nothing where a wrapper further in adds the ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bracketed<'a>(pub(super) &'a Correlation, pub(super) Depth);

impl Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_passed() {
            return Ok(());
        }
        f.write_str("[")?;
        self.0.fmt(f)?;
        f.write_str("] ")
    }
}

/// How many wrappers are around a place: that of a line, or that of a wrapper itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth(u32);

impl Depth {
    pub(super) fn here() -> Self {
        Self(WRAPPERS.get())
    }

    /// Whether there are more here than at that place, so that what was made there is in the hands of another wrapper.
    pub(super) fn is_passed(self) -> bool {
        WRAPPERS.get() > self.0
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
}

impl Drop for Announced {
    fn drop(&mut self) {
        WRAPPERS.set(WRAPPERS.get().saturating_sub(1));
    }
}
