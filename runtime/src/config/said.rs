//! What the sources say about one setting, by rank.

use super::otel::{Mapped, Otel};
use super::report::Origin;
use super::row::Row;
use super::source::{Overrides, Source, Values};
use crate::diagnostics::Escaped;

/// What one source says about a setting.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) origin: Origin,
    pub(super) variable: &'static str,
    /// As it was given, trimmed.
    pub(super) given: String,
    /// In the words of the `DD_*` variable; none where there are no such words.
    pub(super) text: Option<String>,
    pub(super) remark: Option<String>,
    /// Whether an OpenTelemetry variable says it.
    pub(super) is_otel: bool,
}

/// What all sources say, the highest rank first.
pub(super) fn sources(row: &Row, source: &Source, code: &Overrides) -> Vec<Said> {
    let mut all = Vec::new();
    let mut look = |origin, values: &Values| {
        for variable in std::iter::once(&row.name).chain(row.aliases) {
            let text = values.get(*variable).map(|text| text.trim());
            if let Some(text) = text.filter(|text| row.keeps_empty || !text.is_empty()) {
                let (given, text) = (text.to_owned(), Some(text.to_owned()));
                all.push(Said { origin, variable, given, text, remark: None, is_otel: false });
            }
        }
    };
    look(Origin::Remote, &source.remote);
    look(Origin::Code, &code.values);
    look(Origin::Environment, &source.environment);
    if let Some(otel) = row.otel {
        all.extend(said_by_otel(otel, &source.environment));
    }
    all
}

fn said_by_otel(otel: Otel, environment: &Values) -> Option<Said> {
    let lookup = |name: &str| environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let given = lookup(otel.variable)?;
    let (text, remark) = match (otel.map)(given, &lookup) {
        Mapped::Nothing => return None,
        Mapped::To(text) => (Some(text), None),
        Mapped::Nearly(text, remark) => (Some(text), Some(remark)),
        Mapped::Unsupported => {
            (None, Some(format!("\"{}\" is not supported; it is ignored", Escaped::new(given, 100))))
        }
    };
    let (origin, variable) = (Origin::Environment, otel.variable);
    Some(Said { origin, variable, given: given.to_owned(), text, remark, is_otel: true })
}
