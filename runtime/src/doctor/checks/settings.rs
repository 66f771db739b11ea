//! Whether the settings can be used.

use super::super::finding::{Finding, Problem, Verdict};
use super::super::surroundings::Surroundings;
use crate::config::{Origin, Setting, Settings};

/// The settings with their origins; those alone that somebody said something about, unless all are asked for.
pub(super) fn check(surroundings: &Surroundings, is_all: bool) -> Finding {
    let Surroundings { settings, notices, has_faulty_file, misspelt } = surroundings;
    let Settings { table, identity, .. } = settings;
    // Rules of which one cannot be used are in force without it.
    let has_unusable = table.iter().any(has_unusable) || !settings.sampling_rules_error.is_empty();
    let is_said = |setting: &Setting| setting.origin() != Origin::Default || !setting.shadowed().is_empty();
    let (set, known) = (table.iter().filter(|setting| is_said(setting)).count(), table.iter().count());
    let (verdict, trouble) = match (has_unusable, has_faulty_file) {
        (false, false) if notices.is_empty() && misspelt.is_empty() => (Verdict::Ok, "all of them usable"),
        (false, false) => (Verdict::Warn, "not all as they may be meant"),
        (false, true) => (Verdict::Problem(Problem::Settings), "and a configuration file cannot be used"),
        _ => (Verdict::Problem(Problem::Settings), "some with a value that cannot be used"),
    };
    let misspelt = misspelt.iter().map(|(name, meant)| format!("{name} is no setting; {meant} is"));
    let notices = notices.iter().map(|notice| notice.text.clone());
    let optional = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let finding = Finding::new("settings", verdict, format!("{set} of {known} are set, {trouble}"))
        .detail("service", &*identity.service)
        .detail("env", optional(&identity.env))
        .detail("version", optional(&identity.version))
        .lines("notices", notices.chain(misspelt).collect())
        .settings("settings", if is_all { table.clone() } else { table.only(is_said) });
    match table.get("DD_SERVICE").map(Setting::origin) {
        Some(Origin::Default) => finding.advice(
            "DD_SERVICE is unset: each program has its own name as service, unless its code names another",
        ),
        _ => finding,
    }
}

fn has_unusable(setting: &Setting) -> bool {
    setting.shadowed().iter().any(|value| !value.is_valid())
}
