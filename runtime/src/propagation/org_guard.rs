//! The organisation guard: contexts that another organisation's tracer sent do not steer this one.
//!
//! An agent knows a short marker of its organisation. It travels as `_dd.p.opm`; an incoming context with another one is
//! *foreign*: its ids are continued, its decision and tags are not.

use super::text::is_printable;
use crate::model::{AgentInfo, LatestAgentInfo, Upstream};
use std::sync::Arc;

/// The name of the marker's tag, behind `_dd.p.`.
pub(super) const NAME: &str = "opm";
pub(super) const TAG: &str = "_dd.p.opm";

/// What the guard does once the local marker is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrgGuardSettings {
    /// Markers of other organisations that are trusted like our own; `DD_TRACE_ORG_GUARD_TRUSTED_OPMS`. Defaults to none.
    pub(crate) trusted: Vec<String>,
    /// Whether a context without a marker is foreign, too; `DD_TRACE_ORG_GUARD_STRICT`. Defaults to false.
    pub(crate) is_strict: bool,
}

/// The marker of this organisation, as the agent told it.
#[derive(Debug)]
pub(super) struct OrgMarker(Arc<AgentInfo>);

impl OrgMarker {
    /// None before the agent told it. One that no header could carry is as good as none.
    pub(super) fn of(agent: &LatestAgentInfo) -> Option<Self> {
        let marker = Self(agent.get()?);
        is_usable(marker.as_str()).then_some(marker)
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.org_prop_marker.as_deref().unwrap_or_default()
    }
}

fn is_usable(marker: &str) -> bool {
    let is_short = (1..=64).contains(&marker.len());
    is_short && is_printable(marker) && !marker.contains([' ', ',', ';', '=', '~'])
}

/// Takes from a foreign context what the sender decided; ids, baggage and members of other vendors stay.
pub(super) fn check(context: &mut Upstream, settings: &OrgGuardSettings, local: &str) {
    let is_foreign = match context.tags.get(TAG) {
        None => settings.is_strict,
        Some(marker) => marker != local && !settings.trusted.iter().any(|trusted| trusted == marker),
    };
    if is_foreign {
        context.priority = None;
        context.origin = None;
        context.tags.clear();
        context.last_parent_id = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_that_no_header_could_carry_is_none() {
        let agent = LatestAgentInfo::default();
        assert!(OrgMarker::of(&agent).is_none());
        let long = "x".repeat(65);
        for (told, expected) in [
            (Some("a1b2"), Some("a1b2")),
            (None, None),
            (Some(""), None),
            (Some("a,b"), None),
            (Some("a\n"), None),
            (Some(long.as_str()), None),
        ] {
            agent.set(Arc::new(AgentInfo { org_prop_marker: told.map(Into::into), ..AgentInfo::default() }));
            assert_eq!(OrgMarker::of(&agent).as_ref().map(OrgMarker::as_str), expected, "{told:?}");
        }
    }
}
