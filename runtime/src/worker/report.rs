//! What the user hears of an agent that fails and of losses: one warning at the first, then at most one a minute, and what
//! was not told by then when the worker ends.
//!
//! Pure: time and counters are handed in, the text comes out.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::diagnostics::Escaped;
use crate::export::client::Failure;
use crate::export::counters::{Counters, DropReason};
use crate::export::settings::AgentSettings;

/// What was said so far.
#[derive(Debug)]
pub(super) struct Report {
    /// Between two warnings.
    period: Duration,
    latest: Option<Instant>,
    /// Losses by reason that were told.
    told: Counters,
    /// How the agent failed, if it did not take a payload since.
    failing: Option<String>,
    /// Why the latest payload was lost, until it is told.
    blamed: Option<String>,
    /// When the first attempt failed since the last warning, and how many did.
    failures: Option<(Instant, u64)>,
    /// Whether the user knows that the agent fails.
    is_told: bool,
}

/// A payload that takes longer to deliver is told of before it is lost.
const PATIENCE: Duration = Duration::from_secs(1);

impl Report {
    /// Nothing was said. A warning comes at once, the next one after `period`.
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            latest: None,
            told: Counters::default(),
            failing: None,
            blamed: None,
            failures: None,
            is_told: false,
        }
    }

    /// Keeps in mind how an attempt failed at `now`.
    pub(super) fn failed(&mut self, failure: &Failure, agent: &AgentSettings, now: Instant) {
        self.failing = Some(cause(failure, agent));
        self.failures.get_or_insert((now, 0)).1 += 1;
    }

    /// The shutdown's deadline passed after so much of an attempt; what failed before says more.
    pub(super) fn interrupted(&mut self, after: Duration, agent: &AgentSettings) {
        let address = &agent.address;
        self.failing.get_or_insert_with(|| {
            format!(
                "Agent at {address} gave no answer in {after:.1?}, before the shutdown's deadline ({HINT})"
            )
        });
    }

    /// A payload was lost to the latest failure.
    pub(super) fn lost_payload(&mut self) {
        self.blamed.clone_from(&self.failing);
    }

    /// The agent took a payload. Gives the line that says so to who was told that it fails.
    pub(super) fn recovered(&mut self, agent: &AgentSettings) -> Option<String> {
        self.failing = None;
        self.failures = None;
        let is_told = std::mem::take(&mut self.is_told);
        is_told.then(|| format!("Agent at {} takes spans again", agent.address))
    }

    /// The warning that is due where an attempt failed at `now` and the next one comes so long after the first.
    pub(super) fn retried(&mut self, since_first: Duration, now: Instant) -> Option<String> {
        if since_first < PATIENCE || self.is_too_early(now) {
            return None;
        }
        let cause = self.failing.clone()?;
        self.latest = Some(now);
        self.is_told = true;
        self.failures = None;
        Some(format!("{cause}; trying again"))
    }

    /// The warning that is due, if spans were lost since the last one and it is long enough ago.
    pub(super) fn due(&mut self, counters: &Counters, now: Instant) -> Option<String> {
        if self.is_too_early(now) {
            return None;
        }
        let text = self.rest(counters, now)?;
        self.latest = Some(now);
        Some(text)
    }

    /// What was lost and not told yet, however early.
    pub(super) fn rest(&mut self, counters: &Counters, now: Instant) -> Option<String> {
        // What comes after the shutdown is the application's choice, and known to it.
        let is_told = |reason: &DropReason| *reason != DropReason::AfterShutdown && !reason.is_intended();
        let reported = DropReason::ALL.into_iter().filter(is_told);
        let losses: Vec<(DropReason, u64)> = reported
            .map(|reason| (reason, counters.dropped(reason).saturating_sub(self.told.dropped(reason))))
            .filter(|(_, lost)| *lost > 0)
            .collect();
        let beside = beside(counters, &self.told);
        if losses.is_empty() {
            self.told = *counters;
            return beside;
        }
        self.told = *counters;
        let total = spans(losses.iter().map(|(_, lost)| lost).sum());
        let attempts =
            self.failures.take().map_or_else(String::new, |(since, count)| attempts(count, now - since));
        let mut text = match self.blamed.take().or_else(|| self.failing.clone()) {
            Some(cause) => {
                self.is_told = self.failing.is_some();
                format!("{cause}{attempts}; lost {total}")
            }
            None => format!("lost {total}"),
        };
        for (index, (reason, lost)) in losses.iter().enumerate() {
            let separator = if index == 0 { ": " } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(text, "{separator}{} {lost}", reason.as_str());
        }
        if let Some(beside) = beside {
            let _ = write!(text, "; {beside}");
        }
        Some(text)
    }

    fn is_too_early(&self, now: Instant) -> bool {
        self.latest.is_some_and(|latest| now < latest + self.period)
    }
}

