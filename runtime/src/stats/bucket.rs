//! Ten seconds of statistics: groups of spans that have their key in common, as many as are kept apart.

use std::collections::{HashMap, HashSet};

use super::key::{BLOCKED, Parts, Text};
use super::settings::Cardinality;
use super::sketch::Sketch;

/// The length of a bucket in nanoseconds.
pub(super) const BUCKET_NS: u64 = 10_000_000_000;

/// Groups of spans that ended within one bucket of time.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Unix nanoseconds, a multiple of [`BUCKET_NS`].
    pub(super) start: u64,
    /// Which bucket it is, counted from 1.
    pub(super) id: u32,
    by_key: HashMap<Box<[u8]>, u32>,
    groups: Vec<Group>,
    resources: HashSet<Box<[u8]>>,
    endpoints: HashSet<Box<[u8]>>,
    peers: HashSet<Box<[u8]>>,
    /// Where spans go that are not kept apart, once there are any.
    blocked: Option<u32>,
    /// Bytes of memory held, about.
    bytes: usize,
}

/// What is known of spans with one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) hits: u64,
    pub(super) errors: u64,
    pub(super) top_level_hits: u64,
    /// Nanoseconds of all of them.
    pub(super) duration: u64,
    pub(super) ok: Sketch,
    pub(super) failed: Sketch,
}

/// A span as it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// Nanoseconds.
    pub(super) duration: u64,
    pub(super) is_error: bool,
    pub(super) is_top_level: bool,
}

/// Bytes of memory that one bucket may hold: then new keys are not kept apart, and durations go to the nearest bin there is.
const MAX_BYTES: usize = 6 << 20;
/// Bytes that a group takes beside its key: twice in the table, once in the list.
const GROUP_BYTES: usize = size_of::<Group>() + 64;

impl Bucket {
    pub(super) fn new(start: u64, id: u32) -> Self {
        Self {
            start,
            id,
            by_key: HashMap::new(),
            groups: Vec::new(),
            resources: HashSet::new(),
            endpoints: HashSet::new(),
            peers: HashSet::new(),
            blocked: None,
            bytes: 0,
        }
    }

    /// Keys and their groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.by_key.iter().filter_map(|(key, place)| Some((&**key, self.groups.get(*place as usize)?)))
    }

    /// The place of the group with a key; `key` is memory to write it to.
    pub(super) fn place(&mut self, parts: &Parts<'_>, key: &mut Vec<u8>, limits: &Cardinality) -> u32 {
        parts.write(key);
        match self.by_key.get(&**key) {
            Some(place) => *place,
            None => self.new_place(parts, key, limits),
        }
    }

    #[inline(never)]
    fn new_place(&mut self, parts: &Parts<'_>, key: &mut Vec<u8>, limits: &Cardinality) -> u32 {
        let mut parts = *parts;
        let is_short = self.bytes >= MAX_BYTES;
        let Self { resources, endpoints, peers, .. } = self;
        let resource = Dimension { known: resources, limit: limits.resources };
        let endpoint = Dimension { known: endpoints, limit: limits.endpoints };
        let of_peers = Dimension { known: peers, limit: limits.peers };
        if !resource.has_room(parts.text(Text::Resource)) {
            parts.set(Text::Resource, BLOCKED.as_bytes());
        }
        if !endpoint.has_room(parts.text(Text::Endpoint)) {
            parts.set(Text::Endpoint, BLOCKED.as_bytes());
        }
        let mut blocked = Vec::new();
        if !of_peers.has_room(parts.peers) {
            super::key::put(&mut blocked, BLOCKED.as_bytes());
            parts.peers = &blocked;
        }
        parts.write(key);
        if let Some(place) = self.by_key.get(&**key) {
            return *place;
        }
        if self.by_key.len() >= limits.groups || is_short {
            return self.blocked(key);
        }
        for (known, value) in [
            (&mut self.resources, parts.text(Text::Resource)),
            (&mut self.endpoints, parts.text(Text::Endpoint)),
            (&mut self.peers, parts.peers),
        ] {
            if !value.is_empty() && !known.contains(value) {
                known.insert(value.into());
                self.bytes += value.len() + size_of::<Box<[u8]>>();
            }
        }
        self.add(key)
    }

    /// The place for spans that are not kept apart.
    fn blocked(&mut self, key: &mut Vec<u8>) -> u32 {
        if let Some(place) = self.blocked {
            return place;
        }
        Parts::blocked().write(key);
        let place = self.add(key);
        self.blocked = Some(place);
        place
    }

    fn add(&mut self, key: &[u8]) -> u32 {
        let place = self.groups.len() as u32;
        self.groups.push(Group::default());
        self.by_key.insert(key.into(), place);
        self.bytes += key.len() + GROUP_BYTES;
        place
    }

    /// Counts a span in the group at a place.
    #[inline]
    pub(super) fn count(&mut self, place: u32, hit: Hit) {
        let may_grow = self.bytes < MAX_BYTES;
        let Some(group) = self.groups.get_mut(place as usize) else { return };
        group.hits += 1;
        group.duration = group.duration.saturating_add(hit.duration);
        group.top_level_hits += u64::from(hit.is_top_level);
        group.errors += u64::from(hit.is_error);
        let sketch = if hit.is_error { &mut group.failed } else { &mut group.ok };
        let before = sketch.bytes();
        sketch.add(hit.duration, may_grow);
        self.bytes += sketch.bytes().saturating_sub(before);
    }
}

