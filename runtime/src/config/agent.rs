//! Where the agent is.
//!
//! Source for the order: `internal/agent.go` of DataDog/dd-trace-go. An address in code, then `DD_TRACE_AGENT_URL`, then
//! `DD_AGENT_HOST` and `DD_TRACE_AGENT_PORT`, then the socket if it exists, then `http://localhost:8126`.

use super::Overrides;
use super::source::Reader;
use crate::export::settings::{AgentAddress, AgentSettings, AgentUrlError, DEFAULT_PORT, parse_port};
use std::path::Path;
use std::time::Duration;

/// Where an agent on the same machine listens unless told otherwise.
const SOCKET: &str = "/var/run/datadog/apm.socket";

/// # Errors
///
/// Only for an address given in code; one in the environment that can not be used is reported and passed over.
pub(super) fn resolve(
    overrides: &Overrides,
    reader: &mut Reader<'_>,
) -> Result<AgentSettings, AgentUrlError> {
    let default = AgentSettings::default();
    let timeout = reader.parsed_of_names(
        &["DD_TRACE_AGENT_TIMEOUT", "DD_TRACE_AGENT_TIMEOUT_SECONDS"],
        "a number of seconds above 0, at most 60",
        |text| seconds(text, 60.0),
    );
    let external_env = reader.parsed("DD_EXTERNAL_ENV", "visible ASCII", |text| {
        text.bytes().all(|byte| matches!(byte, b' '..=b'~')).then(|| text.into())
    });
    let (address, is_explicit) = match overrides.agent_url.as_deref().map(str::trim) {
        Some(url) if !url.is_empty() => (AgentAddress::parse(url)?, true),
        _ => from_environment(reader).map_or_else(|| (found(reader), false), |address| (address, true)),
    };
    Ok(AgentSettings { address, is_explicit, timeout: timeout.unwrap_or(default.timeout), external_env })
}

fn from_environment(reader: &mut Reader<'_>) -> Option<AgentAddress> {
    if let Some(url) = reader.text("DD_TRACE_AGENT_URL") {
        match AgentAddress::parse(&url) {
            Ok(address) => return Some(address),
            // The value is not shown: it may hold a password.
            Err(error) => reader.warn(format!("DD_TRACE_AGENT_URL is ignored: {error}")),
        }
    }
    let host = reader.text_of_names(&["DD_AGENT_HOST", "DD_TRACE_AGENT_HOSTNAME"]);
    let port = reader.parsed("DD_TRACE_AGENT_PORT", "a port from 1 to 65535", parse_port);
    let address = host.and_then(|(name, host)| {
        let address = AgentAddress::from_host(&host, port.unwrap_or(DEFAULT_PORT));
        if address.is_err() {
            reader.warn(format!("{name} is not a host name or address and is ignored"));
        }
        address.ok()
    });
    // What could not be read was not said.
    address.or_else(|| port.map(|port| AgentAddress::http("localhost", port)))
}

fn found(reader: &Reader<'_>) -> AgentAddress {
    let socket = Path::new(SOCKET);
    if (reader.source().exists)(socket) {
        return AgentAddress::Unix(socket.to_owned());
    }
    AgentAddress::http("localhost", DEFAULT_PORT)
}

