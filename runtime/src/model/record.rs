//! A span as it is stored: a few words beside its tag bytes.

use super::site::CallSite;
use super::tags::TagLog;

/// "No record": the parent of a line's first span, or an inert guard.
pub(crate) const NO_INDEX: u32 = u32::MAX;

/// Links of a span, and events of a span; further ones are left out and counted.
const MAX_LINKS_OR_EVENTS: u32 = 128;

/// Bits of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u32);

impl Flags {
    /// The span has ended and nothing can change it.
    pub(crate) const FINISHED: Flags = Flags(1);
    /// The span failed.
    pub(crate) const ERROR: Flags = Flags(1 << 1);
    /// Entry span of its service.
    pub(crate) const TOP_LEVEL: Flags = Flags(1 << 2);
    /// Gets trace metrics of its own.
    pub(crate) const MEASURED: Flags = Flags(1 << 3);
    /// Name, resource or type are in the tag log.
    pub(crate) const FIELDS: Flags = Flags(1 << 4);
    /// `start` is Unix nanoseconds, not ticks.
    pub(crate) const START_GIVEN: Flags = Flags(1 << 5);
    /// `end` is Unix nanoseconds, not ticks.
    pub(crate) const END_GIVEN: Flags = Flags(1 << 6);
    /// Links are in the tag log.
    pub(crate) const LINKED: Flags = Flags(1 << 7);
    /// The local root of a shared trace that sampling rules look at: what changes is told to its trace. Means nothing of a finished span.
    pub(crate) const WATCHED: Flags = Flags(1 << 15);
    /// The number of links and events that were left out is in the tag log.
    pub(crate) const LEFT_OUT: Flags = Flags(1 << 8);
    /// Events are in the tag log.
    pub(crate) const EVENTS: Flags = Flags(1 << 9);
    /// Structured values are in the tag log.
    pub(crate) const STRUCTS: Flags = Flags(1 << 10);
    /// The span has tags from which more follows: its status, its peer.
    pub(crate) const TELLING: Flags = Flags(1 << 11);
    /// Somebody said that the span did not fail, whatever follows from its tags.
    pub(crate) const NOT_FAILED: Flags = Flags(1 << 12);
    /// Fields of the wire that few spans have.
    pub(crate) const EXTRAS: Flags = Self::LINKED.with(Self::EVENTS).with(Self::STRUCTS);

    /// The number of links and that of events are in the upper bits, a byte each.
    const LINKS_AT: u32 = 16;
    const EVENTS_AT: u32 = 24;

    /// One link more; `None` where the span has as many as it may.
    pub(crate) fn with_link(self) -> Option<Self> {
        self.counted(Self::LINKS_AT).map(|flags| flags.with(Flags::LINKED))
    }

    /// One event more; `None` where the span has as many as it may.
    pub(crate) fn with_event(self) -> Option<Self> {
        self.counted(Self::EVENTS_AT).map(|flags| flags.with(Flags::EVENTS))
    }

    fn counted(self, at: u32) -> Option<Self> {
        ((self.0 >> at & 0xff) < MAX_LINKS_OR_EVENTS).then(|| Flags(self.0 + (1 << at)))
    }

    pub(crate) const fn none() -> Self {
        Flags(0)
    }

    pub(crate) const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub(crate) const fn with(self, other: Flags) -> Self {
        Flags(self.0 | other.0)
    }

    #[must_use]
    pub(crate) const fn without(self, other: Flags) -> Self {
        Flags(self.0 & !other.0)
    }
}

/// One span, open or finished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) site: &'static CallSite,
    pub(crate) span_id: u64,
    pub(crate) parent_id: u64,
    /// Ticks, or Unix nanoseconds under [`Flags::START_GIVEN`].
    pub(crate) start: u64,
    /// Ticks, or Unix nanoseconds under [`Flags::END_GIVEN`].
    pub(crate) end: u64,
    /// Anchor of the latest tag, 0 without tags.
    pub(crate) tags: u32,
    /// Anchor of the service, 0 for the tracer's own.
    pub(crate) service: u32,
    /// Where the parent stands in the same buffer; meaningful only while the span is open.
    pub(crate) parent_index: u32,
    pub(crate) flags: Flags,
}

impl Record {
    /// An open span without a parent in its buffer.
    #[inline]
    pub(crate) fn open(site: &'static CallSite, span_id: u64, parent_id: u64, start: u64) -> Self {
        let flags = if site.measured { Flags::MEASURED } else { Flags::none() };
        Self { site, span_id, parent_id, start, end: 0, tags: 0, service: 0, parent_index: NO_INDEX, flags }
    }

