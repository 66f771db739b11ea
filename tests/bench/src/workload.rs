//! What is measured: a name, what it means, and how to get its figures from a [`Peer`].

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;

use crate::agent::Age;
use crate::cores::{self, Placement};
use crate::measure::{Length, per_item, per_item_in_step};
use crate::peer::Peer;
use crate::{alloc, end_to_end, instructions, machine, peers};

/// One row, or a few, of the table.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// More rounds than this say nothing new.
    pub(crate) rounds: u32,
    /// Environment of the child.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) placement: Placement,
    pub(crate) agent: Age,
    /// The figures, or `None` where the peer has not got the act.
    pub(crate) run: fn(&Peer, Setting) -> Option<Figures>,
}

/// Name with unit, and value.
pub(crate) type Figures = Vec<(&'static str, f64)>;

#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) agent: SocketAddr,
    pub(crate) length: Length,
    pub(crate) placement: Placement,
}

pub(crate) fn find(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { name: "machine", what: "clocks, and the way between cores", run: machine::machine, ..TIMED },
    Workload { name: "nested", what: "a span in an active span", run: nested, ..TIMED },
    Workload {
        name: "nested-tags",
        what: "the same with a tag of static text and one of an integer",
        run: nested_tags,
        ..TIMED
    },
    Workload {
        name: "root-100",
        what: "a root and 100 children with two tags, a span",
        run: root_100,
        ..TIMED
    },
    Workload { name: "one-span", what: "a trace of one span, handed over", run: one_span, ..TIMED },
    Workload {
        name: "async",
        what: "a span of an async function that waits three times, in a traced future",
        run: async_calls,
        ..TIMED
    },
    Workload { name: "nested-apart", what: "nested with the worker on another core", run: nested, ..APART },
    Workload {
        name: "nested-tags-apart",
        what: "nested-tags with the worker on another core",
        run: nested_tags,
        ..APART
    },
    Workload {
        name: "root-100-apart",
        what: "root-100 with the worker on another core",
        run: root_100,
        ..APART
    },
    Workload {
        name: "one-span-apart",
        what: "one-span with the worker on another core",
        run: one_span,
        ..APART
    },
    Workload {
        name: "async-apart",
        what: "async with the worker on another core",
        run: async_calls,
        ..APART
    },
    Workload { name: "two-threads", what: "nested-tags on two threads at once", run: two_threads, ..APART },
    Workload { name: "inject", what: "the active context into a new map of headers", run: inject, ..TIMED },
    Workload { name: "extract", what: "a context out of a map of headers", run: extract, ..TIMED },
    Workload {
        name: "headers",
        what: "all styles: allocations beyond the values, and headers of 64 KiB",
        environment: &[("DD_TRACE_PROPAGATION_STYLE", "datadog,tracecontext,b3,b3multi,baggage")],
        run: headers,
        ..TIMED
    },
    Workload { name: "log-line", what: "a log line with the ids of the active span", run: log_line, ..TIMED },
    Workload {
        name: "line-log",
        what: "a line of the log crate",
        run: |p, s| logger_line("line-log", p, s),
        ..TIMED
    },
    Workload {
        name: "line-tracing",
        what: "a line of tracing's fmt subscriber",
        run: |p, s| logger_line("line-tracing", p, s),
        ..TIMED
    },
    Workload {
        name: "line-tracing-json",
        what: "the same as JSON",
        run: |p, s| logger_line("line-tracing-json", p, s),
        ..TIMED
    },
    Workload {
        name: "line-slog",
        what: "a record of slog",
        run: |p, s| logger_line("line-slog", p, s),
        ..TIMED
    },
    Workload {
        name: "off",
        what: "an annotated call, tracing off at run time, over the bare call",
        run: off,
        ..TIMED
    },
    Workload { name: "off-instructions", what: "the same in instructions", run: off_instructions, ..ONCE },
    Workload {
        name: "allocations",
        what: "allocations a span with two tags, in steady state",
        run: allocations,
        ..ONCE
    },
    Workload {
        name: "encode",
        what: "a chunk of 100 spans with two tags into bytes, a span",
        run: encode,
        ..TIMED
    },
    Workload {
        name: "paced",
        what: "100 000 spans a second into a local agent",
        run: end_to_end::paced,
        ..SLOW
    },
    Workload {
        name: "paced-stats",
        what: "the same into an agent that leaves statistics to the tracer",
        agent: Age::Current,
        run: end_to_end::paced,
        ..SLOW
    },
    Workload {
        name: "bursts-kept",
        what: "the same in bursts of 1 000 spans",
        agent: Age::Current,
        run: end_to_end::bursts_cpu,
        ..SLOW
    },
    Workload {
        name: "bursts-rejected",
        what: "the same, every trace rejected by a sampling rule",
        environment: &[("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":0.0}]"#)],
        agent: Age::Current,
        run: end_to_end::bursts_cpu,
        ..SLOW
    },
    Workload {
        name: "flat-out",
        what: "as many spans as it takes into a local agent",
        run: end_to_end::flat_out,
        ..SLOW
    },
];

