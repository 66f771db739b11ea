//! Tags as bytes: an append-only log that the encoder copies from.
//!
//! Each entry holds its key and value as MessagePack already, behind a header that points back to the previous entry
//! of the same span. Pointers are distances, so that a log can be appended to another one as it is. Reading goes from the
//! latest entry to the first: the later entry of a key wins by being met first.
//!
//! ```text
//! | back: u32 | length << 8 | kind: u32 | key (MessagePack str) | value (MessagePack str or float 64) |
//! ```
//!
//! Invariant: an entry is whole; keys and values are within the agent's limits and valid UTF-8.

mod attached;
mod copying;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use super::Record;
use super::entry::{Entry, EntryKind};
use super::msgpack::{FLOAT, SHORT, read_str, str_len, write_float, write_short, write_str};
use super::tag_memory::{self, Told};

/// Longest key in bytes; the agent truncates beyond (`agent/normalizer.go` of the trace-agent).
pub(super) const MAX_KEY: usize = 200;
/// Longest value in bytes; the agent truncates beyond.
pub(crate) const MAX_VALUE: usize = 25_000;
/// Longest service, name or type in bytes.
const MAX_NAME: usize = 100;
/// Longest resource in bytes.
const MAX_RESOURCE: usize = 5_000;
/// Bytes of the largest structured value.
pub(crate) const MAX_STRUCT: usize = 1 << 20;
/// Bytes of tags one buffer may hold before further tags are left out.
const MAX_LOG: usize = 64 << 20;
/// Bytes of logs that were joined; further ones stay behind. Far below what an anchor reaches.
const MAX_JOINED: usize = 2 * MAX_LOG;
/// Memory of a log that many spans share, of which the process is not told: what a thread keeps for later.
const FREE_SHARED: u32 = 64 << 10;
/// The same for the log of one span.
const FREE_OWN: u32 = 256;
/// Bytes a log begins with.
const MIN_LOG: usize = 64;
const HEADER: usize = 8;
/// Bytes of the longest entry of two short strings.
const SHORT_ENTRY: usize = HEADER + 2 * (1 + SHORT);

/// The log of one or many spans. An *anchor* is the position after an entry's start, so that 0 means "none".
///
/// The bytes behind `used` are initialised already: appending is a bounds check and a few moves, not a growing vector.
#[derive(Debug)]
pub(crate) struct TagLog {
    bytes: Vec<u8>,
    used: usize,
    told: Told,
}

impl Default for TagLog {
    fn default() -> Self {
        Self::new()
    }
}