/// Values of one part of the keys.
struct Dimension<'a> {
    known: &'a HashSet<Box<[u8]>>,
    limit: usize,
}

impl Dimension<'_> {
    /// Whether a value is kept apart from others.
    fn has_room(&self, value: &[u8]) -> bool {
        value.is_empty() || self.known.len() < self.limit || self.known.contains(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(service: &'a str, resource: &'a str) -> Parts<'a> {
        let mut parts = Parts::default();
        parts.set(Text::Service, service.as_bytes());
        parts.set(Text::Resource, resource.as_bytes());
        parts
    }

    fn count(bucket: &mut Bucket, parts: &Parts<'_>, limits: &Cardinality) {
        let place = bucket.place(parts, &mut Vec::new(), limits);
        bucket.count(place, Hit { duration: 5, is_error: false, is_top_level: true });
    }

    fn hits(bucket: &Bucket, text: Text, value: &str) -> (usize, u64) {
        let groups =
            bucket.groups().filter(|(key, _)| Parts::read(key).unwrap().text(text) == value.as_bytes());
        groups.fold((0, 0), |(count, hits), (_, group)| (count + 1, hits + group.hits))
    }

    #[test]
    fn keys_beyond_the_limit_are_counted_together() {
        for (different, kept) in [(2_047, 2_047), (2_048, 2_048), (2_049, 2_048), (5_000, 2_048)] {
            let (mut bucket, limits) = (Bucket::new(0, 1), Cardinality::default());
            for _ in 0..2 {
                (0..different).for_each(|n| count(&mut bucket, &parts(&format!("s{n}"), "r"), &limits));
            }
            let (blocked, in_blocked) = hits(&bucket, Text::Service, BLOCKED);
            assert_eq!(bucket.groups().count(), kept + blocked);
            assert_eq!((blocked, in_blocked), (usize::from(different > kept), 2 * (different - kept) as u64));
            assert_eq!(bucket.groups().map(|(_, group)| group.hits).sum::<u64>(), 2 * different as u64);
        }
    }

    #[test]
    fn resources_endpoints_and_peers_have_limits_of_their_own() {
        let limits = Cardinality { groups: 100, resources: 3, endpoints: 2, peers: 1 };
        let mut bucket = Bucket::new(0, 1);
        (0..5).for_each(|n| count(&mut bucket, &parts("shop", &format!("r{n}")), &limits));
        assert_eq!(hits(&bucket, Text::Resource, BLOCKED), (1, 2));
        assert_eq!(hits(&bucket, Text::Service, "shop"), (4, 5));
        for endpoint in ["/a", "/b", "/c", "/a"] {
            let mut parts = parts("web", "r0");
            parts.set(Text::Endpoint, endpoint.as_bytes());
            count(&mut bucket, &parts, &limits);
        }
        assert_eq!(
            (hits(&bucket, Text::Endpoint, BLOCKED), hits(&bucket, Text::Endpoint, "/a")),
            ((1, 1), (1, 2))
        );
        for peer in ["db:1", "db:2"] {
            let mut peers = Vec::new();
            super::super::key::put(&mut peers, peer.as_bytes());
            count(&mut bucket, &Parts { peers: &peers, ..parts("api", "r0") }, &limits);
        }
        let mut peers: Vec<_> =
            bucket.groups().filter_map(|(key, _)| Parts::read(key).unwrap().each_peer().next()).collect();
        peers.sort_unstable();
        assert_eq!(peers, [&b"db:1"[..], BLOCKED.as_bytes()]);
    }

    #[test]
    fn memory_is_bounded_and_every_span_counted() {
        let limits = Cardinality { groups: 1 << 20, resources: 1 << 20, ..Cardinality::default() };
        let mut bucket = Bucket::new(0, 1);
        let long = "x".repeat(5_000);
        for n in 0..3_000_u64 {
            let resource = format!("{n}{long}");
            let place = bucket.place(&parts("shop", &resource), &mut Vec::new(), &limits);
            for duration in [1, 1 << (n % 60)] {
                bucket.count(place, Hit { duration, is_error: n % 2 == 0, is_top_level: false });
            }
        }
        assert!(bucket.bytes < MAX_BYTES + 50_000, "{}", bucket.bytes);
        assert_eq!(bucket.groups().map(|(_, group)| group.hits).sum::<u64>(), 6_000);
    }
}
