//! The sink of the library's own messages, and nothing else.
//!
//! Each message is one line on stderr, written at once, so that lines of several threads do not mix. Whatever text a
//! message carries from outside, it stays one line: see [`escape`]. Nothing here panics, blocks on a lock of ours while it
//! writes, or fails: a closed stderr loses the line.

mod escape;
mod secret;

pub(crate) use escape::{Escaped, is_hostile};
pub(crate) use secret::{REDACTED, names_secret, without_credentials, without_secrets};

use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// How much a message matters; a message is shown when its level is at most the one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// Relaxed throughout: the level guards no other data, and a message more or less during the change is harmless.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Sets the level of the process; messages up to `Info` are shown by default.
pub(crate) fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Whether messages of this level are shown, for callers whose message is costly to make.
pub(crate) fn is_shown(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Reports what makes the tracer useless until somebody acts.
pub(crate) fn error(message: fmt::Arguments<'_>) {
    log(Level::Error, message);
}

/// Reports a loss, or a setting that could not be used.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    log(Level::Warn, message);
}

/// Reports what is said once in the life of a tracer.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    log(Level::Info, message);
}

/// Reports what helps to find a fault; shown with `DD_TRACE_DEBUG=1`.
pub(crate) fn debug(message: fmt::Arguments<'_>) {
    log(Level::Debug, message);
}

/// Writes one line of the given level, if it is shown.
pub(crate) fn log(level: Level, message: fmt::Arguments<'_>) {
    if !is_shown(level) {
        return;
    }
    let line = escape::line(level.name(), message);
    #[cfg(test)]
    if capture::take(&line) {
        return;
    }
    // One write of the whole line; std's stderr has no buffer and answers a closed descriptor with success.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

#[cfg(test)]
pub(crate) mod capture {
    //! Lines kept for a test instead of written to stderr.

    use std::cell::RefCell;
    use std::marker::PhantomData;
    use std::sync::{Arc, Mutex, PoisonError};

    thread_local! {
        static LINES: RefCell<Option<Lines>> = const { RefCell::new(None) };
    }

    /// The lines of all threads that [collect](Lines::collect_here) into it; clones share them.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

    impl Lines {
        /// Collects what this thread reports until the guard is dropped.
        pub(crate) fn collect_here(&self) -> Collecting {
            let before = LINES.with_borrow_mut(|lines| lines.replace(self.clone()));
            Collecting { before, _stays_on_its_thread: PhantomData }
        }

        /// Takes the lines out, without their ends.
        pub(crate) fn take(&self) -> Vec<String> {
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }

    /// While it lives, messages of its thread are collected.
    #[must_use = "messages are collected only while the guard lives"]
    #[derive(Debug)]
    pub(crate) struct Collecting {
        before: Option<Lines>,
        _stays_on_its_thread: PhantomData<*const ()>,
    }

    impl Drop for Collecting {
        fn drop(&mut self) {
            let before = self.before.take();
            let _ = LINES.try_with(|lines| lines.replace(before));
        }
    }

    /// Keeps the line if this thread collects.
    pub(super) fn take(line: &str) -> bool {
        let lines = LINES.try_with(|lines| lines.borrow().clone()).ok().flatten();
        let Some(lines) = lines else { return false };
        lines.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.trim_end_matches('\n').to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_one_line_with_its_level() {
        let lines = capture::Lines::default();
        let _collecting = lines.collect_here();
        warn(format_args!("two\nlines and {}", "an \u{1b}[31mescape"));
        info(format_args!("started"));
        error(format_args!("no agent"));
        assert_eq!(
            lines.take(),
            [
                r"dd-traced WARN: two\nlines and an \u{1b}[31mescape",
                "dd-traced INFO: started",
                "dd-traced ERROR: no agent"
            ]
        );
    }

    #[test]
    fn debug_is_not_shown_by_default() {
        let lines = capture::Lines::default();
        let _collecting = lines.collect_here();
        debug(format_args!("detail"));
        assert!(lines.take().is_empty());
    }

    #[test]
    fn inner_collection_ends_with_its_guard() {
        let (outer, inner) = (capture::Lines::default(), capture::Lines::default());
        let _collecting = outer.collect_here();
        {
            let _collecting = inner.collect_here();
            warn(format_args!("one"));
        }
        warn(format_args!("two"));
        assert_eq!(
            (inner.take(), outer.take()),
            (vec!["dd-traced WARN: one".into()], vec!["dd-traced WARN: two".into()])
        );
    }
}
