//! The header `x-datadog-tags`: `key=value` pairs joined by commas, all or nothing.
//!
//! Source: `ddtrace/tracer/propagating_tags.go` of DataDog/dd-trace-go and `ddtrace/internal/_tagset.pyx` of
//! DataDog/dd-trace-py.

use super::inject::{Outgoing, Parts};
use super::number;
use super::text::{Text, is_printable, trim_blanks};
use crate::model::upstream::{PropagatedTags, PropagationError, TAG_PREFIX, cut, pieces};

pub(super) const HEADER: &str = "x-datadog-tags";

/// What an incoming header says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct IncomingTags {
    pub(super) tags: PropagatedTags,
    /// The upper half of the trace id; zero when it was absent or malformed.
    pub(super) trace_id_high: u64,
    pub(super) error: Option<PropagationError>,
}

/// Reads the header's value. A malformed one gives no tags and an error.
pub(super) fn decode(text: &str, max_bytes: usize) -> IncomingTags {
    let mut incoming = IncomingTags::default();
    if text.is_empty() {
        return incoming;
    }
    if max_bytes == 0 || text.len() > max_bytes {
        let error =
            if max_bytes == 0 { PropagationError::Disabled } else { PropagationError::ExtractMaxSize };
        incoming.error = Some(error);
        return incoming;
    }
    if !is_printable(text) {
        return malformed();
    }
    let mut malformed_high = None;
    for pair in pieces(text, b',') {
        let Some((key, value)) = cut(pair, b'=') else { return malformed() };
        let value = trim_blanks(value);
        if key.is_empty() || cut(key, b' ').is_some() || value.is_empty() {
            return malformed();
        }
        match key.strip_prefix(TAG_PREFIX) {
            None | Some("" | "upstream_services") => {}
            Some("tid") => match trace_id_high(value) {
                Some(high) => incoming.trace_id_high = high,
                None => malformed_high = Some(PropagationError::MalformedTraceIdHigh(value.into())),
            },
            Some("dm") if !is_decision_maker(value) => incoming.error = Some(PropagationError::Decoding),
            Some(name) => {
                if incoming.tags.is_empty() {
                    incoming.tags = PropagatedTags::with_capacity(text.len());
                }
                incoming.tags.push(name, value);
            }
        }
    }
    incoming.error = malformed_high.or(incoming.error);
    incoming
}

fn malformed() -> IncomingTags {
    IncomingTags { error: Some(PropagationError::Decoding), ..IncomingTags::default() }
}

/// Whether `-N`, N up to 255, ends the text; older senders put a hash before the hyphen.
pub(super) fn is_decision_maker(value: &str) -> bool {
    let plain = value.strip_prefix('-').map(|number| ("", number));
    let Some((hash, number)) = plain.or_else(|| value.rsplit_once('-')) else { return false };
    hash.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !number.starts_with('+')
        && number.parse::<u8>().is_ok()
}

/// Exactly 16 lowercase hexadecimal digits.
fn trace_id_high(value: &str) -> Option<u64> {
    number::hex(value.as_bytes().try_into().ok()?)
}

/// Adds the header's value, or nothing where there is no room for it.
pub(super) fn push<const N: usize>(
    text: &mut Text<N>,
    context: &Outgoing<'_>,
    parts: &Parts,
    max_bytes: usize,
) -> Option<PropagationError> {
    let start = text.len();
    if push_all(text, start, context, parts) && text.len().saturating_sub(start) <= max_bytes {
        return None;
    }
    text.truncate(start);
    let is_off = max_bytes == 0;
    Some(if is_off { PropagationError::Disabled } else { PropagationError::InjectMaxSize })
}

