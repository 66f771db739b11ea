//! The MessagePack of a tag: strings and floats, written to places of just their size.

/// Longest string whose length fits into the MessagePack type byte.
pub(super) const SHORT: usize = 31;

/// Bytes of a MessagePack string of at most 65 535 bytes, its header included.
pub(super) const fn str_len(text: &str) -> usize {
    match text.len() {
        0..=31 => 1 + text.len(),
        32..=255 => 2 + text.len(),
        _ => 3 + text.len(),
    }
}

/// Writes a MessagePack string of at most 31 bytes to a place of just its size.
#[inline]
pub(super) fn write_short(into: &mut [u8], text: &str) {
    if let Some((header, bytes)) = into.split_first_mut() {
        *header = 0xa0 | text.len() as u8;
        copy_short(bytes, text.as_bytes());
    }
}

/// Copies at most 31 bytes; a call of `memcpy` costs more than the copy.
#[inline]
fn copy_short(into: &mut [u8], from: &[u8]) {
    if copy_ends::<16>(into, from) || copy_ends::<8>(into, from) || copy_ends::<4>(into, from) {
        return;
    }
    for (into, from) in into.iter_mut().zip(from) {
        *into = *from;
    }
}

/// Copies `N` to `2 * N` bytes in two moves that may overlap, between slices of one length; false when there are fewer.
#[inline]
pub(crate) fn copy_ends<const N: usize>(into: &mut [u8], from: &[u8]) -> bool {
    let (Some(start), Some(end)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else {
        return false;
    };
    if let Some(into) = into.first_chunk_mut::<N>() {
        *into = *start;
    }
    if let Some(into) = into.last_chunk_mut::<N>() {
        *into = *end;
    }
    true
}

/// Writes a MessagePack string of at most 65 535 bytes to a place of just its size.
pub(super) fn write_str(into: &mut [u8], text: &str) {
    let (short, long) = ([0xd9, text.len() as u8], (text.len() as u16).to_be_bytes());
    let header: &[u8] = match text.len() {
        0..=SHORT => return write_short(into, text),
        32..=255 => &short,
        _ => &[0xda, long[0], long[1]],
    };
    let (into_header, bytes) = into.split_at_mut(header.len());
    into_header.copy_from_slice(header);
    bytes.copy_from_slice(text.as_bytes());
}

/// Appends a MessagePack string of at most 65 535 bytes.
pub(super) fn push_str(out: &mut Vec<u8>, text: &str) {
    let from = out.len();
    out.resize(from + str_len(text), 0);
    if let Some(into) = out.get_mut(from..) {
        write_str(into, text);
    }
}

/// Bytes of a MessagePack float of 64 bits.
pub(super) const FLOAT: usize = 9;

/// Writes a MessagePack float of 64 bits.
#[inline]
pub(super) fn write_float(into: &mut [u8; FLOAT], value: f64) {
    let (header, bytes) = into.split_at_mut(1);
    header.copy_from_slice(&[0xcb]);
    bytes.copy_from_slice(&value.to_be_bytes());
}

/// How many bytes the MessagePack string takes that `bytes` begin with, its header included; 0 for anything else.
#[inline]
pub(crate) fn packed_len(bytes: &[u8]) -> usize {
    match *bytes {
        [header @ 0xa0..=0xbf, ..] => 1 + usize::from(header & 0x1f),
        [0xd9, len, ..] => 2 + usize::from(len),
        [0xda, high, low, ..] => 3 + usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    }
}

/// The text of a MessagePack string, as bytes.
#[inline]
pub(crate) fn packed_text(bytes: &[u8]) -> &[u8] {
    let header = match bytes.first() {
        Some(0xa0..=0xbf) => 1,
        Some(0xd9) => 2,
        _ => 3,
    };
    bytes.get(header..).unwrap_or_default()
}

/// Reads a MessagePack string written by [`write_str`]: its text and how many bytes it takes.
pub(super) fn read_str(bytes: &[u8]) -> Option<(&str, usize)> {
    let (header, len) = match *bytes.first()? {
        first @ 0xa0..=0xbf => (1, usize::from(first & 0x1f)),
        0xd9 => (2, usize::from(*bytes.get(1)?)),
        _ => (3, usize::from(u16::from_be_bytes([*bytes.get(1)?, *bytes.get(2)?]))),
    };
    let text = std::str::from_utf8(bytes.get(header..header + len)?).ok()?;
    Some((text, header + len))
}
