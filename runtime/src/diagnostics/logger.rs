//! A logger of the program that takes the messages instead of stderr and files.

use std::fmt;
use std::sync::Arc;

use super::Level;

/// Takes the library's own messages, in place of stderr and of a file: a closure of level and message will do.
/// Given to `TracerBuilder::logger`.
///
/// It is called on a thread of the library's own, one message after the other, so that it may wait: meanwhile messages are kept, up to 4 MiB. What
/// it traces or panics with reaches nobody. What it logs passes `CorrelatedLogger` and `CorrelatedFormat` under the target `dd_traced`
/// alone, and without ids. A message is one line without its end.
///
/// ```
/// struct Collector(std::sync::mpsc::Sender<String>);
///
/// impl dd_traced::MessageLogger for Collector {
///     fn log(&self, level: dd_traced::LogLevel, message: &str) {
///         let _ = self.0.send(format!("{level}: {message}"));
///     }
/// }
/// ```
pub trait MessageLogger: Send + Sync {
    /// Takes one message.
    fn log(&self, level: Level, message: &str);
}

impl<F: Fn(Level, &str) + Send + Sync> MessageLogger for F {
    fn log(&self, level: Level, message: &str) {
        self(level, message);
    }
}

/// A logger that several may hold.
#[derive(Clone)]
pub(crate) struct SharedLogger(pub(crate) Arc<dyn MessageLogger>);

impl fmt::Debug for SharedLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedLogger")
    }
}

/// The target of messages in the `log` crate.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) const MESSAGES: &str = "dd_traced";

/// Hands messages to the logger of the `log` crate, under the target `dd_traced`.
#[cfg(feature = "log")]
#[derive(Debug)]
pub(crate) struct LogBridge;

#[cfg(feature = "log")]
impl MessageLogger for LogBridge {
    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Error => log::Level::Error,
            Level::Warn => log::Level::Warn,
            Level::Info => log::Level::Info,
            Level::Debug => log::Level::Debug,
        };
        let metadata = log::Metadata::builder().level(level).target(MESSAGES).build();
        let logger = log::logger();
        if level <= log::max_level() && logger.enabled(&metadata) {
            let message = format_args!("{message}");
            logger.log(&log::Record::builder().metadata(metadata).args(message).build());
        }
    }
}
