//! One span as a MessagePack map: its shape copied, ids and times filled in, tags copied from the log.

use super::block::{TagBlock, put_str, text_of};
use super::defaults::Constants;
use super::events;
use super::fields::{self, META_HEADER, NUMBERS};
use super::links;
use super::merge;
use super::room::{Bytes, Full, Room};
use super::shapes::{Shape, Shapes};
use super::tags::{self, Blocks, Stop};
use super::times::Pace;
use crate::model::{EntryKind, Flags, Record, TagLog, Upstream, is_other_service};

/// Writes spans; keeps what is constant about them.
#[derive(Debug)]
pub(super) struct SpanWriter {
    pub(super) constants: Constants,
    shapes: Shapes,
    /// Whether the agent reads events as they are.
    pub(super) reads_events: bool,
    /// The constant parts of a span that has texts of its own.
    own_texts: Vec<u8>,
}

/// What a span gets from its chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) trace_id_low: u64,
    pub(super) pace: Pace<'a>,
    /// Tags that win over the span's own.
    pub(super) given: &'a TagBlock,
    /// What a local root received and did not continue.
    pub(super) received: Option<&'a Upstream>,
}

/// What a span is written without, in one word: events, of which there are 128 at most, in the upper byte, tags below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unwritten(u32);

impl Unwritten {
    const EVENTS_AT: u32 = 24;

    #[inline]
    fn of(tags: u32) -> Self {
        Self(tags.min((1 << Self::EVENTS_AT) - 1))
    }

    fn with_events(self, events: usize) -> Self {
        Self(self.0 | (events.min(0xff) as u32) << Self::EVENTS_AT)
    }

    #[inline]
    pub(super) fn is_any(self) -> bool {
        self.0 != 0
    }

    pub(super) fn tags(self) -> u64 {
        u64::from(self.0) & ((1 << Self::EVENTS_AT) - 1)
    }

    pub(super) fn events(self) -> u64 {
        u64::from(self.0 >> Self::EVENTS_AT)
    }
}

/// What is constant about a span that has texts of its own, beside the bytes.
#[derive(Clone, Copy, Debug)]
struct OwnFrame {
    shape: Shape,
    /// Where [`NUMBERS`] are.
    numbers_at: usize,
    has_type: bool,
    is_own_service: bool,
}

impl SpanWriter {
    pub(super) fn new(constants: Constants) -> Self {
        Self { constants, shapes: Shapes::new(), reads_events: false, own_texts: Vec::new() }
    }

    /// Appends the span; gives what is left out of it.
    #[inline]
    pub(super) fn append(
        &mut self,
        out: &mut Bytes,
        record: &Record,
        log: &TagLog,
        around: &Surroundings<'_>,
    ) -> Unwritten {
        loop {
            match self.write(out, record, log, around) {
                Ok(left_out) => return left_out,
                Err(Full) => out.grow(),
            }
        }
    }

    #[inline(never)]
    fn write(
        &mut self,
        out: &mut Bytes,
        record: &Record,
        log: &TagLog,
        around: &Surroundings<'_>,
    ) -> Result<Unwritten, Full> {
        let (shape, bytes, numbers_at, has_type, constants) =
            if record.service == 0 && !record.flags.has(Flags::FIELDS) {
                let constants = self.constants.of(true, record.flags);
                let place = Constants::place(true, record.flags);
                let shape = self.shapes.shape(record.site, place, &self.constants.service, constants);
                (shape, self.shapes.bytes(shape.whole()), shape.numbers_at(), shape.has_type, constants)
            } else {
                let own = self.own_frame(record, log);
                let constants = self.constants.of(own.is_own_service, record.flags);
                (own.shape, &*self.own_texts, own.numbers_at, own.has_type, constants)
            };
        let constants = self.shapes.constants(shape, constants);
        let room = out.room()?;
        room.get_mut(..bytes.len()).ok_or(Full)?.copy_from_slice(bytes);
        let (header, room) = room.split_at_mut_checked(numbers_at).ok_or(Full)?;
        let (numbers, rest) = room.split_first_chunk_mut().ok_or(Full)?;
        fields::fill(numbers, record, around.trace_id_low, &around.pace);
        let blocks = Blocks { given: around.given, constants };
        // The tracer's own tags and the chunk's have no key in common; a site may name any key.
        let is_shared = shape.has_tags() && around.given.shares_key(constants);
        let copied =
            if is_shared { Err(Stop::Unfit) } else { tags::copy(Room(&mut *rest), record, log, &blocks) };
        let written = match copied {
            Ok(written) => written,
            Err(Stop::Full) => return Err(Full),
            Err(Stop::Unfit) => merge::tags(Room(rest), log.entries(record.tags), &blocks)?,
        };
        fields::fill_metas(numbers, written.metas);
        let has_extras = around.received.is_some() || record.flags.has(Flags::EXTRAS);
        if let Some(header) = header.first_mut() {
            let optional = [has_type, written.metas > 0, written.numbers > 0];
            *header = fields::map_header(optional.map(u8::from).iter().sum());
        }
        let span_at = out.len();
        let metas_at = span_at + numbers_at + NUMBERS.len();
        out.add(numbers_at + NUMBERS.len() + written.len);
        if written.metas == 0 {
            out.remove(metas_at - META_HEADER..metas_at);
        }
        let anew = if has_extras { self.put_extras(out, span_at, record, log, around) } else { None };
        Ok(anew.unwrap_or_else(|| Unwritten::of(written.left_out)))
    }

