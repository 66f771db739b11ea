//! The sink of the library's own messages, and nothing else.
//!
//! ```text
//! message ─► Entry ─► queue ─► thread ─┬─► stderr, file
//!                     ≤ 4 MiB          └─► logger         one given in code, or that of the `log` crate
//! ```
//!
//! Each message is one line, written at once, so that lines of several threads and processes do not mix, however long in a file, up to `PIPE_BUF`
//! (4 KiB on Linux) on a pipe. Whatever text a message carries from outside, it stays one line: see [`escape`]. Nothing here panics or fails, and
//! nobody waits for stderr, a file or a logger: what can not be written is counted, a closed stderr loses the line.

#[cfg(feature = "enable")]
mod append;
#[cfg(feature = "enable")]
mod directory;
mod entry;
mod escape;
#[cfg(feature = "enable")]
mod file;
mod logger;
#[cfg(feature = "enable")]
mod outlets;
#[cfg(feature = "enable")]
mod queue;
#[cfg(feature = "enable")]
mod room;
mod secret;
pub(crate) mod settings;
#[cfg(feature = "enable")]
mod sink;
#[cfg(feature = "enable")]
mod stderr;
#[cfg(feature = "doctor")]
mod trial;

pub(crate) use entry::date;
pub(crate) use escape::{Escaped, is_hostile};
#[cfg(feature = "log")]
pub(crate) use logger::LogBridge;
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use logger::MESSAGES;
pub use logger::MessageLogger;
pub(crate) use logger::SharedLogger;
pub(crate) use secret::{REDACTED, names_secret, without_credentials, without_secrets};
#[cfg(feature = "enable")]
pub(crate) use sink::{SinkHandle, configure, configure_briefly, flush};
#[cfg(feature = "doctor")]
pub(crate) use trial::{Tried, try_file};

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

use entry::Entry;

/// How much a message of the library matters, the most important level first. `Display` gives its name in capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The tracer is useless until somebody acts.
    Error,
    /// Something was lost, or a setting could not be used.
    Warn,
    /// Said once in the life of a tracer.
    Info,
    /// What helps to find a fault.
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

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Relaxed throughout: the level guards no other data, and a message more or less during the change is harmless.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Warn as u8);

/// Sets the level of the process; messages up to `Warn` are shown by default.
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

/// Reports what is said once in the life of a tracer, whatever the level: whoever calls it has a switch of its own.
pub(crate) fn announce(message: fmt::Arguments<'_>) {
    tell(Level::Info, message);
}

/// Reports a message whatever the level that is shown: whoever calls it has a switch of its own.
pub(crate) fn tell(level: Level, message: fmt::Arguments<'_>) {
    write(Entry::new(level, message).asked_for());
}

/// Reports what helps to find a fault; shown with `DD_TRACE_DEBUG=1`.
pub(crate) fn debug(message: fmt::Arguments<'_>) {
    log(Level::Debug, message);
}

/// Reports a message of the given level, if it is shown.
pub(crate) fn log(level: Level, message: fmt::Arguments<'_>) {
    if is_shown(level) {
        write(Entry::new(level, message));
    }
}

#[cfg_attr(
    not(feature = "enable"),
    expect(clippy::needless_pass_by_value, reason = "the sink of a build that records keeps it")
)]
fn write(entry: Entry) {
    #[cfg(test)]
    if capture::take(&entry.line()) {
        return;
    }
    #[cfg(feature = "enable")]
    sink::write(entry);
    #[cfg(not(feature = "enable"))]
    drop(std::io::Write::write_all(&mut std::io::stderr().lock(), entry.line().as_bytes()));
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
        announce(format_args!("started"));
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
