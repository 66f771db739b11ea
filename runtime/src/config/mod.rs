//! All settings, resolved once into a value that does not change.
//!
//! What was said in code wins over the environment, which wins over defaults; each setting by itself. A value that can not
//! be used gives a [`Notice`] and counts as unset: no text in any variable keeps a program from starting. Each room
//! declares the settings it needs; this one composes them, and is the one reader of the environment.

mod agent;
mod identity;
mod propagation;
mod source;
mod tags;

pub(crate) use identity::Identity;
pub(crate) use source::{Notice, Source};

use crate::export::settings::{AgentSettings, AgentUrlError};
use crate::propagation::PropagationSettings;
use crate::worker::settings::{LocalView, WriterSettings};
use source::{Reader, parse_flag};

/// What code says; `None` leaves it to the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    pub(crate) service: Option<String>,
    pub(crate) env: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) agent_url: Option<String>,
    /// Added to those of the environment; a later value of a key wins.
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) is_enabled: Option<bool>,
    pub(crate) is_debug: Option<bool>,
    pub(crate) local_view: Option<LocalView>,
}

/// The settings of one tracer, for as long as it lives.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named by its variable")]
pub(crate) struct Settings {
    pub(crate) identity: Identity,
    pub(crate) agent: AgentSettings,
    pub(crate) writer: WriterSettings,
    pub(crate) propagation: PropagationSettings,
    /// `DD_TRACE_ENABLED`; defaults to true. Without it no span is recorded and no header read or written.
    pub(crate) is_enabled: bool,
    /// `DD_TRACE_DEBUG`; defaults to false.
    pub(crate) is_debug: bool,
    /// `DD_TRACE_STARTUP_LOGS`; defaults to true.
    pub(crate) has_startup_line: bool,
    /// `DD_TRACE_PARTIAL_FLUSH_ENABLED` and `DD_TRACE_PARTIAL_FLUSH_MIN_SPANS`.
    pub(crate) partial_flush: PartialFlush,
    /// `DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED`; defaults to true. Of new traces only.
    pub(crate) generates_128_bit_ids: bool,
    /// `DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED`; defaults to true.
    pub(crate) logs_128_bit_ids: bool,
    /// `DD_LOGS_INJECTION`; defaults to true.
    pub(crate) correlates_logs: bool,
}

/// When finished spans of an unfinished trace are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartialFlush {
    /// Not before the trace is finished.
    Off,
    /// From this number of finished spans; the default is 300.
    At(usize),
}

impl Settings {
    /// The settings of this process, and what the user is to be told about them.
    ///
    /// # Errors
    ///
    /// For an agent address in code that can not be used; nothing else fails.
    pub(crate) fn of_process(overrides: &Overrides) -> Result<(Self, Vec<Notice>), AgentUrlError> {
        Self::resolve(overrides, &Source::process())
    }

    /// Like [`Settings::of_process`], from any source.
    pub(crate) fn resolve(
        overrides: &Overrides,
        source: &Source<'_>,
    ) -> Result<(Self, Vec<Notice>), AgentUrlError> {
        let mut reader = Reader::new(source);
        let settings = Self {
            identity: Identity::resolve(overrides, &mut reader),
            agent: agent::resolve(overrides, &mut reader)?,
            writer: writer(overrides, &mut reader),
            propagation: propagation::resolve(&mut reader),
            is_enabled: switch(overrides.is_enabled, &mut reader, "DD_TRACE_ENABLED", true),
            is_debug: switch(overrides.is_debug, &mut reader, "DD_TRACE_DEBUG", false),
            has_startup_line: reader.flag("DD_TRACE_STARTUP_LOGS", true),
            partial_flush: partial_flush(&mut reader),
            generates_128_bit_ids: reader.flag("DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED", true),
            logs_128_bit_ids: reader.flag("DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED", true),
            correlates_logs: correlates_logs(&mut reader),
        };
        for name in NOT_YET {
            if reader.text(name).is_some() {
                reader.warn(format!("{name} is not supported yet: traces are kept by the agent's rates"));
            }
        }
        Ok((settings, reader.into_notices()))
    }
}

/// Settings that would change who keeps a trace, and do not here.
const NOT_YET: [&str; 4] =
    ["DD_TRACE_SAMPLE_RATE", "DD_TRACE_SAMPLING_RULES", "DD_TRACE_RATE_LIMIT", "DD_SPAN_SAMPLING_RULES"];

