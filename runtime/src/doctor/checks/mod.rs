//! The checks, a file each, and which of them make a command.

mod agent;
mod clock;
mod log_file;
mod log_lines;
mod recording;
mod sample;
mod sampling;
mod settings;
mod trace;

use agent::Reached;

use super::arguments::Command;
use super::finding::{Finding, Verdict};
use super::surroundings::Surroundings;

/// The findings of a command.
pub(super) fn of(command: &Command, surroundings: &Surroundings, sends_trace: bool) -> Vec<Finding> {
    match command {
        Command::All => {
            let mut findings = vec![settings::check(surroundings, false), recording::check(surroundings)];
            let (of_agent, reached) = agent(surroundings, sends_trace);
            findings.extend(of_agent);
            findings.push(sampling::check(surroundings, reached.as_ref()));
            findings.extend([log_file::check(surroundings), log_lines::check(surroundings)]);
            findings
        }
        Command::Settings => vec![settings::check(surroundings, true)],
        Command::Agent => explained(surroundings, agent(surroundings, sends_trace).0),
        Command::Sample(asked) => explained(surroundings, vec![sample::check(surroundings, asked)]),
    }
}

/// Below the settings, where something is wrong with them: an address that is ignored explains which agent is asked, a rule what it does not do.
fn explained(surroundings: &Surroundings, findings: Vec<Finding>) -> Vec<Finding> {
    let settings = Some(settings::check(surroundings, false)).filter(|found| found.verdict != Verdict::Ok);
    settings.into_iter().chain(findings).collect()
}

/// What needs the agent, and the agent, where one answered.
fn agent(surroundings: &Surroundings, sends_trace: bool) -> (Vec<Finding>, Option<Reached>) {
    let (mut found, reached) = agent::check(surroundings);
    if !surroundings.are_sending() && matches!(found.verdict, Verdict::Problem(_)) {
        // Nobody is missed.
        found.verdict = Verdict::Warn;
    }
    let Some(mut reached) = reached else {
        return (vec![found, clock::skipped(), trace::skipped("no agent can be reached")], None);
    };
    let clock = clock::check(&reached.connection);
    let trace = if !sends_trace {
        trace::skipped("--no-trace is given")
    } else if !surroundings.are_sending() {
        trace::skipped("with these settings nothing is sent")
    } else {
        trace::check(surroundings, &mut reached)
    };
    (vec![found, clock, trace], Some(reached))
}