/// What spans had too much of, by kind, and statistics that were lost, since that was told.
fn beside(counters: &Counters, told: &Counters) -> Option<String> {
    let more = counters.left_out().into_iter().zip(told.left_out());
    let more = more.map(|((kind, count), (_, told))| (kind, count.saturating_sub(told)));
    let more: Vec<String> =
        more.filter(|(_, count)| *count > 0).map(|(kind, count)| format!("{kind} {count}")).collect();
    let left_out =
        (!more.is_empty()).then(|| format!("left out of spans beyond their limits: {}", more.join(", ")));
    let lost = match counters.lost_statistics().saturating_sub(told.lost_statistics()) {
        0 => None,
        1 => Some("lost 1 payload of statistics".to_owned()),
        lost => Some(format!("lost {lost} payloads of statistics")),
    };
    let all: Vec<String> = left_out.into_iter().chain(lost).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// How many failures stand behind the one that is told, where there are more.
fn attempts(count: u64, time: Duration) -> String {
    if count < 2 { String::new() } else { format!(" ({count} failed attempts in {time:.1?})") }
}

/// `1 span`, `2 spans`.
pub(super) fn spans(count: u64) -> String {
    format!("{count} span{}", if count == 1 { "" } else { "s" })
}

/// Why the agent did not take a payload, in words a user can act on.
pub(super) fn cause(failure: &Failure, agent: &AgentSettings) -> String {
    let AgentSettings { address, timeout, .. } = agent;
    match failure {
        Failure::Unreachable(reason) => format!("Agent not reachable at {address}: {reason} ({HINT})"),
        Failure::TimedOut => {
            format!("Agent not reachable at {address}: no answer within {timeout:?} ({HINT})")
        }
        Failure::Refused { status: 429, .. } => format!("Agent at {address} is overloaded (status 429)"),
        Failure::Refused { status: status @ 300..400, .. } => {
            format!(
                "Agent at {address} answers with a redirect (status {status}): it is not an agent's address"
            )
        }
        Failure::Refused { status, text, .. } => {
            let text = Escaped::new(text.trim(), 200).to_string();
            let separator = if text.is_empty() { "" } else { ": " };
            format!("Agent at {address} refuses spans (status {status}){separator}{text}")
        }
    }
}

/// What a user can do about it.
const HINT: &str = "is a Datadog Agent listening there? DD_TRACE_AGENT_URL or DD_AGENT_HOST name another one";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::counters::Ledger;
    use crate::model::LeftOut;

    const PERIOD: Duration = Duration::from_secs(60);

    fn unreachable() -> Failure {
        Failure::Unreachable("Connection refused (os error 111)".into())
    }

    #[test]
    fn first_loss_is_told_with_address_and_cause() {
        let (ledger, mut report, now) = (Ledger::default(), Report::new(PERIOD), Instant::now());
        assert_eq!(report.due(&ledger.snapshot(0), now), None);
        report.failed(&unreachable(), &AgentSettings::default(), Instant::now());
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
        let (ledger, mut report, now) = (Ledger::default(), Report::new(PERIOD), Instant::now());
        ledger.drop_spans(DropReason::QueueFull, 1);
        assert_eq!(report.due(&ledger.snapshot(0), now).unwrap(), "lost 1 span: queue_full 1");
        ledger.drop_spans(DropReason::QueueFull, 2);
        ledger.drop_spans(DropReason::Timeout, 5);
        ledger.drop_spans(DropReason::AfterShutdown, 9);
        assert_eq!(report.due(&ledger.snapshot(0), now + Duration::from_nanos(59_999_999_999)), None);
        let text = report.due(&ledger.snapshot(0), now + PERIOD).unwrap();
        assert_eq!(text, "lost 7 spans: queue_full 2, timeout 5");
        assert_eq!(report.due(&ledger.snapshot(0), now + 9 * PERIOD), None);
    }

    /// It used to be counted and not told.
    #[test]
    fn what_spans_have_too_much_of_is_told_as_losses_are() {
        let (ledger, mut report, now) = (Ledger::default(), Report::new(PERIOD), Instant::now());
        ledger.leave_out(LeftOut { links: 1, events: 2, attributes: 3, tags: 0 });
        let text = report.due(&ledger.snapshot(0), now).unwrap();
        assert_eq!(text, "left out of spans beyond their limits: links 1, events 2, attributes 3");
        ledger.leave_out_unwritten(5, 1);
        assert_eq!(report.due(&ledger.snapshot(0), now), None, "once a minute");
        ledger.drop_spans(DropReason::Net, 1);
        let text = report.rest(&ledger.snapshot(0), now).unwrap();
        assert_eq!(text, "lost 1 span: net 1; left out of spans beyond their limits: events 1, tags 5");
        assert_eq!(report.rest(&ledger.snapshot(0), now), None);
        ledger.lose_statistics(2);
        assert_eq!(report.rest(&ledger.snapshot(0), now).unwrap(), "lost 2 payloads of statistics");
    }

    #[test]
    fn rest_is_told_however_early_and_once() {
        let (ledger, mut report, now) = (Ledger::default(), Report::new(PERIOD), Instant::now());
        report.failed(&unreachable(), &AgentSettings::default(), Instant::now());
        ledger.drop_spans(DropReason::Net, 1);
        assert!(report.due(&ledger.snapshot(0), now).unwrap().ends_with("; lost 1 span: net 1"));
        ledger.drop_spans(DropReason::Net, 3);
        ledger.drop_spans(DropReason::ShutdownDeadline, 4);
        assert_eq!(report.due(&ledger.snapshot(0), now), None);
        let text = report.rest(&ledger.snapshot(0), Instant::now()).unwrap();
        assert!(
            text.starts_with("Agent not reachable at http://localhost:8126: Connection refused"),
            "{text}"
        );
        assert!(text.ends_with("; lost 7 spans: net 3, shutdown_deadline 4"), "{text}");
        assert_eq!(report.rest(&ledger.snapshot(0), Instant::now()), None);
    }

    #[test]
    fn failures_between_two_warnings_are_counted_and_recovery_is_one_line() {
        let (ledger, mut report, now) = (Ledger::default(), Report::new(PERIOD), Instant::now());
        let agent = AgentSettings::default();
        assert_eq!(report.recovered(&agent), None, "nobody was told that it fails");
        report.failed(&unreachable(), &agent, now);
        ledger.drop_spans(DropReason::Net, 1);
        assert!(!report.due(&ledger.snapshot(0), now).unwrap().contains("attempts"));
        for second in 1..=58 {
            report.failed(&unreachable(), &agent, now + Duration::from_secs(second));
            ledger.drop_spans(DropReason::Net, 1);
        }
        let text = report.due(&ledger.snapshot(0), now + PERIOD).unwrap();
        assert!(text.ends_with(" (58 failed attempts in 59.0s); lost 58 spans: net 58"), "{text}");
        let again = "Agent at http://localhost:8126 takes spans again".to_owned();
        assert_eq!([report.recovered(&agent), report.recovered(&agent)], [Some(again), None]);
    }

    #[test]
    fn without_a_period_each_loss_is_told() {
        let (ledger, mut report, now) = (Ledger::default(), Report::new(Duration::ZERO), Instant::now());
        for _ in 0..3 {
            ledger.drop_spans(DropReason::Net, 1);
            assert_eq!(report.due(&ledger.snapshot(0), now).unwrap(), "lost 1 span: net 1");
        }
    }

    #[test]
    fn failure_that_lasts_is_told_before_the_loss() {
        let (ledger, mut report, now) = (Ledger::default(), Report::new(PERIOD), Instant::now());
        report.failed(&Failure::TimedOut, &AgentSettings::default(), Instant::now());
        assert_eq!(report.retried(Duration::from_millis(999), now), None, "it is lost or delivered soon");
        let text = report.retried(PATIENCE, now).unwrap();
        assert!(text.contains("http://localhost:8126: no answer within 2s"), "{text}");
        assert!(text.ends_with("; trying again"), "{text}");
        assert_eq!(report.retried(PATIENCE, now), None);
        ledger.drop_spans(DropReason::Timeout, 2);
        assert_eq!(report.due(&ledger.snapshot(0), now), None);
        assert!(report.due(&ledger.snapshot(0), now + PERIOD).unwrap().contains("no answer within 2s"));
    }

    #[test]
    fn agent_that_recovered_is_blamed_for_its_own_losses_only() {
        let (ledger, mut report) = (Ledger::default(), Report::new(PERIOD));
        report.failed(&unreachable(), &AgentSettings::default(), Instant::now());
        report.lost_payload();
        let _ = report.recovered(&AgentSettings::default());
        ledger.drop_spans(DropReason::Net, 1);
        assert!(report.rest(&ledger.snapshot(0), Instant::now()).unwrap().contains("Connection refused"));
        ledger.drop_spans(DropReason::TooLarge, 1);
        assert_eq!(report.rest(&ledger.snapshot(0), Instant::now()).unwrap(), "lost 1 span: too_large 1");
    }

    #[test]
    fn interrupted_attempt_is_a_cause_where_nothing_failed_before() {
        let (ledger, mut report) = (Ledger::default(), Report::new(PERIOD));
        report.interrupted(Duration::from_millis(1_990), &AgentSettings::default());
        ledger.drop_spans(DropReason::ShutdownDeadline, 24);
        let text = report.rest(&ledger.snapshot(0), Instant::now()).unwrap();
        assert!(text.starts_with("Agent at http://localhost:8126 gave no answer in 2.0s"), "{text}");
        assert!(text.ends_with("; lost 24 spans: shutdown_deadline 24"), "{text}");
        report.failed(&unreachable(), &AgentSettings::default(), Instant::now());
        report.interrupted(PATIENCE, &AgentSettings::default());
        ledger.drop_spans(DropReason::ShutdownDeadline, 1);
        assert!(report.rest(&ledger.snapshot(0), Instant::now()).unwrap().contains("Connection refused"));
    }

    #[test]
    fn cause_tells_who_refused_and_how() {
        let text = |status, text: &str| {
            let failure = Failure::Refused { status, retry_after: None, text: text.to_owned() };
            cause(&failure, &AgentSettings::default())
        };
        assert!(text(403, "no\nway").ends_with(r"refuses spans (status 403): no\nway"));
        assert!(text(500, " ").ends_with("refuses spans (status 500)"));
        assert!(text(302, "").contains("redirect"));
        assert!(text(429, "").contains("overloaded"));
        assert!(cause(&Failure::TimedOut, &AgentSettings::default()).contains("no answer within 2s"));
    }
}
