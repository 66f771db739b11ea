//! The row of a setting: what it is called, and what of it may be shown.

use super::otel::Otel;
use super::secret::Mask;
use std::borrow::Cow;

/// A row of the table of settings: its names and how its values are shown. The method of [`Reader`](super::reader::Reader) that takes it says
/// type and default.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) otel: Option<Otel>,
    pub(super) mask: Mask,
    pub(super) default: Cow<'static, str>,
    pub(super) keeps_empty: bool,
    pub(super) effect: Effect,
}

/// Whether a setting changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Full,
    /// What it governs is not built, so that it is as if this value were set; several spellings of it are parted by `|`.
    Holds(&'static str),
    /// It belongs to other programs that read the same environment.
    OfOthers,
}

/// The row of a main name.
pub(super) const fn row(name: &'static str) -> Row {
    Row {
        name,
        aliases: &[],
        otel: None,
        mask: Mask::Plain,
        default: Cow::Borrowed(""),
        keeps_empty: false,
        effect: Effect::Full,
    }
}

impl Row {
    /// Other names, the one that counts most first.
    pub(super) fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The OpenTelemetry variable that says the same.
    pub(super) fn otel(mut self, otel: Otel) -> Self {
        self.otel = Some(otel);
        self
    }

    pub(super) fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    /// The default as it is shown, for settings whose method does not take it as a value.
    pub(super) fn default(mut self, default: impl Into<Cow<'static, str>>) -> Self {
        self.default = default.into();
        self
    }

    /// An empty text is a value, not the absence of one.
    pub(super) fn keeps_empty(mut self) -> Self {
        self.keeps_empty = true;
        self
    }

    /// What the setting governs is not built, so that it is as if this value were set. Whoever sets another one is told.
    pub(super) fn without_effect(mut self, holds: &'static str) -> Self {
        self.effect = Effect::Holds(holds);
        self
    }

    /// The setting belongs to other programs that read the same environment: it is listed, and nobody is told.
    pub(super) fn of_others(mut self) -> Self {
        self.effect = Effect::OfOthers;
        self
    }
}

impl From<&'static str> for Row {
    fn from(name: &'static str) -> Self {
        row(name)
    }
}
