//! What the settings say about finished spans.

use std::fmt;
use std::ops::RangeInclusive;

use crate::model::Mapping;

/// What follows from the tags of a span, and which services are called otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpanRules {
    /// `DD_SERVICE_MAPPING`: services that are sent under another name. Defaults to none.
    pub(crate) service_mapping: Mapping,
    /// `DD_TRACE_HTTP_SERVER_ERROR_STATUSES`: which `http.status_code` marks a span of kind `server` as failed. Defaults to `500-599`.
    pub(crate) server_errors: Statuses,
    /// `DD_TRACE_HTTP_CLIENT_ERROR_STATUSES`: the same of kind `client`. Defaults to `400-499`.
    pub(crate) client_errors: Statuses,
    /// `DD_TRACE_PEER_SERVICE_DEFAULTS_ENABLED`: whether clients and producers get a `peer.service` from other tags. Defaults to false.
    pub(crate) names_peers: bool,
    /// `DD_TRACE_PEER_SERVICE_MAPPING`: peers that are sent under another name. Defaults to none.
    pub(crate) peer_mapping: Mapping,
}

impl Default for SpanRules {
    fn default() -> Self {
        Self {
            service_mapping: Mapping::default(),
            server_errors: Statuses(vec![500..=599]),
            client_errors: Statuses(vec![400..=499]),
            names_peers: false,
            peer_mapping: Mapping::default(),
        }
    }
}

/// HTTP statuses, as ranges that include both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Reads `200,300-310`. What is wrong is left out and given to `fault`; a range may be written backwards.
    ///
    /// None where nothing is left.
    pub(crate) fn parse(text: &str, mut fault: impl FnMut(&str)) -> Option<Self> {
        let mut ranges = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (from, to) = item.split_once('-').unwrap_or((item, item));
            match (status(from), status(to)) {
                (Some(from), Some(to)) => ranges.push(from.min(to)..=from.max(to)),
                _ => fault(item),
            }
        }
        (!ranges.is_empty()).then_some(Self(ranges))
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

/// As it is read.
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let separator = if index > 0 { "," } else { "" };
            write!(f, "{separator}{}", range.start())?;
            if range.start() != range.end() {
                write!(f, "-{}", range.end())?;
            }
        }
        Ok(())
    }
}

/// Three digits.
fn status(text: &str) -> Option<u16> {
    let text = text.trim();
    let is_status = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|status| is_status && *status >= 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_include_their_ends_and_bad_entries_are_left_out() {
        let mut faults = Vec::new();
        let text = " 200, 310-300 ,x,500-,-500,99,1000,+404, 404-405-406,";
        let statuses = Statuses::parse(text, |fault| faults.push(fault.to_owned())).unwrap();
        assert_eq!(statuses.to_string(), "200,300-310");
        assert_eq!(faults, ["x", "500-", "-500", "99", "1000", "+404", "404-405-406"]);
        for (status, is_in) in
            [(199, false), (200, true), (201, false), (299, false), (300, true), (310, true), (311, false)]
        {
            assert_eq!(statuses.contains(status), is_in, "{status}");
        }
        assert_eq!(Statuses::parse(" , x", |_| ()), None);
    }

    proptest! {
        #[test]
        fn any_text_gives_statuses_that_read_back(text in "[0-9,\\- x]{0,30}") {
            if let Some(statuses) = Statuses::parse(&text, |_| ()) {
                prop_assert_eq!(Statuses::parse(&statuses.to_string(), |_| panic!("a fault")), Some(statuses));
            }
        }
    }
}
