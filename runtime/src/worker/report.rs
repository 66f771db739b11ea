//! What the user hears of an agent that fails and of losses: each kind at once the first time, then at most once a minute with what was left
//! out meanwhile, and what was not told by then when the worker ends.
//!
//! Pure: time and counters are handed in, the text comes out.

use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::retry;
use crate::diagnostics::{Escaped, date, without_secrets};
use crate::export::client::Failure;
use crate::export::counters::{Counters, DropReason};
use crate::export::settings::AgentSettings;

/// What was said so far.
#[derive(Debug)]
pub(super) struct Report {
    /// Between two warnings of a kind.
    period: Duration,
    /// By the reason of a loss, or of the failure that leads to it.
    kinds: [Kind; DropReason::ALL.len()],
    /// About what spans had too much of, and statistics.
    beside: Kind<Counters>,
    /// How the agent failed, if it did not take a payload since.
    failing: Option<DropReason>,
    /// When the first attempt failed since it took one, and how many did.
    failures: Option<(SystemTime, u64)>,
    /// Whether the user knows that the agent fails.
    is_told: bool,
    /// Whether the user was told what can be done about it.
    has_hinted: bool,
}

/// What was said of one kind.
#[derive(Clone, Debug, Default)]
struct Kind<B = Loss> {
    latest: Option<Instant>,
    /// What is in the books of what was told, and of what was seen.
    told: B,
    seen: B,
    /// Since when messages were left out, and how many.
    left_out: Option<(SystemTime, u64)>,
    cause: Option<Cause>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Loss {
    traces: u64,
    spans: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cause {
    text: String,
    is_unreachable: bool,
}

/// A moment on two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), wall: SystemTime::now() }
    }
}

/// A payload that takes longer to deliver is told of before it is lost.
const PATIENCE: Duration = Duration::from_secs(1);