const TIMED: Workload = Workload {
    name: "",
    what: "",
    rounds: u32::MAX,
    environment: &[],
    placement: Placement::Together,
    agent: Age::Old,
    run: |_, _| None,
};
const APART: Workload = Workload { placement: Placement::Apart, ..TIMED };
const SLOW: Workload = Workload { rounds: 3, ..TIMED };
const ONCE: Workload = Workload { rounds: 1, ..TIMED };

/// Children of one root where the root is not to be seen in the figure.
const CHILDREN: u32 = 999;

fn nested(peer: &Peer, setting: Setting) -> Option<Figures> {
    Some(traces_of(CHILDREN, traces_at_once(peer, CHILDREN, 1), peer, setting, peer.children?))
}

fn nested_tags(peer: &Peer, setting: Setting) -> Option<Figures> {
    Some(traces_of(CHILDREN, traces_at_once(peer, CHILDREN, 1), peer, setting, peer.tagged_children?))
}

fn root_100(peer: &Peer, setting: Setting) -> Option<Figures> {
    Some(traces_of(100, traces_at_once(peer, 100, 1), peer, setting, peer.tagged_children?))
}

fn one_span(peer: &Peer, setting: Setting) -> Option<Figures> {
    let lone_root = peer.lone_root?;
    Some(traces_of(0, traces_at_once(peer, 0, 1), peer, setting, |_| lone_root()))
}

fn async_calls(peer: &Peer, setting: Setting) -> Option<Figures> {
    Some(traces_of(100, traces_at_once(peer, 100, 101), peer, setting, peer.async_calls?))
}

/// How many traces of so many children, and of so many hand-overs, the peer takes in one go, less the one that goes before.
fn traces_at_once(peer: &Peer, children: u32, hand_overs: u32) -> u32 {
    let all = (peer.at_once / (children + 1)).min(peer.hand_overs_at_once / hand_overs);
    all.saturating_sub(1).max(1)
}

/// Nanoseconds a span of so many traces at once, with so many children each.
fn traces_of(children: u32, traces: u32, peer: &Peer, setting: Setting, trace: impl Fn(u32)) -> Figures {
    let placement = setting.placement;
    placement.start(|| (peer.start)(setting.agent));
    let batch = || (0..traces).for_each(|_| trace(children));
    let settle = || {
        placement.settle(peer.settle);
        // The first trace after a pause pays for a core that slept: it is not in the figure.
        trace(children);
    };
    vec![("ns", per_item(setting.length, traces * (children + 1), settle, batch))]
}

fn two_threads(peer: &Peer, setting: Setting) -> Option<Figures> {
    let trace = peer.tagged_children?;
    setting.placement.start(|| (peer.start)(setting.agent));
    // A trace on each thread is as many spans as one with the children of both.
    let traces = traces_at_once(peer, 2 * CHILDREN + 1, 2);
    let one = on_threads(&[cores::CALLER], traces, peer, setting, trace);
    let two = on_threads(&[cores::CALLER, cores::WORKER], traces, peer, setting, trace);
    Some(vec![("ns, one thread", one), ("ns, two threads", two), ("ratio", two / one)])
}

/// The mean of a thread on each of these cores, all of which start each of their batches at the same time.
fn on_threads(threads: &[usize], traces: u32, peer: &Peer, setting: Setting, trace: fn(u32)) -> f64 {
    let barrier = Barrier::new(threads.len());
    let settle = || {
        if barrier.wait().is_leader() {
            setting.placement.settle(peer.settle);
        }
        barrier.wait();
        trace(CHILDREN);
    };
    let figure = |core: usize| {
        cores::pin(core);
        let batch = || (0..traces).for_each(|_| trace(CHILDREN));
        per_item_in_step(setting.length, traces * (CHILDREN + 1), settle, batch)
    };
    let sum: f64 = thread::scope(|scope| {
        let handles: Vec<_> = threads.iter().map(|core| scope.spawn(|| figure(*core))).collect();
        handles.into_iter().map(|handle| handle.join().expect("a measuring thread does not panic")).sum()
    });
    sum / threads.len() as f64
}

