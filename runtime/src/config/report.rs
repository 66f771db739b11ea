//! What was resolved, as a table for people: each setting with the value in force, who said it, and what it beats.
//!
//! No secret is in it: a value is masked when it is written down.

use crate::diagnostics::Escaped;
use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Every setting of a tracer, with the value in force, where it came from, and the values it beats.
///
/// `Display` gives an aligned table, one setting a line. Secrets and the user info of addresses are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsTable {
    settings: Vec<Setting>,
    config_id: Option<String>,
    /// Names of the environment under `DD_` that are no settings.
    pub(super) unknown: Vec<String>,
}

impl SettingsTable {
    /// The settings, in the order in which they were resolved.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// The setting of a main name, such as `DD_SERVICE`; names in other spellings and aliases find nothing.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The name that the fleet's file gives the state of its configuration, for [`Origin::FleetFile`].
    pub fn fleet_config_id(&self) -> Option<&str> {
        self.config_id.as_deref()
    }

    /// The table of some of the settings.
    #[cfg(feature = "doctor")]
    pub(crate) fn only(&self, is_meant: impl Fn(&Setting) -> bool) -> Self {
        let settings = self.settings.iter().filter(|setting| is_meant(setting)).cloned().collect();
        Self { settings, config_id: self.config_id.clone(), unknown: Vec::new() }
    }

    pub(super) fn of_fleet(config_id: Option<String>) -> Self {
        Self { config_id, ..Self::default() }
    }

    pub(super) fn push(&mut self, setting: Setting) {
        self.settings.push(setting);
    }

    pub(super) fn find_mut(&mut self, name: &str) -> Option<&mut Setting> {
        self.settings.iter_mut().find(|setting| setting.name == name)
    }
}

/// One setting, as it was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) otel_variable: Option<&'static str>,
    pub(super) default: Cow<'static, str>,
    pub(super) in_force: SettingValue,
    pub(super) shadowed: Vec<SettingValue>,
    pub(super) has_effect: bool,
}

impl Setting {
    /// The main name, that of the environment variable.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Other names that are read too; the main name counts more.
    pub fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// The OpenTelemetry variable that is read where no `DD_*` variable says something.
    pub fn otel_variable(&self) -> Option<&'static str> {
        self.otel_variable
    }

    /// The value in force, as it was given, without secrets. Empty where the setting is unset and has no default.
    pub fn value(&self) -> &str {
        self.in_force.value()
    }

    /// Where the value in force came from.
    pub fn origin(&self) -> Origin {
        self.in_force.origin
    }

    /// The name under which the value in force was found: an alias or an OpenTelemetry variable where that was it.
    pub fn variable(&self) -> &'static str {
        self.in_force.variable
    }

    /// The value without anybody saying anything. Empty where there is none.
    pub fn default(&self) -> &str {
        &self.default
    }

    /// The values that are not in force, though some source holds them: those of a lower rank, and those that could not be used. Highest
    /// rank first, without the default.
    pub fn shadowed(&self) -> &[SettingValue] {
        &self.shadowed
    }

    /// Whether its OpenTelemetry variable is set, and a `DD_*` name in the environment or in a file beats it: what Datadog's telemetry counts as
    /// `otel.env.hiding`.
    pub fn hides_otel(&self) -> bool {
        self.beaten_otel().is_some_and(|beaten| match self.origin() {
            Origin::FleetFile | Origin::Environment => true,
            Origin::LocalFile => beaten.is_valid,
            _ => false,
        })
    }

    /// Whether its OpenTelemetry variable would count, but says what the setting does not take: what telemetry counts as `otel.env.invalid`.
    pub fn has_invalid_otel(&self) -> bool {
        let would_count = matches!(self.origin(), Origin::LocalFile | Origin::Default | Origin::Calculated);
        would_count && self.beaten_otel().is_some_and(|beaten| !beaten.is_valid)
    }

    /// All that it is called: its name, its aliases, its OpenTelemetry variable.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let others = self.aliases.iter().copied().chain(self.otel_variable);
        std::iter::once(self.name).chain(others)
    }

    fn beaten_otel(&self) -> Option<&SettingValue> {
        self.shadowed.iter().find(|value| Some(value.variable) == self.otel_variable)
    }

    /// Whether the setting changes anything; false where it is known and read, but what it governs is not built.
    pub fn has_effect(&self) -> bool {
        self.has_effect
    }
}

/// A value of a setting, as one source holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingValue {
    pub(super) value: Cow<'static, str>,
    pub(super) origin: Origin,
    pub(super) variable: &'static str,
    pub(super) is_valid: bool,
}

impl SettingValue {
    /// The value as it was given, without secrets.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The source that holds it.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The name under which it was found.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// Whether the setting takes such a value; one that it does not take is passed over.
    pub fn is_valid(&self) -> bool {
        self.is_valid
    }
}

/// A source of settings. `Display` gives the name that telemetry uses.
///
/// Source: the field `origin` of a configuration entry in Datadog's instrumentation telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Remote configuration: `remote_config`.
    Remote,
    /// The program itself, by the builder of the tracer: `code`.
    Code,
    /// The configuration file that Datadog manages: `fleet_stable_config`.
    FleetFile,
    /// The environment, under a `DD_*` or an `OTEL_*` name: `env_var`.
    Environment,
    /// The configuration file of this machine: `local_stable_config`.
    LocalFile,
    /// Nobody said anything: `default`.
    Default,
    /// It follows from other settings or from what was found on the machine: `calculated`.
    Calculated,
}

impl Origin {
    const fn name(self) -> &'static str {
        match self {
            Self::Remote => "remote_config",
            Self::Code => "code",
            Self::FleetFile => "fleet_stable_config",
            Self::Environment => "env_var",
            Self::LocalFile => "local_stable_config",
            Self::Default => "default",
            Self::Calculated => "calculated",
        }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Bytes of a value shown in the table; the accessors give all of it.
const MAX_SHOWN_BYTES: usize = 200;

impl Display for SettingsTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["name", "value", "origin", "shadowed"].map(str::to_owned);
        let rows: Vec<[String; 4]> = std::iter::once(heading).chain(self.iter().map(cells)).collect();
        let width = |column: usize| {
            let widths = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            widths.max().unwrap_or_default()
        };
        let (names, values, origins) = (width(0), width(1), width(2));
        for [name, value, origin, shadowed] in &rows {
            let line = format!("{name:names$}  {value:values$}  {origin:origins$}  {shadowed}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn cells(setting: &Setting) -> [String; 4] {
    let name = if setting.has_effect { "" } else { " (no effect yet)" };
    let mut shadowed = String::new();
    for value in &setting.shadowed {
        let separator = if shadowed.is_empty() { "" } else { ", " };
        let verdict = if value.is_valid { "" } else { " (not usable)" };
        let shown = Escaped::new(&value.value, MAX_SHOWN_BYTES);
        // Writing to a string does not fail.
        let _ = write!(shadowed, "{separator}{}={shown}{verdict}", place(setting.name, value));
    }
    [
        format!("{}{name}", setting.name),
        Escaped::new(setting.value(), MAX_SHOWN_BYTES).to_string(),
        place(setting.name, &setting.in_force),
        shadowed,
    ]
}

fn place(name: &str, value: &SettingValue) -> String {
    if value.variable == name {
        value.origin.to_string()
    } else {
        format!("{} {}", value.origin, value.variable)
    }
}
