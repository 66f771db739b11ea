//! What the helper program tells the test that started it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dd_traced::{Counters, DropReason};
use serde::{Deserialize, Serialize};

use crate::child::Ended;

/// One line of JSON on the program's stdout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The books after the last act.
    pub books: Books,
    /// How long each act took.
    pub took: BTreeMap<String, Duration>,
    /// Whatever else was seen.
    pub notes: BTreeMap<String, u64>,
}

impl Report {
    /// Does something and keeps how long it took; of acts with the same name the longest counts.
    pub fn timed<R>(&mut self, act: &str, f: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = f();
        let took = self.took.entry(act.to_owned()).or_default();
        *took = start.elapsed().max(*took);
        result
    }

    /// Keeps a number.
    pub fn note(&mut self, what: &str, number: u64) {
        self.notes.insert(what.to_owned(), number);
    }

    /// Reads what the program printed.
    pub fn of(ended: &Ended) -> Self {
        let line = ended.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("no report: {error}: {ended:#?}"))
    }
}

/// What became of the spans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Spans handed over.
    pub finished: u64,
    /// Spans that the agent accepted.
    pub acknowledged: u64,
    /// Spans that are neither delivered nor lost.
    pub waiting: u64,
    /// Spans lost, by the reason.
    pub dropped: BTreeMap<String, u64>,
    /// Spans that stayed open for too long, where that is looked for.
    pub abandoned: u64,
}

impl Books {
    /// Spans lost for this reason.
    pub fn dropped(&self, reason: &str) -> u64 {
        self.dropped.get(reason).copied().unwrap_or(0)
    }

    /// Spans lost for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Fails unless each of `finished` spans was delivered or lost for a reason, and none is left.
    pub fn expect_settled(&self, finished: u64) {
        assert_eq!(self.finished, finished, "spans that finished: {self:?}");
        assert_eq!(self.waiting, 0, "spans still waiting: {self:?}");
        assert_eq!(self.acknowledged + self.dropped_total(), finished, "the sum: {self:?}");
    }
}

impl From<Counters> for Books {
    fn from(counters: Counters) -> Self {
        let dropped = DropReason::ALL.iter().map(|reason| (*reason, counters.dropped(*reason)));
        Self {
            finished: counters.finished(),
            acknowledged: counters.acknowledged(),
            waiting: counters.waiting(),
            abandoned: counters.abandoned_spans(),
            dropped: dropped
                .filter(|(_, spans)| *spans > 0)
                .map(|(reason, spans)| (reason.as_str().to_owned(), spans))
                .collect(),
        }
    }
}
