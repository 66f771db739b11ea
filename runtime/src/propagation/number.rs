//! Numbers in headers: strict decimal and lowercase hexadecimal.

/// Reads digits only: no sign, no blanks, at most 2^64 − 1.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let mut rest = text.as_bytes();
    let mut value = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while let Some((digits, after)) = rest.split_first_chunk::<8>() {
        let digits = eight_digits(u64::from_le_bytes(*digits))?;
        value = value.checked_mul(100_000_000)?.checked_add(digits)?;
        rest = after;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// Eight digits at once, the most significant in the lowest byte: neighbours are joined thrice, in all lanes together.
fn eight_digits(characters: u64) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let digits = characters ^ ONES.wrapping_mul(0x30);
    // Above 9, adding 118 reaches the high bit; a byte that has it already is no digit either.
    if (digits | digits.wrapping_add(ONES.wrapping_mul(0x76))) & ONES.wrapping_mul(0x80) != 0 {
        return None;
    }
    let twos = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = twos.wrapping_mul(100).wrapping_add(twos >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// Reads a decimal integer with an optional minus.
pub(super) fn signed(text: &str) -> Option<i32> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// Reads 16 lowercase hexadecimal digits.
pub(super) fn hex(digits: &[u8; 16]) -> Option<u64> {
    let digits = u128::from_be_bytes(*digits);
    let high = eight_hex_digits((digits >> 64) as u64)?;
    let low = eight_hex_digits(digits as u64)?;
    Some(high << 32 | low)
}

/// Reads one to `max_digits` hexadecimal digits of any case, 32 at most.
pub(super) fn loose_hex(text: &str, max_digits: usize) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && text.len() <= max_digits).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Reads 2 lowercase hexadecimal digits.
pub(super) fn hex_byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits;
    let word = u64::from_be_bytes([b'0', b'0', b'0', b'0', b'0', b'0', high, low]);
    eight_hex_digits(word).map(|value| value as u8)
}

/// Eight characters at once: their classes are found by carries into the high bit of each byte, which no byte below 128
/// passes on.
fn eight_hex_digits(characters: u64) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = ONES.wrapping_mul(0x80);
    let at_least =
        |byte: u8| characters.wrapping_add(ONES.wrapping_mul(0x80_u64.wrapping_sub(u64::from(byte))));
    let is_digit = at_least(b'0') & !at_least(b'9'.wrapping_add(1));
    let is_letter = at_least(b'a') & !at_least(b'f'.wrapping_add(1));
    if characters & HIGH_BITS != 0 || (is_digit | is_letter) & HIGH_BITS != HIGH_BITS {
        return None;
    }
    let nibbles =
        (characters & ONES.wrapping_mul(0x0f)).wrapping_add((characters >> 6 & ONES).wrapping_mul(9));
    let bytes = (nibbles >> 4 | nibbles) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes >> 8 | bytes) & 0x0000_ffff_0000_ffff;
    Some((halves >> 16 | halves) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_takes_digits_only() {
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "18446744073709551616", "-1", "+1", " 1", "1 ", "1,2", "0x1", "abc"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }

    #[test]
    fn signed_takes_a_minus_only() {
        assert_eq!(
            (signed("-2"), signed("5"), signed("+1"), signed("x"), signed("")),
            (Some(-2), Some(5), None, None, None)
        );
    }

    #[test]
    fn hex_takes_lowercase_digits_only() {
        assert_eq!(hex(b"0123456789abcdef"), Some(0x0123_4567_89ab_cdef));
        assert_eq!(hex_byte(*b"fe"), Some(0xfe));
        for byte in 0..=u8::MAX {
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            for place in 0..16 {
                let mut digits = *b"0123456789abcdef";
                *digits.get_mut(place).unwrap() = byte;
                assert_eq!(hex(&digits).is_some(), is_digit, "{byte:#x}");
            }
        }
    }

    #[test]
    fn loose_hex_takes_digits_of_any_case_up_to_a_length() {
        assert_eq!((loose_hex("aB", 2), loose_hex("00ab", 4)), (Some(0xab), Some(0xab)));
        assert_eq!(loose_hex(&"f".repeat(32), 32), Some(u128::MAX));
        for text in ["", "abc", "+1", "-1", " 1", "g", "é"] {
            assert_eq!(loose_hex(text, 2), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn decimal_agrees_with_the_standard_library(text in "[0-9]{0,22}", value: u64, shift in 0_u32..64, byte: char) {
            prop_assert_eq!(decimal(&text), text.parse().ok());
            prop_assert_eq!(decimal(&(value >> shift).to_string()), Some(value >> shift));
            let odd = format!("1234567{byte}90");
            prop_assert_eq!(decimal(&odd).is_some(), byte.is_ascii_digit());
        }

        #[test]
        fn hex_reads_what_formatting_writes(value: u64) {
            let text = format!("{value:016x}");
            prop_assert_eq!(hex(text.as_bytes().first_chunk().unwrap()), Some(value));
        }
    }
}
