//! Metrics of the tracer, and where they go.
//!
//! Source for the order: `ddtrace/tracer/option.go` of DataDog/dd-trace-go. `DD_DOGSTATSD_URL`, then `DD_DOGSTATSD_HOST` and
//! `DD_DOGSTATSD_PORT`, then the socket if it exists and no host is named for the agent, then the agent's host at 8125, or at the port that
//! the agent says of itself.

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
    let is_agents_host_named = read.origin_of("DD_AGENT_HOST") != Origin::Default;
    let from = match (&host, port) {
        (Some(_), _) => Some("DD_DOGSTATSD_HOST"),
        (None, Some(_)) => Some("DD_DOGSTATSD_PORT"),
        (None, None) if is_agents_host_named => Some("DD_AGENT_HOST"),
        (None, None) => None,
    };
    let address = if from.is_none() && read.source().has_statsd_socket {
        StatsdAddress::Unix(STATSD_SOCKET.into())
    } else {
        let host = host.as_deref().or_else(|| agent.host()).unwrap_or("localhost");
        let port = port.unwrap_or(DEFAULT_PORT);
        StatsdAddress::from_host(host, port)
            .unwrap_or_else(|| StatsdAddress::Udp { host: "localhost".into(), port })
    };
    read.follows(URL, &address.to_string(), from);
    (address, host.is_none() && port.is_none())
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
        ] {
            assert_eq!(address_of(variables), (expected.into(), follows), "{variables:?}");
        }
    }

    #[test]
    fn socket_is_found_only_where_no_host_was_named() {
        let address = |variables: &[(&str, &str)]| {
            let source = Source { has_statsd_socket: true, ..environment(variables) };
            resolved_on(&source).0.address.unwrap().to_string()
        };
        assert_eq!(address(&[]), "unix:///var/run/datadog/dsd.socket");
        assert_eq!(address(&[("DD_DOGSTATSD_PORT", "8125")]), "localhost:8125");
        assert_eq!(address(&[("DD_AGENT_HOST", "a")]), "a:8125");
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