/// False when the tags are longer than any limit.
fn push_all<const N: usize>(text: &mut Text<N>, start: usize, context: &Outgoing<'_>, parts: &Parts) -> bool {
    let mut fits = true;
    let separate = |text: &mut Text<N>| text.len() == start || text.push(b",");
    if let Some(maker) = &parts.maker {
        fits &= text.push(b"_dd.p.dm=") && text.push(maker.as_bytes());
    }
    if context.trace_id.high_u64() != 0 {
        fits &= separate(text) && text.push(b"_dd.p.tid=") && text.push(&parts.trace_id_high);
    }
    if let Some(rate) = &parts.rate {
        fits &= separate(text) && text.push(b"_dd.p.ksr=") && text.push(rate.as_bytes());
    }
    if let Some(marker) = &parts.marker {
        fits &= separate(text) && text.push(b"_dd.p.opm=") && text.push(marker.as_str().as_bytes());
    }
    if parts.replaces_nothing() {
        // They are held as the header has them.
        let all = context.tags.as_str();
        return fits && (all.is_empty() || separate(text) && text.push(all.as_bytes()));
    }
    for (key, value) in context.tags.iter() {
        if !parts.replaces(key) {
            fits &= separate(text) && text.push(key.as_bytes());
            fits &= text.push(b"=") && text.push(value.as_bytes());
        }
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let incoming = decode(text, 512);
        incoming.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn error(text: &str) -> Option<String> {
        decode(text, 512).error.map(|error| error.tag_value().into_owned())
    }

    #[test]
    fn only_propagated_tags_are_kept() {
        let expected = [("_dd.p.a".to_owned(), "1=2".to_owned()), ("_dd.p.dm".to_owned(), "-4".to_owned())];
        assert_eq!(pairs("foo=bar,_dd.p.a= 1=2 ,_dd.p.upstream_services=x,_dd.p.dm=-4,_dd.p.=z"), expected);
        assert_eq!(error("foo=bar,_dd.p.a=1"), None);
        assert_eq!(pairs("_dd.p.a=1,_dd.p.a=2"), [("_dd.p.a".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn malformed_header_gives_no_tags() {
        for text in [
            "_dd.p.a",
            "_dd.p.a=",
            "=b",
            "_dd.p.a=1,",
            ",",
            "_dd.p.a= ",
            "_dd. p.a=1",
            "_dd.p.a=\u{7f}",
            "_dd.p.b=1,_dd.p.a=é",
        ] {
            assert_eq!((pairs(text), error(text).as_deref()), (vec![], Some("decoding_error")), "{text:?}");
        }
    }

    #[test]
    fn malformed_decision_maker_is_removed_alone() {
        for text in [
            "_dd.p.dm=3,_dd.p.a=1",
            "_dd.p.dm=-x,_dd.p.a=1",
            "_dd.p.dm=-256,_dd.p.a=1",
            "_dd.p.dm=--1,_dd.p.a=1",
        ] {
            assert_eq!(pairs(text), [("_dd.p.a".to_owned(), "1".to_owned())], "{text}");
            assert_eq!(error(text).as_deref(), Some("decoding_error"));
        }
        assert_eq!(pairs("_dd.p.dm=934086a686-4"), [("_dd.p.dm".to_owned(), "934086a686-4".to_owned())]);
    }

    #[test]
    fn upper_half_must_be_16_lowercase_digits() {
        assert_eq!(decode("_dd.p.tid=66b0c2d900000000", 512).trace_id_high, 0x66b0_c2d9_0000_0000);
        assert_eq!(error("_dd.p.tid=0000000000000000"), None);
        let malformed = [
            "66b0c2d9000000",
            "66b0c2d9000000001",
            "66b0c2d90000000z",
            "66B0C2D900000000",
            "+66b0c2d90000000",
        ];
        for value in malformed {
            let incoming = decode(&format!("_dd.p.tid={value},_dd.p.dm=-1"), 512);
            assert_eq!((incoming.trace_id_high, incoming.tags.get("_dd.p.dm")), (0, Some("-1")));
            assert_eq!(incoming.error.unwrap().tag_value(), format!("malformed_tid {value}"));
        }
    }

    #[test]
    fn header_is_read_up_to_its_limit() {
        let text = |length: usize| format!("_dd.p.a={}", "x".repeat(length.saturating_sub(8)));
        for (length, expected) in [(511, None), (512, None), (513, Some("extract_max_size".to_owned()))] {
            assert_eq!(error(&text(length)), expected, "{length}");
            assert_eq!(pairs(&text(length)).is_empty(), expected.is_some());
        }
        assert_eq!(decode("_dd.p.a=1", 0).error, Some(PropagationError::Disabled));
        assert_eq!(decode("", 0).error, None);
    }
}
