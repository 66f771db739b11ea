//! The way to the agent: the connection, what is known of the agent, how large payloads may be, what was lost.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::backlog::Size;
use super::health::Health;
use super::report::{Moment, Report};
use super::settings::WriterSettings;
use crate::diagnostics;
use crate::export::client::{self, AgentClient, Failure};
use crate::export::queue::Queue;
use crate::export::settings::AgentSettings;
use crate::export::v04::Limits;
use crate::model::AgentInfo;

/// The way to the agent, and what is known about it.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) agent: AgentSettings,
    /// Made when there is something to send.
    connection: Option<(Runtime, AgentClient)>,
    pub(super) health: Health,
    report: Report,
    bounds: Bounds,
    /// The memory of the latest payload, for the next.
    pub(super) memory: Vec<u8>,
    /// Until when somebody waits for what is being delivered.
    waiting: Option<Instant>,
}

/// Bytes that bound a payload, each for a reason of its own.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The settings say so.
    own: usize,
    /// The agent says so of itself.
    agents: usize,
    /// The agent found a larger payload too large.
    refused: usize,
    /// Where there is so much no chunk is begun.
    enough: usize,
}

/// Payloads do not become smaller than this because the agent found one too large.
const SMALLEST_LIMIT: usize = 64 << 10;
/// A larger body's memory is not kept: one of the common size is little more than what a drain begins with.
const KEPT_MEMORY: usize = 4 << 20;

impl Delivery {
    pub(super) fn new(agent: AgentSettings, writer: &WriterSettings) -> Self {
        let bounds = Bounds {
            own: writer.max_payload_bytes,
            agents: usize::MAX,
            refused: usize::MAX,
            // A drain brings little more than made it begin; one payload for all of it saves a small second one.
            enough: writer.flush_from_bytes.saturating_mul(2),
        };
        Self {
            agent,
            connection: None,
            health: Health::default(),
            report: Report::new(writer.report_period),
            bounds,
            memory: Vec::new(),
            waiting: None,
        }
    }

    /// Says until when somebody waits; several wait until the latest of their moments.
    pub(super) fn set_waiting(&mut self, until: Option<Instant>) {
        self.waiting = self.waiting.max(until);
    }

    /// Nobody waits any more.
    pub(super) fn forget_waiting(&mut self) {
        self.waiting = None;
    }

    /// Warns about losses if that is due.
    pub(super) fn report(&mut self, queue: &Queue) {
        warn(self.report.due(&queue.ledger().snapshot(0), Moment::now()));
    }

    /// Warns about all losses that were not told yet.
    pub(super) fn report_rest(&mut self, queue: &Queue) {
        warn(self.report.rest(&queue.ledger().snapshot(0), Moment::now()));
    }

    /// Warns about a payload that was not taken yet, if that is due; its next attempt comes so long after the first.
    pub(super) fn report_retry(&mut self, since_first: Duration) {
        warn(self.report.retried(since_first, Moment::now()));
    }

    /// Keeps the memory of a body that was sent, where nothing else holds it any more.
    pub(super) fn keep_memory(&mut self, body: Bytes) {
        if body.len() <= KEPT_MEMORY && body.is_unique() {
            self.memory = body.into();
        }
    }

    /// Closes the connection and ends the runtime without waiting for either.
    pub(super) fn disconnect(&mut self) {
        if let Some((runtime, client)) = self.connection.take() {
            drop(client);
            // A plain drop would wait for what still runs.
            runtime.shutdown_background();
        }
    }

    /// The connection, made now if there is none.
    pub(super) fn connect(&mut self) -> Result<(Runtime, AgentClient), Failure> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let runtime = client::runtime().map_err(|error| Failure::Unreachable(error.to_string()))?;
        let client = AgentClient::new(&self.agent).map_err(Failure::Unreachable)?;
        Ok((runtime, client))
    }

    /// Keeps the connection for the next payload.
    pub(super) fn keep(&mut self, connection: (Runtime, AgentClient)) {
        self.connection = Some(connection);
    }

    /// Remembers that the agent took a payload.
    pub(super) fn accepted(&mut self) {
        self.health.recovered();
        warn(self.report.recovered(&self.agent));
    }

    /// Remembers an attempt that failed and had so much time.
    pub(super) fn failed(&mut self, failure: &Failure, limit: Duration, now: Instant) {
        self.report.failed(failure, &self.agent, limit, Moment { at: now, ..Moment::now() });
        if let Failure::Refused { retry_after, .. } = failure {
            self.health.wait(*retry_after, now);
        }
    }

    /// Remembers that the user knows of an agent that cannot be reached.
    pub(super) fn diagnosed(&mut self) {
        self.report.diagnosed();
    }

    /// Remembers an attempt that the shutdown cut off after so long.
    pub(super) fn interrupted(&mut self, after: Duration) {
        self.report.interrupted(after, &self.agent);
    }

    /// Remembers a payload that was given up after this failure.
    pub(super) fn given_up(&mut self, failure: &Failure) {
        // A body that is wrong says nothing about the agent.
        if !matches!(failure, Failure::Refused { status: 400, .. }) {
            self.health.lost_payload();
        }
    }

    /// Keeps later payloads below what the agent found too large, but for single spans.
    pub(super) fn shrink(&mut self, max_bytes: usize) {
        self.bounds.refused = self.bounds.refused.min(max_bytes.max(SMALLEST_LIMIT));
    }

    /// Keeps payloads within what the agent says it takes.
    pub(super) fn learn(&mut self, info: &AgentInfo) {
        self.bounds.agents = info.max_request_bytes.unwrap_or(usize::MAX);
    }

    /// How large the next payload becomes.
    pub(super) fn size(&self) -> Size {
        let Bounds { own, agents, refused, enough } = self.bounds;
        let max_alone = own.min(agents);
        let max_bytes = max_alone.min(refused);
        Size { enough: enough.min(max_bytes / 2), limits: Limits { max_bytes, max_alone } }
    }

    /// From when on the agent may be asked, considering who waits.
    pub(super) fn earliest(&self, now: Instant) -> Instant {
        self.health.earliest(now, self.waiting.is_some_and(|until| now < until))
    }
}

fn warn(texts: impl IntoIterator<Item = String>) {
    for text in texts {
        diagnostics::warn(format_args!("{text}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_body_comes_back_where_nobody_holds_it() {
        let mut delivery = Delivery::new(AgentSettings::default(), &WriterSettings::default());
        let body = Bytes::from(vec![1; 100]);
        let (held, place) = (body.clone(), body.as_ptr());
        delivery.keep_memory(body);
        assert_eq!(delivery.memory.capacity(), 0);
        delivery.keep_memory(held);
        assert_eq!((delivery.memory.as_ptr(), delivery.memory.len()), (place, 100));
        for (len, is_kept) in [(KEPT_MEMORY, true), (KEPT_MEMORY + 1, false)] {
            delivery.memory = Vec::new();
            delivery.keep_memory(vec![0; len].into());
            assert_eq!(delivery.memory.capacity() > 0, is_kept);
        }
    }
}
