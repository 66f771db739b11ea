//! The worker against agents that do as they are told.

mod abandoned;
mod delivery;
mod enquiry;
mod faults;
mod given_up;
mod metrics;
mod model;
mod orders;
mod refusals;
mod statistics;
mod view;

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::handle::{WorkerParts, start_on};
use super::settings::WriterSettings;
use super::view::ViewChunk;
use super::*;
use crate::clock::Clock;
use crate::diagnostics::capture::Lines;
use crate::export::counters::{Counters, DropReason};
use crate::export::fake_agent::{FakeAgent, Received, Reply, ok, status};
use crate::export::queue::{Outbox, Queue};
use crate::export::settings::{AgentAddress, AgentSettings};
use crate::export::statsd::settings::StatsdSettings;
use crate::export::v04::SpanDefaults;
use crate::export::v04::testing::batch;
use crate::model::{CallSite, LatestAgentInfo};
use crate::sampling::{OwnTags, Sampler, SamplingSettings};
use crate::stats::settings::StatsSettings;
use crate::worker::rules::SpanRules;

static SITE: CallSite = CallSite::named("work");
const LONG: Duration = Duration::from_secs(10);

/// A worker with its queue.
struct Setup {
    writer: WriterSettings,
    agent: AgentSettings,
    introduce: Option<Introduce>,
    viewer: Option<Box<dyn Viewer>>,
    sampling: SamplingSettings,
    statistics: StatsSettings,
    abandoned: Option<Abandoned>,
    metrics: StatsdSettings,
    spawn: fn(Box<dyn FnOnce() + Send>) -> io::Result<()>,
}

struct Running {
    queue: Arc<Queue>,
    outbox: Arc<Outbox>,
    sampler: Arc<Sampler>,
    agent_info: Arc<LatestAgentInfo>,
    handle: WorkerHandle,
}

impl Setup {
    fn new(agent: AgentSettings) -> Self {
        // Nothing is sent but at a flush, a shutdown, or enough bytes.
        let writer = WriterSettings { interval: Duration::from_secs(600), ..WriterSettings::default() };
        Self {
            writer,
            agent,
            introduce: None,
            viewer: None,
            sampling: SamplingSettings::default(),
            statistics: StatsSettings::default(),
            abandoned: None,
            metrics: StatsdSettings::default(),
            spawn: |body| std::thread::Builder::new().spawn(body).map(drop),
        }
    }

    fn start(self) -> Running {
        let running = self.start_unheard();
        // The worker looks at the queue once when it starts; from here on it waits.
        running.handle.flush(LONG);
        running
    }

    /// Does not wait for the worker.
    fn start_unheard(self) -> Running {
        let signal = Arc::new(Signal::new());
        let ringing = Arc::clone(&signal);
        let WriterSettings { buffer_bytes, flush_from_bytes, .. } = self.writer;
        let queue = Arc::new(Queue::new(buffer_bytes, flush_from_bytes, Box::new(move || ringing.ring())));
        let agent_info = Arc::default();
        let clock = Clock::system();
        let own = OwnTags { service: "shop".into(), env: "test".into(), ..OwnTags::default() };
        let sampler = Sampler::new(&self.sampling, own, clock.clone(), clock.anchor());
        let sampler = Arc::new(sampler);
        let parts = WorkerParts {
            writer: self.writer,
            agent: self.agent,
            rules: SpanRules::default(),
            defaults: SpanDefaults {
                service: "shop".into(),
                env: Some("test".into()),
                ..SpanDefaults::default()
            },
            first_anchor: clock.anchor(),
            clock,
            queue: Arc::clone(&queue),
            sampler: Arc::clone(&sampler),
            agent_info: Arc::clone(&agent_info),
            introduce: self.introduce,
            remark: None,
            viewer: self.viewer,
            statistics: self.statistics,
            abandoned: self.abandoned,
            told_starts: None,
            metrics: self.metrics,
        };
        let outbox = queue.outbox();
        let handle = start_on(parts, signal, self.spawn);
        Running { queue, outbox, sampler, agent_info, handle }
    }
}

impl Running {
    /// Hands over so many chunks of so many spans.
    fn push(&self, chunks: u64, spans: u64) {
        for _ in 0..chunks {
            let batch = batch(&SITE, 1, spans);
            self.queue.push(&self.outbox, batch.heads[0].clone(), &batch.common, 0, 0);
        }
    }

    /// The agent's rate.
    fn rate(&self, service: &str, env: &str) -> Option<f64> {
        self.sampler.agent_rate(service, env)
    }

    fn counters(&self) -> Counters {
        let counters = self.queue.counters();
        assert_eq!(
            counters.finished(),
            counters.acknowledged() + counters.dropped_total() + counters.waiting()
        );
        counters
    }
}

/// An address nobody listens on.
fn nobody() -> AgentSettings {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    AgentSettings {
        address: AgentAddress::http("127.0.0.1", port),
        is_explicit: true,
        ..AgentSettings::default()
    }
}

/// Collects what the worker says, from its first chunk on.
struct Listening(Lines);

impl Viewer for Listening {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, _: &ViewChunk<'_>) {
        std::mem::forget(self.0.collect_here());
    }
}
