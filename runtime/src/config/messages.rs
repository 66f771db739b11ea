//! Which of its own messages the library shows.

use super::otel;
use super::reader::{Reader, row};
use crate::diagnostics::Level;

/// What a level may be called.
pub(super) const EXPECTED_LEVEL: &str = "a level: error, warn, info, debug";

/// Whether everything is shown, and the level up to which messages are.
pub(super) fn resolve(read: &mut Reader<'_>) -> (bool, Level) {
    let is_debug = read.flag(row("DD_TRACE_DEBUG").otel(otel::DEBUG), false);
    let level = read.parsed(
        row("DD_TRACE_LOG_LEVEL").aliases(&["DD_LOG_LEVEL"]).otel(otel::LOG_LEVEL).default("info"),
        EXPECTED_LEVEL,
        parse_level,
    );
    (is_debug, if is_debug { Level::Debug } else { level.unwrap_or(Level::Info) })
}

/// A level by its names in other libraries, in any case. What cannot be silenced here is an error.
pub(super) fn parse_level(text: &str) -> Option<Level> {
    match text.to_ascii_lowercase().as_str() {
        "off" | "none" | "critical" | "fatal" | "error" => Some(Level::Error),
        "warn" | "warning" => Some(Level::Warn),
        "info" => Some(Level::Info),
        "debug" | "trace" => Some(Level::Debug),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Overrides;
    use super::super::testing::{environment, notices_of};
    use super::*;

    fn resolved(variables: &[(&str, &str)]) -> ((bool, Level), Vec<String>) {
        let (source, code) = (environment(variables), Overrides::default());
        let mut read = Reader::new(&source, &code);
        (resolve(&mut read), notices_of(read.finish().1))
    }

    #[test]
    fn debug_wins_over_a_level() {
        assert_eq!(resolved(&[]), ((false, Level::Info), vec![]));
        assert_eq!(resolved(&[("DD_LOG_LEVEL", "Warning")]), ((false, Level::Warn), vec![]));
        let both = [("DD_TRACE_LOG_LEVEL", "error"), ("DD_TRACE_DEBUG", "true")];
        assert_eq!(resolved(&both), ((true, Level::Debug), vec![]));
        let (found, notices) = resolved(&[("DD_TRACE_LOG_LEVEL", "loud")]);
        assert_eq!((found, notices.len()), ((false, Level::Info), 1));
    }

    #[test]
    fn opentelemetry_level_is_a_level_and_only_its_debug_is_debug() {
        let otel = |text| resolved(&[("OTEL_LOG_LEVEL", text)]);
        assert_eq!(otel("debug"), ((true, Level::Debug), vec![]));
        assert_eq!(otel("info"), ((false, Level::Info), vec![]));
        assert_eq!(otel("error"), ((false, Level::Error), vec![]));
        let (found, notices) = otel("loud");
        assert_eq!((found, notices.len()), ((false, Level::Info), 1));
        let beaten = resolved(&[("OTEL_LOG_LEVEL", "debug"), ("DD_TRACE_DEBUG", "0")]);
        assert_eq!(beaten.0, (false, Level::Info));
        assert_eq!(beaten.1, ["OTEL_LOG_LEVEL is ignored because DD_TRACE_DEBUG is set"]);
    }
}
