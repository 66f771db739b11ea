//! Values of tags that name a peer, without addresses: each would be a group of its own.
//!
//! Source: `pkg/obfuscate/ip_address.go` of DataDog/datadog-agent.

use std::net::IpAddr;

const BLOCKED: &str = "blocked-ip-address";
/// Addresses that mean the same on every host: of the host itself and of a cloud's metadata.
const ALLOWED: [&str; 5] = ["127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254", "169.254.170.2"];

/// Appends a value; in a list of addresses equal neighbours are written once.
pub(super) fn put_masked(out: &mut Vec<u8>, value: &str) {
    let start = out.len();
    let mut latest = start..start;
    for (index, part) in value.split(',').enumerate() {
        let before = out.len();
        if index > 0 {
            out.push(b',');
        }
        let from = out.len();
        put_part(out, part);
        let is_repeated = index > 0 && out.get(latest.clone()) == out.get(from..);
        if is_repeated && out.get(from..).is_some_and(|part| part.ends_with(BLOCKED.as_bytes())) {
            out.truncate(before);
        } else {
            latest = from..out.len();
        }
    }
}

/// Appends one value, in which an address is hidden; scheme and port stay.
fn put_part(out: &mut Vec<u8>, value: &str) {
    let trimmed = value.trim();
    let (scheme, rest) = match trimmed.find("://") {
        Some(at) => {
            let after = trimmed.get(at + 3..).unwrap_or_default();
            let rest = after.strip_prefix('/').unwrap_or(after);
            trimmed.split_at(trimmed.len() - rest.len())
        }
        None => ("", trimmed),
    };
    match address(rest) {
        Some((host, port)) if !ALLOWED.contains(&host) => {
            out.extend_from_slice(scheme.as_bytes());
            out.extend_from_slice(BLOCKED.as_bytes());
            out.extend_from_slice(port.as_bytes());
        }
        _ => out.extend_from_slice(trimmed.as_bytes()),
    }
}

/// An address, and the port behind it with its colon.
fn address(text: &str) -> Option<(&str, &str)> {
    let is_address = |host: &str| host.parse::<IpAddr>().is_ok();
    if !text.starts_with(|first: char| first.is_ascii_hexdigit() || matches!(first, '[' | ':')) {
        return None;
    }
    if is_address(text) {
        return Some((text, ""));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => text.split_at(text.rfind(':')?),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let has_port = digits.bytes().all(|byte| byte.is_ascii_digit());
    (has_port && is_address(host)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hidden_and_names_are_not() {
        for (value, expected) in [
            ("db.internal", "db.internal"),
            ("10.1.2.3", "blocked-ip-address"),
            ("10.1.2.3:5432", "blocked-ip-address:5432"),
            ("2001:db8::1", "blocked-ip-address"),
            ("[2001:db8::1]:80", "blocked-ip-address:80"),
            ("http://10.1.2.3", "http://blocked-ip-address"),
            ("dnspoll:///10.1.2.3:9000", "dnspoll:///blocked-ip-address:9000"),
            ("10.1.2.3, 10.1.2.4,db", "blocked-ip-address,db"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("169.254.169.254", "169.254.169.254"),
            ("fd00:ec2::254", "fd00:ec2::254"),
            ("169.254.170.2", "169.254.170.2"),
            ("1.2.3", "1.2.3"),
            ("a,a", "a,a"),
            ("", ""),
            (",", ","),
            ("[", "["),
        ] {
            let mut out = b"x".to_vec();
            put_masked(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), format!("x{expected}"), "{value}");
        }
    }
}