impl Report {
    /// Nothing was said. The first warning of a kind comes at once, the next one after `period`.
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            kinds: std::array::from_fn(|_| Kind::default()),
            beside: Kind::default(),
            failing: None,
            failures: None,
            is_told: false,
            has_hinted: false,
        }
    }

    /// Keeps in mind how an attempt failed that had so much time.
    pub(super) fn failed(&mut self, failure: &Failure, agent: &AgentSettings, limit: Duration, now: Moment) {
        let reason = retry::reason(failure);
        self.kinds[reason as usize].cause =
            Some(Cause { text: cause(failure, agent, limit), is_unreachable: is_unreachable(failure) });
        self.failing = Some(reason);
        self.failures.get_or_insert((now.wall, 0)).1 += 1;
    }

    /// The shutdown's deadline passed after so much of an attempt; what failed before says more.
    pub(super) fn interrupted(&mut self, after: Duration, agent: &AgentSettings) {
        if self.failing.is_none() {
            let text = format!(
                "Agent at {} gave no answer in {}, before the shutdown's deadline",
                agent.address,
                span_of_time(after)
            );
            self.kinds[DropReason::ShutdownDeadline as usize].cause =
                Some(Cause { text, is_unreachable: true });
        }
    }

    /// An agent that cannot be reached was told of at the start, and what can be done about it.
    pub(super) fn diagnosed(&mut self) {
        self.has_hinted = true;
    }

    /// The agent took a payload. Gives the line that says so to who was told that it fails.
    pub(super) fn recovered(&mut self, agent: &AgentSettings) -> Option<String> {
        self.failing = None;
        self.has_hinted = false;
        let (since, count) = self.failures.take()?;
        let address = &agent.address;
        let is_told = std::mem::take(&mut self.is_told);
        is_told.then(|| {
            format!(
                "Agent at {address} takes spans again, after {} since {}",
                counted(count, "failed attempt"),
                dated(since)
            )
        })
    }

    /// The warning that is due where an attempt failed and the next one comes so long after the first.
    pub(super) fn retried(&mut self, since_first: Duration, now: Moment) -> Option<String> {
        let kind = &mut self.kinds[self.failing? as usize];
        if since_first < PATIENCE {
            return None;
        }
        if kind.is_too_early(now, self.period) {
            kind.leave_out(now);
            return None;
        }
        let cause = kind.cause.clone()?;
        kind.latest = Some(now.at);
        let left_out = kind.left_out.take();
        self.is_told = true;
        let mut text = self.hinted(&cause);
        text.push_str("; trying again");
        push_left_out(&mut text, left_out);
        Some(text)
    }

    /// The warnings that are due: about losses of a kind whose last warning is long enough ago.
    pub(super) fn due(&mut self, counters: &Counters, now: Moment) -> Vec<String> {
        self.tell(counters, now, false)
    }

    /// What was lost and not told yet, however early.
    pub(super) fn rest(&mut self, counters: &Counters, now: Moment) -> Vec<String> {
        self.tell(counters, now, true)
    }

    /// A line for each cause, with the reasons that it led to.
    fn tell(&mut self, counters: &Counters, now: Moment, is_last: bool) -> Vec<String> {
        let mut lines = Vec::<(Option<Cause>, Told)>::new();
        let period = if is_last { Duration::ZERO } else { self.period };
        // What comes after the shutdown is the application's choice, and known to it.
        let is_told = |reason: &DropReason| *reason != DropReason::AfterShutdown && !reason.is_intended();
        for reason in DropReason::ALL.into_iter().filter(is_told) {
            let books = Loss::of(counters, reason);
            let kind = &mut self.kinds[reason as usize];
            let Some(told) = kind.look(books, period, now) else { continue };
            let lost = Loss {
                traces: books.traces.saturating_sub(told.traces),
                spans: books.spans.saturating_sub(told.spans),
            };
            let left_out = kind.left_out.take();
            let cause = self.cause_of(reason);
            let place = lines.iter().position(|(known, _)| *known == cause).unwrap_or_else(|| {
                lines.push((cause, Told::default()));
                lines.len() - 1
            });
            lines[place].1.add(reason, lost, left_out);
        }
        let lines = lines.into_iter().map(|(cause, told)| self.line(cause.as_ref(), &told));
        let mut lines: Vec<String> = lines.collect();
        lines.extend(self.beside.tell_beside(counters, period, now));
        lines
    }

    /// Why spans are lost for this reason, as far as it is the agent.
    fn cause_of(&self, reason: DropReason) -> Option<Cause> {
        let own = self.kinds[reason as usize].cause.as_ref();
        // What waits for a failing agent has to go somewhen.
        let failing = self.failing.and_then(|failing| self.kinds[failing as usize].cause.as_ref());
        own.or(failing).cloned()
    }

    fn line(&mut self, cause: Option<&Cause>, told: &Told) -> String {
        let mut text = String::new();
        if let Some(cause) = cause {
            self.is_told |= self.failing.is_some();
            text = self.hinted(cause);
            text.push_str("; ");
        }
        let Told { losses, left_out } = told;
        let total = |count: fn(&Loss) -> u64| losses.iter().map(|(_, lost)| count(lost)).sum();
        text.push_str("lost ");
        let traces = total(|lost| lost.traces);
        if traces > 0 {
            text.push_str(&counted(traces, "trace"));
            text.push_str(", ");
        }
        text.push_str(&spans(total(|lost| lost.spans)));
        for (index, (reason, lost)) in losses.iter().enumerate() {
            let separator = if index == 0 { ": " } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(text, "{separator}{} {}", reason.as_str(), lost.spans);
        }
        push_left_out(&mut text, *left_out);
        text
    }

    /// A cause, with what can be done about it where nobody was told.
    fn hinted(&mut self, cause: &Cause) -> String {
        if cause.is_unreachable && !std::mem::replace(&mut self.has_hinted, true) {
            return with_hint(&cause.text);
        }
        cause.text.clone()
    }
}

/// What a line tells.
#[derive(Debug, Default)]
struct Told {
    losses: Vec<(DropReason, Loss)>,
    left_out: Option<(SystemTime, u64)>,
}

impl Told {
    fn add(&mut self, reason: DropReason, lost: Loss, left_out: Option<(SystemTime, u64)>) {
        self.losses.push((reason, lost));
        self.left_out = match (self.left_out, left_out) {
            (Some((since, count)), Some((other, more))) => Some((since.min(other), count + more)),
            (one, other) => one.or(other),
        };
    }
}

