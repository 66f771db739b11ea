//! What reads and writes headers, by the settings of one tracer.

use std::sync::Arc;

use super::org_guard::OrgMarker;
use super::settings::PropagationSettings;
use super::styles::Style;
use super::{b3, baggage, datadog, traceparent, tracestate};
use crate::model::LatestAgentInfo;

/// The settings of a tracer, and what follows from them for each call.
#[derive(Debug)]
pub(crate) struct Propagator {
    pub(super) settings: PropagationSettings,
    /// Names of the headers read in one walk, and what each is.
    pub(super) read: (Vec<&'static str>, Vec<Slot>),
    /// Names of the headers that may be written.
    pub(super) written: Vec<&'static str>,
    agent: Arc<LatestAgentInfo>,
}

/// A header that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// By its position among those of its style.
    Datadog(usize),
    Traceparent,
    B3,
    /// By its position among those of its style.
    B3Multi(usize),
    Baggage,
}

impl Propagator {
    /// With what the agent says about itself, which is known later: the organisation's marker is asked of it.
    pub(crate) fn new(settings: &PropagationSettings, agent: Arc<LatestAgentInfo>) -> Self {
        let written = settings.inject.iter().flat_map(|style| written(*style)).copied().collect();
        let read = settings.extract.iter().flat_map(|style| read(*style)).unzip();
        Self { settings: settings.clone(), read, written, agent }
    }

    /// The organisation's marker, where the guard is on and knows it.
    pub(super) fn local_marker(&self) -> Option<OrgMarker> {
        self.settings.org_guard.as_ref().and_then(|_| OrgMarker::of(&self.agent))
    }
}

fn written(style: Style) -> &'static [&'static str] {
    match style {
        Style::Datadog => &datadog::HEADERS,
        Style::TraceContext => &[traceparent::HEADER, tracestate::HEADER],
        Style::B3 => &[b3::SINGLE],
        Style::B3Multi => &b3::MULTI,
        Style::Baggage => &[baggage::HEADER],
    }
}

/// Without `tracestate`, which is read only where `traceparent` is valid.
fn read(style: Style) -> Vec<(&'static str, Slot)> {
    let numbered = |names: &[&'static str], slot: fn(usize) -> Slot| {
        names.iter().enumerate().map(|(position, name)| (*name, slot(position))).collect()
    };
    match style {
        Style::Datadog => numbered(&datadog::HEADERS, Slot::Datadog),
        Style::TraceContext => vec![(traceparent::HEADER, Slot::Traceparent)],
        Style::B3 => vec![(b3::SINGLE, Slot::B3)],
        Style::B3Multi => numbered(&b3::MULTI, Slot::B3Multi),
        Style::Baggage => vec![(baggage::HEADER, Slot::Baggage)],
    }
}
