//! Writing the header `tracestate`: our member first, then those of other vendors as they came.
//!
//! Source: `composeTracestate` in `ddtrace/tracer/textmap.go` of DataDog/dd-trace-go.

use super::inject::{Decided, LastParent, Outgoing};
use super::text::Text;
use super::tracestate::{MAX_LIST_BYTES, MAX_OWN_BYTES};
use crate::model::ids;
use crate::model::upstream::{TAG_DECISION_MAKER, TAG_PREFIX};

/// Calls `set` with the value of the header: our member, then those of others as far as they fit.
pub(super) fn write(context: &Outgoing<'_>, decided: &Decided, set: impl FnOnce(&str)) {
    let mut own = Text::new();
    push_own(&mut own, context, decided);
    let room = MAX_LIST_BYTES.saturating_sub(own.len().saturating_add(1));
    let foreign = first_members(context.tracestate.unwrap_or_default(), room);
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

fn push_own(member: &mut Text<MAX_OWN_BYTES>, context: &Outgoing<'_>, decided: &Decided) {
    member.push(b"dd=");
    if let Some(decision) = context.decision {
        push_priority(member, decision.priority.as_i32());
    }
    if let Some(origin) = context.origin {
        push_encoded(member, b"o:", origin);
    }
    match context.last_parent {
        LastParent::Own => {
            let before = member.len();
            let id = ids::hex(context.span_id.as_u64());
            if !(push_separator(member) && member.push(b"p:") && member.push(&id)) {
                member.truncate(before);
            }
        }
        LastParent::Received(Some(id)) => push_encoded(member, b"p:", id),
        LastParent::Received(None) => {}
    }
    push_tags(member, context, decided);
}

fn push_priority(member: &mut Text<MAX_OWN_BYTES>, priority: i32) {
    match priority {
        0 => _ = member.push(b"s:0"),
        1 => _ = member.push(b"s:1"),
        2 => _ = member.push(b"s:2"),
        other => {
            member.push(if other < 0 { b"s:-" } else { b"s:" });
            member.push(ids::decimal(u64::from(other.unsigned_abs())).as_bytes());
        }
    }
}

/// The decision maker first; of the others those that fit.
fn push_tags(member: &mut Text<MAX_OWN_BYTES>, context: &Outgoing<'_>, decided: &Decided) {
    if let Some(maker) = &decided.maker {
        push_encoded(member, b"t.dm:", maker.as_str());
    } else if let Some(maker) = context.tags.decision_maker() {
        push_encoded(member, b"t.dm:", maker);
    }
    if let Some(rate) = &decided.rate {
        push_encoded(member, b"t.ksr:", rate.as_str());
    }
    for (key, value) in context.tags.iter() {
        let is_written = key == TAG_DECISION_MAKER || decided.replaces(key);
        if let Some(name) = key.strip_prefix(TAG_PREFIX).filter(|_| !is_written) {
            push_tag(member, name, value);
        }
    }
}

/// Adds the tag, or nothing where it does not fit.
fn push_tag(member: &mut Text<MAX_OWN_BYTES>, name: &str, value: &str) {
    let before = member.len();
    let has_key = push_separator(member) && member.push(b"t.") && push_name(member, name);
    if !(has_key && member.push(b":") && push_value(member, value)) {
        member.truncate(before);
    }
}

/// A name must not end the pair it stands in: what would is written as `_`.
fn push_name(member: &mut Text<MAX_OWN_BYTES>, name: &str) -> bool {
    let is_kept = |byte| is_plain(byte) && byte != b':' && byte != b' ';
    if name.bytes().all(is_kept) {
        return member.push(name.as_bytes());
    }
    name.bytes().all(|byte| member.push(&[if is_kept(byte) { byte } else { b'_' }]))
}

/// Adds the key, which ends with its colon, and the value, or nothing where they do not fit.
fn push_encoded(member: &mut Text<MAX_OWN_BYTES>, key: &[u8], value: &str) {
    let before = member.len();
    if !(push_separator(member) && member.push(key) && push_value(member, value)) {
        member.truncate(before);
    }
}

fn push_value(member: &mut Text<MAX_OWN_BYTES>, value: &str) -> bool {
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

fn push_separator(member: &mut Text<MAX_OWN_BYTES>) -> bool {
    member.len() == b"dd=".len() || member.push(b";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_cut_between_members() {
        assert_eq!(first_members("a=1,b=2,c=3", 11), "a=1,b=2,c=3");
        assert_eq!(first_members("a=1,b=2,c=3", 10), "a=1,b=2");
        assert_eq!(first_members("a=1,b=2,c=3", 7), "a=1,b=2");
        assert_eq!(first_members("a=1,b=2,c=3", 6), "a=1");
        assert_eq!(first_members("a=1,b=2,c=3", 2), "");
    }
}
