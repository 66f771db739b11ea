//! What the program `dd-traced-doctor` does: it looks for the reason when nothing arrives.
//!
//! ```text
//! arguments ─► command ─► checks, one after the other ─► findings ─┬─► text
//!                                                                  └─► JSON
//! ```
//!
//! A check is a function that asks the rooms below what the tracer itself would ask them, and says what it found. Nothing here knows
//! better than the library: settings, addresses, files, spans, decisions and log lines are made by the code that makes them in a program.
//! Invariants: every wait has a deadline; what is shown of others has no control characters, and no secret.

mod arguments;
mod checks;
mod connection;
mod date;
mod finding;
mod help;
mod json;
mod surroundings;
mod text;
mod tracer;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use arguments::{Arguments, Request};
use finding::Report;
use surroundings::Surroundings;

/// Does what the arguments ask for, without the name of the program, and prints what was found. Gives the status of the process: 0 where there is
/// no problem, else that of the first kind of problem, as `--help` lists them.
///
/// For the program alone: it takes the place of the tracer of the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = arguments.into_iter().map(|word| word.to_string_lossy().into_owned());
    match Request::of(words) {
        Ok(Request::Help) => print(help::TEXT),
        Ok(Request::Version) => print(concat!("dd-traced-doctor ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Examine(arguments)) => {
            let report = examine(&arguments);
            print(&if arguments.is_json { json::of(&report) } else { text::of(&report) });
            return ExitCode::from(report.exit_code());
        }
        Err(mistake) => {
            // Nobody may be reading.
            let _ = io::stderr().lock().write_all(format!("{mistake}\n").as_bytes());
            return ExitCode::from(finding::USAGE);
        }
    }
    ExitCode::SUCCESS
}

fn examine(arguments: &Arguments) -> Report {
    let command = &arguments.command;
    let findings = match Surroundings::of_process() {
        Ok(surroundings) => checks::of(command, &surroundings, arguments.sends_trace),
        Err(finding) => vec![*finding],
    };
    Report { command: command.name(), findings }
}

/// Prints all of it at once. That nobody reads it, or not to its end, changes no finding.
fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
