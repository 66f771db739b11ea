//! A tracer as a program would have it, without a worker: what its spans become is taken out by hand.

use std::sync::Arc;

use crate::clock::{Anchor, Clock, Timeline};
use crate::config::Settings;
use crate::export::counters::DropReason;
use crate::export::queue::Queue;
use crate::export::v04::{Chunk, Encoder, Limits, Payload};
use crate::global;
use crate::model::{AgentInfo, ChunkBatch};
use crate::propagation::{PropagationSettings, Propagator};
use crate::sampling::{AgentRates, TraceFilter, WhySampled};
use crate::trace::{self, Core, Home};
use crate::worker::Ruling;
use crate::worker::prepare::Preparation;

/// The tracer of this process, until there is another one.
#[derive(Debug)]
pub(super) struct DoctorTracer {
    core: Arc<Core>,
    first: Anchor,
}

/// Spans that were finished, and what was decided about their trace.
#[derive(Debug)]
pub(super) struct Taken {
    batch: ChunkBatch,
    rulings: Vec<Ruling>,
}

impl DoctorTracer {
    /// By these settings, but for the headers: those that are read here are our own.
    pub(super) fn install(settings: &Settings) -> Self {
        let clock = Clock::system();
        let first = clock.anchor();
        let writer = &settings.writer;
        let queue = Queue::new(writer.buffer_bytes, writer.flush_from_bytes, Box::new(|| ()));
        let sampler = global::sampler(settings, &clock, first);
        let propagator = Propagator::new(&PropagationSettings::default(), Arc::default());
        let core =
            Core::new(Arc::new(settings.clone()), clock, Arc::new(queue), Arc::new(sampler), propagator);
        let core = Arc::new(core);
        trace::install(Arc::clone(&core));
        Self { core, first }
    }

    /// As a thread sees it.
    pub(super) fn home(&self) -> Arc<Home> {
        Home::new(Arc::clone(&self.core))
    }

    /// Takes over what the agent does not want, whether a tracer leaves it out or the agent does so itself.
    pub(super) fn learn_filters(&self, info: &AgentInfo) {
        self.core.sampler.set_filter(TraceFilter::new(info));
    }

    /// Takes over the rates of an agent's answer.
    pub(super) fn learn(&self, answer: &[u8]) {
        self.core.sampler.learn(answer);
    }

    /// The rates that are known.
    pub(super) fn rates(&self) -> AgentRates {
        self.core.sampler.rates()
    }

    /// The traces that were finished, with the decisions about them, as the worker takes them over.
    pub(super) fn take(&self) -> Vec<Taken> {
        let Core { settings, queue, sampler, .. } = &*self.core;
        let preparation =
            Preparation { service: settings.identity.service.clone(), rules: settings.spans.clone() };
        let mut batches = Vec::new();
        queue.drain(&mut Vec::new(), |batch| batches.push(batch));
        let decided = batches.into_iter().map(|mut batch| {
            preparation.prepare(&mut batch, queue);
            let rulings = batch.heads.iter().map(|head| Ruling::of(head, batch.buffer(head), sampler));
            Taken { rulings: rulings.collect(), batch }
        });
        decided.collect()
    }

    /// Why spans that were finished until now are lost before an agent is asked.
    pub(super) fn lost(&self) -> Option<DropReason> {
        let counters = self.core.queue.counters();
        DropReason::ALL.into_iter().find(|reason| counters.dropped(*reason) > 0)
    }

    /// A payload of these traces, and how many chunks it has, for an agent that says this of itself. `None` where a span is larger than the
    /// settings or the agent allow.
    pub(super) fn encode(&self, taken: &[Taken], info: &AgentInfo) -> Option<(Vec<u8>, u32)> {
        let mut encoder = Encoder::new(&global::span_defaults(&self.core.settings));
        encoder.set_reads_events(info.span_events);
        let timeline = Timeline::new(&self.core.clock, self.first, self.core.clock.anchor());
        let mut payload = Payload::reusing(Vec::new());
        let max_bytes = self.max_payload_bytes(info);
        let limits = Limits { max_bytes, max_alone: max_bytes };
        for Taken { batch, rulings } in taken {
            for (head, ruling) in batch.heads.iter().zip(rulings) {
                let buffer = batch.buffer(head);
                let (records, tags) = (head.records(buffer), &buffer.tags);
                let chunk = Chunk { head, records, tags, decision: ruling.decision, selected: &[] };
                if encoder.chunk(&mut payload, &chunk, &timeline, 0, limits).too_large > 0 {
                    return None;
                }
            }
        }
        let chunks = payload.chunks();
        Some((payload.into_body(), chunks))
    }

    /// Bytes of a payload that an agent takes which says this of itself.
    pub(super) fn max_payload_bytes(&self, info: &AgentInfo) -> usize {
        self.core.settings.writer.max_payload_bytes.min(info.max_request_bytes.unwrap_or(usize::MAX))
    }
}

impl Drop for DoctorTracer {
    fn drop(&mut self) {
        trace::uninstall();
    }
}

/// What was decided about a trace.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) why: WhySampled,
    /// Whether the agent wants it, by its own filters.
    pub(super) is_wanted: bool,
    /// Whether spans of it are kept although it is not.
    pub(super) has_single_spans: bool,
}

impl Taken {
    /// The service that the first of the traces is sent with, where that is not the tracer's own.
    pub(super) fn service(&self) -> Option<&str> {
        let head = self.batch.heads.first()?;
        let buffer = self.batch.buffer(head);
        let root = head.records(buffer).iter().find(|record| record.span_id == head.local_root_id)?;
        buffer.tags.text(root.service)
    }

    /// What was decided about the first of the traces.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.rulings.first().map(|ruling| Answer {
            why: WhySampled::of(ruling.decision),
            is_wanted: ruling.is_wanted,
            has_single_spans: !ruling.selected.is_empty(),
        })
    }
}
