//! Counts spans into buckets of time.
//!
//! Pure: time is handed in, finished buckets come out. A span without a parent in its service, one that is measured, and one
//! of a kind that the agent names is counted, whatever is decided about its trace.
//!
//! Source: `ddtrace/tracer/stats.go` of DataDog/dd-trace-go and `pkg/trace/stats` of DataDog/datadog-agent.

use std::fmt::Write;

use super::bucket::{BUCKET_NS, Bucket, Hit};
use super::key::{Parts, Text, put};
use super::look::Look;
use super::peer;
use super::profile::{Place, Profiles};
use super::settings::Cardinality;
use super::tags::{Found, Slot, Value, Wanted};
use crate::model::times::Pace;
use crate::model::{AgentInfo, Flags, Record, TagLog, packed_text, texts};

/// Statistics of one tracer.
#[derive(Debug)]
pub(super) struct Concentrator {
    service: Box<str>,
    limits: Cardinality,
    wanted: Wanted,
    /// Kinds of span that are counted; `None` for the usual ones.
    kinds: Option<Vec<Box<str>>>,
    profiles: Profiles,
    buckets: Vec<Bucket>,
    /// Buckets so far.
    count: u32,
    scratch: Scratch,
}

/// Memory that is used again.
#[derive(Debug, Default)]
struct Scratch {
    key: Vec<u8>,
    peers: Vec<u8>,
    /// Places and values of the peers' tags found, the values as ranges of the text.
    found: Vec<(usize, std::ops::Range<usize>)>,
    text: String,
    grpc: String,
}

/// What is counted of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) tags: &'a TagLog,
    pub(crate) pace: &'a Pace<'a>,
    /// Whether the trace comes from a synthetic test.
    pub(crate) is_synthetic: bool,
}

/// What was noticed about a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noticed {
    /// Whether one of its spans failed.
    pub(crate) has_error: bool,
    /// Whether one of its spans may be an analysed one, which is sent whatever becomes of the trace.
    pub(crate) has_analysed: bool,
}

/// Kinds that are counted where the agent names none.
const USUAL_KINDS: [&str; 4] = ["server", "client", "producer", "consumer"];
/// Kinds of spans that call somebody.
const CALLING_KINDS: [&str; 3] = ["client", "producer", "consumer"];
/// Kinds of spans that call nobody and are called by nobody.
const INNER_KINDS: [&str; 2] = ["", "internal"];
/// Where a service comes from that is not the tracer's own.
const SET_IN_CODE: &[u8] = b"m";
/// Names the tracer's own service where a span has another one.
const BASE_SERVICE: &str = "_dd.base_service";

impl Concentrator {
    /// For a tracer of this service whose spans all have these tags.
    pub(super) fn new(service: Box<str>, tags: Vec<(Box<str>, Box<str>)>, limits: Cardinality) -> Self {
        Self {
            service,
            limits,
            wanted: Wanted::new(&[]),
            kinds: None,
            profiles: Profiles::new(tags),
            buckets: Vec::new(),
            count: 0,
            scratch: Scratch::default(),
        }
    }

    /// Counts from here on what this agent wants counted.
    pub(super) fn learn(&mut self, info: &AgentInfo) {
        self.wanted = Wanted::new(&info.peer_tags);
        self.kinds.clone_from(&info.span_kinds_stats_computed);
        self.profiles.clear();
    }

    /// Whether nothing is counted that was not taken.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Counts the spans of a chunk, at `now` in Unix nanoseconds.
    pub(super) fn add(&mut self, chunk: &Counted<'_>, now: u64) -> Noticed {
        let mut noticed = Noticed::default();
        for record in chunk.records {
            noticed.has_error |= record.flags.has(Flags::ERROR);
            let is_marked = record.flags.has(Flags::TOP_LEVEL.with(Flags::MEASURED));
            let has_tags = record.tags != 0;
            if is_marked || has_tags && Wanted::may_decide(record, chunk.tags) || self.is_counted_site(record)
            {
                noticed.has_analysed |= self.count(record, chunk, now);
            }
        }
        noticed
    }

