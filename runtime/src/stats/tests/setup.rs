//! Spans and groups of the tests of statistics.

use crate::clock::{Clock, Timeline};
use crate::export::v04::testing::{Unique, Value};
use crate::model::times::Pace;
use crate::model::{AgentInfo, CallSite, EntryKind, Flags, Record, TagLog};
use crate::stats::settings::Cardinality;
use crate::stats::{Counted, Header, Statistics};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(super) static PLAIN: CallSite = CallSite::named("work");
pub(super) static WEB: CallSite = CallSite::named("web.request")
    .resource("GET /items")
    .span_type("web")
    .tags(&[("span.kind", "server"), ("http.method", "GET")]);

/// The start of a bucket.
pub(super) const T: u64 = 1_700_000_000_000_000_000;
pub(super) const SECOND: u64 = 1_000_000_000;
/// Statistics of a service with a version and a tag of its own.
pub(super) struct Setup {
    pub(super) statistics: Statistics,
    pub(super) now: u64,
}

impl Setup {
    pub(super) fn new() -> Self {
        Self::with(Cardinality::default(), &AgentInfo::default())
    }

    pub(super) fn with(limits: Cardinality, info: &AgentInfo) -> Self {
        let header = Header {
            env: None,
            version: Some("1.4.2".into()),
            service: "shop".into(),
            runtime_id: "0f0e".into(),
        };
        let tags = vec![("http.route".into(), "/of/the/tracer".into())];
        let mut statistics = Statistics::new(header, tags, limits);
        statistics.learn(info);
        Self { statistics, now: T + SECOND }
    }

    pub(super) fn add(&mut self, span: &Span) -> crate::stats::concentrator::Noticed {
        self.add_of(span, false)
    }

    pub(super) fn add_of(&mut self, span: &Span, is_synthetic: bool) -> crate::stats::concentrator::Noticed {
        let clock = Clock::Held(Arc::new(AtomicU64::new(self.now)));
        let timeline = Timeline::new(&clock, clock.anchor(), clock.anchor());
        let pace = Pace::new(&timeline, span.record.start);
        let chunk = Counted { records: &[span.record], tags: &span.log, pace: &pace, is_synthetic };
        self.statistics.add(&chunk, timeline.latest_unix_ns())
    }

    /// Buckets that are over, or all, by their starts: each group as its fields.
    pub(super) fn take(&mut self, all: bool) -> BTreeMap<u64, Vec<Group>> {
        let payloads = self.statistics.take(self.now, all, 1 << 20);
        assert!(payloads.len() <= 1);
        payloads.first().map_or_else(BTreeMap::new, |payload| buckets(&decode(payload)))
    }

    /// The only group of all buckets.
    pub(super) fn group(&mut self) -> Group {
        let mut groups: Vec<Group> = self.take(true).into_values().flatten().collect();
        assert_eq!(groups.len(), 1, "{groups:#?}");
        groups.pop().unwrap()
    }
}

pub(super) struct Span {
    pub(super) record: Record,
    pub(super) log: TagLog,
}

impl Span {
    /// A root of its service that ended at `end` and took 1 ms.
    pub(super) fn ended(site: &'static CallSite, end: u64) -> Self {
        let flags = Flags::FINISHED.with(Flags::TOP_LEVEL);
        let record = Record { end, flags, ..Record::open(site, 7, 0, end - 1_000_000) };
        Self { record, log: TagLog::new() }
    }

    pub(super) fn new(site: &'static CallSite) -> Self {
        Self::ended(site, T + SECOND)
    }

    pub(super) fn child(mut self) -> Self {
        self.record.parent_id = 1;
        self.record.flags = self.record.flags.without(Flags::TOP_LEVEL);
        self
    }

    pub(super) fn meta(mut self, key: &str, value: &str) -> Self {
        self.record.tags = self.log.meta(self.record.tags, key, value);
        self
    }

    pub(super) fn metric(mut self, key: &str, value: f64) -> Self {
        self.record.tags = self.log.metric(self.record.tags, key, value);
        self
    }

    pub(super) fn field(mut self, kind: EntryKind, text: &str) -> Self {
        let anchor = self.log.field(self.record.tags, kind, text);
        if kind == EntryKind::Service {
            self.record.service = anchor;
        } else {
            self.record.tags = anchor;
        }
        self
    }

    pub(super) fn failed(mut self) -> Self {
        self.record.flags = self.record.flags.with(Flags::ERROR);
        self
    }
}

#[derive(Clone, Debug)]
pub(super) struct Group(pub(super) BTreeMap<String, Value>);

impl Group {
    pub(super) fn int(&self, field: &str) -> u64 {
        let Some(Value::Int(value)) = self.0.get(field) else { panic!("no number {field} in {self:?}") };
        *value
    }

    pub(super) fn text(&self, field: &str) -> &str {
        let Some(Value::Text(value)) = self.0.get(field) else { panic!("no text {field} in {self:?}") };
        value
    }

    pub(super) fn peers(&self) -> Vec<&str> {
        let Some(Value::List(list)) = self.0.get("PeerTags") else { panic!("no peers in {self:?}") };
        list.iter().map(|tag| if let Value::Text(tag) = tag { &**tag } else { panic!("{tag:?}") }).collect()
    }
}

pub(super) fn decode(payload: &[u8]) -> BTreeMap<String, Value> {
    let Unique(fields) = rmp_serde::from_slice::<Unique<Value>>(payload).expect("a payload");
    fields
}

pub(super) fn buckets(payload: &BTreeMap<String, Value>) -> BTreeMap<u64, Vec<Group>> {
    let list = |value: Option<&Value>| match value {
        Some(Value::List(list)) => list.clone(),
        other => panic!("no list: {other:?}"),
    };
    let map = |value: Value| if let Value::Map(map) = value { map } else { panic!("no map: {value:?}") };
    let mut buckets = BTreeMap::new();
    for bucket in list(payload.get("Stats")).into_iter().map(map) {
        assert_eq!(bucket["Duration"], Value::Int(10 * SECOND));
        assert_eq!(bucket["AgentTimeShift"], Value::Int(0));
        let Value::Int(start) = bucket["Start"] else { panic!("{bucket:?}") };
        let groups = list(bucket.get("Stats")).into_iter().map(|group| Group(map(group))).collect();
        assert!(buckets.insert(start, groups).is_none(), "a bucket occurs twice");
    }
    buckets
}