    /// Ends the span.
    #[inline]
    pub(crate) fn finish(&mut self, ticks: u64) {
        self.end = ticks;
        self.flags = self.flags.with(Flags::FINISHED);
    }

    /// The open record of this span, where it stands at `index`.
    #[inline]
    pub(crate) fn open_at(records: &mut [Self], index: u32, span_id: u64) -> Option<&mut Self> {
        let record = records.get_mut(index as usize)?;
        (record.span_id == span_id && !record.is_finished()).then_some(record)
    }
}

/// Records beside the bytes of their tags.
#[derive(Debug, Default)]
pub(crate) struct SpanBuffer {
    pub(crate) records: Vec<Record>,
    pub(crate) tags: TagLog,
}

/// How many bytes a span takes on the wire beside its tags, about: field keys, ids, times, a short name and resource.
const WIRE_BYTES_PER_SPAN: usize = 200;

/// Bytes of the largest buffer that is kept without content.
const KEPT_BYTES: usize = 64 << 10;
/// Memory that a buffer may hold beyond its content: some of it, and some bytes in any case.
const WASTE_FACTOR: usize = 2;
const WASTE_BYTES: usize = 8 << 10;

impl SpanBuffer {
    pub(crate) const fn new() -> Self {
        Self { records: Vec::new(), tags: TagLog::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Forgets all content, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.tags.truncate(0);
    }

    /// Bytes of memory held.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.records.capacity() * size_of::<Record>() + self.tags.capacity()
    }

    /// Whether much of the memory is not in use.
    pub(crate) fn is_wasteful(&self) -> bool {
        let used = self.records.len() * size_of::<Record>() + self.tags.len();
        self.capacity_bytes() > WASTE_FACTOR * used + WASTE_BYTES
    }

    /// Whether it holds more memory than what is kept for later.
    pub(crate) fn is_huge(&self) -> bool {
        self.capacity_bytes() > KEPT_BYTES
    }

    /// Takes less memory for the tags, where much of it is not in use any more.
    pub(crate) fn give_back_memory(&mut self) {
        if self.tags.capacity() > WASTE_FACTOR * self.tags.len() + WASTE_BYTES {
            let mut own = TagLog::new();
            own.copy_start(&self.tags, self.tags.len());
            self.tags = own;
        }
    }

    /// Bytes that so many spans with so many bytes of tags will take in a payload, estimated.
    pub(crate) fn wire_estimate(spans: usize, tag_bytes: usize) -> usize {
        spans * WIRE_BYTES_PER_SPAN + tag_bytes
    }

    /// Makes room for so many records and tags of common size in an empty buffer that has less.
    pub(crate) fn at_least(&mut self, records: usize) {
        if self.records.capacity() < records {
            self.reserve(records);
        }
    }

    /// Makes room for so many more records and tags of common size.
    pub(crate) fn reserve(&mut self, records: usize) {
        self.records.reserve_exact(records);
        self.tags.reserve(records * 20);
    }

    /// Appends another buffer's records from `first` on, with the tags from `tag_byte` on.
    pub(crate) fn append(&mut self, from: &SpanBuffer, first: usize, tag_byte: usize) {
        let start = self.records.len();
        self.records.extend_from_slice(from.records.get(first..).unwrap_or_default());
        if from.tags.len() == tag_byte {
            // Without a tag there is no anchor to move.
            return;
        }
        match self.tags.append(&from.tags, tag_byte) {
            Some(0) => {}
            moved => self.records.iter_mut().skip(start).for_each(|record| *record = record.joined(moved)),
        }
    }

    /// Appends one record whose tags are in a log of its own.
    #[inline]
    pub(crate) fn push_from(&mut self, record: Record, tags: &TagLog) {
        if tags.len() == 0 {
            return self.records.push(record);
        }
        let moved = self.tags.append(tags, 0);
        self.records.push(record.joined(moved));
    }
}

impl Record {
    /// The same record after its tag bytes moved by so many bytes.
    #[inline]
    pub(crate) fn moved(mut self, by: i64) -> Self {
        // Anchors wrap as numbers do, so that the move is one addition.
        let shift = |anchor: u32| if anchor == 0 { 0 } else { anchor.wrapping_add(by as u32) };
        self.tags = shift(self.tags);
        self.service = shift(self.service);
        self
    }

    /// The same record after its log was joined to another one, or left behind.
    #[inline]
    pub(crate) fn joined(self, moved: Option<i64>) -> Self {
        match moved {
            Some(by) => self.moved(by),
            None => Self { tags: 0, service: 0, ..self },
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.flags.has(Flags::FINISHED)
    }
}
