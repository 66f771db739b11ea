//! Metrics of the tracer, and where they go.
//!
//! The order: `DD_DOGSTATSD_URL`, then `DD_DOGSTATSD_HOST` and `DD_DOGSTATSD_PORT`, then the socket if it exists, then the agent's host at 8125,
//! or at the port that the agent says of itself. Source: `ddtrace/tracer/option.go` of DataDog/dd-trace-go, where `DD_AGENT_HOST` hides the
//! socket; here it does not: what is on this machine loses no datagram.

use super::reader::{Reader, row};
use super::report::Origin;
use super::secret::Mask;
use super::source::STATSD_SOCKET;
use crate::export::settings::{AgentAddress, parse_port};
use crate::export::statsd::settings::{DEFAULT_PORT, StatsdAddress, StatsdSettings};

const URL: &str = "DD_DOGSTATSD_URL";

/// With the address of the agent, which is where metrics go unless told otherwise.
pub(super) fn resolve(read: &mut Reader<'_>, agent: &AgentAddress) -> StatsdSettings {
    let names = row("DD_TRACE_HEALTH_METRICS_ENABLED").aliases(&["DD_TRACE_INTERNAL_METRICS_ENABLED"]);
    let is_wanted = read.flag(names, false);
    let (address, follows_agent) = address(read, agent);
    let is_disabled = read.flag("DD_DOGSTATSD_DISABLE", false);
    StatsdSettings {
        has_health_metrics: is_wanted && !is_disabled,
        address: (!is_disabled).then_some(address),
        follows_agent,
        entity_id: read.text("DD_ENTITY_ID").map(Into::into),
        ..StatsdSettings::default()
    }
}

/// The address, and whether the agent may name another port.
fn address(read: &mut Reader<'_>, agent: &AgentAddress) -> (StatsdAddress, bool) {
    let expected = "host:port, udp://host:port or unix:///path";
    let url = read.parsed(row(URL).mask(Mask::Address), expected, StatsdAddress::parse);
    let host = read.parsed(
        row("DD_DOGSTATSD_HOST").mask(Mask::Address).default("localhost"),
        "a host name or address",
        |text| StatsdAddress::from_host(text, DEFAULT_PORT).map(|_| text.to_owned()),
    );
    let port = read.parsed(
        row("DD_DOGSTATSD_PORT").default(DEFAULT_PORT.to_string()),
        "a port from 1 to 65535",
        parse_port,
    );
    if let Some(url) = url {
        return (url, false);
    }
    let from = match (&host, port) {
        (Some(_), _) => Some("DD_DOGSTATSD_HOST"),
        (None, Some(_)) => Some("DD_DOGSTATSD_PORT"),
        (None, None) => None,
    };
    let (address, from) = if from.is_none() && read.source().has_statsd_socket {
        (StatsdAddress::Unix(STATSD_SOCKET.into()), None)
    } else {
        let (agents_host, agents_variable) = agents_host(read, agent);
        let host = host.as_deref().unwrap_or(&agents_host);
        let port = port.unwrap_or(DEFAULT_PORT);
        let address = StatsdAddress::from_host(host, port)
            .unwrap_or_else(|| StatsdAddress::Udp { host: "localhost".into(), port });
        (address, from.or(agents_variable))
    };
    read.follows(URL, &address.to_string(), from);
    (address, host.is_none() && port.is_none())
}

