//! Writing the header `tracestate`: our member first, then those of other vendors as they came.
//!
//! Source: `composeTracestate` in `ddtrace/tracer/textmap.go` of DataDog/dd-trace-go.

use super::inject::{LastParent, Outgoing, Parts};
use super::org_guard;
use super::probability;
use super::text::Text;
use super::tracestate::{MAX_LIST_BYTES, MAX_MEMBERS, MAX_OWN_BYTES};
use crate::model::ids;
use crate::model::priority::{Decision, Mechanism};
use crate::model::upstream::{TAG_DECISION_MAKER, TAG_PREFIX};
use std::borrow::Cow;

/// The members of others, as they are sent: OpenTelemetry's, and the rest as it came.
#[derive(Debug)]
pub(super) struct Others<'a> {
    /// The value of a member that arrived.
    received: Option<Cow<'a, str>>,
    /// The whole member of a decision taken here.
    own: Option<Text<{ probability::MAX_BYTES }>>,
    rest: &'a str,
}

impl<'a> Others<'a> {
    /// None where there are none.
    #[inline]
    pub(super) fn of(context: &Outgoing<'a>) -> Option<Self> {
        let is_own = || context.decision.is_some_and(|decision| decision.probability().is_some());
        let are_there = context.tracestate.is_some() || context.probability.is_some() || is_own();
        are_there.then(|| Self::gathered(context)).filter(|others| !others.is_empty())
    }

    fn gathered(context: &Outgoing<'a>) -> Self {
        let received = context.probability.map(|value| passed_on(value, context.decision.as_ref()));
        let own = match (&received, &context.decision) {
            (None, Some(decision)) => probability::member(context.trace_id, decision),
            _ => None,
        };
        Self { received, own, rest: context.tracestate.unwrap_or_default() }
    }

    fn is_empty(&self) -> bool {
        self.received.is_none() && self.own.is_none() && self.rest.is_empty()
    }
}

/// The member that arrived. A keep by hand overrules its threshold.
fn passed_on<'a>(value: &'a str, decision: Option<&Decision>) -> Cow<'a, str> {
    let is_kept_by_hand = decision
        .is_some_and(|decision| decision.mechanism == Some(Mechanism::MANUAL) && decision.priority.is_keep());
    if is_kept_by_hand { Cow::Owned(probability::without_threshold(value)) } else { Cow::Borrowed(value) }
}

/// Calls `set` with the value of the header: our member, then those of others as far as they fit.
#[inline(never)]
pub(super) fn join(own: &str, others: &Others<'_>, set: impl FnOnce(&str)) {
    let mut list = Text::<MAX_LIST_BYTES>::new();
    let mut members = 1_usize;
    list.push(own.as_bytes());
    let received = others.received.as_deref().filter(|value| !value.is_empty());
    let before = list.len();
    if let Some(value) = received {
        if list.push(b",") && list.push(b"ot=") && list.push(value.as_bytes()) {
            members = members.saturating_add(1);
        } else {
            list.truncate(before);
        }
    } else if let Some(member) = &others.own {
        list.push(b",");
        list.push(member.as_bytes());
        members = members.saturating_add(1);
    }
    let room = MAX_LIST_BYTES.saturating_sub(list.len().saturating_add(1));
    let rest = first_members(others.rest, room, MAX_MEMBERS.saturating_sub(members));
    if !rest.is_empty() {
        list.push(b",");
        list.push(rest.as_bytes());
    }
    set(list.as_str());
}

/// As many whole members from the left as fit into `room` bytes and are no more than `count`.
fn first_members(list: &str, room: usize, count: usize) -> &str {
    let ends = list.bytes().enumerate().filter(|(_, byte)| *byte == b',').map(|(end, _)| end);
    let ends = ends.chain([list.len()]).take(count).take_while(|end| *end <= room);
    ends.last().and_then(|end| list.get(..end)).unwrap_or_default()
}

/// Adds our member. What would go beyond the text, whose room for it is [`MAX_OWN_BYTES`], is left out.
pub(super) fn push_own<const N: usize>(member: &mut Text<N>, context: &Outgoing<'_>, parts: &Parts) {
    let start = member.len();
    member.push(b"dd=");
    let mut member = Member { text: member, first: start.saturating_add(b"dd=".len()) };
    if let Some(decision) = context.decision {
        member.push_priority(decision.priority.as_i32());
    }
    if let Some(origin) = context.origin {
        member.push_origin(origin, context.last_parent);
    }
    match context.last_parent {
        LastParent::Own => member.push_pair(b"p:", &parts.span_id),
        LastParent::Received(Some(id)) => member.push_encoded(b"p:", id),
        LastParent::Received(None) => {}
    }
    member.push_tags(context, parts);
}

const _: () = assert!(MAX_OWN_BYTES <= MAX_LIST_BYTES);

