//! Which part of the traces would be kept.

use super::super::finding::{Finding, Verdict};
use super::super::surroundings::Surroundings;
use super::super::tracer::{Answer, DoctorTracer, Taken};
use super::agent::Reached;
use crate::sampling::{SamplingStep, WhySampled};
use crate::trace::span;

/// What becomes of a trace that nothing is said about: the test trace, if it were not kept by hand.
pub(super) fn check(surroundings: &Surroundings, reached: Option<&Reached>) -> Finding {
    let finding = |verdict, words: String| Finding::new("sampling", verdict, words);
    if !surroundings.settings.is_enabled {
        return finding(Verdict::Skipped, "tracing is switched off".to_owned());
    }
    let tracer = DoctorTracer::install(&surroundings.settings);
    if let Some(Reached { info, rates, .. }) = reached {
        tracer.learn_filters(info);
        tracer.learn(rates);
    }
    span("dd_traced.doctor").start().finish();
    let Some(answer) = tracer.take().first().and_then(Taken::answer) else {
        return finding(Verdict::Skipped, "no decision can be had".to_owned());
    };
    let part = Part::of(&answer, surroundings.settings.sampling.limit);
    let by = match part {
        Part::NoneByLimit => format!("by {}", surroundings.said("DD_TRACE_RATE_LIMIT")),
        _ if matches!(answer.why.step(), SamplingStep::Default) => {
            "by default as long as no rates of the agent are known".to_owned()
        }
        _ => by(&answer.why),
    };
    let verdict = if part.is_none() || !answer.is_wanted { Verdict::Warn } else { Verdict::Ok };
    let but = match &answer {
        Answer { is_wanted: false, .. } => "; and the agent's filters leave them out",
        Answer { has_single_spans: true, .. } if part.is_none() => {
            "; but single spans are, by DD_SPAN_SAMPLING_RULES"
        }
        _ => "",
    };
    let finding =
        finding(verdict, format!("{} kept, {by}{but}", part.words())).detail("rate", answer.why.rate());
    if verdict == Verdict::Ok {
        return finding;
    }
    finding.advice("`dd-traced-doctor sample` asks about a trace with a certain name, resource or tag")
}

/// How many of the traces are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    All,
    Some,
    None,
    NoneByLimit,
}

impl Part {
    /// The part of all traces, as far as the decision about one tells.
    fn of(answer: &Answer, limit: f64) -> Self {
        let is_limited = matches!(answer.why.step(), SamplingStep::Rule(_) | SamplingStep::GlobalRate);
        match answer.why.rate() {
            Some(rate) if rate <= 0.0 => Self::None,
            Some(_) if is_limited && limit <= 0.0 => Self::NoneByLimit,
            Some(rate) if rate < 1.0 => Self::Some,
            _ => Self::All,
        }
    }

    const fn is_none(self) -> bool {
        matches!(self, Self::None | Self::NoneByLimit)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::All => "ordinary traces are",
            Self::Some => "a part of the ordinary traces is",
            Self::None | Self::NoneByLimit => "ordinary traces are not",
        }
    }
}

/// Who decided, such as `by the agent's rate (rate 0.25)`.
fn by(why: &WhySampled) -> String {
    let why = why.to_string();
    why.split_once(' ').map(|(_, by)| by.to_owned()).unwrap_or(why)
}
