//! What the sources say about one setting, by rank.

use super::otel::{Mapped, Otel};
use super::report::Origin;
use super::row::Row;
use super::secret::Mask;
use super::source::{Overrides, Source, Values};
use crate::diagnostics::Escaped;

/// What one source says about a setting.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) origin: Origin,
    pub(super) variable: &'static str,
    /// As it was given, trimmed.
    given: String,
    /// In the words of the `DD_*` variable, and so of its mask; none where there are no such words.
    pub(super) text: Option<String>,
    pub(super) remark: Option<String>,
    /// Whether an OpenTelemetry variable says it.
    pub(super) is_otel: bool,
}

impl Said {
    /// What of it may be shown: as it was given, if that is no secret.
    pub(super) fn shown(&self, mask: Mask) -> String {
        match (mask, &self.text) {
            (Mask::Plain, _) => mask.apply(&self.given).into_owned(),
            (_, Some(text)) => mask.apply(text).into_owned(),
            // A mask does not know the grammar of what could not be mapped.
            (_, None) => Mask::Secret.apply(&self.given).into_owned(),
        }
    }
}

/// What all sources say, the highest rank first.
pub(super) fn sources(row: &Row, source: &Source, code: &Overrides) -> Vec<Said> {
    let ranked = [
        (Origin::Remote, &source.remote),
        (Origin::Code, &code.values),
        (Origin::FleetFile, &source.fleet.values),
        (Origin::Environment, &source.environment),
        (Origin::LocalFile, &source.local.values),
    ];
    let mut all: Vec<Said> =
        ranked.into_iter().flat_map(|(origin, values)| said(row, origin, values)).collect();
    let otel = row.otel.and_then(|otel| Some((otel, said_by_otel(row, otel, &source.environment)?)));
    if let Some((otel, said)) = otel {
        let is_below = |other: &Said| other.origin == Origin::LocalFile && !otel.is_lowest;
        all.insert(all.iter().position(is_below).unwrap_or(all.len()), said);
    }
    all
}

/// What one source says under all names of the setting, the main one first.
fn said<'a>(row: &'a Row, origin: Origin, values: &'a Values) -> impl Iterator<Item = Said> + 'a {
    std::iter::once(&row.name).chain(row.aliases).filter_map(move |variable| {
        let text = values.get(*variable)?.trim();
        let (given, text) = (text.to_owned(), Some(text.to_owned()));
        let is_said = row.keeps_empty || !given.is_empty();
        is_said.then_some(Said { origin, variable, given, text, remark: None, is_otel: false })
    })
}

fn said_by_otel(row: &Row, otel: Otel, environment: &Values) -> Option<Said> {
    let lookup = |name: &str| environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let given = lookup(otel.variable)?;
    let (text, remark) = match (otel.map)(given, &lookup) {
        Mapped::Nothing => return None,
        Mapped::To(text) => (Some(text), None),
        Mapped::Nearly(text, remark) => (Some(text), Some(remark)),
        Mapped::Unsupported if row.mask == Mask::Plain => {
            (None, Some(format!("\"{}\" is not supported; it is ignored", Escaped::new(given, 100))))
        }
        Mapped::Unsupported => (None, Some("the value is not supported; it is ignored".to_owned())),
    };
    let (origin, variable) = (Origin::Environment, otel.variable);
    Some(Said { origin, variable, given: given.to_owned(), text, remark, is_otel: true })
}
