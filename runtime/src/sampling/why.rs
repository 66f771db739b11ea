//! Why a trace is kept or not, for people.

use std::fmt;

use crate::model::priority::rate_text;
use crate::model::{Applied, Decision, Mechanism};

/// Why a trace is kept or not: which step decided, with which rate, and what the rate limiter said.
///
/// Its `Display` is one line, such as `kept by sampling rule 2 (rate 0.25), limiter at 0.8`. The same words are in the debug log and in the
/// local view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WhySampled(Decision);

/// The step of sampling that decided about a trace. They are taken in this order, and the first that applies decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SamplingStep {
    /// The application, by `keep`, `reject` or a tag that means the same.
    Manual,
    /// The caller: the priority came with the headers.
    Inherited,
    /// A rule of `DD_TRACE_SAMPLING_RULES` or of code, by its place in the list, from 1.
    Rule(u32),
    /// A rule of remote configuration, by its place in the list, from 1.
    RemoteRule(u32),
    /// The rate of all traces that no rule matches, `DD_TRACE_SAMPLE_RATE`.
    GlobalRate,
    /// The rate that the agent gave for the service.
    AgentRate,
    /// Nothing: no rate of the agent is known yet, and the trace is kept.
    Default,
}

impl WhySampled {
    pub(crate) const fn of(decision: Decision) -> Self {
        Self(decision)
    }

    /// Whether the trace is kept.
    pub fn is_kept(&self) -> bool {
        self.0.priority.is_keep()
    }

    /// The sampling priority: -1 user reject, 0 auto reject, 1 auto keep, 2 user keep; any other came from upstream.
    pub fn priority(&self) -> i32 {
        self.0.priority.as_i32()
    }

    /// Which step decided.
    pub fn step(&self) -> SamplingStep {
        let rule = self.0.rate.and_then(|applied| applied.rule);
        match (self.0.mechanism, rule) {
            (None, _) => SamplingStep::Inherited,
            (Some(Mechanism::MANUAL), _) => SamplingStep::Manual,
            (Some(Mechanism::AGENT_RATE), _) => SamplingStep::AgentRate,
            (Some(Mechanism::LOCAL_RULE), Some(number)) => SamplingStep::Rule(number),
            (Some(Mechanism::LOCAL_RULE), None) => SamplingStep::GlobalRate,
            (Some(_), Some(number)) => SamplingStep::RemoteRule(number),
            (Some(_), None) => SamplingStep::Default,
        }
    }

    /// The rate that the hash of the trace id was compared with, 0.0 to 1.0. `None` where the step has none.
    pub fn rate(&self) -> Option<f64> {
        self.0.rate.map(|Applied { rate, .. }| rate)
    }

    /// The part of what the rate limiter was asked for in this second and the one before that it let through, 0.0 to 1.0, when it was asked
    /// about this trace. `None` where it was not: it is asked about traces that a rule or the global rate would keep.
    pub fn limiter_rate(&self) -> Option<f64> {
        self.0.rate.and_then(|Applied { limiter, .. }| limiter)
    }
}

impl fmt::Display for WhySampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_refused = !self.is_kept() && self.limiter_rate().is_some();
        f.write_str(if self.is_kept() { "kept" } else { "rejected" })?;
        if is_refused {
            write!(f, " by the rate limiter after")?;
        } else {
            write!(f, " by")?;
        }
        match self.step() {
            SamplingStep::Manual => write!(f, " hand")?,
            SamplingStep::Inherited => write!(f, " the caller")?,
            SamplingStep::Rule(number) => write!(f, " sampling rule {number}")?,
            SamplingStep::RemoteRule(number) => write!(f, " remote sampling rule {number}")?,
            SamplingStep::GlobalRate => write!(f, " DD_TRACE_SAMPLE_RATE")?,
            SamplingStep::AgentRate => write!(f, " the agent's rate")?,
            SamplingStep::Default => write!(f, " default")?,
        }
        if let Some(rate) = self.rate() {
            write!(f, " (rate {})", rate_text(rate).as_str())?;
        }
        if let Some(effective) = self.limiter_rate() {
            write!(f, ", limiter at {}", rate_text(effective).as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SamplingPriority;

    #[test]
    fn reason_is_one_line() {
        let (keep, reject) = (SamplingPriority::USER_KEEP, SamplingPriority::USER_REJECT);
        let applied = |rate, rule, limiter| Some(Applied { rate, rule, limiter });
        let rule = Some(Mechanism::LOCAL_RULE);
        for (priority, mechanism, rate, expected) in [
            (
                keep,
                rule,
                applied(0.25, Some(2), Some(0.8)),
                "kept by sampling rule 2 (rate 0.25), limiter at 0.8",
            ),
            (reject, rule, applied(0.0, Some(1), None), "rejected by sampling rule 1 (rate 0)"),
            (
                reject,
                rule,
                applied(1.0, None, Some(1.0 / 3.0)),
                "rejected by the rate limiter after DD_TRACE_SAMPLE_RATE (rate 1), limiter at 0.333333",
            ),
            (
                keep,
                Some(Mechanism::REMOTE_DYNAMIC),
                applied(1.0, Some(3), Some(1.0)),
                "kept by remote sampling rule 3 (rate 1), limiter at 1",
            ),
            (
                SamplingPriority::AUTO_REJECT,
                Some(Mechanism::AGENT_RATE),
                applied(0.1, None, None),
                "rejected by the agent's rate (rate 0.1)",
            ),
            (SamplingPriority::AUTO_KEEP, Some(Mechanism::DEFAULT), None, "kept by default"),
            (keep, Some(Mechanism::MANUAL), None, "kept by hand"),
            (reject, None, None, "rejected by the caller"),
        ] {
            let why = WhySampled::of(Decision { priority, mechanism, rate });
            assert_eq!(why.to_string(), expected);
            assert_eq!((why.priority(), why.is_kept()), (priority.as_i32(), priority.is_keep()));
        }
    }
}
