//! The tables: medians, and the ratios that the design asks for.

use crate::driver::Results;
use crate::peer::Peer;
use crate::peers::{self, DD_TRACED, FASTRACE, LIBDD, OFFICIAL, WITHDRAWN};
use crate::workload::WORKLOADS;

/// Prints both as Markdown.
pub(crate) fn print(results: &Results, subjects: &[&Peer]) {
    medians(results, subjects);
    println!();
    ratios(results);
}

fn medians(results: &Results, subjects: &[&Peer]) {
    let subjects: Vec<&str> = subjects.iter().map(|peer| peer.name).collect();
    println!("| workload | {} |", subjects.join(" | "));
    println!("|---|{}", "---:|".repeat(subjects.len()));
    for workload in WORKLOADS {
        for figure in results.names(workload.name) {
            let cells: Vec<String> = subjects
                .iter()
                .map(|subject| results.median(workload.name, figure, subject).map_or("–".to_owned(), number))
                .collect();
            println!("| {}, {figure} | {} |", workload.name, cells.join(" | "));
        }
    }
}

fn ratios(results: &Results) {
    println!("| dd-traced | figure | of | ratio | must | aim | |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for goal in GOALS {
        let (Some(own), Some(base)) =
            (results.median(goal.workload, goal.figure, DD_TRACED), goal.base.value(results, goal))
        else {
            continue;
        };
        let ratio = own / base;
        let reached = if goal.at_least { ratio >= goal.must } else { ratio <= goal.must };
        println!(
            "| {}, {} / {} | {} | {} | {ratio:.2} | {}{} | {}{} | {} |",
            goal.workload,
            goal.figure,
            goal.base.name(),
            number(own),
            number(base),
            goal.relation(),
            goal.must,
            goal.relation(),
            goal.aim,
            if reached { "ok" } else { "MISS" },
        );
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// What a figure of the tracer is held against.
enum Base {
    /// The same figure of a peer.
    Peer(&'static str),
    /// Another figure of the tracer: workload and name of the figure.
    Own(&'static str, &'static str),
    /// The best of the same figure of all peers.
    BestPeer,
    /// Nothing: the figure itself counts.
    One,
}

struct Goal {
    workload: &'static str,
    figure: &'static str,
    base: Base,
    must: f64,
    aim: f64,
    at_least: bool,
}

impl Goal {
    const fn at_most(workload: &'static str, figure: &'static str, base: Base, must: f64, aim: f64) -> Self {
        Self { workload, figure, base, must, aim, at_least: false }
    }

    fn relation(&self) -> &'static str {
        if self.at_least { "≥ " } else { "≤ " }
    }
}

impl Base {
    fn value(&self, results: &Results, goal: &Goal) -> Option<f64> {
        match self {
            Self::Peer(subject) => results.median(goal.workload, goal.figure, subject),
            Self::Own(workload, figure) => results.median(workload, figure, DD_TRACED),
            Self::BestPeer => peers::ALL
                .iter()
                .filter(|peer| peer.name != DD_TRACED)
                .filter_map(|peer| results.median(goal.workload, goal.figure, peer.name))
                .max_by(f64::total_cmp),
            Self::One => Some(1.0),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Peer(subject) => subject,
            Self::Own(..) => "own",
            Self::BestPeer => "best peer",
            Self::One => "1",
        }
    }
}

/// What dd-traced has set itself.
const GOALS: &[Goal] = &[
    Goal::at_most("nested", "ns", Base::Peer(FASTRACE), 0.50, 0.35),
    Goal::at_most("nested-tags", "ns", Base::Peer(FASTRACE), 0.30, 0.20),
    Goal::at_most("root-100", "ns", Base::Peer(FASTRACE), 0.30, 0.22),
    Goal::at_most("one-span", "ns", Base::Peer(FASTRACE), 0.90, 0.60),
    Goal::at_most("one-span", "ns", Base::Peer(OFFICIAL), 0.10, 0.10),
    Goal::at_most("async", "ns", Base::Peer(FASTRACE), 0.40, 0.25),
    Goal::at_most("async", "ns", Base::Peer(OFFICIAL), 0.25, 0.25),
    Goal::at_most("two-threads", "ns, two threads", Base::Own("two-threads", "ns, one thread"), 1.20, 1.10),
    Goal::at_most("inject", "ns", Base::Peer(OFFICIAL), 0.40, 0.25),
    Goal::at_most("extract", "ns", Base::Peer(OFFICIAL), 0.15, 0.10),
    Goal::at_most("headers", "allocations, inject", Base::One, 0.0, 0.0),
    Goal::at_most("headers", "ms, 64 KiB of headers", Base::One, 1.0, 0.5),
    Goal::at_most("headers", "KiB allocated for them", Base::One, 64.0, 32.0),
    Goal::at_most("log-line", "ns, ids", Base::Own("log-line", "ns, constant"), 1.10, 1.05),
    Goal::at_most("line-log", "ns, ids", Base::Own("line-log", "ns, constant"), 1.10, 1.05),
    Goal::at_most("line-log", "allocations", Base::One, 0.0, 0.0),
    Goal::at_most("line-tracing", "ns, ids", Base::Own("line-tracing", "ns, constant"), 1.10, 1.05),
    Goal::at_most("line-tracing", "allocations", Base::One, 0.0, 0.0),
    Goal::at_most("line-tracing-json", "ns, ids", Base::Own("line-tracing-json", "ns, constant"), 1.10, 1.05),
    Goal::at_most("line-tracing-json", "allocations", Base::One, 0.0, 0.0),
    Goal::at_most("line-slog", "ns, ids", Base::Own("line-slog", "ns, constant"), 1.10, 1.05),
    Goal::at_most("line-slog", "allocations", Base::One, 0.0, 0.0),
    Goal::at_most("allocations", "caller", Base::One, 0.05, 0.0),
    Goal::at_most("off", "ns", Base::One, 1.0, 0.3),
    Goal::at_most("off-instructions", "instructions", Base::One, 12.0, 12.0),
    Goal::at_most("bursts-rejected", "cpu ns", Base::Own("bursts-kept", "cpu ns"), 0.60, 0.30),
    Goal::at_most("encode", "ns, v0.4", Base::Peer(LIBDD), 0.60, 0.30),
    Goal::at_most("encode", "ns, v0.5", Base::Peer(LIBDD), 0.50, 0.20),
    Goal::at_most("paced", "cpu ns", Base::Peer(OFFICIAL), 0.25, 0.25),
    Goal::at_most("paced", "cpu ns", Base::Peer(WITHDRAWN), 0.50, 0.35),
    Goal::at_most("paced", "dropped", Base::One, 0.0, 0.0),
    Goal::at_most("paced", "peak MiB", Base::One, 20.0, 20.0),
    Goal { at_least: true, ..Goal::at_most("flat-out", "delivered/s", Base::BestPeer, 1.2, 2.0) },
    Goal::at_most("flat-out", "peak MiB", Base::One, 70.0, 70.0),
];
