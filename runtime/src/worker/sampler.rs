//! Sampling on the worker: decisions that nobody asked for before, and the rates the agent answers with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{ChunkHead, Decision, SpanBuffer, TraceFacts};
use crate::sampling::{self, AgentRates};

/// What decides about traces that nobody decided about.
pub(super) struct Sampler {
    rates: Arc<Mutex<AgentRates>>,
    service: Box<str>,
    env: Box<str>,
}

impl Sampler {
    /// For a tracer of this service and environment (empty when unset), with rates that others read too.
    pub(super) fn new(rates: Arc<Mutex<AgentRates>>, service: Box<str>, env: Box<str>) -> Self {
        Self { rates, service, env }
    }

    /// The tracer's own service.
    pub(super) fn service(&self) -> &str {
        &self.service
    }

    /// The decision about a trace with facts, taken now if it was not before.
    pub(super) fn decide_trace(&self, facts: &TraceFacts) -> Decision {
        facts.decide(|| self.sample(facts.trace_id, facts.service().as_deref()))
    }

    /// A decision about a trace that is this one chunk and has no facts to keep it in: whoever asks keeps it.
    pub(super) fn decide_chunk(&self, head: &ChunkHead, buffer: &SpanBuffer) -> Decision {
        let local_root = head.records(buffer).iter().find(|record| record.span_id == head.local_root_id);
        self.sample(head.trace_id, local_root.and_then(|record| buffer.tags.text(record.service)))
    }

    /// Takes over the rates of an agent's answer, `now` being the time since any fixed moment.
    pub(super) fn learn(&self, answer: &[u8], now: Duration) {
        // Read outside of the lock: only the worker writes, and others decide meanwhile.
        let before = self.lock().clone();
        if let Some(rates) = before.after(answer, now) {
            *self.lock() = rates;
        }
    }

    fn sample(&self, trace_id: u128, service: Option<&str>) -> Decision {
        sampling::decide(trace_id as u64, service.unwrap_or(&self.service), &self.env, &self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, AgentRates> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
