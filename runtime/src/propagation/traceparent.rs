//! The header `traceparent`: `VERSION-TRACEID-PARENTID-FLAGS`, hexadecimal, 55 characters in version 00.
//!
//! Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use super::inject::Parts;
use super::number::{hex, hex_byte};
use super::text::{Text, trim_blanks};
use crate::model::ids::{SpanId, TraceId};

pub(super) const HEADER: &str = "traceparent";

/// What the header says; both ids are not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace_id: TraceId,
    pub(super) parent_id: SpanId,
    /// Bit 0 of the flags; the others say nothing to us.
    pub(super) is_sampled: bool,
}

impl Traceparent {
    /// Reads one header value. A version from the future may have more fields after the four that are known.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (version, rest) = trim_blanks(text).as_bytes().split_first_chunk::<2>()?;
        let (high, rest) = after_hyphen(rest)?.split_first_chunk::<16>()?;
        let (low, rest) = rest.split_first_chunk::<16>()?;
        let (parent_id, rest) = after_hyphen(rest)?.split_first_chunk::<16>()?;
        let (flags, rest) = after_hyphen(rest)?.split_first_chunk::<2>()?;
        let version = hex_byte(*version)?;
        let is_complete = rest.is_empty() || version != 0 && rest.starts_with(b"-");
        let trace_id = TraceId::from_halves(hex(high)?, hex(low)?);
        let parent_id = SpanId::new(hex(parent_id)?);
        let is_sampled = hex_byte(*flags)? & 1 == 1;
        if version == 0xff || !is_complete || trace_id.is_zero() || parent_id.is_zero() {
            return None;
        }
        Some(Self { trace_id, parent_id, is_sampled })
    }
}

/// Characters of the header in version 00.
pub(super) const LENGTH: usize = 55;

/// Adds the value of the header, in version 00.
pub(super) fn push<const N: usize>(text: &mut Text<N>, parts: &Parts, is_sampled: bool) {
    text.push(b"00-");
    text.push(&parts.trace_id_high);
    text.push(&parts.trace_id_low);
    text.push(b"-");
    text.push(&parts.span_id);
    text.push(if is_sampled { b"-01" } else { b"-00" });
}

fn after_hyphen(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b"-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01";

    #[test]
    fn ids_are_read() {
        let parsed = Traceparent::parse(VALID).unwrap();
        assert_eq!(parsed.trace_id.as_u128(), 0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081);
        assert_eq!(parsed.parent_id.as_u64(), 0x7b2d_4e6f_8091_2a3c);
        assert_eq!(Traceparent::parse(&format!(" \t{VALID} ")), Some(parsed));
    }

    #[test]
    fn only_the_lowest_flag_counts() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("03", true), ("ff", true), ("fe", false)] {
            let text = format!("{}{flags}", &VALID.get(..53).unwrap());
            assert_eq!(Traceparent::parse(&text).unwrap().is_sampled, is_sampled, "{flags}");
        }
    }

    #[test]
    fn later_versions_may_go_on_after_a_hyphen() {
        let rest = VALID.get(2..).unwrap();
        for text in [format!("01{rest}"), format!("01{rest}-what"), format!("cc{rest}-")] {
            assert!(Traceparent::parse(&text).is_some(), "{text}");
        }
        for text in [
            format!("01{rest}.what"),
            format!("01{rest}what"),
            format!("00{rest}-"),
            format!("00{rest}-x"),
            format!("ff{rest}"),
        ] {
            assert!(Traceparent::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn malformed_header_gives_nothing() {
        let cases = [
            "",
            "00",
            "0-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01",
            "00-6A5C1F40000000003A7B9C1D2E4F6081-7b2d4e6f80912a3c-01",
            "00-00000000000000000000000000000000-7b2d4e6f80912a3c-01",
            "00-6a5c1f40000000003a7b9c1d2e4f6081-0000000000000000-01",
            "00-6a5c1f40000000003a7b9c1d2e4f608-7b2d4e6f80912a3c-01",
            "00-6a5c1f40000000003a7b9c1d2e4f60811-7b2d4e6f80912a3c-01",
            "00-6a5c1f40000000003a7b9c1d2e4f608g-7b2d4e6f80912a3c-01",
            "00_6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01",
            "00-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-0",
            "00-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-0G",
            "0é-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01",
        ];
        for text in cases {
            assert_eq!(Traceparent::parse(text), None, "{text}");
        }
    }
}