/// A decimal number of seconds above zero.
pub(super) fn seconds(text: &str, max: f64) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (seconds <= max && !duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{notices_of, with_source, with_source_and_socket};
    use super::*;

    fn agent(variables: &[(&str, &str)]) -> (String, bool, Vec<String>) {
        with_source(variables, |source| {
            let mut reader = Reader::new(source);
            let agent = resolve(&Overrides::default(), &mut reader).unwrap();
            (agent.address.to_string(), agent.is_explicit, notices_of(reader.into_notices()))
        })
    }

    #[test]
    fn url_wins_over_host_and_port() {
        let variables = [
            ("DD_TRACE_AGENT_URL", "http://a:1/base/"),
            ("DD_AGENT_HOST", "b"),
            ("DD_TRACE_AGENT_PORT", "2"),
        ];
        assert_eq!(agent(&variables), ("http://a:1/base".into(), true, vec![]));
        let socket = [("DD_TRACE_AGENT_URL", "unix:///nowhere/apm.socket")];
        assert_eq!(agent(&socket).0, "unix:///nowhere/apm.socket");
    }

    #[test]
    fn host_and_port_complete_each_other() {
        assert_eq!(agent(&[("DD_AGENT_HOST", "b")]).0, "http://b:8126");
        assert_eq!(agent(&[("DD_TRACE_AGENT_PORT", "2")]), ("http://localhost:2".into(), true, vec![]));
        let variables =
            [("DD_TRACE_AGENT_URL", ""), ("DD_AGENT_HOST", "[fd00::12]"), ("DD_TRACE_AGENT_PORT", "9126")];
        assert_eq!(agent(&variables), ("http://[fd00::12]:9126".into(), true, vec![]));
        assert_eq!(agent(&[("DD_AGENT_HOST", "::1")]).0, "http://[::1]:8126");
    }

    #[test]
    fn unusable_values_are_reported_and_passed_over() {
        let variables = [
            ("DD_TRACE_AGENT_URL", "ftp://me:s3cret@h"),
            ("DD_AGENT_HOST", "b"),
            ("DD_TRACE_AGENT_PORT", "x"),
        ];
        let (address, is_explicit, notices) = agent(&variables);
        assert_eq!((address.as_str(), is_explicit), ("http://b:8126", true));
        assert_eq!(
            notices,
            [
                "DD_TRACE_AGENT_URL is ignored: the scheme of the agent's address must be http, https or unix",
                "DD_TRACE_AGENT_PORT: \"x\" is not a port from 1 to 65535; it is ignored",
            ]
        );
        assert!(agent(&[("DD_AGENT_HOST", "me:s3cret@h")]).2.iter().all(|notice| !notice.contains("s3cret")));
    }

    #[test]
    fn socket_is_found_only_where_nothing_was_said() {
        let address = |variables: &[(&str, &str)]| {
            with_source_and_socket(variables, SOCKET, |source| {
                let agent = resolve(&Overrides::default(), &mut Reader::new(source)).unwrap();
                (agent.address.to_string(), agent.is_explicit)
            })
        };
        assert_eq!(address(&[]), ("unix:///var/run/datadog/apm.socket".into(), false));
        assert_eq!(address(&[("DD_TRACE_AGENT_PORT", "8126")]), ("http://localhost:8126".into(), true));
        assert_eq!(agent(&[]), ("http://localhost:8126".into(), false, vec![]));
    }

    #[test]
    fn code_wins_and_is_told_of_a_mistake() {
        let resolved = |url: &str| {
            let overrides = Overrides { agent_url: Some(url.into()), ..Overrides::default() };
            with_source(&[("DD_TRACE_AGENT_URL", "http://a:1")], |source| {
                resolve(&overrides, &mut Reader::new(source))
            })
        };
        assert_eq!(resolved("http://code:9").unwrap().address.to_string(), "http://code:9");
        assert_eq!(resolved("nonsense"), Err(AgentUrlError::Scheme));
        assert_eq!(resolved(" ").unwrap().address.to_string(), "http://a:1");
    }

    #[test]
    fn timeout_is_a_bounded_number_of_seconds() {
        for (text, expected) in [
            ("0.5", 500),
            ("10", 10_000),
            ("60", 60_000),
            ("61", 2000),
            ("0", 2000),
            ("-1", 2000),
            ("NaN", 2000),
        ] {
            for name in ["DD_TRACE_AGENT_TIMEOUT", "DD_TRACE_AGENT_TIMEOUT_SECONDS"] {
                let agent = with_source(&[(name, text)], |source| {
                    resolve(&Overrides::default(), &mut Reader::new(source)).unwrap()
                });
                assert_eq!(agent.timeout, Duration::from_millis(expected), "{text}");
            }
        }
    }

    #[test]
    fn external_environment_is_passed_on_as_it_is() {
        let external = |text: &str| {
            with_source(&[("DD_EXTERNAL_ENV", text)], |source| {
                resolve(&Overrides::default(), &mut Reader::new(source)).unwrap().external_env
            })
        };
        assert_eq!(external("it-false,cn-app,pu-1").as_deref(), Some("it-false,cn-app,pu-1"));
        assert_eq!(external("a\r\nb: c"), None);
    }
}