impl<B: Copy + PartialEq> Kind<B> {
    /// Gives what was told before, where there is more in the books and it is time to tell that.
    fn look(&mut self, books: B, period: Duration, now: Moment) -> Option<B> {
        if books == self.told {
            return None;
        }
        let is_new = std::mem::replace(&mut self.seen, books) != books;
        if self.is_too_early(now, period) {
            if is_new {
                self.leave_out(now);
            }
            return None;
        }
        self.latest = Some(now.at);
        Some(std::mem::replace(&mut self.told, books))
    }

    fn is_too_early(&self, now: Moment, period: Duration) -> bool {
        self.latest.is_some_and(|latest| now.at < latest + period)
    }

    fn leave_out(&mut self, now: Moment) {
        self.left_out.get_or_insert((now.wall, 0)).1 += 1;
    }
}

impl Kind<Counters> {
    fn tell_beside(&mut self, counters: &Counters, period: Duration, now: Moment) -> Option<String> {
        let books = Counters {
            left_out_links: counters.left_out_links,
            left_out_events: counters.left_out_events,
            left_out_attributes: counters.left_out_attributes,
            left_out_tags: counters.left_out_tags,
            lost_statistics: counters.lost_statistics,
            ..Counters::default()
        };
        let told = self.look(books, period, now)?;
        let mut text = beside(&books, &told)?;
        push_left_out(&mut text, self.left_out.take());
        Some(text)
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
        lost => Some(format!("lost {} of statistics", counted(lost, "payload"))),
    };
    let all: Vec<String> = left_out.into_iter().chain(lost).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

impl Loss {
    fn of(counters: &Counters, reason: DropReason) -> Self {
        // The rest of a trace with a span that is too large arrives.
        let is_whole = reason != DropReason::TooLarge;
        let traces = if is_whole { counters.dropped_chunks(reason) } else { 0 };
        Self { traces, spans: counters.dropped(reason) }
    }
}

fn push_left_out(text: &mut String, left_out: Option<(SystemTime, u64)>) {
    if let Some((since, count)) = left_out {
        // Writing to a string does not fail.
        let _ = write!(text, "; {} left out since {}", counted(count, "like message"), dated(since));
    }
}

fn dated(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    date(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// `1 span`, `2 spans`.
pub(super) fn spans(count: u64) -> String {
    counted(count, "span")
}

pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How long something took: `35µs`, `454ms`, `2.1s`.
pub(super) fn span_of_time(time: Duration) -> String {
    match time.as_millis() {
        0 => format!("{}µs", time.as_micros()),
        ms @ 1..1_000 => format!("{ms}ms"),
        _ => format!("{:.1}s", time.as_secs_f64()),
    }
}

/// The same with what a user can do about it.
pub(super) fn with_hint(cause: &str) -> String {
    format!(
        "{cause} (is a Datadog Agent listening there? DD_TRACE_AGENT_URL or DD_AGENT_HOST name another one)"
    )
}

/// Whether there may be no agent.
pub(super) fn is_unreachable(failure: &Failure) -> bool {
    matches!(failure, Failure::Unreachable(_) | Failure::TimedOut)
}

/// Why the agent did not answer as it should, or not within the limit, in words a user can act on.
pub(super) fn cause(failure: &Failure, agent: &AgentSettings, limit: Duration) -> String {
    let address = &agent.address;
    match failure {
        Failure::Unreachable(reason) => format!("Agent not reachable at {address}: {reason}"),
        Failure::TimedOut => {
            let limit = Duration::from_millis(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
            format!("Agent not reachable at {address}: no answer within {limit:?}")
        }
        Failure::Refused { status: 429, .. } => format!("Agent at {address} is overloaded (status 429)"),
        Failure::Refused { status: status @ 300..400, .. } => {
            format!(
                "Agent at {address} answers with a redirect (status {status}): it is not an agent's address"
            )
        }
        Failure::Refused { status, text, .. } => {
            let text = Escaped::new(&without_secrets(text.trim()), 200).to_string();
            let separator = if text.is_empty() { "" } else { ": " };
            format!("Agent at {address} refuses spans (status {status}){separator}{text}")
        }
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
