//! What is known before anybody is asked: the settings of this process, and what is wrong with them.

use super::finding::{Finding, Problem, Verdict};
use super::nearest::nearest;
use crate::config::{Notice, Overrides, Setting, Settings, SettingsTable, Source};
use crate::worker::settings::LocalView;

/// The settings, as a program in this environment would have them.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) settings: Settings,
    /// What a program would be told at its start.
    pub(super) notices: Vec<Notice>,
    pub(super) has_faulty_file: bool,
    /// Variables that are no settings, and the setting that each is nearly called.
    pub(super) misspelt: Vec<(String, &'static str)>,
}

/// Changes that make a variable another name, and not a misspelt one.
const TOO_MANY_CHANGES: usize = 3;

impl Surroundings {
    /// Reads environment and files.
    ///
    /// # Errors
    ///
    /// Where the settings cannot be resolved.
    pub(super) fn of_process() -> Result<Self, Box<Finding>> {
        let source = Source::process();
        let (settings, notices) = Settings::resolve(&Overrides::default(), &source).map_err(|error| {
            Finding::new("settings", Verdict::Problem(Problem::Settings), error.to_string())
        })?;
        let misspelt = misspelt(source.environment.keys().map(String::as_str), &settings.table);
        Ok(Self { settings, notices, has_faulty_file: source.has_faulty_file(), misspelt })
    }

    /// Whether a program would send its spans to the agent.
    pub(super) fn are_sending(&self) -> bool {
        let Settings { agent, writer, is_enabled, .. } = &self.settings;
        *is_enabled && (agent.is_explicit || writer.local_view == LocalView::Off)
    }

    /// A setting and who said so, such as `DD_TRACE_ENABLED=false (env_var)`.
    pub(super) fn said(&self, name: &str) -> String {
        let said =
            |setting: &Setting| format!("{}={} ({})", setting.variable(), setting.value(), setting.origin());
        self.settings.table.get(name).map(said).unwrap_or_default()
    }
}

fn misspelt<'a>(
    variables: impl Iterator<Item = &'a str>,
    table: &SettingsTable,
) -> Vec<(String, &'static str)> {
    let names = |setting: &Setting| {
        let others = setting.aliases().iter().copied().chain(setting.otel_variable());
        std::iter::once(setting.name()).chain(others).collect::<Vec<_>>()
    };
    let known: Vec<&'static str> = table.iter().flat_map(names).collect();
    let unknown = variables.filter(|name| name.starts_with("DD_") && !known.contains(name));
    unknown.filter_map(|name| Some((name.to_owned(), meant(name, &known)?))).collect()
}

/// The setting with the same words but for `TRACE`, which some have and others not; else the one that is nearly spelt so.
fn meant(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let without_trace = |name: &str| -> Vec<String> {
        name.split('_').filter(|word| *word != "TRACE").map(str::to_owned).collect()
    };
    let words = without_trace(name);
    let same = known.iter().copied().find(|known| without_trace(known) == words);
    same.or_else(|| {
        let (meant, changes) =
            nearest(name, known.iter().copied().filter(|known| is_spelt_like(name, known)))?;
        (changes < TOO_MANY_CHANGES).then_some(meant)
    })
}

/// Whether no word of the one is quite another in the other: `PORT` is not `HOST`.
fn is_spelt_like(name: &str, known: &str) -> bool {
    let is_like = |(one, other): (&str, &str)| {
        nearest(one, std::iter::once(other)).is_some_and(|(_, changes)| 2 * changes < one.len().max(2))
    };
    name.split('_').count() != known.split('_').count() || name.split('_').zip(known.split('_')).all(is_like)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nearly_a_setting_is_misspelt() {
        let (settings, _) = Settings::resolve(&Overrides::default(), &Source::default()).unwrap();
        let variables = [
            "DD_SERVICE",
            "DD_SERVCE",
            "DD_TRACE_AGENT_URLS",
            "DD_PROFILING_ENABLED",
            "DD_TRACE_API_VERSION",
            "SERVICE",
            "DD_AGENT_PORT",
            "DD_TRACE_AGENT_HOST",
            "DD_AGENT_URL",
            "DD_TRACE_SERVICE",
            "DD_TRACE_AGENT_POST",
            "DD_TRACE_AGENT_SORT",
            "DD_TRACESAMPLE_RATE",
        ];
        let found = misspelt(variables.into_iter(), &settings.table);
        let expected = [
            ("DD_SERVCE", "DD_SERVICE"),
            ("DD_TRACE_AGENT_URLS", "DD_TRACE_AGENT_URL"),
            ("DD_AGENT_PORT", "DD_TRACE_AGENT_PORT"),
            ("DD_TRACE_AGENT_HOST", "DD_AGENT_HOST"),
            ("DD_AGENT_URL", "DD_TRACE_AGENT_URL"),
            ("DD_TRACE_SERVICE", "DD_SERVICE"),
            ("DD_TRACE_AGENT_POST", "DD_TRACE_AGENT_PORT"),
            ("DD_TRACE_AGENT_SORT", "DD_TRACE_AGENT_PORT"),
            ("DD_TRACESAMPLE_RATE", "DD_TRACE_SAMPLE_RATE"),
        ];
        assert_eq!(found, expected.map(|(found, meant)| (found.to_owned(), meant)));
    }
}
