//! What the metrics client needs to know.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::settings::{check_host, check_ipv6, parse_port};

/// Whether the tracer tells metrics of itself, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatsdSettings {
    /// `DD_TRACE_HEALTH_METRICS_ENABLED`, and not `DD_DOGSTATSD_DISABLE`. Defaults to false.
    pub(crate) has_health_metrics: bool,
    /// Where metrics go; `None` with `DD_DOGSTATSD_DISABLE`.
    pub(crate) address: Option<StatsdAddress>,
    /// Whether the agent may name another port: nobody else named an address.
    pub(crate) follows_agent: bool,
    /// `DD_ENTITY_ID`: the tag `dd.internal.entity_id`, in place of the container.
    pub(crate) entity_id: Option<Box<str>>,
    /// Between two times of telling. 10 s.
    pub(crate) period: Duration,
}

impl Default for StatsdSettings {
    fn default() -> Self {
        Self {
            has_health_metrics: false,
            address: Some(StatsdAddress::Udp { host: "localhost".into(), port: DEFAULT_PORT }),
            follows_agent: true,
            entity_id: None,
            period: Duration::from_secs(10),
        }
    }
}

impl StatsdSettings {
    /// Where metrics go beside an agent that says of itself that it takes them at this port.
    pub(crate) fn address_beside(&self, agents_port: Option<u16>) -> Option<StatsdAddress> {
        let address = self.address.clone()?;
        Some(match agents_port.filter(|_| self.follows_agent) {
            Some(port) => address.at_port(port),
            None => address,
        })
    }
}

/// The port where DogStatsD listens unless told otherwise.
pub(crate) const DEFAULT_PORT: u16 = 8125;

/// Where metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatsdAddress {
    /// A name or an address, IPv6 without brackets.
    Udp { host: Box<str>, port: u16 },
    /// A Unix datagram socket, by its absolute path.
    Unix(PathBuf),
}

impl StatsdAddress {
    /// Reads `host:port`, `udp://host:port` or `unix:///path`; the port may be missing.
    ///
    /// Source: `statsd/statsd.go` of DataDog/datadog-go for the forms, `ddtrace/internal/settings/_agent.py` of DataDog/dd-trace-py for `udp`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return None;
        }
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("udp") => {
                rest.strip_suffix('/').unwrap_or(rest)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("unix") => {
                let path = Path::new(rest);
                return (path.has_root() && rest.len() > 1).then(|| Self::Unix(path.to_owned()));
            }
            Some(_) => return None,
        };
        let (host, port) = match rest.rsplit_once(':') {
            // Colons without brackets and more than one: an IPv6 address without a port.
            Some((before, _)) if before.contains(':') && !rest.starts_with('[') => (rest, None),
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let port = port.map_or(Some(DEFAULT_PORT), parse_port)?;
        Self::from_host(host, port)
    }

    /// The same host at another port; a socket has none and stays.
    pub(super) fn at_port(self, port: u16) -> Self {
        match self {
            Self::Udp { host, .. } => Self::Udp { host, port },
            unix @ Self::Unix(_) => unix,
        }
    }

    /// The address for a host; none for what is not one. An IPv6 address may have its brackets.
    pub(crate) fn from_host(host: &str, port: u16) -> Option<Self> {
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let bare = bracketed.unwrap_or(host);
        let is_ipv6 = bracketed.is_some() || bare.contains(':');
        let checked = if is_ipv6 { check_ipv6(bare) } else { check_host(bare) };
        checked.is_ok().then(|| Self::Udp { host: bare.into(), port })
    }
}

impl fmt::Display for StatsdAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Udp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Option<String> {
        StatsdAddress::parse(text).map(|address| address.to_string())
    }

    #[test]
    fn addresses_of_all_forms_are_read() {
        for (text, expected) in [
            ("agent:9125", "agent:9125"),
            ("agent", "agent:8125"),
            (" UDP://agent:1/ ", "agent:1"),
            ("udp://agent", "agent:8125"),
            ("[::1]:9", "[::1]:9"),
            ("udp://[::1]", "[::1]:8125"),
            ("fd00::12", "[fd00::12]:8125"),
            ("unix:///var/run/datadog/dsd.socket", "unix:///var/run/datadog/dsd.socket"),
            ("UNIX:///a", "unix:///a"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in [
            "",
            ":1",
            "agent:",
            "agent:0",
            "agent:65536",
            "agent:+1",
            "tcp://agent",
            "http://agent:1",
            "me:s3cret@agent:1",
            "udp://a/b",
            "unix://relative",
            "unix://",
            "unix:///",
            "[::1",
            "[zz]:1",
            "::zz",
            "a b",
            "a\u{1b}:1",
            "udp://",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn port_of_the_agent_counts_where_nobody_named_an_address() {
        let beside = |address: &str, follows_agent| {
            let address = StatsdAddress::parse(address);
            let settings = StatsdSettings { address, follows_agent, ..StatsdSettings::default() };
            [None, Some(9125)].map(|port| settings.address_beside(port).unwrap().to_string())
        };
        assert_eq!(beside("agent:1", true), ["agent:1", "agent:9125"]);
        assert_eq!(beside("agent:1", false), ["agent:1", "agent:1"]);
        assert_eq!(beside("unix:///a", true), ["unix:///a", "unix:///a"]);
        let disabled = StatsdSettings { address: None, ..StatsdSettings::default() };
        assert_eq!(disabled.address_beside(Some(9125)), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_shown_in_a_form_that_is_read(text: String, host in "[a-z.:\\[\\]0-9@/]{0,20}") {
            for text in [text, host] {
                if let Some(shown) = shown(&text) {
                    prop_assert_eq!(StatsdAddress::parse(&shown), StatsdAddress::parse(&text));
                }
            }
        }
    }
}
