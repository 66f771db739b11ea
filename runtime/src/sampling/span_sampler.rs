//! Single spans kept of traces that are not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::examined::Examined;
use super::knuth::is_kept;
use super::limiter::RateLimiter;
use super::rule::SpanRule;

/// The rules for single spans, each with a limiter of its own that all traces share.
#[derive(Debug, Default)]
pub(super) struct SpanSampler(Vec<(SpanRule, Option<Mutex<RateLimiter>>)>);

impl SpanSampler {
    pub(super) fn new(rules: &[SpanRule]) -> Self {
        let limiter = |rule: &SpanRule| rule.max_per_second.map(|limit| Mutex::new(RateLimiter::new(limit)));
        Self(rules.iter().map(|rule| (rule.clone(), limiter(rule))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rule that selects a span, if the first one that matches does.
    pub(super) fn select(
        &self,
        span_id: u64,
        span: &Examined<'_>,
        now: impl FnOnce() -> Duration,
    ) -> Option<&SpanRule> {
        let (rule, limiter) = self.0.iter().find(|(rule, _)| rule.conditions.matches(span))?;
        let is_selected = is_kept(span_id, rule.rate)
            && limiter
                .as_ref()
                .is_none_or(|limiter| limiter.lock().unwrap_or_else(PoisonError::into_inner).allow(now()));
        is_selected.then_some(rule)
    }
}