/// The environment is read even where code decides, so that a bad value in it is reported.
fn switch(code: Option<bool>, reader: &mut Reader<'_>, name: &'static str, default: bool) -> bool {
    let environment = reader.flag(name, default);
    code.unwrap_or(environment)
}

fn writer(overrides: &Overrides, reader: &mut Reader<'_>) -> WriterSettings {
    let default = WriterSettings::default();
    let interval = reader.parsed(
        "DD_TRACE_WRITER_INTERVAL_SECONDS",
        "a number of seconds above 0, at most 3600",
        |text| agent::seconds(text, 3600.0),
    );
    let buffer_bytes = reader.integer("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", 1..=1 << 30, default.buffer_bytes);
    // The agent takes no request above 25 MiB.
    let max_payload_bytes =
        reader.integer("DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES", 1..=25 << 20, default.max_payload_bytes);
    let local_view = reader.parsed("DD_TRACE_LOCAL_VIEW", "a local view: waterfall or off", parse_local_view);
    WriterSettings {
        interval: interval.unwrap_or(default.interval),
        buffer_bytes,
        max_payload_bytes,
        flush_from_bytes: default.flush_from_bytes.min(max_payload_bytes).min(buffer_bytes),
        local_view: overrides.local_view.or(local_view).unwrap_or_default(),
        has_colours: has_colours(reader),
    }
}

/// Source for `NO_COLOR`: <https://no-color.org>, by which a blank is a value too.
fn has_colours(reader: &Reader<'_>) -> bool {
    let no_color = (reader.source().variable)("NO_COLOR");
    no_color.is_none_or(|value| value.is_empty()) && reader.text("TERM").as_deref() != Some("dumb")
}

fn parse_local_view(text: &str) -> Option<LocalView> {
    match () {
        () if text.eq_ignore_ascii_case("waterfall") => Some(LocalView::Waterfall),
        () if text.eq_ignore_ascii_case("off") || parse_flag(text) == Some(false) => Some(LocalView::Off),
        () => None,
    }
}

fn partial_flush(reader: &mut Reader<'_>) -> PartialFlush {
    let is_enabled = reader.flag("DD_TRACE_PARTIAL_FLUSH_ENABLED", true);
    let min_spans = reader.integer("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", 1..=99_999, 300);
    if is_enabled { PartialFlush::At(min_spans) } else { PartialFlush::Off }
}

/// `structured` is what another library calls true.
fn correlates_logs(reader: &mut Reader<'_>) -> bool {
    let parse =
        |text: &str| if text.eq_ignore_ascii_case("structured") { Some(true) } else { parse_flag(text) };
    reader.parsed("DD_LOGS_INJECTION", "a boolean", parse).unwrap_or(true)
}

#[cfg(test)]
mod testing {
    //! Settings from a table instead of the environment.

    use super::{Notice, Source};
    use std::path::Path;

