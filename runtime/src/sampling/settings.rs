//! What decides in this process which traces are kept.

use super::rule::{Rule, SpanRule};

/// Rules, rates and limits, as they were set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SamplingSettings {
    /// `DD_TRACE_SAMPLING_RULES`: the first that matches the local root decides. None by default.
    pub(crate) rules: Vec<Rule>,
    /// `DD_TRACE_SAMPLE_RATE`, 0.0 to 1.0: for traces that no rule matches. Unset by default, which leaves them to the agent's
    /// rates and is not the same as 1.
    pub(crate) rate: Option<f64>,
    /// `DD_TRACE_RATE_LIMIT`: traces a second that rules and the rate above may keep, 0 or more. Defaults to 100.
    pub(crate) limit: f64,
    /// `DD_SPAN_SAMPLING_RULES`: which spans are kept of traces that are not. None by default.
    pub(crate) span_rules: Vec<SpanRule>,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        Self { rules: Vec::new(), rate: None, limit: 100.0, span_rules: Vec::new() }
    }
}
