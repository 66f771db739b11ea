//! What the worker did so far, in numbers: for the health metrics and the line at the end.
//!
//! Spans are in the books of the queue; here is the rest. Invariant: memory is bounded, however long the tracer runs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::export::client::Failure;

/// Sums since the worker started.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Rounds with something to do, by what began them.
    rounds: [u64; Cause::ALL.len()],
    /// Chunks taken over from the queue.
    pub(super) taken_chunks: u64,
    /// Payloads of spans that the agent took.
    pub(super) payloads: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// The chunks in them.
    pub(super) chunks: u64,
    /// Bytes of payloads that were given up.
    pub(super) lost_bytes: u64,
    /// The chunks in them.
    pub(super) lost_chunks: u64,
    /// Requests of any kind, each attempt counted.
    pub(super) requests: u64,
    errors: BTreeMap<(&'static str, Error), u64>,
    /// Answers that came whole and could not be read.
    pub(super) unread_answers: u64,
    /// Chunks of traces that are not kept of which some spans are sent.
    pub(super) partly_dropped: u64,
    /// Payloads of statistics that the agent took.
    pub(super) statistics: u64,
    /// How long payloads took, until they are told.
    pub(super) durations: Sample,
    /// The most bytes of finished spans that were waiting or on their way when a round began.
    pub(super) most_waiting: usize,
}

/// Why a round began.
///
/// Source: the values of `reason` in `datadog.tracer.flush_triggered` of DataDog/dd-trace-go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The interval was over.
    Scheduled,
    /// Enough was waiting.
    Size,
    /// Somebody asked for a flush.
    Invoked,
    Shutdown,
}

impl Cause {
    pub(super) const ALL: [Self; 4] = [Self::Scheduled, Self::Size, Self::Invoked, Self::Shutdown];

    /// That of a round that took over so many batches; `None` where it had nothing to do.
    pub(super) fn of(is_ending: bool, is_invoked: bool, is_rung: bool, taken: usize) -> Option<Self> {
        match () {
            () if is_ending => Some(Self::Shutdown),
            () if is_invoked => Some(Self::Invoked),
            () if taken == 0 => None,
            () if is_rung => Some(Self::Size),
            () => Some(Self::Scheduled),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Size => "size",
            Self::Invoked => "invoked",
            Self::Shutdown => "shutdown",
        }
    }
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Error {
    /// There was no answer.
    Network,
    /// The answer had this status.
    Status(u16),
}

impl Tally {
    /// A round began.
    pub(super) fn began(&mut self, cause: Option<Cause>) {
        if let Some(cause) = cause {
            self.rounds[cause as usize] += 1;
        }
    }

    pub(super) fn rounds(&self, cause: Cause) -> u64 {
        self.rounds[cause as usize]
    }

    /// A request to this path failed.
    pub(super) fn failed(&mut self, path: &'static str, failure: &Failure) {
        let error = match failure {
            Failure::Refused { status, .. } => Error::Status(*status),
            Failure::Unreachable(_) | Failure::TimedOut => Error::Network,
        };
        *self.errors.entry((path, error)).or_default() += 1;
    }

    /// Requests that failed, by path and error.
    pub(super) fn errors(&self) -> impl Iterator<Item = (&'static str, Error, u64)> {
        self.errors.iter().map(|((path, error), count)| (*path, *error, *count))
    }

    /// The agent took a payload of spans.
    pub(super) fn sent(&mut self, bytes: usize, chunks: u32, took: Duration) {
        self.payloads += 1;
        self.bytes += bytes as u64;
        self.chunks += u64::from(chunks);
        self.durations.add(took);
    }

    /// A payload of spans was given up.
    pub(super) fn lost(&mut self, bytes: usize, chunks: u32, took: Duration) {
        self.lost_bytes += bytes as u64;
        self.lost_chunks += u64::from(chunks);
        self.durations.add(took);
    }
}

/// Durations, each of which stands for as many as the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    kept: Vec<Duration>,
    /// One of 2 to this power is kept.
    thinned: u32,
    seen: u32,
}

/// Durations that are kept at most.
const MOST_KEPT: usize = 64;

impl Sample {
    fn add(&mut self, duration: Duration) {
        if self.kept.len() == MOST_KEPT {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            // Beyond this nobody ever comes.
            self.thinned = (self.thinned + 1).min(20);
        }
        if self.seen % self.one_of() == 0 {
            self.kept.push(duration);
        }
        self.seen = self.seen.wrapping_add(1);
    }

    /// Of how many durations one is kept.
    pub(super) fn one_of(&self) -> u32 {
        1 << self.thinned
    }

    pub(super) fn kept(&self) -> &[Duration] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_stays_small_and_spread() {
        for count in [1, 63, 64, 65, 128, 129, 10_000] {
            let mut sample = Sample::default();
            (0..count).for_each(|n| sample.add(Duration::from_millis(n)));
            let one_of = u64::from(sample.one_of());
            assert!(sample.kept().len() <= MOST_KEPT);
            // The first of each group, from all of the time.
            let kept: Vec<Duration> =
                (0..count).step_by(one_of as usize).map(Duration::from_millis).collect();
            assert_eq!(sample.kept(), kept, "{count}");
        }
    }

    #[test]
    fn errors_are_told_apart_by_path_and_status() {
        let mut tally = Tally::default();
        let refused = |status| Failure::Refused { status, retry_after: None, text: String::new() };
        for failure in
            [Failure::TimedOut, Failure::Unreachable("no".into()), refused(503), refused(500), refused(503)]
        {
            tally.failed("/a", &failure);
        }
        tally.failed("/b", &refused(503));
        let errors: Vec<_> = tally.errors().collect();
        let expected = [
            ("/a", Error::Network, 2),
            ("/a", Error::Status(500), 1),
            ("/a", Error::Status(503), 2),
            ("/b", Error::Status(503), 1),
        ];
        assert_eq!(errors, expected);
    }
}
