//! What the user hears of losses: one warning at the first, then at most one a minute with what was lost since.
//!
//! Pure: time and counters are handed in, the text comes out.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::diagnostics::Escaped;
use crate::export::client::Outcome;
use crate::export::counters::{Counters, DropReason};
use crate::export::settings::AgentSettings;

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    latest: Option<Instant>,
    /// Losses by reason that were told.
    told: Counters,
    /// Why the latest payload was lost.
    cause: Option<String>,
}

/// Between two warnings.
const PERIOD: Duration = Duration::from_secs(60);

impl Report {
    /// Keeps in mind why a payload was lost.
    pub(super) fn failed(&mut self, outcome: &Outcome, agent: &AgentSettings) {
        self.cause = Some(cause(outcome, agent));
    }

    /// The warning that is due, if spans were lost since the last one and it is long enough ago.
    pub(super) fn due(&mut self, counters: &Counters, now: Instant) -> Option<String> {
        // What comes after the shutdown is the application's choice, and known to it.
        let reported = DropReason::ALL.into_iter().filter(|reason| *reason != DropReason::AfterShutdown);
        let losses: Vec<(DropReason, u64)> = reported
            .map(|reason| (reason, counters.dropped(reason).saturating_sub(self.told.dropped(reason))))
            .filter(|(_, lost)| *lost > 0)
            .collect();
        if losses.is_empty() || self.latest.is_some_and(|latest| now < latest + PERIOD) {
            return None;
        }
        self.latest = Some(now);
        self.told = *counters;
        let total: u64 = losses.iter().map(|(_, lost)| lost).sum();
        let mut text = match self.cause.take() {
            Some(cause) => format!("{cause}; lost {total} spans"),
            None => format!("lost {total} spans"),
        };
        for (index, (reason, lost)) in losses.iter().enumerate() {
            let separator = if index == 0 { ": " } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(text, "{separator}{} {lost}", reason.as_str());
        }
        Some(text)
    }
}

/// Why the agent did not take a payload, in words a user can act on.
pub(super) fn cause(outcome: &Outcome, agent: &AgentSettings) -> String {
    let AgentSettings { address, timeout, .. } = agent;
    match outcome {
        Outcome::Accepted { .. } => format!("Agent at {address} took the spans"),
        Outcome::Unreachable(reason) => format!("Agent not reachable at {address}: {reason} ({HINT})"),
        Outcome::TimedOut => {
            format!("Agent not reachable at {address}: no answer within {timeout:?} ({HINT})")
        }
        Outcome::Refused { status: 429, .. } => format!("Agent at {address} is overloaded (status 429)"),
        Outcome::Refused { status: status @ 300..400, .. } => {
            format!(
                "Agent at {address} answers with a redirect (status {status}): it is not an agent's address"
            )
        }
        Outcome::Refused { status, text, .. } => {
            format!("Agent at {address} refuses spans (status {status}): {}", Escaped::new(text.trim(), 200))
        }
    }
}

/// What a user can do about it.
const HINT: &str = "is a Datadog Agent listening there? DD_TRACE_AGENT_URL or DD_AGENT_HOST name another one";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::counters::Ledger;

    fn unreachable() -> Outcome {
        Outcome::Unreachable("Connection refused (os error 111)".into())
    }

    #[test]
    fn first_loss_is_told_with_address_and_cause() {
        let (ledger, mut report, now) = (Ledger::default(), Report::default(), Instant::now());
        assert_eq!(report.due(&ledger.snapshot(0), now), None);
        report.failed(&unreachable(), &AgentSettings::default());
        ledger.drop_spans(DropReason::Net, 3);
        let text = report.due(&ledger.snapshot(0), now).unwrap();
        for part in
            ["Agent not reachable at http://localhost:8126: Connection refused", "lost 3 spans: net 3"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn later_losses_are_told_once_a_minute_with_all_reasons() {
        let (ledger, mut report, now) = (Ledger::default(), Report::default(), Instant::now());
        ledger.drop_spans(DropReason::QueueFull, 1);
        assert_eq!(report.due(&ledger.snapshot(0), now).unwrap(), "lost 1 spans: queue_full 1");
        ledger.drop_spans(DropReason::QueueFull, 2);
        ledger.drop_spans(DropReason::Timeout, 5);
        ledger.drop_spans(DropReason::AfterShutdown, 9);
        assert_eq!(report.due(&ledger.snapshot(0), now + Duration::from_nanos(59_999_999_999)), None);
        let text = report.due(&ledger.snapshot(0), now + PERIOD).unwrap();
        assert_eq!(text, "lost 7 spans: queue_full 2, timeout 5");
        assert_eq!(report.due(&ledger.snapshot(0), now + 9 * PERIOD), None);
    }

    #[test]
    fn cause_tells_who_refused_and_how() {
        let text = |status, text: &str| {
            let outcome = Outcome::Refused { status, retry_after: None, text: text.to_owned() };
            cause(&outcome, &AgentSettings::default())
        };
        assert!(text(403, "no\nway").ends_with(r"refuses spans (status 403): no\nway"));
        assert!(text(302, "").contains("redirect"));
        assert!(text(429, "").contains("overloaded"));
        assert!(cause(&Outcome::TimedOut, &AgentSettings::default()).contains("no answer within 2s"));
    }
}