    /// Calls `f` with a source that knows these variables, no socket, and the program `/usr/bin/program`.
    pub(super) fn with_source<R>(variables: &[(&str, &str)], f: impl FnOnce(&Source<'_>) -> R) -> R {
        with_source_and_socket(variables, "", f)
    }

    /// Like [`with_source`], with one file that exists.
    pub(super) fn with_source_and_socket<R>(
        variables: &[(&str, &str)],
        socket: &str,
        f: impl FnOnce(&Source<'_>) -> R,
    ) -> R {
        let variable = |name: &str| {
            variables.iter().find_map(|(found, value)| (*found == name).then(|| (*value).to_owned()))
        };
        let exists = |path: &Path| path == Path::new(socket);
        f(&Source { variable: &variable, exists: &exists, executable: Some("/usr/bin/program".into()) })
    }

    pub(super) fn notices_of(notices: Vec<Notice>) -> Vec<String> {
        notices.into_iter().map(|notice| notice.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{notices_of, with_source};
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn resolved(variables: &[(&str, &str)], overrides: &Overrides) -> (Settings, Vec<String>) {
        let (settings, notices) =
            with_source(variables, |source| Settings::resolve(overrides, source)).unwrap();
        (settings, notices_of(notices))
    }

    #[test]
    fn nothing_said_gives_the_defaults_without_notices() {
        let (settings, notices) = resolved(&[], &Overrides::default());
        assert!(notices.is_empty());
        assert_eq!(settings.agent, AgentSettings::default());
        assert_eq!(settings.writer, WriterSettings::default());
        assert_eq!(settings.partial_flush, PartialFlush::At(300));
        assert!(
            settings.is_enabled
                && settings.has_startup_line
                && settings.correlates_logs
                && !settings.is_debug
        );
        assert!(settings.generates_128_bit_ids && settings.logs_128_bit_ids);
    }

    #[test]
    fn environment_sets_the_writer() {
        let variables = [
            ("DD_TRACE_WRITER_INTERVAL_SECONDS", "0.25"),
            ("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "4096"),
            ("DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES", "1024"),
            ("DD_TRACE_LOCAL_VIEW", "Waterfall"),
        ];
        let (settings, notices) = resolved(&variables, &Overrides::default());
        let expected = WriterSettings {
            interval: Duration::from_millis(250),
            buffer_bytes: 4096,
            max_payload_bytes: 1024,
            flush_from_bytes: 1024,
            local_view: LocalView::Waterfall,
            has_colours: true,
        };
        assert_eq!((settings.writer, notices), (expected, vec![]));
    }

    #[test]
    fn colours_can_be_refused() {
        for (variables, expected) in [
            (&[("NO_COLOR", ""), ("TERM", "xterm-256color")][..], true),
            (&[("NO_COLOR", "1")], false),
            (&[("NO_COLOR", "0")], false),
            (&[("NO_COLOR", " ")], false),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "")], true),
        ] {
            let (settings, notices) = resolved(variables, &Overrides::default());
            assert_eq!((settings.writer.has_colours, notices), (expected, vec![]), "{variables:?}");
        }
    }

    #[test]
    fn code_wins_over_the_environment() {
        let variables =
            [("DD_TRACE_ENABLED", "false"), ("DD_TRACE_DEBUG", "1"), ("DD_TRACE_LOCAL_VIEW", "waterfall")];
        let overrides = Overrides {
            is_enabled: Some(true),
            is_debug: Some(false),
            local_view: Some(LocalView::Off),
            ..Overrides::default()
        };
        let (settings, _) = resolved(&variables, &overrides);
        assert!(settings.is_enabled && !settings.is_debug);
        assert_eq!(settings.writer.local_view, LocalView::Off);
    }

    #[test]
    fn unusable_value_keeps_the_default_with_one_notice() {
        let names = [
            "DD_TRACE_ENABLED",
            "DD_TRACE_DEBUG",
            "DD_TRACE_STARTUP_LOGS",
            "DD_TRACE_PARTIAL_FLUSH_ENABLED",
            "DD_TRACE_PARTIAL_FLUSH_MIN_SPANS",
            "DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED",
            "DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED",
            "DD_LOGS_INJECTION",
            "DD_TRACE_LOCAL_VIEW",
            "DD_TRACE_WRITER_INTERVAL_SECONDS",
            "DD_TRACE_WRITER_BUFFER_SIZE_BYTES",
            "DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES",
            "DD_TRACE_AGENT_TIMEOUT",
            "DD_TRACE_AGENT_PORT",
            "DD_TRACE_SAMPLE_RATE",
            "DD_TRACE_PROPAGATION_STYLE",
        ];
        let (default, _) = resolved(&[], &Overrides::default());
        for name in names {
            let (settings, notices) = resolved(&[(name, "yes")], &Overrides::default());
            assert_eq!((&settings, notices.len()), (&default, 1), "{name}: {notices:?}");
            assert!(notices[0].starts_with(name));
        }
    }

    #[test]
    fn partial_flush_can_be_turned_off_and_moved() {
        let flush = |variables: &[(&str, &str)]| resolved(variables, &Overrides::default()).0.partial_flush;
        assert_eq!(flush(&[("DD_TRACE_PARTIAL_FLUSH_ENABLED", "false")]), PartialFlush::Off);
        for (text, expected) in
            [("1", 1), ("20", 20), ("99999", 99_999), ("0", 300), ("-5", 300), ("100000", 300)]
        {
            assert_eq!(
                flush(&[("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", text)]),
                PartialFlush::At(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn settings_of_this_process_can_be_read() {
        let (settings, _) = Settings::of_process(&Overrides::default()).unwrap();
        assert!(!settings.identity.service.is_empty());
    }

    proptest! {
        #[test]
        fn any_value_of_any_variable_starts_the_program(value: String) {
            let variable = |_: &str| Some(value.clone());
            let source = Source { variable: &variable, exists: &|_| false, executable: None };
            let (settings, notices) = Settings::resolve(&Overrides::default(), &source).unwrap();
            prop_assert!(!settings.identity.service.is_empty());
            prop_assert!(notices.iter().all(|notice| notice.text.len() < 1000));
        }
    }
}
