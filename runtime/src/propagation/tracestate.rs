//! The header `tracestate`: members of several vendors, of which `dd` is ours.
//!
//! Read here. Members of others are kept as they came, in their order; our own is taken apart, and made anew for each call
//! by `tracestate_write`.
//!
//! Source: <https://www.w3.org/TR/trace-context/#tracestate-header> for the list; `ddtrace/tracer/textmap.go` of
//! DataDog/dd-trace-go for the member `dd`.

use super::number;
use super::probability;
use super::tags::is_decision_maker;
use super::text::{is_printable, trim_blanks};
use crate::model::upstream::{PropagatedTags, PropagationError, cut, pieces};

pub(super) const HEADER: &str = "tracestate";

/// Members of the whole list, ours among them.
pub(super) const MAX_MEMBERS: usize = 32;
/// Bytes of one foreign member; longer ones are dropped.
const MAX_MEMBER_BYTES: usize = 512;
/// Bytes of our member, its `dd=` included; a longer one is ignored.
pub(super) const MAX_OWN_BYTES: usize = 256;
/// Bytes of the whole list; members that would pass it are dropped from the right.
pub(super) const MAX_LIST_BYTES: usize = 4096;

/// How much of our own member is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    All,
    /// Only the last span id, where another style gave everything else.
    LastParent,
    /// Nothing, where that style named the same parent too.
    Nothing,
}

/// What the lines of the header say, added one by one.
#[derive(Debug)]
pub(super) struct Tracestate {
    own: Own,
    has_own: bool,
    members: usize,
    pub(super) foreign: String,
    /// The value of OpenTelemetry's member, which is foreign too.
    pub(super) probability: Option<Box<str>>,
    pub(super) priority: Option<i32>,
    pub(super) origin: Option<Box<str>>,
    pub(super) last_parent_id: Option<Box<str>>,
    pub(super) tags: PropagatedTags,
    pub(super) error: Option<PropagationError>,
}

impl Tracestate {
    pub(super) fn new(own: Own) -> Self {
        Self {
            own,
            has_own: false,
            members: 1,
            foreign: String::new(),
            probability: None,
            priority: None,
            origin: None,
            last_parent_id: None,
            tags: PropagatedTags::default(),
            error: None,
        }
    }

    /// Adds a header line.
    pub(super) fn push_line(&mut self, line: &str) {
        for member in pieces(line, b',') {
            let member = trim_blanks(member);
            let Some((key, value)) = cut(member, b'=') else { continue };
            if key.is_empty() || !is_printable(member) {
                continue;
            }
            if key == probability::KEY {
                self.take_probability(member, value);
            } else if key != "dd" {
                self.push_foreign(member, line.len());
            } else if !self.has_own {
                self.has_own = true;
                if member.len() <= MAX_OWN_BYTES && self.own != Own::Nothing {
                    self.read_own(value);
                }
            }
        }
    }

    /// Of several the first counts.
    fn take_probability(&mut self, member: &str, value: &str) {
        if self.probability.is_some() || self.members >= MAX_MEMBERS || member.len() > MAX_MEMBER_BYTES {
            return;
        }
        let value = probability::sanitized(value);
        if !value.is_empty() {
            self.members = self.members.saturating_add(1);
            self.probability = Some(value.into());
        }
    }

    /// Adds a member of a line of so many bytes.
    fn push_foreign(&mut self, member: &str, line_bytes: usize) {
        let length = self.foreign.len().saturating_add(member.len()).saturating_add(1);
        if self.members >= MAX_MEMBERS || member.len() > MAX_MEMBER_BYTES || length > MAX_LIST_BYTES {
            return;
        }
        self.members = self.members.saturating_add(1);
        if self.foreign.is_empty() {
            // All members of one line at once.
            self.foreign.reserve_exact(line_bytes.min(MAX_LIST_BYTES));
        } else {
            self.foreign.push(',');
        }
        self.foreign.push_str(member);
    }

