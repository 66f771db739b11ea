//! Sampling rules: what a span must look like, and the rate that holds for it then.

use super::examined::{Examined, TagRef};
use super::glob::Pattern;
use crate::model::Mechanism;

/// A rule for traces. The first one that matches the local root decides, also where it rejects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) conditions: Conditions,
    /// 0.0 to 1.0.
    pub(crate) rate: f64,
    pub(crate) provenance: Provenance,
    /// Its place in the list it came with, from 1.
    pub(crate) number: u32,
}

/// A rule for single spans of traces that are not kept. The first one that matches decides, also where it rejects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpanRule {
    pub(crate) conditions: Conditions,
    /// 0.0 to 1.0; defaults to 1.
    pub(crate) rate: f64,
    /// How many spans a second it keeps over all traces, 0 or more. Defaults to any number.
    pub(crate) max_per_second: Option<f64>,
}

/// Who wrote a rule; those that count more come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Provenance {
    /// A person, in Datadog's pages.
    Customer,
    /// Datadog's adaptive sampling.
    Dynamic,
    /// The settings of this process.
    Local,
}

impl Provenance {
    /// What a decision by such a rule is ascribed to.
    pub(crate) const fn mechanism(self) -> Mechanism {
        match self {
            Self::Customer => Mechanism::REMOTE_CUSTOMER,
            Self::Dynamic => Mechanism::REMOTE_DYNAMIC,
            Self::Local => Mechanism::LOCAL_RULE,
        }
    }
}

/// What a span must look like; without a condition every span does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    service: Option<Pattern>,
    name: Option<Pattern>,
    resource: Option<Pattern>,
    tags: Box<[(Box<str>, Pattern)]>,
}

impl Conditions {
    /// Of patterns as text, absent or empty where anything matches, and of tags by their exact keys. A tag has to be there, also
    /// for a pattern that any text matches.
    pub(crate) fn new(
        service: Option<&str>,
        name: Option<&str>,
        resource: Option<&str>,
        tags: Vec<(Box<str>, Pattern)>,
    ) -> Self {
        let pattern = |text: Option<&str>| {
            text.filter(|text| !text.is_empty()).map(Pattern::new).filter(|pattern| !pattern.is_any())
        };
        Self {
            service: pattern(service),
            name: pattern(name),
            resource: pattern(resource),
            tags: tags.into(),
        }
    }

    /// Whether the span is one of them. Looks only at what there is a condition for, tags last.
    pub(crate) fn matches(&self, span: &Examined<'_>) -> bool {
        self.service.as_ref().is_none_or(|pattern| pattern.matches(span.service))
            && self.name.as_ref().is_none_or(|pattern| pattern.matches(&span.name()))
            && self.resource.as_ref().is_none_or(|pattern| pattern.matches(&span.resource()))
            && self.tags.iter().all(|(key, pattern)| match span.tag(key) {
                Some(TagRef::Text(text)) => pattern.matches(text),
                Some(TagRef::Number(number)) => pattern.matches_number(number),
                None => false,
            })
    }

    /// Whether more than the service is looked at.
    pub(crate) fn look_at_span(&self) -> bool {
        self.name.is_some() || self.resource.is_some() || !self.tags.is_empty()
    }
}
