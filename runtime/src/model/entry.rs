//! One entry of the tag log: what it says, and how it is read.

use super::msgpack::{packed_len, read_str};

/// Bytes before a MessagePack byte string of any length.
pub(super) const BIN_HEADER: usize = 5;

/// What an entry says of its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum EntryKind {
    /// A string tag.
    Meta = 0,
    /// A number tag.
    Metric = 1,
    /// The operation name, instead of the call site's.
    Name = 2,
    /// The resource.
    Resource = 3,
    /// The span type.
    SpanType = 4,
    /// A service; reached from the record, not through the chain.
    Service = 5,
    /// A tag taken back.
    Unset = 6,
    /// A link to another span; not MessagePack.
    Link = 7,
    /// How many links, events, attributes and tags were left out; not MessagePack.
    LeftOut = 8,
    /// Something that happened within the span; not MessagePack.
    Event = 9,
    /// A structured value under a key.
    Struct = 10,
}

impl EntryKind {
    /// Whether entries of this kind stand beside each other, instead of the latest one of a key or field counting alone.
    pub(super) fn is_one_of_many(self) -> bool {
        matches!(self, EntryKind::Link | EntryKind::LeftOut | EntryKind::Event)
    }

    pub(super) fn from_bits(bits: u32) -> Self {
        match bits as u8 {
            0 => EntryKind::Meta,
            1 => EntryKind::Metric,
            2 => EntryKind::Name,
            3 => EntryKind::Resource,
            4 => EntryKind::SpanType,
            5 => EntryKind::Service,
            7 => EntryKind::Link,
            8 => EntryKind::LeftOut,
            9 => EntryKind::Event,
            10 => EntryKind::Struct,
            _ => EntryKind::Unset,
        }
    }
}

/// One entry, as MessagePack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: EntryKind,
    /// Key and value for tags, one string for fields.
    pub(crate) payload: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The key of a tag as MessagePack, header included.
    pub(crate) fn key_bytes(&self) -> &'a [u8] {
        self.payload.get(..packed_len(self.payload)).unwrap_or_default()
    }

    /// What entries have in common of which only the latest counts: the key of a tag, the kind of a field.
    pub(super) fn identity(&self) -> (Option<EntryKind>, &'a [u8]) {
        match self.kind {
            EntryKind::Meta | EntryKind::Metric | EntryKind::Unset => (None, self.key_bytes()),
            EntryKind::Struct => (Some(EntryKind::Struct), self.key_bytes()),
            field => (Some(field), &[]),
        }
    }

    /// The key of a tag.
    pub(crate) fn key(&self) -> &'a str {
        read_str(self.payload).map_or("", |(key, _)| key)
    }

    /// The text of a string tag, after its key.
    pub(crate) fn text(&self) -> Option<&'a str> {
        let rest = self.payload.get(self.key_bytes().len()..)?;
        read_str(rest).map(|(text, _)| text)
    }

    /// The number of a number tag, after its key.
    pub(crate) fn number(&self) -> Option<f64> {
        let rest = self.payload.get(self.key_bytes().len() + 1..)?;
        rest.try_into().ok().map(f64::from_be_bytes)
    }

    /// The MessagePack of a structured value, after its key.
    #[cfg(feature = "testing")]
    pub(crate) fn structure(&self) -> &'a [u8] {
        self.payload.get(self.key_bytes().len() + BIN_HEADER..).unwrap_or_default()
    }

    /// The text of a field entry.
    pub(crate) fn field(&self) -> &'a str {
        self.key()
    }
}