    /// The buckets that are over at `now`, which are all but the two newest; or all of them.
    pub(super) fn take(&mut self, now: u64, all: bool) -> Vec<Bucket> {
        let newest = now - now % BUCKET_NS;
        let oldest_open = newest.saturating_sub(BUCKET_NS);
        for bucket in &mut self.buckets {
            // The clock was set back.
            bucket.start = bucket.start.min(newest);
        }
        let (taken, open) = std::mem::take(&mut self.buckets)
            .into_iter()
            .partition(|bucket| all || bucket.start < oldest_open);
        self.buckets = open;
        taken
    }

    #[inline]
    fn is_counted_site(&mut self, record: &Record) -> bool {
        let Self { profiles, wanted, kinds, .. } = self;
        // Most sites have no tags, and so no kind.
        !record.site.tags.is_empty()
            && profiles
                .of(record.site, wanted, |kind| is_counted(kinds.as_deref(), kind))
                .is_some_and(|profile| profile.is_counted)
    }

    /// Counts a span, if it is one to be counted; whether it may be an analysed one.
    #[inline(never)]
    fn count(&mut self, record: &Record, chunk: &Counted<'_>, now: u64) -> bool {
        let Self { service: own, limits, wanted, kinds, profiles, buckets, count, scratch } = self;
        let Some(profile) = profiles.of(record.site, wanted, |kind| is_counted(kinds.as_deref(), kind))
        else {
            return false;
        };
        let (start, duration) = chunk.pace.times(record);
        let bucket = bucket_at(buckets, count, start.saturating_add(duration), now);
        let is_error = record.flags.has(Flags::ERROR);
        let mut hit = Hit { duration, is_error, is_top_level: record.flags.has(Flags::TOP_LEVEL) };
        let is_root = record.parent_id == 0;
        let is_plain = record.tags == 0 && record.service == 0;
        let variant = usize::from(is_root) | usize::from(chunk.is_synthetic) << 1;
        if is_plain && profile.places[variant].bucket == bucket.id {
            bucket.count(profile.places[variant].group, hit);
            return false;
        }

        let mut found = Found::default();
        scratch.clear();
        wanted.all(record, chunk.tags, &mut found, |slot, value| scratch.note(slot, value));
        let look = Look { record, found, profile };
        let is_analysed = look.is_analysed();
        let kind = look.text(Slot::Kind as usize).unwrap_or_default();
        hit.is_top_level = look.is_top_level();
        let is_wanted = hit.is_top_level || look.is_measured() || is_counted(kinds.as_deref(), kind);
        if !is_wanted || look.is_partial() {
            return is_analysed;
        }

        let service = chunk.tags.field_bytes(record.service).map(packed_text).unwrap_or_default();
        let other = crate::model::is_other_service(service, own).then_some(service);
        if wanted.has_peers() {
            let is_one_of = |kinds: &[&str]| kinds.iter().any(|known| kind.eq_ignore_ascii_case(known));
            let base = other.map(|_| &**own);
            if is_one_of(&CALLING_KINDS) {
                scratch.put_peers(wanted, &profile.peers, base);
            } else if let (Some(base), true) = (base, is_one_of(&INNER_KINDS)) {
                put_pair(&mut scratch.peers, BASE_SERVICE.as_bytes(), base);
            }
        }
        if let Some(code) = look.grpc_status() {
            // Writing to a string does not fail.
            let _ = write!(scratch.grpc, "{code}");
        }
        let mut parts = parts(&look, chunk);
        parts.set(Text::Service, other.unwrap_or(own.as_bytes()));
        if look.text(Slot::ServiceSource as usize).is_none() && other.is_some() {
            parts.set(Text::ServiceSource, SET_IN_CODE);
        }
        parts.set(Text::Grpc, scratch.grpc.as_bytes());
        parts.peers = &scratch.peers;
        let group = bucket.place(&parts, &mut scratch.key, limits);
        if is_plain {
            profile.places[variant] = Place { bucket: bucket.id, group };
        }
        bucket.count(group, hit);
        is_analysed
    }
}

