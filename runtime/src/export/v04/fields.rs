//! The fields of a span: texts that a span may have in its log, ids and times.

use super::block::str_len;
use super::times::Pace;
use crate::model::texts::{given, is_text, name_and_resource};
use crate::model::{Entry, EntryKind, Flags, Record, TagLog};

/// The header of a span's map that has so many optional fields.
#[inline]
pub(super) const fn map_header(optional: u8) -> u8 {
    0x80 | (9 + optional)
}

/// The key `metrics` and the header of its map.
#[inline]
pub(super) const fn metrics_header(numbers: u16) -> [u8; 11] {
    let [high, low] = numbers.to_be_bytes();
    [0xa7, b'm', b'e', b't', b'r', b'i', b'c', b's', 0xde, high, low]
}

/// Keys and number headers of the fields that every span has, up to the count of its string tags.
///
/// Numbers have a fixed width (`start` is signed on the wire), so that all places are known.
pub(super) const NUMBERS: &[u8; 102] = b"\xa8trace_id\xcf........\
    \xa7span_id\xcf........\
    \xa9parent_id\xcf........\
    \xa5start\xd3........\
    \xa8duration\xcf........\
    \xa5error\0\
    \xa4meta\xde..";
/// What [`NUMBERS`] ends with.
pub(super) const META_HEADER: usize = b"\xa4meta\xde..".len();

/// Fills ids and times into a copy of [`NUMBERS`].
#[inline]
pub(super) fn fill(into: &mut [u8; 102], record: &Record, trace_id_low: u64, pace: &Pace<'_>) {
    let (start, duration) = pace.times(record);
    into[10..18].copy_from_slice(&trace_id_low.to_be_bytes());
    into[27..35].copy_from_slice(&record.span_id.to_be_bytes());
    into[46..54].copy_from_slice(&record.parent_id.to_be_bytes());
    into[61..69].copy_from_slice(&start.to_be_bytes());
    into[79..87].copy_from_slice(&duration.to_be_bytes());
    into[93] = u8::from(record.flags.has(Flags::ERROR));
}

/// Fills the number of string tags into a copy of [`NUMBERS`].
#[inline]
pub(super) fn fill_metas(place: &mut [u8; 102], metas: u16) {
    place[100..102].copy_from_slice(&metas.to_be_bytes());
}

/// Appends name, resource and type of a span that has some of them in its log, the rest from its site; whether there is
/// a type.
pub(super) fn put_texts(out: &mut Vec<u8>, site: &[u8], record: &Record, tags: &TagLog) -> bool {
    let [given_name, given_resource, given_type] = given(record, tags);
    let [site_name, site_resource, site_type] = site_values(site);
    let (name, resource) = name_and_resource(given_name, given_resource, site_name, site_resource);
    for (key, value) in [(&b"\xa4name"[..], name), (b"\xa8resource", resource)] {
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
    let span_type = given_type.or(Some(site_type).filter(is_text));
    if let Some(span_type) = span_type {
        out.extend_from_slice(b"\xa4type");
        out.extend_from_slice(span_type);
    }
    span_type.is_some()
}

/// Name, resource and type of a span as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Texts<'a> {
    pub(crate) name: String,
    pub(crate) resource: String,
    /// Empty without one.
    pub(crate) span_type: &'a str,
}

impl<'a> Texts<'a> {
    /// For whoever shows a span instead of sending it.
    pub(crate) fn of(record: &Record, tags: &'a TagLog) -> Self {
        let text = |payload| Entry { kind: EntryKind::Name, payload }.field();
        let [given_name, given_resource, given_type] = given(record, tags).map(|given| given.map(text));
        let mut site_name = String::new();
        record.site.name.write_to(&mut site_name);
        let site_resource = record.site.resource.filter(|resource| !resource.is_empty());
        let (name, resource) =
            name_and_resource(given_name, given_resource, &site_name, site_resource.unwrap_or(&site_name));
        let (name, resource) = (name.to_owned(), resource.to_owned());
        Self { name, resource, span_type: given_type.or(record.site.span_type).unwrap_or_default() }
    }
}

/// The values of up to three pairs of strings.
fn site_values(mut fields: &[u8]) -> [&[u8]; 3] {
    [(); 3].map(|()| {
        let key = str_len(fields);
        let rest = fields.get(key..).unwrap_or_default();
        let (value, rest) = rest.split_at_checked(str_len(rest)).unwrap_or_default();
        fields = rest;
        value
    })
}
