//! One span as a MessagePack map: its shape copied, ids and times filled in, tags copied from the log.

use super::block::{TagBlock, key_of, put_str, text_of};
use super::defaults::Constants;
use super::fields::{self, META_HEADER, NUMBERS};
use super::merge;
use super::shapes::{Shape, Shapes};
use crate::clock::Timeline;
use crate::model::{EntryKind, Flags, Record, TagLog};

/// Writes spans; keeps what is constant about them.
#[derive(Debug)]
pub(super) struct SpanWriter {
    pub(super) constants: Constants,
    shapes: Shapes,
}

/// What a span gets from its chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) trace_id_low: u64,
    pub(super) timeline: &'a Timeline,
    /// Tags for the first span of a chunk only.
    pub(super) chunk: Option<&'a TagBlock>,
    /// Tags for every span of the chunk.
    pub(super) all: &'a TagBlock,
    /// The value of the field `span_links` as MessagePack; empty without links.
    pub(super) links: &'a [u8],
}

impl SpanWriter {
    pub(super) fn new(constants: Constants) -> Self {
        Self { constants, shapes: Shapes::new() }
    }

    /// Appends the span.
    #[inline]
    pub(super) fn span(
        &mut self,
        out: &mut Vec<u8>,
        record: &Record,
        tags: &TagLog,
        around: &Surroundings<'_>,
    ) {
        let map_at = out.len();
        let constants = self.constants.of(true, record.flags);
        let variant = Constants::variant(record.flags);
        let shape = self.shapes.shape(record.site, variant, &self.constants.service, constants);
        let begun = if record.service == 0 && !record.flags.has(Flags::FIELDS) {
            out.extend_from_slice(self.shapes.bytes(shape.whole()));
            Begun { numbers_at: map_at + shape.numbers_at(), has_type: shape.has_type, constants }
        } else {
            self.begin(out, record, tags, shape)
        };
        let Begun { numbers_at, has_type, constants } = begun;
        let blocks = Blocks { chunk: around.chunk, all: around.all, constants };
        let metas_at = numbers_at + NUMBERS.len();
        let counts = match copy_tags(out, record, tags, &blocks) {
            Ok(counts) => counts,
            Err(Unfit) => merge::tags(out, metas_at, tags.entries(record.tags), &blocks),
        };
        let Some(map) = out.get_mut(map_at..) else { return };
        if let Some(place) = map.get_mut(numbers_at - map_at..).and_then(<[u8]>::first_chunk_mut) {
            fields::fill(place, record, around.trace_id_low, around.timeline, counts.metas);
        }
        if let Some(place) = map.first_mut() {
            let has_links = !around.links.is_empty();
            let optional = [has_type, counts.metas > 0, counts.numbers > 0, has_links].map(u8::from);
            *place = fields::map_header(optional.iter().sum());
        }
        if counts.metas == 0 || !around.links.is_empty() {
            put_rare(out, counts, metas_at, around.links);
        }
    }

    /// Appends the constant parts of a span that has texts of its own.
    #[inline(never)]
    fn begin(&self, out: &mut Vec<u8>, record: &Record, tags: &TagLog, shape: Shape) -> Begun<'_> {
        let other_service = self.other_service(record, tags);
        put_service(out, other_service, &self.constants.service);
        let has_type = fields::put_texts(out, self.shapes.bytes(shape.site()), record, tags);
        let numbers_at = out.len();
        let constants = self.constants.of(other_service.is_none(), record.flags);
        out.extend_from_slice(NUMBERS);
        out.extend_from_slice(&constants.meta);
        Begun { numbers_at, has_type, constants }
    }

    /// The span's service as a MessagePack string where it is not the tracer's.
    fn other_service<'a>(&self, record: &Record, tags: &'a TagLog) -> Option<&'a [u8]> {
        let service = tags.field_bytes(record.service)?;
        let text = text_of(service);
        (!text.is_empty() && !text.eq_ignore_ascii_case(self.constants.service.as_bytes())).then_some(service)
    }
}

/// Takes the header of an empty `meta` back, and appends links if there are any.
#[cold]
#[inline(never)]
fn put_rare(out: &mut Vec<u8>, counts: Counts, metas_at: usize, links: &[u8]) {
    if counts.metas == 0 {
        out.drain(metas_at - META_HEADER..metas_at);
    }
    if !links.is_empty() {
        put_str(out, "span_links");
        out.extend_from_slice(links);
    }
}

