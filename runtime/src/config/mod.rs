//! All settings, resolved once into a value that does not change.
//!
//! Each setting is a row: `read.flag("DD_TRACE_DEBUG", false)`, with its aliases, its OpenTelemetry counterpart and what of it may be shown where it
//! has such; the rows of a room's settings stand together in one file. What the sources hold is asked by rank: remote configuration, code, the
//! environment (`DD_*`, then `OTEL_*`), the default; each setting by itself. A value that can not be used gives a [`Notice`] and the next source is
//! asked: no text in any variable keeps a program from starting. Every value that was found is in the [`SettingsTable`].
//!
//! Each room declares the settings it needs; this one composes them, and is the one reader of the environment.

mod agent;
mod identity;
mod otel;
mod propagation;
mod reader;
mod report;
mod row;
mod said;
#[cfg(feature = "enable")]
mod sampling;
mod secret;
mod source;
mod tags;
mod unbuilt;
mod writer;

pub(crate) use identity::Identity;
pub use report::{Origin, Setting, SettingValue, SettingsTable};
pub(crate) use secret::shown_tag;
pub(crate) use source::{Notice, Overrides, Source};

use crate::export::settings::{AgentSettings, AgentUrlError};
use crate::propagation::PropagationSettings;
use crate::sampling::SamplingSettings;
use crate::worker::settings::WriterSettings;
use reader::{Reader, parse_flag, row};

/// The settings of one tracer, for as long as it lives.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named by its variable")]
pub(crate) struct Settings {
    pub(crate) identity: Identity,
    pub(crate) agent: AgentSettings,
    pub(crate) writer: WriterSettings,
    pub(crate) propagation: PropagationSettings,
    pub(crate) sampling: SamplingSettings,
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
    /// Where each of them came from.
    pub(crate) table: SettingsTable,
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
        source: &Source,
    ) -> Result<(Self, Vec<Notice>), AgentUrlError> {
        let mut read = Reader::new(source, overrides);
        let mut settings = Self {
            identity: Identity::resolve(&mut read),
            agent: agent::resolve(&mut read)?,
            writer: writer::resolve(&mut read),
            propagation: propagation::resolve(&mut read),
            sampling: sampling::resolve(&mut read),
            is_enabled: read.flag(row("DD_TRACE_ENABLED").otel(otel::TRACES_EXPORTER), true),
            is_debug: read.flag(row("DD_TRACE_DEBUG").otel(otel::LOG_LEVEL), false),
            has_startup_line: read.flag("DD_TRACE_STARTUP_LOGS", true),
            partial_flush: partial_flush(&mut read),
            generates_128_bit_ids: read.flag("DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED", true),
            logs_128_bit_ids: read.flag("DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED", true),
            correlates_logs: read.or("DD_LOGS_INJECTION", true, "a boolean", parse_injection),
            table: SettingsTable::default(),
        };
        unbuilt::resolve(&mut read);
        let notices;
        (settings.table, notices) = read.finish();
        Ok((settings, notices))
    }
}

fn partial_flush(read: &mut Reader<'_>) -> PartialFlush {
    let is_enabled = read.flag("DD_TRACE_PARTIAL_FLUSH_ENABLED", true);
    let min_spans = read.integer("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", 1..=99_999, 300);
    if is_enabled { PartialFlush::At(min_spans) } else { PartialFlush::Off }
}

/// `structured` is what another library calls true.
fn parse_injection(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("structured") { Some(true) } else { parse_flag(text) }
}

#[cfg(not(feature = "enable"))]
mod sampling {
    //! Where no span is recorded, none is sampled.

    pub(super) fn resolve(_: &mut super::Reader<'_>) -> super::SamplingSettings {
        super::SamplingSettings::default()
    }
}

#[cfg(test)]
mod testing {
    //! Settings from a table instead of the environment.

    use super::{Notice, Overrides, Source};

    /// A machine with these variables, no socket, no files, and the program `/usr/bin/program`.
    pub(super) fn environment(variables: &[(&str, &str)]) -> Source {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Source { environment, executable: Some("/usr/bin/program".into()), ..Source::default() }
    }

    pub(super) fn overrides(values: &[(&'static str, &str)]) -> Overrides {
        let mut overrides = Overrides::default();
        for (name, value) in values {
            overrides.set(name, value);
        }
        overrides
    }

    pub(super) fn notices_of(notices: Vec<Notice>) -> Vec<String> {
        notices.into_iter().map(|notice| notice.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{environment, notices_of, overrides};
    use super::*;
    use crate::worker::settings::LocalView;
    use proptest::prelude::*;
    use std::time::Duration;

    fn resolved(variables: &[(&str, &str)], overrides: &Overrides) -> (Settings, Vec<String>) {
        let (settings, notices) = Settings::resolve(overrides, &environment(variables)).unwrap();
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
        let overrides = overrides(&[
            ("DD_TRACE_ENABLED", "true"),
            ("DD_TRACE_DEBUG", "false"),
            ("DD_TRACE_LOCAL_VIEW", "off"),
        ]);
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
            "DD_TRACE_PROPAGATION_STYLE",
        ];
        let (default, _) = resolved(&[], &Overrides::default());
        for name in names {
            let (mut settings, notices) = resolved(&[(name, "yes")], &Overrides::default());
            let setting = settings.table.get(name).unwrap();
            assert!(setting.origin() == Origin::Default && !setting.shadowed()[0].is_valid(), "{name}");
            settings.table = default.table.clone();
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
            let (known, _) = resolved(&[], &Overrides::default());
            let names = known.table.iter().flat_map(|setting| {
                [setting.name()].into_iter().chain(setting.aliases().iter().copied()).chain(setting.otel_variable())
            });
            let environment = names.map(|name| (name.to_owned(), value.clone())).collect();
            let source = Source { environment, ..Source::default() };
            let (settings, notices) = Settings::resolve(&Overrides::default(), &source).unwrap();
            prop_assert!(!settings.identity.service.is_empty());
            prop_assert!(notices.iter().all(|notice| notice.text.len() < 1000));
        }
    }
}
