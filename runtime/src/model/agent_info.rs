//! What an agent says about itself: what it offers, and what it wants of those who send to it.
//!
//! Source: `pkg/trace/api/info.go` of DataDog/datadog-agent.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An agent's own description. What an old agent does not say is off, empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AgentInfo {
    /// Such as `7.79.0`; empty where it is not said.
    pub(crate) version: Box<str>,
    /// The paths it serves, as it writes them.
    pub(crate) endpoints: Vec<Box<str>>,
    /// Whether traces that are not kept may stay away, by whoever computes statistics of them.
    pub(crate) client_drop_p0s: bool,
    /// Whether it reads the field `span_events` of `/v0.4/traces`.
    pub(crate) span_events: bool,
    /// The largest body it takes, in bytes; never 0.
    pub(crate) max_request_bytes: Option<usize>,
    /// Tags by which statistics of calls are told apart; empty switches that off.
    pub(crate) peer_tags: Vec<Box<str>>,
    /// Kinds of span that have statistics of their own; `None` where it is not said.
    pub(crate) span_kinds_stats_computed: Option<Vec<Box<str>>>,
    /// How it obfuscates resources; 0 for an agent that does not say.
    pub(crate) obfuscation_version: u64,
    /// What the tags of a local root have to be for its trace to be wanted.
    pub(crate) filter_tags: TagFilters,
    /// The same, with values that are regular expressions.
    pub(crate) filter_tags_regex: TagFilters,
    /// Regular expressions; a trace whose local root has such a resource is not wanted.
    pub(crate) ignore_resources: Vec<Box<str>>,
    /// Names the organisation, to tell contexts of others.
    pub(crate) org_prop_marker: Option<Box<str>>,
    /// The environment of spans that name none.
    pub(crate) default_env: Option<Box<str>>,
    /// The port where it takes metrics; never 0.
    pub(crate) statsd_port: Option<u16>,
    /// Whether it keeps resources of 15 000 bytes instead of 5 000.
    pub(crate) big_resource: bool,
}

/// Conditions on tags, each `key` or `key:value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagFilters {
    /// Each of them has to hold.
    pub(crate) require: Vec<Box<str>>,
    /// None of them may hold.
    pub(crate) reject: Vec<Box<str>>,
}

impl AgentInfo {
    /// Whether the agent serves a path such as `/v0.6/stats`. It writes some of them with a slash at the end.
    pub(crate) fn offers(&self, path: &str) -> bool {
        let bare = path.trim_end_matches('/');
        self.endpoints.iter().any(|endpoint| endpoint.trim_end_matches('/') == bare)
    }
}

/// In a line of a log: what differs between agents, long lists by their length, and nothing of what it does not say.
impl fmt::Display for AgentInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filters = |filters: &TagFilters| filters.require.len() + filters.reject.len();
        let quoted = |text: &Option<Box<str>>| text.as_ref().map(|text| format!("{text:?}"));
        write!(f, "version {:?}, endpoints{}", self.version, Texts(&self.endpoints))?;
        write!(f, ", client_drop_p0s {}, span_events {}", self.client_drop_p0s, self.span_events)?;
        said(f, ", max_request_bytes ", self.max_request_bytes)?;
        write!(f, ", peer_tags {}", self.peer_tags.len())?;
        let kinds = self.span_kinds_stats_computed.as_deref();
        said(f, ", span_kinds_stats_computed", kinds.map(Texts))?;
        write!(f, ", obfuscation_version {}", self.obfuscation_version)?;
        write!(f, ", filter_tags {}", filters(&self.filter_tags))?;
        write!(f, ", filter_tags_regex {}", filters(&self.filter_tags_regex))?;
        write!(f, ", ignore_resources {}", self.ignore_resources.len())?;
        said(f, ", org_prop_marker ", quoted(&self.org_prop_marker))?;
        said(f, ", default_env ", quoted(&self.default_env))?;
        said(f, ", statsd_port ", self.statsd_port)?;
        write!(f, ", big_resource {}", self.big_resource)
    }
}

fn said(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, "{name}{value}"))
}

/// ` "one" "two"`.
struct Texts<'a>(&'a [Box<str>]);

impl fmt::Display for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|text| write!(f, " {text:?}"))
    }
}

/// The latest description of the agent: written by the worker, read by whoever was given it at construction.
#[derive(Debug, Default)]
pub(crate) struct LatestAgentInfo(Mutex<Option<Arc<AgentInfo>>>);

impl LatestAgentInfo {
    /// What is known; `None` until the agent answered for the first time. It may be another one the next time.
    pub(crate) fn get(&self) -> Option<Arc<AgentInfo>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces what was known.
    pub(crate) fn set(&self, info: Arc<AgentInfo>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_offered_with_and_without_its_last_slash() {
        let endpoints = ["/v0.4/traces", "/telemetry/proxy/"].map(Into::into).to_vec();
        let info = AgentInfo { endpoints, ..AgentInfo::default() };
        for path in ["/v0.4/traces", "/v0.4/traces/", "/telemetry/proxy", "/telemetry/proxy/"] {
            assert!(info.offers(path), "{path}");
        }
        for path in ["/v0.4", "/v0.5/traces", "/telemetry"] {
            assert!(!info.offers(path), "{path}");
        }
    }

    #[test]
    fn a_line_tells_what_the_agent_said_and_nothing_else() {
        let old = AgentInfo::default().to_string();
        let expected = "version \"\", endpoints, client_drop_p0s false, span_events false, peer_tags 0, obfuscation_version 0, \
                        filter_tags 0, filter_tags_regex 0, ignore_resources 0, big_resource false";
        assert_eq!(old, expected);
        let info = AgentInfo {
            endpoints: ["/info", "/v0.4/traces"].map(Into::into).to_vec(),
            max_request_bytes: Some(7),
            span_kinds_stats_computed: Some(vec!["client".into()]),
            default_env: Some("a\nb".into()),
            statsd_port: Some(8125),
            ..AgentInfo::default()
        };
        let line = info.to_string();
        for said in [
            r#", endpoints "/info" "/v0.4/traces", "#,
            ", max_request_bytes 7, ",
            r#", span_kinds_stats_computed "client", "#,
            r#", default_env "a\nb", statsd_port 8125, "#,
        ] {
            assert!(line.contains(said), "{said}: {line}");
        }
    }
}
