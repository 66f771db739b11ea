//! The table: seconds without annotation, and what a function costs on top of that.

use super::source::{DD_TRACED, FASTRACE, NONE, SUBJECTS};
use super::{Figures, MODES};
use crate::measure::median;

/// The ratio to `fastrace` that the project has set itself.
const MUST: f64 = 1.0;
const AIM: f64 = 0.6;

/// Prints it as Markdown.
pub(super) fn print(figures: &Figures, functions: usize) {
    let annotated = || SUBJECTS.iter().map(|subject| subject.name).filter(|name| *name != NONE);
    let columns: Vec<&str> = annotated().collect();
    println!("| {functions} functions | {NONE}, s | {} | ratio | must | aim | |", columns.join(" | "));
    println!("|---|---:|{}---:|---:|---:|---|", "---:|".repeat(columns.len()));
    for mode in MODES {
        let seconds = |subject| median(&mut figures.get(&(mode.name, subject)).cloned().unwrap_or_default());
        let net = |subject| (seconds(subject) - seconds(NONE)) / functions as f64;
        let cells: Vec<String> = annotated().map(|subject| format!("{:.0} µs", net(subject) * 1e6)).collect();
        let ratio = net(DD_TRACED) / net(FASTRACE);
        println!(
            "| {} | {:.2} | {} | {ratio:.2} | ≤ {MUST} | ≤ {AIM} | {} |",
            mode.name,
            seconds(NONE),
            cells.join(" | "),
            if ratio <= MUST { "ok" } else { "MISS" },
        );
    }
}
