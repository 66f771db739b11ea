//! All settings, resolved once into a value that does not change.
//!
//! Each setting is a row: `read.flag("DD_TRACE_DEBUG", false)`, with its aliases, its OpenTelemetry counterpart and what of it may be shown where it
//! has such; the rows of a room's settings stand together in one file. What the sources hold is asked by rank: remote configuration, code, the
//! fleet's file, the environment (`DD_*`, then `OTEL_*`), the local file, the default; each setting by itself. A value that can not be used
//! gives a [`Notice`] and the next source is asked: no text in any variable keeps a program from starting. Every value that was found is in the
//! [`SettingsTable`].
//!
//! Each room declares the settings it needs; this one composes them, and is the one reader of the environment.

mod agent;
#[cfg(all(feature = "enable", any(fuzzing, test)))]
pub(crate) mod foreign;
mod identity;
mod kinds;
mod messages;
mod metrics;
mod misspelt;
mod nearest;
mod otel;
mod process;
mod propagation;
mod reader;
mod report;
mod row;
mod said;
#[cfg(feature = "enable")]
mod sampling;
mod secret;
mod source;
mod spans;
mod stable;
mod statistics;
mod tags;
mod unbuilt;
mod writer;
mod yaml;

pub(crate) use identity::Identity;
#[cfg(feature = "doctor")]
pub(crate) use misspelt::misspelt;
pub(crate) use misspelt::remarks;
#[cfg(feature = "doctor")]
pub(crate) use nearest::nearest;
pub use report::{Origin, Setting, SettingValue, SettingsTable};
pub(crate) use secret::shown_tag;
#[cfg(feature = "doctor")]
pub(crate) use source::SOCKET;
pub(crate) use source::{Notice, Overrides, Source};

use crate::diagnostics::settings::LogSettings;
use crate::export::settings::{AgentSettings, AgentUrlError};
use crate::export::statsd::settings::StatsdSettings;
use crate::propagation::PropagationSettings;
use crate::sampling::SamplingSettings;
use crate::stats::settings::StatsSettings;
use crate::worker::rules::SpanRules;
use crate::worker::settings::WriterSettings;
use reader::{Reader, parse_flag, row};

/// The settings of one tracer, for as long as it lives.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named by its variable")]
pub(crate) struct Settings {
    pub(crate) identity: Identity,
    pub(crate) agent: AgentSettings,
    pub(crate) spans: SpanRules,
    pub(crate) writer: WriterSettings,
    pub(crate) propagation: PropagationSettings,
    pub(crate) sampling: SamplingSettings,
    /// What is wrong with rules, in words; empty where nothing is.
    pub(crate) sampling_rules_error: String,
    pub(crate) statistics: StatsSettings,
    pub(crate) metrics: StatsdSettings,
    /// `DD_TRACE_ENABLED`; defaults to true. Without it no span is recorded and no header read or written.
    pub(crate) is_enabled: bool,
    /// `DD_TRACE_DEBUG`; defaults to false.
    pub(crate) is_debug: bool,
    /// What becomes of the library's own messages; with `DD_TRACE_DEBUG` everything is shown.
    pub(crate) messages: LogSettings,
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
        read.tell(source.fleet.notices.iter().chain(&source.local.notices));
        let (is_debug, messages) = messages::resolve(&mut read);
        let agent = agent::resolve(&mut read)?;
        let mut settings = Self {
            identity: Identity::resolve(&mut read),
            metrics: metrics::resolve(&mut read, &agent.address),
            agent,
            spans: spans::resolve(&mut read),
            writer: writer::resolve(&mut read),
            propagation: propagation::resolve(&mut read),
            sampling: sampling::resolve(&mut read),
            sampling_rules_error: String::new(),
            statistics: statistics::resolve(&mut read),
            is_enabled: read.flag(row("DD_TRACE_ENABLED").otel(otel::TRACES_EXPORTER), true),
            is_debug,
            messages,
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
        settings.sampling_rules_error = sampling_rules_error(&notices);
        Ok((settings, notices))
    }
}

/// The notices about rules.
fn sampling_rules_error(notices: &[Notice]) -> String {
    let is_of_rules = |text: &str| {
        let name = text.split_once(": ").map_or("", |(name, _)| name);
        name.contains("_SAMPLING_RULES")
    };
    let texts: Vec<&str> =
        notices.iter().map(|notice| &*notice.text).filter(|text| is_of_rules(text)).collect();
    texts.join("; ")
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

    use super::source::Values;
    use super::stable::{Facts, StableFile};
    use super::{Notice, Overrides, Source};

    /// A machine with these variables, no socket, no files, and the program `/usr/bin/program`.
    pub(super) fn environment(variables: &[(&str, &str)]) -> Source {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Source { environment, executable: Some("/usr/bin/program".into()), ..Source::default() }
    }

    /// A configuration file of this text, on a machine without variables.
    pub(super) fn file(text: &str) -> StableFile {
        let environment = Values::new();
        StableFile::parse("file", text.as_bytes(), Facts { environment: &environment, arguments: &[] })
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
mod examples;
#[cfg(test)]
#[cfg(feature = "enable")]
mod tests;
