//! How one setting is resolved: which of the values that sources hold is in force, and what is remembered about the others.

pub(super) use super::kinds::{EXPECTED_DURATION, parse_duration, parse_flag};
use super::report::{Origin, Setting, SettingValue, SettingsTable};
use super::row::Effect;
pub(super) use super::row::{Row, row};
use super::said::{Said, sources};
use super::secret::Mask;
use super::source::{Notice, Overrides, Source};
use crate::diagnostics::{Escaped, Level, without_secrets};
use std::collections::HashSet;

/// Resolves settings one by one, and collects the table of them and what the user is to be told.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    source: &'a Source,
    code: &'a Overrides,
    table: SettingsTable,
    notices: Vec<Notice>,
    without_effect: Vec<&'static str>,
}

/// Bytes of a value shown in a notice.
const MAX_SHOWN_BYTES: usize = 100;
/// Remarks of a parser on one value that are passed on.
const MAX_REMARKS: usize = 8;
/// Bytes of one remark.
const MAX_REMARK_BYTES: usize = 300;

/// What a parser has to say about a value that it takes, or why it does not.
pub(super) type Remarks = Vec<String>;

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source, code: &'a Overrides) -> Self {
        Self {
            source,
            code,
            table: SettingsTable::of_fleet(source.fleet.config_id.clone()),
            notices: Vec::new(),
            without_effect: Vec::new(),
        }
    }

    pub(super) fn source(&self) -> &'a Source {
        self.source
    }

    pub(super) fn code(&self) -> &'a Overrides {
        self.code
    }

    pub(super) fn finish(mut self) -> (SettingsTable, Vec<Notice>) {
        if !self.without_effect.is_empty() {
            let names = self.without_effect.join(", ");
            self.warn(format!("{names}: not supported yet, without effect"));
        }
        let known: HashSet<&str> = self.table.iter().flat_map(Setting::names).collect();
        let names = self.source.environment.keys().filter(|name| name.starts_with("DD_"));
        self.table.unknown = names.filter(|name| !known.contains(name.as_str())).cloned().collect();
        (self.table, self.notices)
    }

    pub(super) fn warn(&mut self, text: String) {
        self.notices.push(Notice { level: Level::Warn, text });
    }

    /// Passes on what others noticed.
    pub(super) fn tell<'n>(&mut self, notices: impl Iterator<Item = &'n Notice>) {
        self.notices.extend(notices.cloned());
    }

    /// The value that `parse` takes from the source of the highest rank. Of any other one that it does not take, a notice says what was
    /// `expected`.
    pub(super) fn parsed<T>(
        &mut self,
        row: impl Into<Row>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let row = row.into();
        let mask = row.mask;
        self.remarked(row, |text, remarks| {
            let value = parse(text);
            if value.is_none() {
                remarks.push(match mask {
                    Mask::Plain => {
                        let shown = mask.apply(text);
                        format!(
                            "\"{}\" is not {expected}; it is ignored",
                            Escaped::new(&shown, MAX_SHOWN_BYTES)
                        )
                    }
                    // Parts of it may be secret, and where they end is not known of what is malformed.
                    _ => format!("the value is not {expected}; it is ignored"),
                });
            }
            value
        })
    }

    /// Like [`Reader::parsed`] for a parser with words of its own. Those about a value that another one beats are not passed on, unless it
    /// is not taken.
    pub(super) fn remarked<T>(
        &mut self,
        row: impl Into<Row>,
        parse: impl Fn(&str, &mut Remarks) -> Option<T>,
    ) -> Option<T> {
        let row = row.into();
        let mut values = Vec::new();
        let mut found = None;
        for said in sources(&row, self.source, self.code) {
            let mut remarks = Remarks::new();
            let value = match said.text {
                Some(ref text) => parse(text, &mut remarks),
                None => None,
            };
            let is_valid = value.is_some();
            // Of an OpenTelemetry variable that is beaten only that is told.
            if found.is_none() || !is_valid && !said.is_otel {
                self.pass_on(&said, remarks);
            }
            values.push(SettingValue {
                value: said.shown(row.mask).into(),
                origin: said.origin,
                variable: said.variable,
                is_valid,
            });
            if let (Some(value), None) = (value, &found) {
                found = Some((values.len() - 1, value));
            }
        }
        let in_force = found.as_ref().map(|(at, _)| values.remove(*at));
        if let (Some((at, _)), Some(in_force)) = (&found, &in_force) {
            self.report_hidden(&row, in_force, values.get(*at..).unwrap_or_default());
        }
        if is_in_vain(row.effect, in_force.as_ref()) {
            self.without_effect.push(row.name);
        }
        self.table.push(Setting {
            name: row.name,
            aliases: row.aliases,
            otel_variable: row.otel.map(|otel| otel.variable),
            in_force: in_force.unwrap_or_else(|| SettingValue {
                value: row.default.clone(),
                origin: Origin::Default,
                variable: row.name,
                is_valid: true,
            }),
            default: row.default,
            shadowed: values,
            has_effect: row.effect == Effect::Full,
        });
        found.map(|(_, value)| value)
    }

    /// Notes what a setting came to that nobody gave a usable value; nothing where somebody did.
    pub(super) fn follows(&mut self, name: &str, value: &str, from: Option<&'static str>) {
        let Some(setting) = self.table.find_mut(name) else { return };
        if setting.in_force.origin != Origin::Default {
            return;
        }
        setting.in_force.value = value.to_owned().into();
        if let Some(from) = from {
            setting.in_force.origin = Origin::Calculated;
            setting.in_force.variable = from;
        } else {
            setting.default = value.to_owned().into();
        }
    }

    /// Notes what a setting came to with what code adds to it; what another source said is listed as shadowed.
    pub(super) fn adds_up(&mut self, name: &str, value: String) {
        let Some(setting) = self.table.find_mut(name) else { return };
        let sum = SettingValue {
            value: value.into(),
            origin: Origin::Code,
            variable: setting.name,
            is_valid: true,
        };
        let before = std::mem::replace(&mut setting.in_force, sum);
        if before.origin == Origin::Remote {
            setting.in_force.origin = Origin::Remote;
        } else if before.origin != Origin::Default {
            setting.shadowed.insert(0, before);
        }
    }

    /// Whether any source has a value of a setting that was read, usable or not.
    pub(super) fn is_said(&self, name: &str) -> bool {
        let setting = self.table.get(name);
        setting.is_some_and(|setting| setting.origin() != Origin::Default || !setting.shadowed().is_empty())
    }

    /// What a setting that was read came to.
    pub(super) fn setting(&self, name: &str) -> Option<&Setting> {
        self.table.get(name)
    }

    /// Where the value in force of a setting came from.
    pub(super) fn origin_of(&self, name: &str) -> Origin {
        self.setting(name).map_or(Origin::Default, Setting::origin)
    }

    fn pass_on(&mut self, said: &Said, remarks: Remarks) {
        let place = match said.origin {
            Origin::Code => " given in code",
            Origin::Remote => " of remote configuration",
            Origin::FleetFile => " of the fleet's file",
            Origin::LocalFile => " of the local file",
            _ => "",
        };
        for remark in said.remark.iter().cloned().chain(remarks).take(MAX_REMARKS) {
            let remark = without_secrets(&remark);
            let shown = Escaped::new(&remark, MAX_REMARK_BYTES);
            self.warn(format!("{}{place}: {shown}", said.variable));
        }
    }

    /// Tells of variables that say the same as the one in force, which beats them, under another name.
    fn report_hidden(&mut self, row: &Row, in_force: &SettingValue, beaten: &[SettingValue]) {
        for other in beaten {
            let is_otel = row.otel.is_some_and(|otel| otel.variable == other.variable);
            let is_alias = !is_otel && other.is_valid && other.origin == in_force.origin;
            let is_said_by_variable = !matches!(in_force.origin, Origin::Code | Origin::Remote);
            if is_alias || is_otel && is_said_by_variable {
                self.warn(format!("{} is ignored because {} is set", other.variable, in_force.variable));
            }
        }
    }
}

/// Whether somebody asks for what is not built.
fn is_in_vain(effect: Effect, in_force: Option<&SettingValue>) -> bool {
    match (effect, in_force) {
        (Effect::Holds(holds), Some(said)) => !holds.split('|').any(|holds| is_same(said.value(), holds)),
        _ => false,
    }
}

/// Whether two texts say the same: as booleans, if both are.
fn is_same(one: &str, other: &str) -> bool {
    match (parse_flag(one), parse_flag(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
