//! The header `tracestate`: members of several vendors, of which `dd` is ours.
//!
//! Members of others are kept as they came, in their order; our own is taken apart and made anew for each call, always as
//! the first.
//!
//! Source: <https://www.w3.org/TR/trace-context/#tracestate-header> for the list; `ddtrace/tracer/textmap.go` of
//! DataDog/dd-trace-go for the member `dd`.

use super::inject::{LastParent, Outgoing};
use super::number;
use super::tags::is_decision_maker;
use super::text::{Text, is_printable, trim_blanks};
use crate::model::ids;
use crate::model::priority::rate_text;
use crate::model::upstream::{
    PropagatedTags, PropagationError, TAG_DECISION_MAKER, TAG_KNUTH_RATE, TAG_PREFIX,
};

pub(super) const HEADER: &str = "tracestate";

/// Members of the whole list, ours among them.
const MAX_MEMBERS: usize = 32;
/// Bytes of one foreign member; longer ones are dropped.
const MAX_MEMBER_BYTES: usize = 512;
/// Bytes of our member, its `dd=` included; a longer one is ignored.
const MAX_OWN_BYTES: usize = 256;
/// Bytes of the whole list; members that would pass it are dropped from the right.
pub(super) const MAX_LIST_BYTES: usize = 4096;

/// How much of our own member is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    All,
    /// Only the last span id, where another style gave everything else.
    LastParent,
}

