//! Where the agent is.
//!
//! Source for the order: `internal/agent.go` of DataDog/dd-trace-go. An address in code, then `DD_TRACE_AGENT_URL`, then
//! `DD_AGENT_HOST` and `DD_TRACE_AGENT_PORT`, then the socket if it exists, then `http://localhost:8126`.

use super::reader::{Reader, row};
use super::secret::Mask;
use super::source::SOCKET;
use crate::export::settings::{AgentAddress, AgentSettings, AgentUrlError, DEFAULT_PORT, parse_port};

const URL: &str = "DD_TRACE_AGENT_URL";

/// # Errors
///
/// Only for an address given in code; one from elsewhere that can not be used is reported and passed over.
pub(super) fn resolve(read: &mut Reader<'_>) -> Result<AgentSettings, AgentUrlError> {
    if let Some(url) = read.code().get(URL) {
        AgentAddress::parse(url)?;
    }
    let default = AgentSettings::default();
    let (address, is_explicit) = address(read);
    Ok(AgentSettings {
        address,
        is_explicit,
        timeout: read.seconds(
            row("DD_TRACE_AGENT_TIMEOUT").aliases(&["DD_TRACE_AGENT_TIMEOUT_SECONDS"]),
            60.0,
            default.timeout,
        ),
        external_env: read.parsed("DD_EXTERNAL_ENV", "visible ASCII", |text| {
            text.bytes().all(|byte| matches!(byte, b' '..=b'~')).then(|| text.into())
        }),
    })
}

/// The address, and whether somebody named it.
fn address(read: &mut Reader<'_>) -> (AgentAddress, bool) {
    let url = read.remarked(row(URL).mask(Mask::Address), |text, remarks| {
        // The text is not shown: it may hold a password.
        AgentAddress::parse(text).map_err(|error| remarks.push(format!("it is ignored: {error}"))).ok()
    });
    let host = read.parsed(
        row("DD_AGENT_HOST").aliases(&["DD_TRACE_AGENT_HOSTNAME"]).mask(Mask::Address).default("localhost"),
        "a host name or address",
        |text| AgentAddress::from_host(text, DEFAULT_PORT).is_ok().then(|| text.to_owned()),
    );
    let port = read.parsed(
        row("DD_TRACE_AGENT_PORT").default(DEFAULT_PORT.to_string()),
        "a port from 1 to 65535",
        parse_port,
    );
    if let Some(url) = url {
        return (url, true);
    }
    let from = match (&host, port) {
        (Some(_), _) => Some("DD_AGENT_HOST"),
        (None, Some(_)) => Some("DD_TRACE_AGENT_PORT"),
        (None, None) => None,
    };
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    let address = match from {
        None if read.source().has_socket => AgentAddress::Unix(SOCKET.into()),
        _ => AgentAddress::from_host(&host, port.unwrap_or(DEFAULT_PORT))
            .unwrap_or_else(|_| AgentAddress::http("localhost", DEFAULT_PORT)),
    };
    read.follows(URL, &address.to_string(), from);
    (address, from.is_some())
}

#[cfg(test)]
mod tests {
    use super::super::source::{Overrides, Source};
    use super::super::testing::{environment, notices_of};
    use super::*;
    use std::time::Duration;

    fn resolved(variables: &[(&str, &str)]) -> AgentSettings {
        resolve(&mut Reader::new(&environment(variables), &Overrides::default())).unwrap()
    }

    fn agent(variables: &[(&str, &str)]) -> (String, bool, Vec<String>) {
        let (source, code) = (environment(variables), Overrides::default());
        let mut reader = Reader::new(&source, &code);
        let agent = resolve(&mut reader).unwrap();
        (agent.address.to_string(), agent.is_explicit, notices_of(reader.finish().1))
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
                "DD_TRACE_AGENT_URL: it is ignored: the scheme of the agent's address must be http, https or unix",
                "DD_TRACE_AGENT_PORT: \"x\" is not a port from 1 to 65535; it is ignored",
            ]
        );
        assert!(agent(&[("DD_AGENT_HOST", "me:s3cret@h")]).2.iter().all(|notice| !notice.contains("s3cret")));
    }

    #[test]
    fn socket_is_found_only_where_nothing_was_said() {
        let address = |variables: &[(&str, &str)]| {
            let (source, code) =
                (Source { has_socket: true, ..environment(variables) }, Overrides::default());
            let agent = resolve(&mut Reader::new(&source, &code)).unwrap();
            (agent.address.to_string(), agent.is_explicit)
        };
        assert_eq!(address(&[]), ("unix:///var/run/datadog/apm.socket".into(), false));
        assert_eq!(address(&[("DD_TRACE_AGENT_PORT", "8126")]), ("http://localhost:8126".into(), true));
        assert_eq!(agent(&[]), ("http://localhost:8126".into(), false, vec![]));
    }

    #[test]
    fn code_wins_and_is_told_of_a_mistake() {
        let resolved = |url: &str| {
            let mut code = Overrides::default();
            code.set(URL, url);
            resolve(&mut Reader::new(&environment(&[(URL, "http://a:1")]), &code))
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
                let timeout = resolved(&[(name, text)]).timeout;
                assert_eq!(timeout, Duration::from_millis(expected), "{text}");
            }
        }
    }

    #[test]
    fn external_environment_is_passed_on_as_it_is() {
        let external = |text: &str| resolved(&[("DD_EXTERNAL_ENV", text)]).external_env;
        assert_eq!(external("it-false,cn-app,pu-1").as_deref(), Some("it-false,cn-app,pu-1"));
        assert_eq!(external("a\r\nb: c"), None);
    }
}
