//! What decides about the traces of one tracer: its rules, its limiter, the agent's rates.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::agent_rates::AgentRates;
use super::examined::{Examined, OwnTags};
use super::knuth::is_kept;
use super::limiter::RateLimiter;
use super::rule::{Provenance, Rule};
use super::settings::SamplingSettings;
use super::span_sampler::SpanSampler;
#[cfg(feature = "enable")]
use super::trace_filter::TraceFilter;
use crate::clock::{Anchor, Clock};
#[cfg(feature = "enable")]
use crate::diagnostics::{self, Level};
use crate::model::{
    Applied, Decision, Mechanism, Record, SamplingPriority, SelectedSpan, TagLog, TraceFacts,
};

/// Decides about traces that nobody decided about by hand or upstream. Shared by the threads that inject and the worker.
///
/// It keeps no decisions: whoever asks about a trace asks once, since the limiter counts each question.
#[derive(Debug)]
pub(crate) struct Sampler {
    own: OwnTags,
    policy: Mutex<Arc<Policy>>,
    /// [`Need`] of the policy, for those who need not look at it.
    need: AtomicU8,
    limiter: Mutex<RateLimiter>,
    rates: Mutex<AgentRates>,
    /// Whether the agent knows this service in other environments, too. Written under the lock of the policy.
    has_other_envs: AtomicBool,
    /// What the agent does not want, by what it says of itself.
    #[cfg(feature = "enable")]
    filter: Mutex<Arc<TraceFilter>>,
    /// Whether that is anything.
    #[cfg(feature = "enable")]
    has_filter: AtomicBool,
    spans: SpanSampler,
    clock: Clock,
    start: Anchor,
}

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq)]
struct Policy {
    rules: Vec<Rule>,
    rate: Option<f64>,
}

/// What a decision has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Need {
    /// The agent's rates alone decide.
    NoPolicy = 0,
    /// Rules look at the service at most.
    Service = 1,
    /// Rules look at name, resource or tags of the local root, or the agent's rates depend on its `env`.
    LocalRoot = 2,
}

impl Sampler {
    /// Of a tracer that started at this moment of its clock.
    pub(crate) fn new(settings: &SamplingSettings, own: OwnTags, clock: Clock, start: Anchor) -> Self {
        let sampler = Self {
            own,
            policy: Mutex::default(),
            need: AtomicU8::new(0),
            limiter: Mutex::new(RateLimiter::new(settings.limit)),
            rates: Mutex::default(),
            has_other_envs: AtomicBool::new(false),
            #[cfg(feature = "enable")]
            filter: Mutex::default(),
            #[cfg(feature = "enable")]
            has_filter: AtomicBool::new(false),
            spans: SpanSampler::new(&settings.span_rules),
            clock,
            start,
        };
        sampler.set_policy(settings.rules.clone(), settings.rate);
        sampler
    }

    /// The tracer's own service.
    #[cfg(feature = "enable")]
    pub(crate) fn service(&self) -> &str {
        &self.own.service
    }

    /// Replaces rules and global rate, all of them, for decisions from here on.
    ///
    /// A trace whose local root began to be shared between threads before is matched by what these rules can see of it.
    pub(crate) fn set_policy(&self, rules: Vec<Rule>, rate: Option<f64>) {
        let mut policy = lock(&self.policy);
        *policy = Arc::new(Policy { rules, rate });
        self.note_need(&policy);
    }

    /// Notes what decisions have to look at from here on, under the lock of the policy.
    fn note_need(&self, policy: &Policy) {
        let need = match (&*policy.rules, policy.rate) {
            _ if self.has_other_envs.load(Ordering::Relaxed) => Need::LocalRoot,
            ([], None) => Need::NoPolicy,
            (rules, _) if rules.iter().any(|rule| rule.conditions.look_at_span()) => Need::LocalRoot,
            _ => Need::Service,
        };
        // Relaxed: who sees it late decides by what held until now; the policy itself is under its lock.
        self.need.store(need as u8, Ordering::Relaxed);
    }

    /// Whether a decision looks at more of the local root than its service.
    #[inline]
    pub(crate) fn looks_at_local_root(&self) -> bool {
        self.need.load(Ordering::Relaxed) == Need::LocalRoot as u8
    }