fn inject(peer: &Peer, setting: Setting) -> Option<Figures> {
    let inject = peer.inject?;
    setting.placement.start(|| (peer.start)(setting.agent));
    Some(vec![("ns", per_item(setting.length, 1_000, peer.settle, || inject(1_000)))])
}

fn extract(peer: &Peer, setting: Setting) -> Option<Figures> {
    let extract = peer.extract?;
    setting.placement.start(|| (peer.start)(setting.agent));
    Some(vec![("ns", per_item(setting.length, 1_000, || (), || extract(1_000)))])
}

fn headers(peer: &Peer, setting: Setting) -> Option<Figures> {
    let figures = peer.headers?;
    setting.placement.start(|| (peer.start)(setting.agent));
    Some(figures(setting.length))
}

fn log_line(peer: &Peer, setting: Setting) -> Option<Figures> {
    let (lines, constant_lines) = (peer.lines?, peer.constant_lines?);
    setting.placement.start(|| (peer.start)(setting.agent));
    let with_ids = per_item(setting.length, 1_000, peer.settle, || lines(1_000));
    let constant = per_item(setting.length, 1_000, peer.settle, || constant_lines(1_000));
    Some(vec![("ns, ids", with_ids), ("ns, constant", constant), ("ratio", with_ids / constant)])
}

fn logger_line(name: &str, peer: &Peer, setting: Setting) -> Option<Figures> {
    let (_, acts) = peer.logger_lines.iter().find(|(found, _)| *found == name)?;
    setting.placement.start(|| (peer.start)(setting.agent));
    let line = |act: fn(u32)| per_item(setting.length, 1_000, peer.settle, || act(1_000));
    let (ids, constant, without) = (line(acts.ids), line(acts.constant), line(acts.without));
    Some(vec![
        ("ns, ids", ids),
        ("ns, constant", constant),
        ("ns, without", without),
        ("ratio", ids / constant),
        ("allocations", allocations_a_line(acts.ids) - allocations_a_line(acts.without)),
    ])
}

/// Of the caller, without those of the logger's making and of the span around its lines, whose buffers come back from the worker in their own time:
/// the least of a few goes.
fn allocations_a_line(lines: fn(u32)) -> f64 {
    const LINES: u32 = 1_000;
    let least =
        |count| (0..10).map(|_| alloc::count(|| lines(count)).caller).min().unwrap_or_default() as f64;
    (least(2 * LINES) - least(LINES)) / f64::from(LINES)
}

fn off(peer: &Peer, setting: Setting) -> Option<Figures> {
    let (calls, bare) = (peer.calls?, peers::find(peers::BARE)?.calls?);
    let start_off = peer.start_off?;
    setting.placement.start(|| start_off(setting.agent));
    let traced = per_item(setting.length, 100_000, || (), || calls(100_000));
    let bare = per_item(setting.length, 100_000, || (), || bare(100_000));
    Some(vec![("ns", traced - bare)])
}

fn off_instructions(peer: &Peer, setting: Setting) -> Option<Figures> {
    Some(vec![("instructions", instructions::over_bare(peer, setting.agent)?)])
}

fn allocations(peer: &Peer, setting: Setting) -> Option<Figures> {
    const BATCHES: u32 = 20;
    let trace = peer.tagged_children?;
    (peer.start)(setting.agent);
    let traces = traces_at_once(peer, 100, 1);
    let batches = || {
        for _ in 0..BATCHES {
            (0..traces).for_each(|_| trace(100));
            (peer.settle)();
        }
    };
    batches();
    let settling = alloc::count(|| (0..BATCHES).for_each(|_| (peer.settle)()));
    let counted = alloc::count(batches);
    let spans = f64::from(BATCHES * traces * 101);
    let per_span = |all: u64, settling: u64| all.saturating_sub(settling) as f64 / spans;
    Some(vec![
        ("caller", per_span(counted.caller, settling.caller)),
        ("process", per_span(counted.process, settling.process)),
    ])
}

fn encode(peer: &Peer, setting: Setting) -> Option<Figures> {
    const SPANS: u32 = 100;
    let mut figures = Figures::new();
    for (name, make) in [("ns, v0.4", peer.encode_v04), ("ns, v0.5", peer.encode_v05)] {
        let Some(make) = make else { continue };
        let mut encode = make(SPANS);
        let batch = || {
            for _ in 0..100 {
                std::hint::black_box(encode());
            }
        };
        figures.push((name, per_item(setting.length, 100 * SPANS, || (), batch)));
    }
    (!figures.is_empty()).then_some(figures)
}
