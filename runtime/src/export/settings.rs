//! What the agent client needs to know.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the agent is and how long to wait for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AgentSettings {
    /// Defaults to `http://localhost:8126`.
    pub(crate) address: AgentAddress,
    /// Whether somebody named the address, in the environment or in code; false for a socket that was found and for the
    /// default.
    pub(crate) is_explicit: bool,
    /// Time for one attempt: connecting, sending and the answer together. Defaults to 2 s.
    pub(crate) timeout: Duration,
    /// The value of the header `Datadog-External-Env`, if any: visible ASCII.
    pub(crate) external_env: Option<Box<str>>,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            address: AgentAddress::http("localhost", DEFAULT_PORT),
            is_explicit: false,
            timeout: Duration::from_secs(2),
            external_env: None,
        }
    }
}

/// The port the agent listens on unless told otherwise.
pub(crate) const DEFAULT_PORT: u16 = 8126;

/// Where the agent listens.
///
/// `Display` and `Debug` leave out user name and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum AgentAddress {
    Http(BaseUrl),
    Https(BaseUrl),
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
}

/// An `http` or `https` URL without query, fragment and trailing slash: a path of the agent's interface may follow.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    scheme: &'static str,
    user_info: Option<Box<str>>,
    /// Host, port and path.
    rest: Box<str>,
}

impl BaseUrl {
    /// The URL of a path, for instance `/v0.4/traces`. It may hold a password: for the client, not for messages.
    pub(crate) fn join(&self, path: &str) -> String {
        let Self { scheme, user_info, rest } = self;
        match user_info {
            Some(user_info) => format!("{scheme}://{user_info}@{rest}{path}"),
            None => format!("{scheme}://{rest}{path}"),
        }
    }
}

/// Why a text is not the address of an agent. The texts do not repeat the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgentUrlError {
    /// The scheme is none of `http`, `https`, `unix`.
    Scheme,
    /// The host is missing or malformed.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The path of a socket is missing or not absolute.
    SocketPath,
    /// It holds blanks or control characters.
    Character,
    /// It is an `https` address and the feature is off.
    HttpsFeature,
}

impl fmt::Display for AgentUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the scheme of the agent's address must be http, https or unix",
            Self::Host => "the agent's address has no usable host",
            Self::Port => "the port of the agent's address is not a number from 1 to 65535",
            Self::SocketPath => "the agent's socket must be named by an absolute path",
            Self::Character => "the agent's address holds blanks or control characters",
            Self::HttpsFeature => "an https agent address needs the feature `https` of dd-traced",
        })
    }
}

impl std::error::Error for AgentUrlError {}

impl AgentAddress {
    /// The address for a host, in which a bare IPv6 address gets its brackets.
    pub(crate) fn http(host: &str, port: u16) -> Self {
        let rest = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        Self::Http(BaseUrl { scheme: "http", user_info: None, rest: rest.into() })
    }

    /// The host, IPv6 in brackets; `None` for a socket.
    pub(crate) fn host(&self) -> Option<&str> {
        let (Self::Http(url) | Self::Https(url)) = self else { return None };
        let authority = url.rest.split('/').next().unwrap_or_default();
        let end = authority.rfind(']').map_or_else(|| authority.find(':'), |end| Some(end + 1));
        Some(authority.get(..end.unwrap_or(authority.len())).unwrap_or_default())
    }

    /// Like [`AgentAddress::http`] for a host that is not known to be one.
    pub(crate) fn from_host(host: &str, port: u16) -> Result<Self, AgentUrlError> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.contains(':') {
            check_ipv6(bare)?;
        } else {
            check_host(bare)?;
        }
        Ok(Self::http(bare, port))
    }

    /// Reads `http://host:port/prefix`, `https://…` or `unix:///path`.
    ///
    /// Source: `internal/agent.go` of DataDog/dd-trace-go for schemes and path prefix.
    pub(crate) fn parse(text: &str) -> Result<Self, AgentUrlError> {
        let text = text.trim();
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(AgentUrlError::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AgentUrlError::Scheme)?;
        if scheme.eq_ignore_ascii_case("unix") {
            return match Path::new(rest) {
                path if path.has_root() && rest.len() > 1 => Ok(Self::Unix(path.to_owned())),
                _ => Err(AgentUrlError::SocketPath),
            };
        }
        if scheme.eq_ignore_ascii_case("http") {
            return Ok(Self::Http(base_url("http", rest)?));
        }
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(AgentUrlError::Scheme);
        }
        let url = base_url("https", rest)?;
        if cfg!(feature = "https") { Ok(Self::Https(url)) } else { Err(AgentUrlError::HttpsFeature) }
    }
}

