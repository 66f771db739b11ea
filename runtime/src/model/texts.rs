//! Name, resource and type of a span: what it was given, else what its site has.

use super::entry::EntryKind;
use super::record::Record;
use super::tags::TagLog;

/// Name, resource and type that a span's log gives, as MessagePack. The latest entry counts; an empty text gives nothing.
#[inline]
pub(crate) fn given<'a>(record: &Record, tags: &'a TagLog) -> [Option<&'a [u8]>; 3] {
    let mut found: [Option<&[u8]>; 3] = [None; 3];
    for entry in tags.entries(record.tags) {
        let place = match entry.kind {
            EntryKind::Name => 0,
            EntryKind::Resource => 1,
            EntryKind::SpanType => 2,
            _ => continue,
        };
        if let Some(place) = found.get_mut(place) {
            // The latest entry is met first.
            place.get_or_insert(entry.payload);
        }
    }
    found.map(|text| text.filter(is_text))
}

/// A resource is what the span was given, else that of its site, else the name. A site without one has its name there, which
/// must not outlive a new name.
#[inline]
pub(crate) fn name_and_resource<T: Copy + PartialEq>(
    given_name: Option<T>,
    given_resource: Option<T>,
    site_name: T,
    site_resource: T,
) -> (T, T) {
    let name = given_name.unwrap_or(site_name);
    let site_resource = if site_resource == site_name { name } else { site_resource };
    (name, given_resource.unwrap_or(site_resource))
}

/// Whether a MessagePack string is not empty.
pub(crate) fn is_text(text: &&[u8]) -> bool {
    text.len() > 1
}

/// Whether a span's service is another than the tracer's own.
pub(crate) fn is_other_service(service: &[u8], own: &str) -> bool {
    !service.is_empty() && !service.eq_ignore_ascii_case(own.as_bytes())
}
