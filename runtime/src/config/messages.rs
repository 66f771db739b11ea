//! Which of its own messages the library shows, where, and in which form.

use std::path::{Path, PathBuf};

use super::otel;
use super::reader::{Reader, row};
use crate::diagnostics::settings::{FilePlace, FileSettings, LogSettings};
use crate::diagnostics::{Level, is_hostile};

/// What a level may be called.
const EXPECTED_LEVEL: &str = "a level: error, warn, info, debug";
const DEFAULT_BYTES: usize = 15 << 20;
const DEFAULT_DAYS: usize = 32;

/// Whether everything is shown, and what becomes of messages.
pub(super) fn resolve(read: &mut Reader<'_>) -> (bool, LogSettings) {
    let is_debug = read.flag(row("DD_TRACE_DEBUG").otel(otel::DEBUG), false);
    let level = read.parsed(
        row("DD_TRACE_LOG_LEVEL").aliases(&["DD_LOG_LEVEL"]).otel(otel::LOG_LEVEL).default("warn"),
        EXPECTED_LEVEL,
        parse_level,
    );
    let level = if is_debug { Level::Debug } else { level.unwrap_or(Level::Warn) };
    let (file, has_console) = file(read);
    let stream = read.flag("DD_TRACE_LOG_STREAM_HANDLER", false);
    let is_json = read.flag("DD_LOG_FORMAT_JSON", false);
    let is_on_stderr = file.is_none() || stream || has_console;
    (is_debug, LogSettings { level, file, is_on_stderr, is_json })
}

/// The file, and whether the list of sinks asks for stderr beside it.
fn file(read: &mut Reader<'_>) -> (Option<FileSettings>, bool) {
    let path = read.parsed("DD_TRACE_LOG_FILE", EXPECTED_PATH, parse_path);
    let directory = read.parsed("DD_TRACE_LOG_DIRECTORY", EXPECTED_PATH, parse_path);
    let size = row("DD_TRACE_LOG_FILE_SIZE_BYTES").aliases(&["DD_MAX_LOGFILE_SIZE"]);
    let max_bytes = read.integer(size, 1..=i64::MAX as usize, DEFAULT_BYTES) as u64;
    let level = read.parsed(row("DD_TRACE_LOG_FILE_LEVEL").default("debug"), EXPECTED_LEVEL, parse_level);
    let retention_days =
        read.integer("DD_TRACE_LOGFILE_RETENTION_DAYS", 0..=i64::MAX as usize, DEFAULT_DAYS) as u64;
    let sinks = row("DD_TRACE_LOG_SINKS").default("file");
    let sinks = read
        .parsed(sinks, "a list of file, console", parse_sinks)
        .unwrap_or(Sinks { file: true, console: false });
    let program = program(read.source().executable.as_deref());
    let place = match (path, directory) {
        (Some(path), _) => Some(FilePlace::Path(path)),
        (None, Some(directory)) => Some(FilePlace::In { directory, program, retention_days }),
        (None, None) => None,
    };
    let level = level.unwrap_or(Level::Debug);
    let file = place.filter(|_| sinks.file).map(|place| FileSettings { place, max_bytes, level });
    (file, sinks.console)
}

const EXPECTED_PATH: &str = "a path";

/// A path that can be shown as it is.
fn parse_path(text: &str) -> Option<PathBuf> {
    (!text.contains(is_hostile)).then(|| PathBuf::from(text))
}

struct Sinks {
    file: bool,
    console: bool,
}

/// Names of sinks, parted by commas, in any case.
fn parse_sinks(text: &str) -> Option<Sinks> {
    let mut sinks = Sinks { file: false, console: false };
    for name in text.split(',').map(str::trim) {
        match name.to_ascii_lowercase().as_str() {
            "file" => sinks.file = true,
            "console" => sinks.console = true,
            _ => return None,
        }
    }
    Some(sinks)
}