/// A span whose constant parts are written.
struct Begun<'a> {
    numbers_at: usize,
    has_type: bool,
    constants: &'a TagBlock,
}

/// Appends room for the map's header, and the service.
fn put_service(out: &mut Vec<u8>, other_service: Option<&[u8]>, own_service: &str) {
    out.extend_from_slice(b"\0\xa7service");
    match other_service {
        Some(service) => out.extend_from_slice(service),
        None => put_str(out, own_service),
    }
}

/// The sources of a span's tags besides its own, those that win over its own first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks<'a> {
    pub(super) chunk: Option<&'a TagBlock>,
    pub(super) all: &'a TagBlock,
    /// Gives way to the span's own tags.
    pub(super) constants: &'a TagBlock,
}

impl<'a> Blocks<'a> {
    fn each(&self) -> impl Iterator<Item = &'a TagBlock> {
        self.chunk.into_iter().chain([self.all, self.constants])
    }
}

/// How many pairs the two maps got.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) metas: u16,
    pub(super) numbers: u16,
}

/// The way of copying does not fit: a key occurs twice, a tag was taken back, or there are many tags.
struct Unfit;

/// From so many tags on, duplicates are found by sorting instead of comparing.
const MANY_TAGS: usize = 16;

/// Appends string tags to `out`, which has those of the tracer, and `metrics` if there are any.
#[inline]
fn copy_tags(
    out: &mut Vec<u8>,
    record: &Record,
    tags: &TagLog,
    blocks: &Blocks<'_>,
) -> Result<Counts, Unfit> {
    let Blocks { chunk, all, constants } = *blocks;
    let mut counts = Counts { metas: constants.metas, numbers: constants.numbers };
    let mut seen = constants.keys;
    if let Some(chunk) = chunk {
        out.extend_from_slice(&chunk.meta);
        counts = counts.with(chunk);
        seen = seen.union(chunk.keys);
    }
    if !all.is_empty() {
        out.extend_from_slice(&all.meta);
        counts = counts.with(all);
        seen = seen.union(all.keys);
    }
    let mut numbers = 0;
    let mut latest_number: &[u8] = &[];
    let mut count = 0;
    for entry in tags.entries(record.tags) {
        let is_number = match entry.kind {
            EntryKind::Meta => false,
            EntryKind::Metric => true,
            EntryKind::Unset => return Err(Unfit),
            EntryKind::Name | EntryKind::Resource | EntryKind::SpanType | EntryKind::Service => continue,
        };
        let key = key_of(entry.payload);
        let was_met = seen.insert(key);
        if (was_met && is_taken(key, record, tags, blocks, count)) || count == MANY_TAGS {
            return Err(Unfit);
        }
        count += 1;
        if !is_number {
            out.extend_from_slice(entry.payload);
            continue;
        }
        if numbers == 0 {
            latest_number = entry.payload;
        }
        numbers += 1;
    }
    counts.metas += (count - numbers) as u16;
    counts.numbers += numbers as u16;
    if counts.numbers == 0 {
        return Ok(counts);
    }
    out.extend_from_slice(&fields::metrics_header(counts.numbers));
    if counts.numbers > numbers as u16 {
        blocks.each().for_each(|block| out.extend_from_slice(&block.metrics));
    }
    out.extend_from_slice(latest_number);
    if numbers > 1 {
        // A second look at the entries costs less than keeping the numbers aside.
        let all = tags.entries(record.tags).filter(|entry| entry.kind == EntryKind::Metric);
        all.skip(1).for_each(|entry| out.extend_from_slice(entry.payload));
    }
    Ok(counts)
}

impl Counts {
    fn with(self, block: &TagBlock) -> Self {
        Self { metas: self.metas + block.metas, numbers: self.numbers + block.numbers }
    }
}

/// Whether a key that may have been met was: in a block, or among the latest `count` tags of the span.
#[cold]
#[inline(never)]
fn is_taken(key: &[u8], record: &Record, tags: &TagLog, blocks: &Blocks<'_>, count: usize) -> bool {
    let is_tag = |kind| matches!(kind, EntryKind::Meta | EntryKind::Metric);
    let mut earlier = tags.entries(record.tags).filter(|entry| is_tag(entry.kind)).take(count);
    blocks.each().any(|block| block.has(key)) || earlier.any(|entry| key_of(entry.payload) == key)
}