/// Hexadecimal digits of a span id.
const ID_DIGITS: usize = 16;

/// Our member while it is put together.
struct Member<'a, const N: usize> {
    text: &'a mut Text<N>,
    /// Where its first pair begins.
    first: usize,
}

impl<const N: usize> Member<'_, N> {
    fn push_priority(&mut self, priority: i32) {
        match priority {
            0 => self.push_pair(b"s:0", b""),
            1 => self.push_pair(b"s:1", b""),
            2 => self.push_pair(b"s:2", b""),
            other => {
                let digits = ids::decimal(u64::from(other.unsigned_abs()));
                self.push_pair(if other < 0 { b"s:-" } else { b"s:" }, digits.as_bytes());
            }
        }
    }

    /// Adds the origin, unless it leaves no room for the last span and the decision maker, which say more.
    fn push_origin(&mut self, origin: &str, last_parent: LastParent<'_>) {
        let before = self.text.len();
        self.push_encoded(b"o:", origin);
        let id = match last_parent {
            LastParent::Own => ID_DIGITS,
            LastParent::Received(id) => id.map_or(0, str::len),
        };
        if self.text.room() < id.saturating_add(";p:;t.dm:-255".len()) {
            self.text.truncate(before);
        }
    }

    /// The decision maker first; of the others those that fit.
    fn push_tags(&mut self, context: &Outgoing<'_>, parts: &Parts) {
        let (received, tags) = context.tags.maker_and_rest();
        if let Some(maker) = &parts.maker {
            self.push_pair(b"t.dm:", maker.as_bytes());
        } else if let Some(maker) = received {
            self.push_encoded(b"t.dm:", maker);
        }
        if let Some(rate) = &parts.rate {
            self.push_pair(b"t.ksr:", rate.as_bytes());
        }
        if let Some(marker) = &parts.marker {
            self.push_tag(org_guard::NAME, marker.as_str());
        }
        for (key, value) in tags {
            let is_written = key == TAG_DECISION_MAKER || parts.replaces(key);
            if let Some(name) = key.strip_prefix(TAG_PREFIX).filter(|_| !is_written) {
                self.push_tag(name, value);
            }
        }
    }

    /// Adds the tag, or nothing where it does not fit.
    fn push_tag(&mut self, name: &str, value: &str) {
        let before = self.text.len();
        let has_key = self.separate() && self.text.push(b"t.") && push_name(self.text, name);
        if !(has_key && self.text.push(b":") && push_value(self.text, value)) {
            self.text.truncate(before);
        }
    }

    /// Adds the key, which ends with its colon, and the value, or nothing where they do not fit.
    fn push_encoded(&mut self, key: &[u8], value: &str) {
        let before = self.text.len();
        if !(self.separate() && self.text.push(key) && push_value(self.text, value)) {
            self.text.truncate(before);
        }
    }

    /// As [`push_encoded`](Self::push_encoded), of a value that needs no encoding.
    fn push_pair(&mut self, key: &[u8], value: &[u8]) {
        let before = self.text.len();
        if !(self.separate() && self.text.push(key) && self.text.push(value)) {
            self.text.truncate(before);
        }
    }

    fn separate(&mut self) -> bool {
        self.text.len() == self.first || self.text.push(b";")
    }
}

/// A name must not end the pair it stands in: what would is written as `_`.
fn push_name<const N: usize>(member: &mut Text<N>, name: &str) -> bool {
    let is_kept = |byte| is_plain(byte) && byte != b':' && byte != b' ';
    if name.bytes().all(is_kept) {
        return member.push(name.as_bytes());
    }
    name.bytes().all(|byte| member.push(&[if is_kept(byte) { byte } else { b'_' }]))
}

fn push_value<const N: usize>(member: &mut Text<N>, value: &str) -> bool {
    if value.bytes().all(is_plain) {
        return member.push(value.as_bytes());
    }
    let mut fits = true;
    let mut in_run = false;
    for byte in value.bytes() {
        let is_foreign = !matches!(byte, b' '..=b'~');
        // A run of characters outside of ASCII is one replacement, the bytes of one character with it.
        if !(is_foreign && in_run) {
            fits &= member.push(&[encoded(byte)]);
        }
        in_run = is_foreign;
    }
    fits
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_cut_between_members() {
        for (room, count, expected) in [
            (11, 31, "a=1,b=2,c=3"),
            (11, 3, "a=1,b=2,c=3"),
            (11, 2, "a=1,b=2"),
            (10, 31, "a=1,b=2"),
            (7, 31, "a=1,b=2"),
            (6, 31, "a=1"),
            (2, 31, ""),
            (11, 0, ""),
        ] {
            assert_eq!(first_members("a=1,b=2,c=3", room, count), expected, "{room} {count}");
        }
        assert_eq!(first_members("", 5, 5), "");
    }
}