/// The parts of a key that follow from the span itself.
fn parts<'a>(look: &Look<'a>, chunk: &Counted<'a>) -> Parts<'a> {
    let Look { record, profile, .. } = *look;
    let mut parts = Parts {
        status: look.http_status(),
        is_root: record.parent_id == 0,
        is_synthetic: chunk.is_synthetic,
        ..Parts::default()
    };
    let [name, resource, span_type] = texts::given(record, chunk.tags).map(|given| given.map(packed_text));
    let (name, resource) =
        texts::name_and_resource(name, resource, profile.name.as_bytes(), profile.resource.as_bytes());
    for (text, value) in [
        (Text::Name, name),
        (Text::Resource, resource),
        (Text::Type, span_type.unwrap_or(profile.span_type.as_bytes())),
        (Text::Kind, look.bytes(Slot::Kind)),
        (Text::Method, look.bytes(Slot::Method)),
        (Text::Endpoint, look.http_endpoint()),
        (Text::ServiceSource, look.bytes(Slot::ServiceSource)),
    ] {
        parts.set(text, value);
    }
    parts
}

impl Scratch {
    fn clear(&mut self) {
        self.peers.clear();
        self.found.clear();
        self.text.clear();
        self.grpc.clear();
    }

    /// Keeps a peer's tag, unless a later one was met.
    fn note(&mut self, slot: usize, value: Value<'_>) {
        if self.found.iter().any(|(known, _)| *known == slot) {
            return;
        }
        let start = self.text.len();
        self.text.push_str(value.text().unwrap_or_default());
        self.found.push((slot, start..self.text.len()));
    }

    /// Appends the tags of peers in the order of their keys: those found, and those of the site that they leave.
    fn put_peers(&mut self, wanted: &Wanted, constant: &[(usize, Box<str>)], base_service: Option<&str>) {
        let base = base_service.and_then(|service| Some((wanted.slot_of(BASE_SERVICE)?, service)));
        for (slot, value) in constant.iter().map(|(slot, value)| (*slot, &**value)).chain(base) {
            self.note(slot, Value::Text(value));
        }
        let Self { found, text, peers, .. } = self;
        found.sort_unstable_by_key(|(slot, _)| *slot);
        for (slot, value) in found {
            // What is empty was taken back, or is a number.
            if let Some(value) = text.get(value.clone()).filter(|value| !value.is_empty()) {
                put_pair(peers, wanted.peer_key(*slot), value);
            }
        }
    }
}

fn put_pair(peers: &mut Vec<u8>, key: &[u8], value: &str) {
    let start = peers.len();
    put(peers, key);
    peers.push(b':');
    peer::put_masked(peers, value);
    let len = peers.len() - start - 2;
    match u16::try_from(len) {
        Ok(len) => peers.splice(start..start + 2, len.to_le_bytes()).for_each(drop),
        Err(_) => peers.truncate(start),
    }
}

fn is_counted(kinds: Option<&[Box<str>]>, kind: &str) -> bool {
    if kind.is_empty() {
        return false;
    }
    match kinds {
        Some(kinds) => kinds.iter().any(|counted| counted.eq_ignore_ascii_case(kind)),
        None => USUAL_KINDS.iter().any(|counted| counted.eq_ignore_ascii_case(kind)),
    }
}

/// The bucket for a span that ended then. What ended before the two newest begin, or after they end, goes into the nearer one.
fn bucket_at<'a>(buckets: &'a mut Vec<Bucket>, count: &mut u32, end: u64, now: u64) -> &'a mut Bucket {
    let newest = now - now % BUCKET_NS;
    let start = (end - end % BUCKET_NS).clamp(newest.saturating_sub(BUCKET_NS), newest);
    let place = buckets.iter().position(|bucket| bucket.start == start).unwrap_or_else(|| {
        *count += 1;
        buckets.push(Bucket::new(start, *count));
        buckets.len() - 1
    });
    &mut buckets[place]
}
