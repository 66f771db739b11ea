//! One span as a MessagePack map: its shape copied, ids and times filled in, tags copied from the log.

use super::block::{TagBlock, key_of, put_str, text_of};
use super::defaults::Constants;
use super::fields::{self, META_HEADER, NUMBERS};
use super::merge;
use super::shapes::Shapes;
use crate::clock::Timeline;
use crate::model::{EntryKind, Flags, Record, TagLog};

/// Writes spans; keeps what is constant about them.
#[derive(Debug)]
pub(super) struct SpanWriter {
    pub(super) constants: Constants,
    shapes: Shapes,
    /// Number tags of the present span, which follow its string tags.
    numbers: Vec<u8>,
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
        Self { constants, shapes: Shapes::new(), numbers: Vec::new() }
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
        let (numbers_at, has_type, constants) = if record.service == 0 && !record.flags.has(Flags::FIELDS) {
            out.extend_from_slice(self.shapes.bytes(shape.whole()));
            (map_at + shape.numbers_at(), shape.has_type, constants)
        } else {
            let other_service = self.other_service(record, tags);
            put_service(out, other_service, &self.constants.service);
            let has_type = fields::put_texts(out, self.shapes.bytes(shape.site()), record, tags);
            let numbers_at = out.len();
            let constants = self.constants.of(other_service.is_none(), record.flags);
            out.extend_from_slice(NUMBERS);
            out.extend_from_slice(&constants.meta);
            (numbers_at, has_type, constants)
        };
        let blocks = Blocks { chunk: around.chunk, all: around.all, constants };
        let metas_at = numbers_at + NUMBERS.len();
        let counts = put_tags(out, &mut self.numbers, metas_at, record, tags, &blocks);
        if let Some(place) = out.get_mut(numbers_at..).and_then(<[u8]>::first_chunk_mut) {
            fields::fill(place, record, around.trace_id_low, around.timeline, counts.metas);
        }
        let mut header = fields::map_header(has_type);
        if counts.metas == 0 {
            out.truncate(metas_at - META_HEADER);
            header -= 1;
        }
        if counts.numbers == 0 {
            header -= 1;
        } else {
            let [high, low] = counts.numbers.to_be_bytes();
            out.extend_from_slice(&[0xa7, b'm', b'e', b't', b'r', b'i', b'c', b's', 0xde, high, low]);
            out.extend_from_slice(&self.numbers);
        }
        if !around.links.is_empty() {
            put_str(out, "span_links");
            out.extend_from_slice(around.links);
            header += 1;
        }
        if let Some(place) = out.get_mut(map_at) {
            *place = header;
        }
    }

    /// The span's service as a MessagePack string where it is not the tracer's.
    fn other_service<'a>(&self, record: &Record, tags: &'a TagLog) -> Option<&'a [u8]> {
        let service = tags.field_bytes(record.service)?;
        let text = text_of(service);
        (!text.is_empty() && !text.eq_ignore_ascii_case(self.constants.service.as_bytes())).then_some(service)
    }
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

/// Appends string tags to `out`, which has those of the tracer from `metas_at` on, and makes `numbers` the number tags.
#[inline]
fn put_tags(
    out: &mut Vec<u8>,
    numbers: &mut Vec<u8>,
    metas_at: usize,
    record: &Record,
    tags: &TagLog,
    blocks: &Blocks<'_>,
) -> Counts {
    copy_tags(out, numbers, record, tags, blocks).unwrap_or_else(|_| {
        out.truncate(metas_at);
        numbers.clear();
        merge::tags(out, numbers, tags.entries(record.tags), blocks)
    })
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
const MANY_TAGS: u16 = 16;

#[inline]
fn copy_tags(
    out: &mut Vec<u8>,
    numbers: &mut Vec<u8>,
    record: &Record,
    tags: &TagLog,
    blocks: &Blocks<'_>,
) -> Result<Counts, Unfit> {
    let TagBlock { metas, numbers: number_count, keys: mut seen, .. } = *blocks.constants;
    let mut counts = Counts { metas, numbers: number_count };
    numbers.clear();
    numbers.extend_from_slice(&blocks.constants.metrics);
    for block in blocks.chunk.into_iter().chain(Some(blocks.all).filter(|all| !all.is_empty())) {
        out.extend_from_slice(&block.meta);
        numbers.extend_from_slice(&block.metrics);
        counts.metas += block.metas;
        counts.numbers += block.numbers;
        seen = seen.union(block.keys);
    }
    let mut count = 0;
    for entry in tags.entries(record.tags) {
        let key = key_of(entry.payload);
        let is_number = match entry.kind {
            EntryKind::Meta => false,
            EntryKind::Metric => true,
            EntryKind::Unset => return Err(Unfit),
            EntryKind::Name | EntryKind::Resource | EntryKind::SpanType | EntryKind::Service => continue,
        };
        let was_met = seen.insert(key);
        if (was_met && is_taken(key, record, tags, blocks, count)) || count == MANY_TAGS {
            return Err(Unfit);
        }
        count += 1;
        if is_number {
            numbers.extend_from_slice(entry.payload);
            counts.numbers += 1;
        } else {
            out.extend_from_slice(entry.payload);
            counts.metas += 1;
        }
    }
    Ok(counts)
}

/// Whether a key that may have been met was: in a block, or among the latest `count` tags of the span.
#[cold]
#[inline(never)]
fn is_taken(key: &[u8], record: &Record, tags: &TagLog, blocks: &Blocks<'_>, count: u16) -> bool {
    let is_tag = |kind| matches!(kind, EntryKind::Meta | EntryKind::Metric);
    let mut earlier = tags.entries(record.tags).filter(|entry| is_tag(entry.kind)).take(usize::from(count));
    blocks.each().any(|block| block.has(key)) || earlier.any(|entry| key_of(entry.payload) == key)
}
