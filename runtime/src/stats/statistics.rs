//! Statistics as whoever feeds and sends them holds them.

use super::concentrator::{Concentrator, Counted, Noticed};
use super::payload::{Header, Payloads};
use super::settings::Cardinality;
use super::tally::StatsTally;
use crate::model::AgentInfo;

/// The statistics of one tracer, from its spans to the bodies of requests.
#[derive(Debug)]
pub(crate) struct Statistics {
    concentrator: Concentrator,
    payloads: Payloads,
    /// The environment of a tracer that has none, if the agent says so.
    default_env: Option<Box<str>>,
    tally: StatsTally,
}

impl Statistics {
    /// For a tracer whose spans all have these tags.
    pub(crate) fn new(header: Header, tags: Vec<(Box<str>, Box<str>)>, limits: Cardinality) -> Self {
        Self {
            concentrator: Concentrator::new(header.service.clone(), tags, limits),
            payloads: Payloads::new(header),
            default_env: None,
            tally: StatsTally::default(),
        }
    }

    /// Counts from here on what this agent wants counted.
    pub(crate) fn learn(&mut self, info: &AgentInfo) {
        self.concentrator.learn(info);
        self.default_env.clone_from(&info.default_env);
    }

    /// Whether all that was counted is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.concentrator.is_empty()
    }

    /// Counts the spans of a chunk, at `now` in Unix nanoseconds.
    pub(crate) fn add(&mut self, chunk: &Counted<'_>, now: u64) -> Noticed {
        self.concentrator.add(chunk, now)
    }

    /// The payloads, of at most `max_bytes` each, for what is over at `now` in Unix nanoseconds, which is everything but the
    /// two newest buckets; or for all.
    pub(crate) fn take(&mut self, now: u64, all: bool, max_bytes: usize) -> Vec<Vec<u8>> {
        let buckets = self.concentrator.take(now, all);
        for bucket in &buckets {
            self.tally.add(bucket);
        }
        self.payloads.write(&buckets, self.default_env.as_deref(), max_bytes)
    }

    /// How much was taken so far.
    pub(crate) fn tally(&self) -> &StatsTally {
        &self.tally
    }

    /// Forgets what was counted: nobody takes it any more.
    pub(crate) fn clear(&mut self) {
        drop(self.concentrator.take(0, true));
    }
}
