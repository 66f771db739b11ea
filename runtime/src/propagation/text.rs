//! Header values put together on the stack.

/// At most `N` bytes of ASCII; `N` is below 2^16.
///
/// Aligned from its first byte on, and read in whole words, because the check for UTF-8 goes byte by byte before and after those.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    /// Narrow, so that an end is seen not to wrap around.
    length: u16,
}

impl<const N: usize> Text<N> {
    pub(super) const fn new() -> Self {
        const { assert!(N <= u16::MAX as usize) };
        Self { bytes: [0; N], length: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.length as usize
    }

    /// Bytes that may still be added.
    pub(super) const fn room(&self) -> usize {
        N.saturating_sub(self.len())
    }

    /// Adds ASCII, or nothing and gives false where it does not fit.
    #[expect(clippy::inline_always, reason = "the copy is a few moves where the caller knows the length")]
    #[inline(always)]
    pub(super) fn push(&mut self, part: &[u8]) -> bool {
        let start = self.len();
        let end = start.wrapping_add(part.len());
        let Some(place) = self.bytes.get_mut(start..end) else { return false };
        place.copy_from_slice(part);
        self.length = end as u16;
        true
    }

    /// Goes back to an earlier length.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length as u16);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len()).unwrap_or_default()
    }

    pub(super) fn as_str(&self) -> &str {
        // Only ASCII is ever pushed, and what is behind it is zero, or was pushed before.
        let words = self.len().next_multiple_of(16).min(N);
        let text = std::str::from_utf8(self.bytes.get(..words).unwrap_or_default()).unwrap_or_default();
        text.get(..self.len()).unwrap_or_default()
    }
}

/// Whether each byte is a visible ASCII character or a space. No early end, so that the loop runs over many at once.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Without spaces and tabs at both ends, as headers allow them.
pub(super) fn trim_blanks(text: &str) -> &str {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if is_blank(text.as_bytes().first()) || is_blank(text.as_bytes().last()) {
        return text.trim_matches([' ', '\t']);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let mut text = Text::<4>::new();
        assert!(text.push(b"a") && text.push(b"bc"));
        assert!(!text.push(b"de"));
        assert_eq!((text.as_str(), text.len(), text.room()), ("abc", 3, 1));
        assert!(text.push(b"d"));
        text.truncate(1);
        assert_eq!(text.as_str(), "a");
    }

    #[test]
    fn blanks_are_trimmed_at_both_ends() {
        for (text, expected) in
            [("", ""), (" \t", ""), ("a b", "a b"), ("\ta", "a"), ("a ", "a"), ("\n", "\n")]
        {
            assert_eq!(trim_blanks(text), expected);
        }
    }

    #[test]
    fn printable_is_ascii_from_space_to_tilde() {
        assert!(is_printable("") && is_printable(" ~"));
        for text in ["\u{1f}", "\u{7f}", "é", "\t"] {
            assert!(!is_printable(text));
        }
    }
}