/// The file name of the program, in characters that a file name may have anywhere.
fn program(executable: Option<&Path>) -> String {
    let name = executable.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let plain = |character: char| if is_plain(character) { character } else { '_' };
    let name: String = name.chars().take(100).map(plain).collect();
    if name.is_empty() { "program".to_owned() } else { name }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-".contains(character)
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

    fn settings(variables: &[(&str, &str)]) -> (bool, LogSettings, Vec<String>) {
        let (source, code) = (environment(variables), Overrides::default());
        let mut read = Reader::new(&source, &code);
        let (is_debug, settings) = resolve(&mut read);
        (is_debug, settings, notices_of(read.finish().1))
    }

    fn resolved(variables: &[(&str, &str)]) -> ((bool, Level), Vec<String>) {
        let (is_debug, settings, notices) = settings(variables);
        ((is_debug, settings.level), notices)
    }

    #[test]
    fn messages_go_to_stderr_unless_there_is_a_file() {
        let places = |variables: &[(&str, &str)]| {
            let (_, settings, notices) = settings(variables);
            assert!(notices.is_empty(), "{notices:?}");
            (settings.file.map(|file| file.place), settings.is_on_stderr)
        };
        let path = || Some(FilePlace::Path("logs/shop".into()));
        let file = ("DD_TRACE_LOG_FILE", "logs/shop");
        assert_eq!(places(&[]), (None, true));
        assert_eq!(places(&[("DD_TRACE_LOG_STREAM_HANDLER", "false")]), (None, true));
        assert_eq!(places(&[file]), (path(), false));
        assert_eq!(places(&[file, ("DD_TRACE_LOG_STREAM_HANDLER", "true")]), (path(), true));
        assert_eq!(places(&[file, ("DD_TRACE_LOG_SINKS", "File, console")]), (path(), true));
        assert_eq!(places(&[file, ("DD_TRACE_LOG_SINKS", "console")]), (None, true));
        assert_eq!(places(&[file, ("DD_TRACE_LOG_DIRECTORY", "/var/log")]), (path(), false));
        let directory = [("DD_TRACE_LOG_DIRECTORY", "/var/log"), ("DD_TRACE_LOGFILE_RETENTION_DAYS", "0")];
        let expected =
            FilePlace::In { directory: "/var/log".into(), program: "program".into(), retention_days: 0 };
        assert_eq!(places(&directory), (Some(expected), false));
    }

    #[test]
    fn file_has_a_size_and_a_level() {
        let file = |variables: &[(&str, &str)]| {
            let variables = [&[("DD_TRACE_LOG_FILE", "log")], variables].concat();
            let file = settings(&variables).1.file.unwrap();
            (file.max_bytes, file.level)
        };
        assert_eq!(file(&[]), (15_728_640, Level::Debug));
        assert_eq!(
            file(&[("DD_MAX_LOGFILE_SIZE", "7"), ("DD_TRACE_LOG_FILE_LEVEL", "error")]),
            (7, Level::Error)
        );
        assert_eq!(file(&[("DD_TRACE_LOG_FILE_SIZE_BYTES", "0")]), (15_728_640, Level::Debug));
    }

    #[test]
    fn name_of_the_program_is_a_file_name() {
        assert_eq!(program(Some(Path::new("/usr/bin/my shop\n"))), "my_shop_");
        assert_eq!(program(None), "program");
    }

    #[test]
    fn debug_wins_over_a_level() {
        assert_eq!(resolved(&[]), ((false, Level::Warn), vec![]));
        assert_eq!(resolved(&[("DD_LOG_LEVEL", "Warning")]), ((false, Level::Warn), vec![]));
        let both = [("DD_TRACE_LOG_LEVEL", "error"), ("DD_TRACE_DEBUG", "true")];
        assert_eq!(resolved(&both), ((true, Level::Debug), vec![]));
        let (found, notices) = resolved(&[("DD_TRACE_LOG_LEVEL", "loud")]);
        assert_eq!((found, notices.len()), ((false, Level::Warn), 1));
    }

    #[test]
    fn opentelemetry_level_is_a_level_and_only_its_debug_is_debug() {
        let otel = |text| resolved(&[("OTEL_LOG_LEVEL", text)]);
        assert_eq!(otel("debug"), ((true, Level::Debug), vec![]));
        assert_eq!(otel("info"), ((false, Level::Info), vec![]));
        assert_eq!(otel("error"), ((false, Level::Error), vec![]));
        let (found, notices) = otel("loud");
        assert_eq!((found, notices.len()), ((false, Level::Warn), 1));
        let beaten = resolved(&[("OTEL_LOG_LEVEL", "debug"), ("DD_TRACE_DEBUG", "0")]);
        assert_eq!(beaten.0, (false, Level::Warn));
        assert_eq!(beaten.1, ["OTEL_LOG_LEVEL is ignored because DD_TRACE_DEBUG is set"]);
    }
}
