//! Whether the clock here and that of the agent agree.

use std::time::Duration;

use super::super::connection::{Connection, Told};
use super::super::date::{self, Skew};
use super::super::finding::{Finding, Problem, Verdict};

/// From here on spans of several hosts do not lie where they belong in a trace.
const NOTICEABLE: Duration = Duration::from_secs(2);
/// From here on statistics are counted at another time than they are looked for.
const TOO_FAR: Duration = Duration::from_secs(60);

pub(super) fn skipped() -> Finding {
    finding(Verdict::Skipped, "no agent can be reached to compare with".to_owned())
}

/// Compares with the latest answer.
pub(super) fn check(connection: &Connection) -> Finding {
    let Some(Told { date, asked, arrived }) = &connection.told else { return skipped() };
    let Some(text) = date else {
        return finding(Verdict::Skipped, "the agent's answer has no date".to_owned());
    };
    let Some(date) = date::read(text) else {
        let words = "the date of the agent's answer cannot be read".to_owned();
        return finding(Verdict::Skipped, words).detail("agent_date", text.as_str());
    };
    let (off, seconds, side) = match date::skew(*asked, *arrived, date) {
        Skew::None => (Duration::ZERO, 0.0, ""),
        Skew::Ahead(off) => (off, off.as_secs_f64(), "ahead of"),
        Skew::Behind(off) => (off, -off.as_secs_f64(), "behind"),
    };
    let verdict = match off {
        off if off >= TOO_FAR => Verdict::Problem(Problem::Clock),
        off if off >= NOTICEABLE => Verdict::Warn,
        _ => Verdict::Ok,
    };
    let words = match verdict {
        Verdict::Ok => "the clock here agrees with the agent's".to_owned(),
        _ => format!("the clock here is {:.0} s {side} the agent's", off.as_secs_f64()),
    };
    let finding =
        finding(verdict, words).detail("agent_date", text.as_str()).detail("ahead_seconds", seconds);
    if verdict == Verdict::Ok {
        return finding;
    }
    finding.advice(
        "let both hosts follow a time server: spans are shown, and traces kept, by the time of the host",
    )
}

fn finding(verdict: Verdict, words: String) -> Finding {
    Finding::new("clock", verdict, words)
}
