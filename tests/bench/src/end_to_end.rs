//! All the work of a span, from its start to the agent's answer, with the CPU time of every thread.

use std::thread;
use std::time::{Duration, Instant};

use crate::agent::{self, Received};
use crate::measure::{Length, peak_memory, process_cpu};
use crate::peer::Peer;
use crate::workload::{Figures, Setting};

/// 100 traces of 10 spans in 10 ms, 500 times: what arrives, what it costs, what it keeps in memory.
pub(crate) fn paced(peer: &Peer, setting: Setting) -> Option<Figures> {
    let run = run_paced(peer, setting, STEADY)?;
    let mut figures = vec![("cpu ns", run.cpu_per_span), ("peak MiB", run.peak_memory)];
    if peer.delivers {
        figures.push(("dropped", run.recorded as f64 - run.received.spans as f64));
        figures.push(("bytes a span", run.received.bytes as f64 / run.received.spans as f64));
    }
    Some(figures)
}

/// The CPU time alone of the same in bursts, in which the pacing itself is less to be seen; only for who reads the rule by which
/// nothing arrives.
pub(crate) fn bursts_cpu(peer: &Peer, setting: Setting) -> Option<Figures> {
    let run = peer.obeys_rules.then(|| run_paced(peer, setting, BURSTS))??;
    Some(vec![("cpu ns", run.cpu_per_span), ("arrived", run.received.spans as f64)])
}

/// Traces of 10 spans from one thread without a pause.
pub(crate) fn flat_out(peer: &Peer, setting: Setting) -> Option<Figures> {
    let duration = match setting.length {
        Length::Full => Duration::from_secs(2),
        Length::Quick => Duration::from_millis(500),
    };
    peer.delivers.then_some(())?;
    let trace = peer.tagged_children?;
    let run = Run::of(peer, setting, || {
        let begin = Instant::now();
        let mut traces = 0;
        while begin.elapsed() < duration {
            (0..100).for_each(|_| trace(CHILDREN));
            traces += 100;
        }
        traces * u64::from(CHILDREN + 1)
    });
    Some(vec![
        ("delivered/s", run.received.spans as f64 / run.wall.as_secs_f64()),
        ("recorded/s", run.recorded as f64 / duration.as_secs_f64()),
        ("peak MiB", run.peak_memory),
        ("cpu ns", run.cpu_per_span),
    ])
}

const CHILDREN: u32 = 9;

/// How 10 000 traces a second are spread over it.
#[derive(Clone, Copy)]
struct Pace {
    tick: Duration,
    traces: u32,
}

const STEADY: Pace = Pace { tick: Duration::from_millis(1), traces: 10 };
const BURSTS: Pace = Pace { tick: Duration::from_millis(10), traces: 100 };

fn run_paced(peer: &Peer, setting: Setting, pace: Pace) -> Option<Run> {
    let traces: u32 = match setting.length {
        Length::Full => 50_000,
        Length::Quick => 10_000,
    };
    let ticks = traces / pace.traces;
    let trace = peer.tagged_children?;
    Some(Run::of(peer, setting, || {
        let begin = Instant::now();
        for tick in 1..=ticks {
            (0..pace.traces).for_each(|_| trace(CHILDREN));
            thread::sleep((begin + pace.tick * tick).saturating_duration_since(Instant::now()));
        }
        u64::from(traces * (CHILDREN + 1))
    }))
}

/// What a run cost, from the start of the work to the end of the last flush.
struct Run {
    recorded: u64,
    received: Received,
    cpu_per_span: f64,
    wall: Duration,
    peak_memory: f64,
}

impl Run {
    fn of(peer: &Peer, setting: Setting, work: impl FnOnce() -> u64) -> Self {
        let before = agent::received(setting.agent).expect("the agent answers");
        (peer.start)(setting.agent);
        let (begin, cpu) = (Instant::now(), process_cpu());
        let recorded = work();
        (peer.stop)();
        let (cpu, wall) = (process_cpu().saturating_sub(cpu), begin.elapsed());
        let after = agent::received(setting.agent).expect("the agent answers");
        Self {
            recorded,
            received: Received { spans: after.spans - before.spans, bytes: after.bytes - before.bytes },
            cpu_per_span: cpu.as_nanos() as f64 / recorded as f64,
            wall,
            peak_memory: peak_memory(),
        }
    }
}