fn base_url(scheme: &'static str, rest: &str) -> Result<BaseUrl, AgentUrlError> {
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user_info, host_and_port) = match authority.rsplit_once('@') {
        Some((user_info, host)) => (Some(user_info.into()), host),
        None => (None, authority),
    };
    check_host_and_port(host_and_port)?;
    let path = path.trim_end_matches('/');
    Ok(BaseUrl { scheme, user_info, rest: format!("{host_and_port}{path}").into() })
}

fn check_host_and_port(text: &str) -> Result<(), AgentUrlError> {
    let port = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, port) = bracketed.split_once(']').ok_or(AgentUrlError::Host)?;
        check_ipv6(host)?;
        port
    } else {
        let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        check_host(host)?;
        port
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(digits) if parse_port(digits).is_some() => Ok(()),
        _ => Err(AgentUrlError::Port),
    }
}

/// Reads a port, 1 to 65535.
pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port != 0)
}

pub(super) fn check_host(host: &str) -> Result<(), AgentUrlError> {
    let is_usable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | 0x80..);
    if host.is_empty() || !host.bytes().all(is_usable) { Err(AgentUrlError::Host) } else { Ok(()) }
}

pub(super) fn check_ipv6(host: &str) -> Result<(), AgentUrlError> {
    host.parse::<std::net::Ipv6Addr>().map(|_| ()).map_err(|_| AgentUrlError::Host)
}

impl fmt::Display for AgentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) | Self::Https(url) => write!(f, "{}://{}", url.scheme, url.rest),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl fmt::Debug for AgentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentAddress({self})")
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({}://{})", self.scheme, self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        AgentAddress::parse(text).map_or_else(|error| format!("{error:?}"), |address| address.to_string())
    }

    #[test]
    fn addresses_of_all_schemes_are_read() {
        assert_eq!(shown("http://agent:8126"), "http://agent:8126");
        assert_eq!(shown(" HTTP://agent "), "http://agent");
        assert_eq!(shown("http://gw:9000/base/?token=x#y"), "http://gw:9000/base");
        assert_eq!(shown("http://[::1]:8126/"), "http://[::1]:8126");
        // One slash of several used to stay, and doubled that of each path.
        assert_eq!(shown("http://gw:9000/base//"), "http://gw:9000/base");
        assert_eq!(shown("unix:///var/run/datadog/apm.socket"), "unix:///var/run/datadog/apm.socket");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        let cases = [
            ("ftp://agent", "Scheme"),
            ("agent:8126", "Scheme"),
            ("http://", "Host"),
            ("http://:8126", "Host"),
            ("http://[::1", "Host"),
            ("http://[zz]:1", "Host"),
            ("http://a<b", "Host"),
            ("http://agent:0", "Port"),
            ("http://agent:65536", "Port"),
            ("http://agent:+1", "Port"),
            ("http://agent:", "Port"),
            ("http://[::1]x", "Port"),
            ("http://ag ent", "Character"),
            ("http://agent\n", "http://agent"),
            ("http://ag\u{1b}ent", "Character"),
            ("unix://relative", "SocketPath"),
            ("unix://", "SocketPath"),
            ("unix:///", "SocketPath"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn password_reaches_the_client_and_no_message() {
        let address = AgentAddress::parse("http://me:s3cret@agent:1/p").unwrap();
        assert_eq!(format!("{address} {address:?}"), "http://agent:1/p AgentAddress(http://agent:1/p)");
        let AgentAddress::Http(url) = address else { panic!("not http") };
        assert_eq!(url.join("/v0.4/traces"), "http://me:s3cret@agent:1/p/v0.4/traces");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn host_is_told_without_port_and_path() {
        for (text, host) in [
            ("http://agent:1/p", Some("agent")),
            ("http://me:s3cret@agent", Some("agent")),
            ("http://[::1]:1", Some("[::1]")),
            ("http://[::1]", Some("[::1]")),
            ("unix:///a", None),
        ] {
            assert_eq!(AgentAddress::parse(text).unwrap().host(), host, "{text}");
        }
    }

    #[test]
    fn https_needs_its_feature() {
        let expected = if cfg!(feature = "https") { "https://agent:1" } else { "HttpsFeature" };
        assert_eq!(shown("https://agent:1"), expected);
    }

    #[test]
    fn bare_ipv6_host_gets_brackets() {
        for host in ["fd00::12", "[fd00::12]"] {
            assert_eq!(AgentAddress::from_host(host, 9126).unwrap().to_string(), "http://[fd00::12]:9126");
        }
        assert_eq!(AgentAddress::from_host("agent", 1).unwrap().to_string(), "http://agent:1");
        assert!(AgentAddress::from_host("a/b", 1).is_err() && AgentAddress::from_host("x@y", 1).is_err());
    }
}