/// What the lines of the header say, added one by one.
#[derive(Debug)]
pub(super) struct Tracestate {
    own: Own,
    has_own: bool,
    members: usize,
    pub(super) foreign: String,
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
            priority: None,
            origin: None,
            last_parent_id: None,
            tags: PropagatedTags::default(),
            error: None,
        }
    }

    /// Adds a header line.
    pub(super) fn push_line(&mut self, line: &str) {
        for member in line.split(',') {
            let member = trim_blanks(member);
            let Some((key, value)) = member.split_once('=') else { continue };
            if key.is_empty() || !is_printable(member) {
                continue;
            }
            if key != "dd" {
                self.push_foreign(member);
            } else if !self.has_own {
                self.has_own = true;
                if member.len() <= MAX_OWN_BYTES {
                    self.read_own(value);
                }
            }
        }
    }

    fn push_foreign(&mut self, member: &str) {
        let length = self.foreign.len().saturating_add(member.len()).saturating_add(1);
        if self.members >= MAX_MEMBERS || member.len() > MAX_MEMBER_BYTES || length > MAX_LIST_BYTES {
            return;
        }
        self.members = self.members.saturating_add(1);
        if !self.foreign.is_empty() {
            self.foreign.push(',');
        }
        self.foreign.push_str(member);
    }

    fn read_own(&mut self, text: &str) {
        for pair in text.split(';') {
            let Some((key, value)) = pair.split_once(':') else { continue };
            match (self.own, key) {
                (_, "p") if !value.is_empty() => self.last_parent_id = Some(value.into()),
                (Own::All, "s") => self.priority = number::signed(value),
                (Own::All, "o") if !value.is_empty() => self.origin = Some(decoded(value).into()),
                (Own::All, _) => {
                    if let Some(name) = key.strip_prefix("t.") {
                        self.read_tag(name, value);
                    }
                }
                (Own::LastParent, _) => {}
            }
        }
    }

    fn read_tag(&mut self, name: &str, value: &str) {
        let is_usable = !name.is_empty() && !name.contains([' ', '=']) && !value.is_empty();
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

/// Calls `set` with the value of the header: our member, then those of others as far as they fit.
pub(super) fn write(context: &Outgoing<'_>, set: impl FnOnce(&str)) {
    let own = own_member(context);
    let Some(foreign) = context.tracestate.filter(|foreign| !foreign.is_empty()) else {
        return set(own.as_str());
    };
    let room = MAX_LIST_BYTES.saturating_sub(own.len().saturating_add(1));
    let foreign = first_members(foreign, room);
    if foreign.is_empty() {
        return set(own.as_str());
    }
    let mut list = String::with_capacity(MAX_OWN_BYTES.saturating_add(foreign.len()));
    list.push_str(own.as_str());
    list.push(',');
    list.push_str(foreign);
    set(&list);
}

/// As many whole members from the left as fit into `room` bytes.
fn first_members(list: &str, room: usize) -> &str {
    if list.len() <= room {
        return list;
    }
    // Members are ASCII, so each end is a character's.
    let fitting = list.get(..=room).unwrap_or_default();
    fitting.rsplit_once(',').map_or("", |(members, _)| members)
}

fn own_member(context: &Outgoing<'_>) -> Text<MAX_OWN_BYTES> {
    let mut member = Text::new();
    member.push_all(&[b"dd="]);
    if let Some(decision) = context.decision {
        push_priority(&mut member, decision.priority.as_i32());
    }
    if let Some(origin) = context.origin {
        push_encoded(&mut member, b"o:", b"", origin);
    }
    match context.last_parent {
        LastParent::Own => {
            member.push_all(&[separator(&member), b"p:", &ids::hex(context.span_id.as_u64())]);
        }
        LastParent::Received(Some(id)) => push_encoded(&mut member, b"p:", b"", id),
        LastParent::Received(None) => {}
    }
    push_tags(&mut member, context);
    member
}

fn push_priority(member: &mut Text<MAX_OWN_BYTES>, priority: i32) {
    let sign: &[u8] = if priority < 0 { b"-" } else { b"" };
    let digits = ids::decimal(u64::from(priority.unsigned_abs()));
    member.push_all(&[b"s:", sign, digits.as_bytes()]);
}

/// The decision maker first; of the others those that fit.
fn push_tags(member: &mut Text<MAX_OWN_BYTES>, context: &Outgoing<'_>) {
    let mechanism = context.decision.and_then(|decision| decision.mechanism);
    let rate = context.decision.and_then(|decision| decision.rate);
    match mechanism {
        Some(mechanism) => push_encoded(member, b"t.", b"dm", mechanism.decision_maker().as_str()),
        None => {
            if let Some(maker) = context.tags.get(TAG_DECISION_MAKER) {
                push_encoded(member, b"t.", b"dm", maker);
            }
        }
    }
    if let Some(rate) = rate {
        push_encoded(member, b"t.", b"ksr", rate_text(rate).as_str());
    }
    if context.tags.is_empty() {
        return;
    }
    for (key, value) in context.tags.iter() {
        let is_written = key == TAG_DECISION_MAKER || rate.is_some() && key == TAG_KNUTH_RATE;
        if let Some(name) = key.strip_prefix(TAG_PREFIX).filter(|_| !is_written) {
            push_encoded(member, b"t.", name.as_bytes(), value);
        }
    }
}

/// Adds `;prefix`, `key`, `:` (when there is a key) and the value, or nothing where it does not fit.
fn push_encoded(member: &mut Text<MAX_OWN_BYTES>, prefix: &[u8], key: &[u8], value: &str) {
    let colon: &[u8] = if key.is_empty() { b"" } else { b":" };
    let before = member.len();
    let mut fits = member.push_all(&[separator(member), prefix, key, colon]);
    if value.bytes().all(is_plain) {
        fits &= member.push_all(&[value.as_bytes()]);
    } else {
        let mut in_run = false;
        for byte in value.bytes() {
            let is_foreign = !matches!(byte, b' '..=b'~');
            // A run of characters outside of ASCII is one replacement, the bytes of one character with it.
            if !(is_foreign && in_run) {
                fits &= member.push_all(&[&[encoded(byte)]]);
            }
            in_run = is_foreign;
        }
    }
    if !fits {
        member.truncate(before);
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b';' | b'~' | b'=')
}

const fn encoded(byte: u8) -> u8 {
    match byte {
        b'=' => b'~',
        byte if is_plain(byte) => byte,
        _ => b'_',
    }
}

fn separator(member: &Text<MAX_OWN_BYTES>) -> &'static [u8] {
    if member.len() == b"dd=".len() { b"" } else { b";" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Tracestate {
        let mut state = Tracestate::new(Own::All);
        lines.iter().for_each(|line| state.push_line(line));
        state
    }

    #[test]
    fn own_member_is_taken_apart() {
        let state = read(&["acme=k1,dd=s:2;o:rum~x;p:zz9;t.dm:-4;t.a:b:c~d;t.tid:1;u:v;bad, x=y "]);
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

    #[test]
    fn list_is_cut_between_members() {
        assert_eq!(first_members("a=1,b=2,c=3", 11), "a=1,b=2,c=3");
        assert_eq!(first_members("a=1,b=2,c=3", 10), "a=1,b=2");
        assert_eq!(first_members("a=1,b=2,c=3", 7), "a=1,b=2");
        assert_eq!(first_members("a=1,b=2,c=3", 6), "a=1");
        assert_eq!(first_members("a=1,b=2,c=3", 2), "");
    }
}