    /// Adds the fields that few spans have to the span that begins at `span_at`. Where it has to be written anew, what is left out
    /// of it then.
    #[cold]
    #[inline(never)]
    fn put_extras(
        &mut self,
        out: &mut Bytes,
        span_at: usize,
        record: &Record,
        log: &TagLog,
        around: &Surroundings<'_>,
    ) -> Option<Unwritten> {
        let unix_ns = |ticks| around.pace.unix_ns(ticks);
        let events = log.events(record.tags);
        if !events.is_empty() && !self.reads_events {
            out.truncate(span_at);
            let (events, left_out) = events::json(&events, unix_ns);
            let unwritten = self.append_with_events(out, record, log, &events, around);
            return Some(unwritten.with_events(left_out));
        }
        let mut fields = 0;
        let mut put = |name: &[u8], value: &[u8]| {
            out.put(name);
            out.put(value);
            fields += 1;
        };
        if !events.is_empty() {
            put(b"\xabspan_events", &events::native(&events, unix_ns));
        }
        if around.received.is_some() || record.flags.has(Flags::LINKED) {
            put(b"\xaaspan_links", &links::encode(around.received, &log.links(record.tags)));
        }
        let structures = log.structures(record.tags);
        if !structures.is_empty() {
            let pairs: Vec<u8> = structures.iter().flat_map(|entry| entry.payload).copied().collect();
            let count = (structures.len() as u32).to_be_bytes();
            put(&[&b"\xabmeta_struct\xdf"[..], &count].concat(), &pairs);
        }
        out.raise(span_at, fields);
        None
    }

    /// Appends the span with its events as a tag.
    fn append_with_events(
        &mut self,
        out: &mut Bytes,
        record: &Record,
        log: &TagLog,
        events: &str,
        around: &Surroundings<'_>,
    ) -> Unwritten {
        let mut own = TagLog::of_finished();
        let mut record = *record;
        record.tags = own.copy_chain_but(log, record.tags, EntryKind::Event);
        record.tags = own.meta(record.tags, "events", events);
        record.service = own.copy_field(log, record.service);
        self.append(out, &record, &own, around)
    }

    /// Puts the constant parts of a span that has texts of its own together.
    #[inline(never)]
    fn own_frame(&mut self, record: &Record, log: &TagLog) -> OwnFrame {
        let out = &mut self.own_texts;
        out.clear();
        let own_service = &*self.constants.service;
        let other_service = other_service(record, log, own_service);
        let is_own_service = other_service.is_none();
        let constants = self.constants.of(is_own_service, record.flags);
        let place = Constants::place(is_own_service, record.flags);
        let shape = self.shapes.shape(record.site, place, own_service, constants);
        out.extend_from_slice(b"\0\xa7service");
        match other_service {
            Some(service) => out.extend_from_slice(service),
            None => put_str(out, own_service),
        }
        let has_type = fields::put_texts(out, self.shapes.bytes(shape.site()), record, log);
        let numbers_at = out.len();
        out.extend_from_slice(NUMBERS);
        out.extend_from_slice(&self.shapes.constants(shape, constants).meta);
        OwnFrame { shape, numbers_at, has_type, is_own_service }
    }
}

/// The span's service as a MessagePack string where it is not the tracer's.
fn other_service<'a>(record: &Record, tags: &'a TagLog, own: &str) -> Option<&'a [u8]> {
    let service = tags.field_bytes(record.service)?;
    is_other_service(text_of(service), own).then_some(service)
}
