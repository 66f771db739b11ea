//! The tags that statistics look at, found among a span's own.
//!
//! Most spans have none of them: what is not asked for is passed by after a look at the length of its key.

use crate::model::{Entry, EntryKind, Record, TagLog, packed_len};

/// A tag with a place of its own in what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Slot {
    Kind,
    Measured,
    TopLevel,
    OtherTopLevel,
    PartialVersion,
    Analytics,
    Status,
    Method,
    Endpoint,
    Route,
    ServiceSource,
    Grpc,
}

/// Places of single tags: those above, with four keys for the last one. Tags of peers come behind them.
pub(super) const SINGLE: usize = Slot::Grpc as usize + super::grpc::KEYS.len();

/// Keys that decide whether a span has statistics, or is sent alone, come first.
const DECISIVE: [&str; 6] =
    ["span.kind", "_dd.measured", "_dd.top_level", "_top_level", "_dd.partial_version", "_dd1.sr.eausr"];
const OTHERS: [&str; 5] = ["http.status_code", "http.method", "http.endpoint", "http.route", "_dd.svc_src"];

/// A value that a span has under a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(f64),
    /// The tag was taken back.
    Gone,
}

impl<'a> Value<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        match entry.kind {
            EntryKind::Meta => entry.text().map_or(Self::Gone, Self::Text),
            EntryKind::Metric => entry.number().map_or(Self::Gone, Self::Number),
            _ => Self::Gone,
        }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn number(self) -> Option<f64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }
}

/// What was found, by place.
pub(super) type Found<'a> = [Option<Value<'a>>; SINGLE];

/// All keys asked for, with their places.
#[derive(Debug)]
pub(super) struct Wanted {
    keys: Vec<Box<[u8]>>,
    /// Places plus one, by the spread of the key; its length is a power of two.
    table: Vec<u16>,
    peers: usize,
}

impl Wanted {
    /// The single tags, and those of peers, which get their places in the order of their keys.
    pub(super) fn new(peer_tags: &[Box<str>]) -> Self {
        let mut peers: Vec<&str> = peer_tags.iter().map(|key| &**key).collect();
        peers.sort_unstable();
        peers.dedup();
        let single = DECISIVE.iter().chain(&OTHERS).chain(&super::grpc::KEYS).copied();
        let keys: Vec<Box<[u8]>> = single.chain(peers.iter().copied()).map(packed).collect();
        let mut table = vec![0; (4 * keys.len()).next_power_of_two()];
        let mask = table.len() - 1;
        for (slot, key) in keys.iter().enumerate() {
            let mut at = spread(key) & mask;
            while table.get(at).is_some_and(|taken| *taken != 0) {
                at = (at + 1) & mask;
            }
            if let Some(place) = table.get_mut(at) {
                *place = slot as u16 + 1;
            }
        }
        Self { keys, table, peers: peers.len() }
    }

    /// Whether the agent wants peers told apart.
    pub(super) fn has_peers(&self) -> bool {
        self.peers > 0
    }

    /// The text of a key of peers, by its place.
    pub(super) fn peer_key(&self, slot: usize) -> &[u8] {
        let key = self.keys.get(slot).map_or(&[][..], |key| key);
        key.get(key.len() - text_len(key)..).unwrap_or_default()
    }

    /// The place of a key, as MessagePack.
    pub(super) fn slot(&self, key: &[u8]) -> Option<usize> {
        let mask = self.table.len() - 1;
        let mut at = spread(key) & mask;
        loop {
            let slot = usize::from(*self.table.get(at)?).checked_sub(1)?;
            if self.keys.get(slot).is_some_and(|known| **known == *key) {
                return Some(slot);
            }
            at = (at + 1) & mask;
        }
    }

    /// The place of a key given as text.
    pub(super) fn slot_of(&self, key: &str) -> Option<usize> {
        self.slot(&packed(key))
    }

    /// Whether one of the span's tags may decide about it, which a look at the length of its key tells.
    #[inline]
    pub(super) fn may_decide(record: &Record, log: &TagLog) -> bool {
        log.entries(record.tags).any(|entry| {
            let header = entry.payload.first().copied().unwrap_or_default();
            header & 0xe0 == 0xa0 && DECISIVE_LENGTHS >> (header & 0x1f) & 1 != 0
        })
    }