    /// The decision about a shared trace, taken now if it was not before, by its local root as the trace was told of it last; one that it was
    /// not told of may be `here`.
    pub(crate) fn decide_trace<'a>(
        &self,
        facts: &TraceFacts,
        here: impl FnOnce() -> Option<(&'a Record, &'a TagLog)>,
    ) -> Decision {
        facts.decide(|| self.decide_untaken(facts, here, Some(&self.limiter)))
    }

    /// The decision about a trace that will not be sent, whatever it is: the one that was taken, else the one that would be, where no limiter
    /// refuses. It is not remembered, and no limiter counts it.
    #[cfg(feature = "enable")]
    pub(crate) fn foresee<'a>(
        &self,
        trace_id: u128,
        facts: Option<&TraceFacts>,
        here: impl FnOnce() -> Option<(&'a Record, &'a TagLog)>,
    ) -> Decision {
        if let Some(facts) = facts {
            return facts.decision().unwrap_or_else(|| self.decide_untaken(facts, here, None));
        }
        let root = here();
        let service = root.and_then(|(root, tags)| tags.text(root.service));
        self.decide_by(trace_id, service, root, None)
    }

    fn decide_untaken<'a>(
        &self,
        facts: &TraceFacts,
        here: impl FnOnce() -> Option<(&'a Record, &'a TagLog)>,
        limiter: Option<&Mutex<RateLimiter>>,
    ) -> Decision {
        let service = facts.service();
        let service = self.own.mapped_service_of(service.as_deref());
        facts.with_local_root(|told| {
            let root = match told {
                None => here(),
                told => told,
            };
            self.decide_by(facts.trace_id, Some(service), root, limiter)
        })
    }

    /// The decision about a trace by its local root: the service it is sent with, and the span where it can be
    /// reached, with its latest tags.
    pub(crate) fn decide(
        &self,
        trace_id: u128,
        service: Option<&str>,
        local_root: Option<(&Record, &TagLog)>,
    ) -> Decision {
        self.decide_by(trace_id, service, local_root, Some(&self.limiter))
    }

    fn decide_by(
        &self,
        trace_id: u128,
        service: Option<&str>,
        local_root: Option<(&Record, &TagLog)>,
        limiter: Option<&Mutex<RateLimiter>>,
    ) -> Decision {
        let (service, id) = (self.own.service_of(service), trace_id as u64);
        let local_root = Examined { service, span: local_root, own: &self.own };
        if self.need.load(Ordering::Relaxed) != Need::NoPolicy as u8 {
            let policy = Arc::clone(&lock(&self.policy));
            let rule = policy.rules.iter().find(|rule| rule.conditions.matches(&local_root));
            if let Some(rule) = rule {
                let mechanism = rule.provenance.mechanism();
                return self.by_rate(id, rule.rate, Some(rule.number), mechanism, limiter);
            }
            if let Some(rate) = policy.rate {
                return self.by_rate(id, rate, None, Provenance::Local.mechanism(), limiter);
            }
        }
        self.by_agent_rate(id, &local_root)
    }

    fn by_rate(
        &self,
        id: u64,
        rate: f64,
        rule: Option<u32>,
        mechanism: Mechanism,
        limiter: Option<&Mutex<RateLimiter>>,
    ) -> Decision {
        let mut is_kept = is_kept(id, rate);
        let limiter = limiter.filter(|_| is_kept).map(|limiter| {
            let mut limiter = lock(limiter);
            is_kept = limiter.allow(self.now());
            limiter.effective_rate()
        });
        let priority = if is_kept { SamplingPriority::USER_KEEP } else { SamplingPriority::USER_REJECT };
        Decision { priority, mechanism: Some(mechanism), rate: Some(Applied { rate, rule, limiter }) }
    }

    /// A rate of the agent keeps or rejects by the hash of the id; before any rate is known every trace is kept.
    fn by_agent_rate(&self, id: u64, local_root: &Examined<'_>) -> Decision {
        let rates = lock(&self.rates);
        let rate = if rates.is_empty() { None } else { rates.rate(local_root.service, local_root.env()) };
        drop(rates);
        let Some(rate) = rate else {
            return Decision {
                priority: SamplingPriority::AUTO_KEEP,
                mechanism: Some(Mechanism::DEFAULT),
                rate: None,
            };
        };
        let priority =
            if is_kept(id, rate) { SamplingPriority::AUTO_KEEP } else { SamplingPriority::AUTO_REJECT };
        Decision { priority, mechanism: Some(Mechanism::AGENT_RATE), rate: Some(Applied::of(rate)) }
    }

    /// The agent's rate for a service and environment.
    #[cfg(all(test, feature = "enable"))]
    pub(crate) fn agent_rate(&self, service: &str, env: &str) -> Option<f64> {
        lock(&self.rates).rate(service, env)
    }

    /// The agent's rates as they are known now.
    #[cfg(feature = "doctor")]
    pub(crate) fn rates(&self) -> AgentRates {
        lock(&self.rates).clone()
    }

    /// Whether there are rules for single spans.
    pub(crate) fn has_span_rules(&self) -> bool {
        !self.spans.is_empty()
    }

    /// The spans of a chunk that rules for single spans select, by their ids in ascending order. To be asked once about a chunk, and only
    /// about one that is not kept: the limiters count.
    pub(crate) fn select(&self, records: &[Record], tags: &TagLog) -> Vec<SelectedSpan> {
        let mut selected: Vec<_> =
            records.iter().filter_map(|record| self.select_one(record, tags)).collect();
        selected.sort_unstable_by_key(|span| span.span_id);
        selected
    }

    /// Replaces what is known of the traces that the agent does not want. The worker alone calls it.
    #[cfg(feature = "enable")]
    pub(crate) fn set_filter(&self, filter: TraceFilter) {
        let has_filter = !filter.is_empty();
        *lock(&self.filter) = Arc::new(filter);
        // Relaxed: the worker alone reads it.
        self.has_filter.store(has_filter, Ordering::Relaxed);
    }

    /// Whether the agent wants a trace with this local root; one without a root here is wanted.
    #[cfg(feature = "enable")]
    pub(crate) fn is_wanted<'a>(
        &self,
        local_root: impl FnOnce() -> Option<(&'a Record, &'a TagLog)>,
    ) -> bool {
        if !self.has_filter.load(Ordering::Relaxed) {
            return true;
        }
        let filter = Arc::clone(&lock(&self.filter));
        local_root().is_none_or(|(root, tags)| filter.wants(&self.examined(root, tags)))
    }

    fn examined<'a>(&'a self, record: &'a Record, tags: &'a TagLog) -> Examined<'a> {
        let service = self.own.service_of(tags.text(record.service));
        Examined { service, span: Some((record, tags)), own: &self.own }
    }

    fn select_one(&self, record: &Record, tags: &TagLog) -> Option<SelectedSpan> {
        let span = self.examined(record, tags);
        let rule = self.spans.select(record.span_id, &span, || self.now())?;
        Some(SelectedSpan { span_id: record.span_id, rate: rule.rate, max_per_second: rule.max_per_second })
    }

    /// Takes over the rates of an agent's answer. The worker alone calls it.
    #[cfg(feature = "enable")]
    pub(crate) fn learn(&self, answer: &[u8]) -> bool {
        // Read outside of the lock: others decide meanwhile.
        let before = lock(&self.rates).clone();
        let after = before.after(answer, self.now());
        let has_rates = after.is_some();
        if let Some(rates) = after {
            if diagnostics::is_shown(Level::Debug) {
                let rates = diagnostics::without_secrets(&rates.to_string());
                diagnostics::debug(format_args!("rates of the agent: {rates}"));
            }
            let own_service = self.own.mapped_service_of(None);
            let has_other_envs = rates.has_other_envs(own_service, &self.own.env);
            *lock(&self.rates) = rates;
            let policy = lock(&self.policy);
            self.has_other_envs.store(has_other_envs, Ordering::Relaxed);
            self.note_need(&policy);
        }
        has_rates
    }

    /// The time since the tracer's start.
    fn now(&self) -> Duration {
        self.clock.since(&self.start)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