impl TagLog {
    /// A log that many spans share.
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new(), used: 0, told: Told::beyond(FREE_SHARED) }
    }

    /// The log of one span outside of any line.
    pub(crate) const fn of_one() -> Self {
        Self { bytes: Vec::new(), used: 0, told: Told::beyond(FREE_OWN) }
    }

    /// A log of spans that are not open any more: its memory is counted elsewhere.
    pub(crate) const fn of_finished() -> Self {
        Self { bytes: Vec::new(), used: 0, told: Told::nothing() }
    }

    /// A log without content that counts as another one does.
    pub(super) const fn alike(&self) -> Self {
        Self { bytes: Vec::new(), used: 0, told: self.told.alike() }
    }

    /// Its spans have left: from here on the memory is not counted as that of open ones.
    pub(super) fn has_left(&mut self) {
        self.told = Told::nothing();
    }

    /// It is for open spans again.
    pub(super) fn is_back(&mut self) {
        self.told = Told::beyond(FREE_SHARED);
        self.told.tell(self.bytes.capacity());
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many more bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let wanted = self.used + bytes;
        if self.bytes.len() < wanted {
            self.resize(wanted);
        }
    }

    /// Forgets all content, and the memory where it is more than `kept` bytes.
    #[inline]
    pub(crate) fn clear_to(&mut self, kept: usize) {
        self.used = 0;
        if self.bytes.capacity() > kept {
            self.free();
        }
    }

    #[cold]
    fn free(&mut self) {
        self.bytes = Vec::new();
        self.told.tell(0);
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.used = self.used.min(len);
    }

    /// Appends a string tag and gives the span's new anchor.
    #[inline]
    pub(crate) fn meta(&mut self, anchor: u32, key: &str, value: &str) -> u32 {
        let at = self.used as u32 + 1;
        if value.len() <= SHORT {
            let place = self.short_entry(anchor, EntryKind::Meta, key, 1 + value.len());
            if let Some(into) = place.and_then(|place| place.get_mut(..=value.len())) {
                write_short(into, value);
                return at;
            }
        }
        self.long_meta(anchor, key, value)
    }

    /// Appends a number tag and gives the span's new anchor.
    #[inline]
    pub(crate) fn metric(&mut self, anchor: u32, key: &str, value: f64) -> u32 {
        let at = self.used as u32 + 1;
        let place = self.short_entry(anchor, EntryKind::Metric, key, FLOAT);
        match place.and_then(|place| place.first_chunk_mut::<FLOAT>()) {
            Some(into) => write_float(into, value),
            None => return self.long_metric(anchor, key, value),
        }
        at
    }

    #[cold]
    fn long_meta(&mut self, anchor: u32, key: &str, value: &str) -> u32 {
        let (key, value) = (cut(key, MAX_KEY), cut(value, MAX_VALUE));
        self.entry(anchor, EntryKind::Meta, str_len(key) + str_len(value), |into| {
            let (key_into, value_into) = into.split_at_mut(str_len(key));
            write_str(key_into, key);
            write_str(value_into, value);
        })
    }

    #[cold]
    fn long_metric(&mut self, anchor: u32, key: &str, value: f64) -> u32 {
        let key = cut(key, MAX_KEY);
        self.entry(anchor, EntryKind::Metric, str_len(key) + FLOAT, |into| {
            let (key_into, value_into) = into.split_at_mut(str_len(key));
            write_str(key_into, key);
            if let Some(value_into) = value_into.first_chunk_mut() {
                write_float(value_into, value);
            }
        })
    }

    /// Takes a tag back.
    pub(crate) fn unset(&mut self, anchor: u32, key: &str) -> u32 {
        let key = cut(key, MAX_KEY);
        self.entry(anchor, EntryKind::Unset, str_len(key), |into| write_str(into, key))
    }

    /// Appends a name, resource, type or service and gives the new anchor.
    pub(crate) fn field(&mut self, anchor: u32, kind: EntryKind, text: &str) -> u32 {
        let text = cut(text, if kind == EntryKind::Resource { MAX_RESOURCE } else { MAX_NAME });
        self.entry(anchor, kind, str_len(text), |into| write_str(into, text))
    }

    /// The entries of one span, latest first.
    pub(crate) fn entries(&self, anchor: u32) -> Entries<'_> {
        Entries { log: self, anchor }
    }

    /// Bytes that [`TagLog::copy_chain`] would copy.
    pub(crate) fn len_of(&self, anchor: u32) -> usize {
        self.latest(anchor).map(|entry| HEADER + entry.payload.len()).sum()
    }

    /// The entries of one span but for those that later ones replace, latest first.
    fn latest(&self, anchor: u32) -> impl Iterator<Item = Entry<'_>> {
        let mut seen = HashSet::new();
        self.entries(anchor).filter(move |entry| entry.kind.is_one_of_many() || seen.insert(entry.identity()))
    }

    /// Where the entry at an anchor ends, 0 for none.
    pub(crate) fn end_of(&self, anchor: u32) -> usize {
        self.at(anchor).map_or(0, |(entry, _)| anchor as usize - 1 + HEADER + entry.payload.len())
    }

    /// Where the last entry of these records ends, 0 without any.
    pub(crate) fn end_of_all(&self, records: &[Record]) -> usize {
        let anchors = records.iter().flat_map(|record| [record.tags, record.service]);
        anchors.map(|anchor| self.end_of(anchor)).max().unwrap_or(0)
    }

    /// The text of a field entry.
    pub(crate) fn text(&self, at: u32) -> Option<&str> {
        self.at(at).and_then(|(entry, _)| read_str(entry.payload)).map(|(text, _)| text)
    }

    /// The field entry at `at` as a MessagePack string.
    pub(crate) fn field_bytes(&self, at: u32) -> Option<&[u8]> {
        self.at(at).map(|(entry, _)| entry.payload)
    }

    #[inline]
    fn at(&self, anchor: u32) -> Option<(Entry<'_>, u32)> {
        let start = (anchor as usize).checked_sub(1)?;
        let rest = self.bytes.get(start..self.used)?;
        let (header, rest) = rest.split_first_chunk::<HEADER>()?;
        let header = u64::from_le_bytes(*header);
        let (back, about) = (header as u32, (header >> 32) as u32);
        let payload = rest.get(..(about >> 8) as usize)?;
        // Distances are never longer than the way to the start; 0 says that there is nothing before.
        let previous = if back == 0 { 0 } else { anchor.wrapping_sub(back) };
        Some((Entry { kind: EntryKind::from_bits(about & 0xff), payload }, previous))
    }

    /// Begins an entry with a short key; gives the place of a value of `value_len` bytes, at most those of a short string, and
    /// what is behind. `None` where the key is longer, the log has to grow, or may not.
    #[inline]
    fn short_entry(
        &mut self,
        anchor: u32,
        kind: EntryKind,
        key: &str,
        value_len: usize,
    ) -> Option<&mut [u8]> {
        if key.len() > SHORT || self.used > MAX_LOG - SHORT_ENTRY {
            return None;
        }
        // A fixed size, so that nothing below looks for the end again.
        let room: &mut [u8; SHORT_ENTRY] = self.bytes.get_mut(self.used..)?.first_chunk_mut()?;
        let (into_header, into) = room.split_at_mut(HEADER);
        let len = 1 + key.len() + value_len;
        into_header.copy_from_slice(&header(self.used as u32 + 1, anchor, kind, len));
        self.used += HEADER + len;
        let (into_key, into_value) = into.split_at_mut_checked(1 + key.len())?;
        write_short(into_key, key);
        Some(into_value)
    }

    fn entry(&mut self, anchor: u32, kind: EntryKind, len: usize, write: impl FnOnce(&mut [u8])) -> u32 {
        if self.used + len > MAX_LOG
            || self.bytes.len() - self.used < HEADER + len && !self.may_grow(kind, HEADER + len)
        {
            tag_memory::leave_out();
            return anchor;
        }
        self.write(anchor, kind, len, write)
    }

    /// Appends an entry of another log. What a span has already is not left out.
    #[cold]
    pub(super) fn copied(&mut self, anchor: u32, entry: Entry<'_>) -> u32 {
        if self.used + entry.payload.len() > MAX_LOG {
            return anchor;
        }
        self.write(anchor, entry.kind, entry.payload.len(), |into| into.copy_from_slice(entry.payload))
    }

    fn write(&mut self, anchor: u32, kind: EntryKind, len: usize, write: impl FnOnce(&mut [u8])) -> u32 {
        let at = self.used as u32 + 1;
        let Some((into_header, into)) =
            self.room(HEADER + len).and_then(|room| room.split_at_mut_checked(HEADER))
        else {
            return anchor;
        };
        into_header.copy_from_slice(&header(at, anchor, kind, len));
        write(into);
        at
    }

    /// Grows by so many bytes for an entry of an open span, where all such spans together do not hold too much. What names a span is never
    /// left out.
    #[cold]
    fn may_grow(&mut self, kind: EntryKind, len: usize) -> bool {
        use EntryKind::{LeftOut, Name, Service};
        if matches!(kind, LeftOut | Name | Service) {
            return true;
        }
        let Some(size) = self.told.ask(self.used + len, self.grown(len)) else { return false };
        self.resize_granted(size);
        true
    }

    #[cold]
    fn bytes(&mut self, anchor: u32, kind: EntryKind, bytes: &[u8]) -> u32 {
        self.entry(anchor, kind, bytes.len(), |into| into.copy_from_slice(bytes))
    }

    /// The next `len` bytes, to be written.
    #[inline]
    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        let start = self.used;
        if self.bytes.len() - start < len {
            self.grow(len);
        }
        self.used += len;
        self.bytes.get_mut(start..start + len)
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        self.resize(self.grown(len));
    }

    /// The memory for so many more bytes: twice as much, mostly.
    fn grown(&self, len: usize) -> usize {
        (self.used + len).max(2 * self.bytes.len()).max(MIN_LOG)
    }

    #[cold]
    fn resize(&mut self, size: usize) {
        self.resize_granted(size);
        self.told.tell(self.bytes.capacity());
    }

    /// Resizes to what was granted, and told.
    fn resize_granted(&mut self, size: usize) {
        self.bytes.reserve_exact(size.saturating_sub(self.bytes.len()));
        self.bytes.resize(size, 0);
    }
}

/// The header of an entry at `at` whose span had its latest one at `anchor`.
#[inline]
fn header(at: u32, anchor: u32, kind: EntryKind, len: usize) -> [u8; HEADER] {
    // An anchor beyond the end would be one that was forgotten; it links nothing.
    let back = if anchor == 0 { 0 } else { at.saturating_sub(anchor) };
    (u64::from(back) | (len as u64) << 40 | (kind as u64) << 32).to_le_bytes()
}

/// Iterator over the entries of one span, latest first.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'a> {
    log: &'a TagLog,
    anchor: u32,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let (entry, previous) = self.log.at(self.anchor)?;
        self.anchor = previous;
        Some(entry)
    }
}

/// The longest start of a text within `max` bytes that ends between two characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