    /// Finds all tags asked for; those of peers are told to `peer`, the latest first.
    pub(super) fn all<'a>(
        &self,
        record: &Record,
        log: &'a TagLog,
        found: &mut Found<'a>,
        mut peer: impl FnMut(usize, Value<'a>),
    ) {
        for entry in log.entries(record.tags) {
            self.take(&entry, found, &mut peer);
        }
    }

    #[inline(never)]
    fn take<'a>(&self, entry: &Entry<'a>, found: &mut Found<'a>, mut peer: impl FnMut(usize, Value<'a>)) {
        if !matches!(entry.kind, EntryKind::Meta | EntryKind::Metric | EntryKind::Unset) {
            return;
        }
        let key = entry.payload.get(..packed_len(entry.payload)).unwrap_or_default();
        let Some(slot) = self.slot(key) else { return };
        match found.get_mut(slot) {
            // The latest entry is met first.
            Some(place) => {
                place.get_or_insert_with(|| Value::of(entry));
            }
            None => peer(slot, Value::of(entry)),
        }
    }
}

/// The lengths of decisive keys, a bit each.
const DECISIVE_LENGTHS: u32 = {
    let (mut bits, mut at) = (0, 0);
    while at < DECISIVE.len() {
        bits |= 1 << DECISIVE[at].len();
        at += 1;
    }
    bits
};

/// Keys are known words: any spread does.
#[inline]
fn spread(key: &[u8]) -> usize {
    let word = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

/// A key as MessagePack, as a log has it.
fn packed(key: &str) -> Box<[u8]> {
    let mut log = TagLog::new();
    let anchor = log.unset(0, key);
    log.entries(anchor).next().map(|entry| entry.payload.into()).unwrap_or_default()
}

fn text_len(packed: &[u8]) -> usize {
    match packed.first() {
        Some(0xa0..=0xbf) => packed.len() - 1,
        Some(0xd9) => packed.len().saturating_sub(2),
        _ => packed.len().saturating_sub(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CallSite;

    static SITE: CallSite = CallSite::named("work");

    #[test]
    fn each_key_has_its_place() {
        let peers: Vec<Box<str>> = (0..200).map(|n| format!("peer.{n}").into()).collect();
        let wanted = Wanted::new(&peers);
        assert_eq!(wanted.slot_of("span.kind"), Some(Slot::Kind as usize));
        assert_eq!(wanted.slot_of("_dd1.sr.eausr"), Some(Slot::Analytics as usize));
        assert_eq!(wanted.slot_of("http.status_code"), Some(Slot::Status as usize));
        assert_eq!(wanted.slot_of("_dd.svc_src"), Some(Slot::ServiceSource as usize));
        assert_eq!(wanted.slot_of("grpc.status.code"), Some(SINGLE - 1));
        for peer in &peers {
            let slot = wanted.slot_of(peer).unwrap();
            assert!(slot >= SINGLE);
            assert_eq!(wanted.peer_key(slot), peer.as_bytes());
        }
        for other in ["", "span.kin", "peer.200", &"long".repeat(60)] {
            assert_eq!(wanted.slot_of(other), None, "{other}");
        }
    }

    #[test]
    fn latest_value_of_each_key_is_found() {
        let peers: [Box<str>; 2] = ["out.host".into(), "db.name".into()];
        let (wanted, mut log, mut record) =
            (Wanted::new(&peers), TagLog::new(), Record::open(&SITE, 1, 0, 0));
        record.tags = log.meta(record.tags, "span.kind", "server");
        record.tags = log.meta(record.tags, "span.kind", "client");
        record.tags = log.metric(record.tags, "http.status_code", 200.0);
        record.tags = log.meta(record.tags, "http.method", "GET");
        record.tags = log.unset(record.tags, "http.method");
        record.tags = log.meta(record.tags, "db.name", "shop");
        record.tags = log.meta(record.tags, "other", "x");
        let (mut found, mut peers) = (Found::default(), Vec::new());
        wanted.all(&record, &log, &mut found, |slot, value| peers.push((slot, value)));
        assert_eq!(found[Slot::Kind as usize], Some(Value::Text("client")));
        assert_eq!(found[Slot::Status as usize], Some(Value::Number(200.0)));
        assert_eq!(found[Slot::Method as usize], Some(Value::Gone));
        assert_eq!(peers, [(SINGLE, Value::Text("shop"))]);
        assert!(Wanted::may_decide(&record, &log));
        record.tags = log.meta(0, "http.method", "GET");
        assert!(!Wanted::may_decide(&record, &log));
    }
}