/// The agent's host, and the setting that names it, if any does. An agent at a socket may be named by its host as well.
fn agents_host(read: &Reader<'_>, agent: &AgentAddress) -> (String, Option<&'static str>) {
    let named = |name: &'static str| read.setting(name).filter(|setting| setting.origin() != Origin::Default);
    let by_url = named("DD_TRACE_AGENT_URL").filter(|setting| setting.origin() != Origin::Calculated);
    let by_host = named("DD_AGENT_HOST");
    match (agent.host(), by_url, by_host) {
        (Some(host), Some(url), _) => (host.to_owned(), Some(url.name())),
        (_, _, Some(host)) => (host.value().to_owned(), Some(host.name())),
        (Some(host), None, None) => (host.to_owned(), None),
        (None, _, None) => ("localhost".to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{Overrides, Source};
    use super::super::testing::{environment, notices_of};
    use super::super::{Notice, Settings};
    use super::*;

    fn resolved_on(source: &Source) -> (StatsdSettings, Vec<Notice>) {
        let (settings, notices) = Settings::resolve(&Overrides::default(), source).unwrap();
        (settings.metrics, notices)
    }

    fn resolved(variables: &[(&str, &str)]) -> StatsdSettings {
        resolved_on(&environment(variables)).0
    }

    fn address_of(variables: &[(&str, &str)]) -> (String, bool) {
        let settings = resolved(variables);
        (settings.address.map(|address| address.to_string()).unwrap_or_default(), settings.follows_agent)
    }

    #[test]
    fn nobody_is_told_unless_asked() {
        assert_eq!(resolved(&[]), StatsdSettings::default());
        for name in ["DD_TRACE_HEALTH_METRICS_ENABLED", "DD_TRACE_INTERNAL_METRICS_ENABLED"] {
            assert!(resolved(&[(name, "1")]).has_health_metrics, "{name}");
            let disabled = resolved(&[(name, "1"), ("DD_DOGSTATSD_DISABLE", "true")]);
            assert!(!disabled.has_health_metrics && disabled.address.is_none(), "{name}");
        }
    }

    #[test]
    fn url_wins_over_host_and_port() {
        let rest = [("DD_DOGSTATSD_HOST", "b"), ("DD_DOGSTATSD_PORT", "2")];
        for (url, expected) in [
            ("a:1", "a:1"),
            ("udp://a", "a:8125"),
            ("unix:///nowhere/dsd.socket", "unix:///nowhere/dsd.socket"),
        ] {
            assert_eq!(address_of(&[&rest[..], &[(URL, url)]].concat()), (expected.into(), false));
        }
    }

    #[test]
    fn host_port_and_the_agents_host_complete_each_other() {
        for (variables, expected, follows) in [
            (&[][..], "localhost:8125", true),
            (&[("DD_DOGSTATSD_HOST", "b")], "b:8125", false),
            (&[("DD_DOGSTATSD_HOST", "::1")], "[::1]:8125", false),
            (&[("DD_DOGSTATSD_PORT", "2")], "localhost:2", false),
            (&[("DD_DOGSTATSD_PORT", "2"), ("DD_AGENT_HOST", "a")], "a:2", false),
            (&[("DD_AGENT_HOST", "a")], "a:8125", true),
            (&[("DD_AGENT_HOST", "fd00::12"), ("DD_TRACE_AGENT_PORT", "1")], "[fd00::12]:8125", true),
            (&[("DD_TRACE_AGENT_URL", "http://me:s3cret@c:1/base")], "c:8125", true),
            (&[("DD_TRACE_AGENT_URL", "unix:///apm.socket")], "localhost:8125", true),
            (&[("DD_TRACE_AGENT_URL", "unix:///apm.socket"), ("DD_AGENT_HOST", "::1")], "[::1]:8125", true),
            (&[("DD_TRACE_AGENT_URL", "http://c:1"), ("DD_AGENT_HOST", "a")], "c:8125", true),
        ] {
            assert_eq!(address_of(variables), (expected.into(), follows), "{variables:?}");
        }
    }

    /// The socket is on this machine, the agent's host may not be: `DD_AGENT_HOST` used to hide it.
    #[test]
    fn socket_counts_more_than_the_agents_host_and_less_than_what_is_said_of_metrics() {
        let address = |has_statsd_socket, variables: &[(&str, &str)]| {
            let source = Source { has_statsd_socket, ..environment(variables) };
            resolved_on(&source).0.address.unwrap().to_string()
        };
        let socket = "unix:///var/run/datadog/dsd.socket";
        for (variables, with, without) in [
            (&[][..], socket, "localhost:8125"),
            (&[("DD_AGENT_HOST", "a")], socket, "a:8125"),
            (&[("DD_TRACE_AGENT_URL", "http://c:1")], socket, "c:8125"),
            (&[("DD_TRACE_AGENT_PORT", "1")], socket, "localhost:8125"),
            (&[("DD_DOGSTATSD_HOST", "")], socket, "localhost:8125"),
            (&[("DD_DOGSTATSD_PORT", "8125")], "localhost:8125", "localhost:8125"),
            (&[("DD_DOGSTATSD_PORT", "2"), ("DD_AGENT_HOST", "a")], "a:2", "a:2"),
            (&[("DD_DOGSTATSD_HOST", "b")], "b:8125", "b:8125"),
            (&[(URL, "d:3")], "d:3", "d:3"),
        ] {
            assert_eq!(
                (address(true, variables), address(false, variables)),
                (with.into(), without.into()),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn table_says_what_the_address_follows_from() {
        for (has_statsd_socket, variables, expected) in [
            (false, &[][..], ("localhost:8125", Origin::Default, URL)),
            (true, &[], ("unix:///var/run/datadog/dsd.socket", Origin::Default, URL)),
            (true, &[("DD_AGENT_HOST", "a")], ("unix:///var/run/datadog/dsd.socket", Origin::Default, URL)),
            (false, &[("DD_AGENT_HOST", "a")], ("a:8125", Origin::Calculated, "DD_AGENT_HOST")),
            (
                false,
                &[("DD_TRACE_AGENT_URL", "http://c")],
                ("c:8125", Origin::Calculated, "DD_TRACE_AGENT_URL"),
            ),
            (false, &[("DD_TRACE_AGENT_PORT", "1")], ("localhost:8125", Origin::Default, URL)),
            (true, &[("DD_DOGSTATSD_PORT", "2")], ("localhost:2", Origin::Calculated, "DD_DOGSTATSD_PORT")),
            (true, &[(URL, "udp://d:3")], ("udp://d:3", Origin::Environment, URL)),
        ] {
            let source = Source { has_statsd_socket, ..environment(variables) };
            let (settings, _) = Settings::resolve(&Overrides::default(), &source).unwrap();
            let setting = settings.table.get(URL).unwrap();
            assert_eq!(
                (setting.value(), setting.origin(), setting.variable()),
                expected,
                "{variables:?}, socket: {has_statsd_socket}"
            );
        }
    }

    #[test]
    fn unusable_values_are_reported_and_passed_over() {
        let variables =
            [(URL, "tcp://me:s3cret@h"), ("DD_DOGSTATSD_HOST", "me:s3cret@h"), ("DD_DOGSTATSD_PORT", "0")];
        let (settings, notices) = resolved_on(&environment(&variables));
        assert_eq!(settings, StatsdSettings::default());
        assert_eq!(
            notices_of(notices),
            [
                "DD_DOGSTATSD_URL: the value is not host:port, udp://host:port or unix:///path; it is ignored",
                "DD_DOGSTATSD_HOST: the value is not a host name or address; it is ignored",
                "DD_DOGSTATSD_PORT: \"0\" is not a port from 1 to 65535; it is ignored",
            ]
        );
    }
}
