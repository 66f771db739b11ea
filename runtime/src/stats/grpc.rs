//! Status codes of gRPC, which come as numbers or as names.
//!
//! Source: `pkg/trace/stats/aggregation.go` of DataDog/datadog-agent for the keys and spellings.

/// The tags that hold one, the first that is there counts.
pub(super) const KEYS: [&str; 4] =
    ["rpc.grpc.status_code", "grpc.code", "rpc.grpc.status.code", "grpc.status.code"];

/// In the order of their numbers.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALIDARGUMENT",
    "DEADLINEEXCEEDED",
    "NOTFOUND",
    "ALREADYEXISTS",
    "PERMISSIONDENIED",
    "RESOURCEEXHAUSTED",
    "FAILEDPRECONDITION",
    "ABORTED",
    "OUTOFRANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATALOSS",
    "UNAUTHENTICATED",
];

/// The code that a text means: a number, or a name such as `NOT_FOUND`, `NotFound`, `StatusCode.NOT_FOUND`.
pub(super) fn code(text: &str) -> Option<u32> {
    if let Ok(code) = text.parse() {
        return Some(code);
    }
    let name = text.strip_prefix("StatusCode.").unwrap_or(text);
    if name.eq_ignore_ascii_case("canceled") {
        return Some(1);
    }
    let is_named = |known: &&str| {
        let mut letters = name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_uppercase());
        known.bytes().all(|byte| letters.next() == Some(byte)) && letters.next().is_none()
    };
    NAMES.iter().position(is_named).map(|code| code as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_spelling_are_numbers() {
        for (text, expected) in [
            ("0", Some(0)),
            ("5", Some(5)),
            ("NOT_FOUND", Some(5)),
            ("NotFound", Some(5)),
            ("StatusCode.NOT_FOUND", Some(5)),
            ("Canceled", Some(1)),
            ("CANCELLED", Some(1)),
            ("unauthenticated", Some(16)),
            ("NOT_FOUNDS", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
