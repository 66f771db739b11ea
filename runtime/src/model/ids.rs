//! Trace and span ids, and the texts they have in headers and log lines.
//!
//! The hexadecimal and decimal forms are built eight digits at a time in one machine word, because both are written for
//! each outgoing call.

use std::fmt;

/// The id all spans of one trace share, over all processes: 128 bits, of which older peers know the low 64.
///
/// `Display` gives the text of log correlation: 32 lowercase hexadecimal digits when the upper half is not zero, else
/// the decimal number. `{:x}` always gives 32 hexadecimal digits, as in a `traceparent` header.
///
/// ```
/// # use std::collections::HashMap;
/// # fn show(trace_id: dd_traced::TraceId) {
/// // 64 bits, as in the header `x-datadog-trace-id`
/// println!("{}", trace_id.low_u64());
/// // the form found on log lines
/// println!("dd.trace_id={trace_id}");
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

impl TraceId {
    pub(crate) const fn new(value: u128) -> Self {
        Self(value)
    }

    pub(crate) const fn from_halves(high: u64, low: u64) -> Self {
        Self((high as u128) << 64 | low as u128)
    }

    /// All 128 bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The low 64 bits: what goes on the wire as `trace_id` and in `x-datadog-trace-id`.
    pub const fn low_u64(self) -> u64 {
        self.0 as u64
    }

    /// The upper 64 bits: zero for ids of 64 bits, else sent as the tag `_dd.p.tid`.
    pub const fn high_u64(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// Whether no peer would accept it: traces have non-zero ids.
    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.high_u64() == 0 {
            return f.pad(decimal(self.low_u64()).as_str());
        }
        fmt::LowerHex::fmt(self, f)
    }
}

impl fmt::LowerHex for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let halves = [hex(self.high_u64()), hex(self.low_u64())];
        f.pad(ascii(halves.as_flattened()))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self:x})")
    }
}

/// The id of one span, unique in its trace. Zero stands for "no span".
///
/// `Display` gives the decimal number, the text of log correlation and of `x-datadog-parent-id`; `{:x}` gives the 16
/// hexadecimal digits of a `traceparent` header.
///
/// ```
/// # fn show(span_id: dd_traced::SpanId) {
/// println!("dd.span_id={span_id}");
/// assert_eq!(span_id.to_string(), span_id.as_u64().to_string());
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(u64);

impl SpanId {
    pub(crate) const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number itself.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Whether it names no span.
    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(decimal(self.0).as_str())
    }
}

impl fmt::LowerHex for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(ascii(&hex(self.0)))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

/// A decimal number without leading zeros.
#[derive(Clone, Copy)]
pub(crate) struct Decimal {
    digits: [[u8; 8]; 3],
    start: usize,
}

impl Decimal {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.as_flattened().get(self.start..).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        ascii(self.as_bytes())
    }
}

/// The decimal digits of `value`.
pub(crate) fn decimal(value: u64) -> Decimal {
    const EIGHT: u64 = 100_000_000;
    let low = eight_digits(value % EIGHT);
    let middle = eight_digits(value / EIGHT % EIGHT);
    let high = eight_digits(value / EIGHT / EIGHT);
    let start = if high != 0 {
        leading_zeros(high)
    } else if middle != 0 {
        8 + leading_zeros(middle)
    } else {
        16 + leading_zeros(low).min(7)
    };
    Decimal { digits: [high, middle, low].map(|digits| (digits + ONES * 0x30).to_le_bytes()), start }
}

/// The 16 lowercase hexadecimal digits of `value`.
pub(crate) fn hex(value: u64) -> [u8; 16] {
    let digits = u128::from(eight_hex_digits(value >> 32)) << 64 | u128::from(eight_hex_digits(value));
    digits.to_be_bytes()
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// One byte per digit of a number below 10^8, the most significant in the lowest byte: split in halves thrice, each
/// division a multiplication over all lanes at once.
fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = (fours * 10_486) >> 20 & 0x0000_007f_0000_007f;
    let twos = (fours - 100 * hundreds) << 16 | hundreds;
    let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    (twos - 10 * tens) << 8 | tens
}

fn leading_zeros(digits: u64) -> usize {
    (digits.trailing_zeros() / 8) as usize
}

/// The lower 32 bits as eight hexadecimal characters, the most significant in the highest byte.
fn eight_hex_digits(value: u64) -> u64 {
    let value = value & 0xffff_ffff;
    let halves = (value << 16 | value) & 0x0000_ffff_0000_ffff;
    let bytes = (halves << 8 | halves) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes << 4 | bytes) & 0x0f0f_0f0f_0f0f_0f0f;
    let is_letter = (nibbles + ONES * 6) >> 4 & ONES;
    nibbles + ONES * 0x30 + is_letter * 0x27
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn trace_id_of_128_bits_is_shown_in_hexadecimal() {
        let id = TraceId::new(0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081);
        assert_eq!(id.to_string(), "6a5c1f40000000003a7b9c1d2e4f6081");
        assert_eq!((id.high_u64(), id.low_u64()), (0x6a5c_1f40_0000_0000, 4_214_133_525_480_169_601));
        assert_eq!(TraceId::from_halves(id.high_u64(), id.low_u64()), id);
    }

    #[test]
    fn trace_id_of_64_bits_is_shown_in_decimal() {
        assert_eq!(TraceId::new(4_214_133_525_480_169_601).to_string(), "4214133525480169601");
        assert_eq!(format!("{:x}", TraceId::new(77)), "0000000000000000000000000000004d");
    }

    #[test]
    fn span_id_is_shown_in_decimal() {
        assert_eq!(SpanId::new(8_875_836_681_422_449_212).to_string(), "8875836681422449212");
        assert_eq!(SpanId::new(0).to_string(), "0");
        assert_eq!(format!("{:?} {:x}", SpanId::new(7), SpanId::new(7)), "SpanId(7) 0000000000000007");
    }

    #[test]
    fn decimal_holds_at_the_edges_of_its_lanes() {
        let edges =
            [0, 9, 10, 99_999_999, 100_000_000, 9_999_999_999_999_999, 10_000_000_000_000_000, u64::MAX];
        for value in edges {
            assert_eq!(decimal(value).as_str(), value.to_string());
        }
    }

    proptest! {
        #[test]
        fn texts_equal_those_of_the_standard_library(value: u64, shift in 0_u32..64) {
            let value = value >> shift;
            let (decimal, hex) = (decimal(value), hex(value));
            prop_assert_eq!(decimal.as_str(), value.to_string());
            prop_assert_eq!(ascii(&hex), format!("{value:016x}"));
        }
    }
}
