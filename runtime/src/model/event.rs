//! Something that happened within a span, at one moment.

use std::time::SystemTime;

use super::attributes::{AttributeValue, Attributes, AttributesView};
use super::msgpack::{push_str, read_str};
use super::tags::{MAX_KEY, cut};
use crate::clock;

/// Something that happened within a span, at one moment: a name, a time, and attributes of simple types.
///
/// A text becomes an event of that name by `into`, at the time it is added.
///
/// ```
/// use dd_traced::{SpanEvent, span};
///
/// let upload = span("upload").start();
/// upload.add_event("first byte");
/// upload.add_event(SpanEvent::new("retry").attribute("attempt", 2).attribute("hosts", ["a", "b"]));
/// ```
///
/// An agent that knows events gets them as they are. Any other one gets them as JSON in the tag `events`, as many as go into its 25 000 bytes;
/// the others are counted.
///
/// Source: `pkg/proto/pbgo/trace/span.proto` of DataDog/datadog-agent (`SpanEvent`).
#[must_use = "an event is added to a span"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanEvent {
    name: Box<str>,
    /// Nanoseconds since the Unix epoch; `None` for when it is added.
    unix_ns: Option<u64>,
    attributes: Attributes,
}

impl SpanEvent {
    /// An event of this name, cut at 200 bytes, at the time it is added.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self { name: cut(name.as_ref(), MAX_KEY).into(), unix_ns: None, attributes: Attributes::default() }
    }

    /// When it happened, instead of when it is added. Times before 1970 count as 1970.
    pub fn at(mut self, time: SystemTime) -> Self {
        self.unix_ns = Some(clock::unix_ns(time));
        self
    }

    /// Says what happened. A later value of a key wins. At most 128, keys cut at 200 bytes and texts at 25 000; what goes beyond 256 KiB
    /// together is left out and counted.
    pub fn attribute(mut self, key: impl AsRef<str>, value: impl AttributeValue) -> Self {
        self.attributes.push(key.as_ref(), &value);
        self
    }

    /// How many of its attributes were too many.
    pub(crate) fn left_out_attributes(&self) -> u32 {
        self.attributes.left_out()
    }

    /// As it stands in a tag log, of an event that is added at `ticks`.
    pub(super) fn to_bytes(&self, ticks: u64) -> Vec<u8> {
        let AttributesView { count, bytes } = self.attributes.view();
        let mut out = Vec::with_capacity(HEAD + 3 + self.name.len() + bytes.len());
        out.extend_from_slice(&self.unix_ns.unwrap_or(ticks).to_le_bytes());
        out.push(u8::from(self.unix_ns.is_some()));
        out.extend_from_slice(&count.to_le_bytes());
        push_str(&mut out, &self.name);
        out.extend_from_slice(bytes);
        out
    }
}

impl From<&str> for SpanEvent {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for SpanEvent {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// Bytes of what has a fixed place: the time, what it is counted in, and the number of attributes.
const HEAD: usize = 11;

/// An event as it stands in a tag log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventView<'a> {
    pub(crate) time: EventTime,
    pub(crate) name: &'a str,
    pub(crate) attributes: AttributesView<'a>,
}

/// When an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventTime {
    Ticks(u64),
    /// Nanoseconds since the Unix epoch.
    Unix(u64),
}

impl<'a> EventView<'a> {
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk()?;
        let (is_unix, rest) = rest.split_first()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (name, len) = read_str(rest)?;
        let time = u64::from_le_bytes(*time);
        Some(Self {
            time: if *is_unix == 0 { EventTime::Ticks(time) } else { EventTime::Unix(time) },
            name,
            attributes: AttributesView { count: u16::from_le_bytes(*count), bytes: rest.get(len..)? },
        })
    }
}

impl EventTime {
    /// Nanoseconds since the Unix epoch, given how ticks become them.
    pub(crate) fn unix_ns(self, of_ticks: impl FnOnce(u64) -> u64) -> u64 {
        match self {
            EventTime::Ticks(ticks) => of_ticks(ticks),
            EventTime::Unix(ns) => ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let event = SpanEvent::new("retry").attribute("attempt", 2);
        let bytes = event.to_bytes(7);
        let view = EventView::from_bytes(&bytes).unwrap();
        assert_eq!((view.name, view.time), ("retry", EventTime::Ticks(7)));
        assert_eq!(view.attributes, event.attributes.view());
        let bytes = event.at(SystemTime::UNIX_EPOCH + Duration::from_nanos(9)).to_bytes(7);
        assert_eq!(EventView::from_bytes(&bytes).unwrap().time, EventTime::Unix(9));
        for (len, kept) in [(199, 199), (200, 200), (201, 200)] {
            let bytes = SpanEvent::from("n".repeat(len)).to_bytes(0);
            assert_eq!(EventView::from_bytes(&bytes).unwrap().name.len(), kept);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_event_or_none(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(view) = EventView::from_bytes(&bytes) {
                let _ = view.attributes.latest();
            }
        }
    }
}