    fn read_own(&mut self, text: &str) {
        for pair in pieces(text, b';') {
            let Some((key, value)) = cut(pair, b':') else { continue };
            match (self.own, key) {
                (_, "p") if !value.is_empty() => self.last_parent_id = Some(value.into()),
                (Own::All, "s") => self.priority = number::signed(value),
                (Own::All, "o") if !value.is_empty() => self.origin = Some(decoded(value).into()),
                (Own::All, _) => {
                    if let Some(name) = key.strip_prefix("t.") {
                        self.read_tag(name, value);
                    }
                }
                (Own::LastParent | Own::Nothing, _) => {}
            }
        }
    }

    fn read_tag(&mut self, name: &str, value: &str) {
        let is_usable = !name.is_empty() && !name.contains([' ', '=']) && !value.trim_matches(' ').is_empty();
        // The upper half of the trace id stands in `traceparent`.
        if !is_usable || name == "tid" || name == "upstream_services" {
            return;
        }
        if name == "dm" && !is_decision_maker(value) {
            self.error = Some(PropagationError::Decoding);
            return;
        }
        if value.contains('~') {
            self.tags.push(name, &decoded(value));
        } else {
            self.tags.push(name, value);
        }
    }
}

fn decoded(value: &str) -> String {
    value.replace('~', "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Tracestate {
        let mut state = Tracestate::new(Own::All);
        for line in lines {
            state.push_line(line);
        }
        state
    }

    #[test]
    fn own_member_is_taken_apart() {
        let state = read(&["acme=k1,dd=s:2;o:rum~x;p:zz9;t.dm:-4;t.a:b:c~d;t.tid:1;t.blank: ;u:v;bad, x=y "]);
        assert_eq!(
            (state.priority, state.origin.as_deref(), state.last_parent_id.as_deref()),
            (Some(2), Some("rum=x"), Some("zz9"))
        );
        assert_eq!(state.tags.iter().collect::<Vec<_>>(), [("_dd.p.dm", "-4"), ("_dd.p.a", "b:c=d")]);
        assert_eq!(state.foreign, "acme=k1,x=y");
    }

    #[test]
    fn lines_are_one_list_and_a_second_own_member_is_dropped() {
        let state = read(&["a=1, ,\tdd=s:1", "b=2;dd=s:2,dd=s:0,DD=x"]);
        assert_eq!((state.priority, state.foreign.as_str()), (Some(1), "a=1,b=2;dd=s:2,DD=x"));
    }

    #[test]
    fn garbage_is_dropped_member_by_member() {
        for text in [";;;", "dd=", "dd", "=x", "a=\u{7f}", "a=é", ",,", "dd=s:foo"] {
            let state = read(&[text]);
            assert_eq!((state.foreign.as_str(), state.priority), ("", None), "{text:?}");
        }
        assert_eq!(read(&["a=\n,b=2"]).foreign, "b=2");
    }

    #[test]
    fn foreign_members_are_kept_within_limits() {
        let many: Vec<String> = (0..33).map(|n| format!("k{n}=v")).collect();
        let state = read(&[&format!("dd=s:1,{}", many.join(","))]);
        assert_eq!(state.foreign, many.get(..31).unwrap().join(","));
        for (length, is_kept) in [(511, true), (512, true), (513, false)] {
            let state = read(&[&format!("a={}", "x".repeat(length - 2))]);
            assert_eq!(!state.foreign.is_empty(), is_kept, "{length}");
        }
        let long: Vec<String> = (0..9).map(|n| format!("{n}={}", "x".repeat(500))).collect();
        assert_eq!(read(&[&long.join(",")]).foreign, long.get(..8).unwrap().join(","));
    }

    #[test]
    fn own_member_is_read_up_to_its_limit() {
        for (length, expected) in [(255, Some(1)), (256, Some(1)), (257, None)] {
            let filling = "x".repeat(length - "dd=s:1;t.a:".len());
            assert_eq!(read(&[&format!("dd=s:1;t.a:{filling}")]).priority, expected, "{length}");
        }
    }
}
