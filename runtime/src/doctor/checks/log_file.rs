//! Whether the file of the library's messages can be written.

use std::io;

use super::super::finding::{Finding, Problem, Verdict};
use super::super::surroundings::Surroundings;
use crate::diagnostics::settings::FilePlace;
use crate::diagnostics::{Tried, try_file};

pub(super) fn check(surroundings: &Surroundings) -> Finding {
    let finding = |verdict, words: String| Finding::new("log_file", verdict, words);
    let messages = &surroundings.settings.messages;
    let Some(file) = &messages.file else {
        return finding(
            Verdict::Ok,
            format!("messages up to {} go to stderr, and to no file", messages.level),
        );
    };
    if !surroundings.settings.is_enabled {
        return finding(Verdict::Skipped, "tracing is switched off, and then no file is written".to_owned());
    }
    let trial = try_file(&file.place);
    let path = trial.path.display().to_string();
    match trial.opened {
        Ok(tried) => {
            let words = match tried {
                Tried::Itself => "the file of messages can be opened",
                Tried::Neighbour => "the file of messages can be made",
            };
            let finding = finding(Verdict::Ok, words.to_owned()).detail("path", path);
            let finding = finding.detail("touched", touched(tried));
            match file.place {
                FilePlace::Path(_) => finding,
                FilePlace::In { .. } => {
                    finding.advice("each process has a file of its own, with its name and process id")
                }
            }
        }
        Err(error) => {
            let words = format!("the file of messages cannot be written: {error}");
            let finding = finding(Verdict::Problem(Problem::LogFile), words);
            finding.detail("path", path).advice(advice(&error))
        }
    }
}

fn touched(tried: Tried) -> &'static str {
    match tried {
        Tried::Itself => "opened, nothing written",
        Tried::Neighbour => "a file beside it was made and removed again",
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "make its directory, which the library does not; until then its lines are lost and counted"
        }
        io::ErrorKind::PermissionDenied => {
            "give the user of the program the right to write there, or name another place"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            "name a file in a directory (DD_TRACE_LOG_FILE), or a directory (DD_TRACE_LOG_DIRECTORY)"
        }
        _ => {
            "name another place (DD_TRACE_LOG_FILE); links are not followed, and pipes without a reader not waited for"
        }
    }
}
