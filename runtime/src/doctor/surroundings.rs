//! What is known before anybody is asked: the settings of this process, and what is wrong with them.

use super::finding::{Finding, Problem, Verdict};
use crate::config::{Identity, Notice, Overrides, Setting, Settings, Source, misspelt};
use crate::diagnostics::without_secrets;
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

impl Surroundings {
    /// Reads environment and files.
    ///
    /// # Errors
    ///
    /// Where the settings cannot be resolved.
    pub(super) fn of_process() -> Result<Self, Box<Finding>> {
        let source = Source::process();
        let (mut settings, notices) = Settings::resolve(&Overrides::default(), &source).map_err(|error| {
            Finding::new("settings", Verdict::Problem(Problem::Settings), error.to_string())
        })?;
        hide_secrets(&mut settings.identity);
        let misspelt = misspelt(&settings.table);
        let misspelt = misspelt.map(|(name, meant)| (name.to_owned(), meant)).collect();
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

/// All that is shown or sent here is named without secrets: log lines and searches write names in other letters, where none is found any more.
fn hide_secrets(identity: &mut Identity) {
    let Identity { service, env, version, .. } = identity;
    for name in [Some(service), env.as_mut(), version.as_mut()].into_iter().flatten() {
        *name = without_secrets(name).into();
    }
}
