//! The style `baggage`: items of the user, independent of any trace.
//!
//! Source: <https://www.w3.org/TR/baggage/>; the limits, and that one malformed member spoils all,
//! `ddtrace/tracer/textmap.go` of DataDog/dd-trace-go.

use super::percent::{Safe, decoded, encode, encoded_len};
use super::text::trim_blanks;
use crate::diagnostics;
use crate::model::Baggage;
use crate::model::upstream::{cut, pieces};
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) const HEADER: &str = "baggage";

/// Items sent and received.
pub(super) const MAX_ITEMS: usize = 64;
/// Bytes of the header sent and received.
pub(super) const MAX_BYTES: usize = 8_192;

/// What the lines of the header say, added one by one.
#[derive(Debug, Default)]
pub(super) struct IncomingBaggage {
    items: Baggage,
    members: usize,
    bytes: usize,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Reading,
    /// A limit was passed: what came before is kept.
    Full,
    /// One member was malformed: nothing is kept.
    Malformed,
}

impl IncomingBaggage {
    /// Adds a header line; several are one list.
    pub(super) fn push_line(&mut self, line: &str) {
        if line.is_empty() && self.state == State::Reading {
            self.state = State::Malformed;
        }
        if self.members == 0 {
            self.items.reserve(line.len().min(MAX_BYTES));
        }
        for member in pieces(line, b',') {
            if self.state != State::Reading {
                return;
            }
            self.state = self.push(member);
        }
    }

    fn push(&mut self, member: &str) -> State {
        self.bytes = self.bytes.saturating_add(member.len()).saturating_add(usize::from(self.members > 0));
        if self.members >= MAX_ITEMS || self.bytes > MAX_BYTES {
            return State::Full;
        }
        self.members = self.members.saturating_add(1);
        let Some((key, value)) = cut(member, b'=') else { return State::Malformed };
        let (key, value) = (trim_blanks(key), trim_blanks(value));
        if key.is_empty() || value.is_empty() {
            return State::Malformed;
        }
        self.items.set(&decoded(key), &decoded(value));
        State::Reading
    }

    /// The items, if there are any.
    pub(super) fn into_items(self) -> Option<Baggage> {
        match self.state {
            State::Malformed => {
                diagnostics::debug(format_args!("the incoming baggage is malformed: ignored"));
                return None;
            }
            State::Full => {
                diagnostics::debug(format_args!("the incoming baggage is above its limits: cut"));
            }
            State::Reading => {}
        }
        Some(self.items).filter(|items| !items.is_empty())
    }
}

/// The value of the header; empty where there is nothing to send. An item that would go beyond the limits is left out with all
/// that follow it; so is, alone, one that a header cannot express.
pub(super) fn header(baggage: &Baggage) -> String {
    let mut out = String::new();
    let sendable = baggage.iter().map(|(key, value)| (key.trim(), value.trim()));
    for (sent, (key, value)) in
        sendable.filter(|(key, value)| !key.is_empty() && !value.is_empty()).enumerate()
    {
        let length =
            encoded_len(key, Safe::KEY).saturating_add(encoded_len(value, Safe::VALUE)).saturating_add(1);
        let separator = usize::from(sent > 0);
        if sent >= MAX_ITEMS || out.len().saturating_add(separator).saturating_add(length) > MAX_BYTES {
            warn_once();
            break;
        }
        out.reserve(separator.saturating_add(length));
        if separator > 0 {
            out.push(',');
        }
        encode(key, Safe::KEY, &mut out);
        out.push('=');
        encode(value, Safe::VALUE, &mut out);
    }
    out
}

fn warn_once() {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    // Relaxed: it guards nothing but the message.
    if !IS_SAID.swap(true, Ordering::Relaxed) {
        diagnostics::warn(format_args!(
            "baggage is sent up to {MAX_ITEMS} items and {MAX_BYTES} bytes: the rest is left out, now and later"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<(String, String)> {
        let mut incoming = IncomingBaggage::default();
        for line in lines {
            incoming.push_line(line);
        }
        let items = incoming.into_items().unwrap_or_default();
        items.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn written(items: &[(&str, &str)]) -> String {
        let mut baggage = Baggage::default();
        for (key, value) in items {
            baggage.set(key, value);
        }
        header(&baggage)
    }

    #[test]
    fn lines_are_one_list_and_later_duplicates_replace() {
        let items = read(&[" a = 1 ,B=x=y;p=1", "a=3,%C3%A9=two%20words,c=1+1"]);
        assert_eq!(items, pairs(&[("a", "3"), ("B", "x=y;p=1"), ("é", "two words"), ("c", "1+1")]));
    }

    #[test]
    fn one_malformed_member_spoils_all() {
        for text in [
            "colour,size=9",
            "size=9,=blue",
            "=",
            "size=",
            "size=9,,",
            "size=9,",
            ",",
            " ",
            "",
            "a=1, =2",
            "a= ",
        ] {
            assert_eq!(read(&[text]), [], "{text:?}");
        }
        assert_eq!(read(&["a=1", ""]), []);
        assert_eq!(read(&["a=1", "b"]), []);
    }

    #[test]
    fn items_are_read_up_to_the_limits() {
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        for (sent, kept) in [(63, 63), (64, 64), (65, 64), (500, 64)] {
            assert_eq!(read(&[&many(sent)]).len(), kept, "{sent}");
        }
        // What is beyond a limit is not looked at.
        assert_eq!(read(&[&many(64), "malformed"]).len(), 64);
        for (length, kept) in [(8_191, 2), (8_192, 2), (8_193, 1)] {
            let text = format!("a=1,b={}", "x".repeat(length - "a=1,b=".len()));
            assert_eq!((text.len(), read(&[&text]).len()), (length, kept));
        }
    }

    #[test]
    fn items_are_written_in_order_up_to_the_limits() {
        assert_eq!(written(&[("b", "1"), (" a ", " two words "), ("c", "é")]), "b=1,a=two%20words,c=%C3%A9");
        assert_eq!(written(&[]), "");
        let long = "x".repeat(4_000);
        let text = written(&[("a", &long), ("b", &long), ("c", &long), ("d", "1")]);
        assert_eq!((text.len(), text.contains("d=")), (8_005, false));
        for (length, is_sent) in [(8_191, true), (8_192, true), (8_193, false)] {
            assert_eq!(written(&[("a", &"x".repeat(length - 2))]).len(), if is_sent { length } else { 0 });
        }
        let names: Vec<String> = (0..65).map(|n| format!("k{n}")).collect();
        let items: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
        assert_eq!(read(&[&written(&items)]).len(), 64);
    }

    #[test]
    fn what_a_header_cannot_express_is_left_out() {
        assert_eq!(written(&[("a", "1"), (" ", "2"), ("c", ""), ("d", "\u{7f}\r\n")]), "a=1,d=%7F");
    }
}
