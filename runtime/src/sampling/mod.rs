//! Deciding whether a trace is kept, from its id and from the rates the agent answered with.
//!
//! Nothing here keeps time or state on its own: a decision is a function of values, and the table of rates is replaced by
//! the caller. An inherited or manual decision never comes here.

mod agent_rates;
#[cfg(feature = "enable")]
mod answer;
mod knuth;

pub(crate) use agent_rates::AgentRates;
pub(crate) use knuth::is_kept;

use crate::model::priority::{Decision, Mechanism, SamplingPriority};

/// The automatic decision for a trace whose local root has this service and environment (empty when unset).
///
/// A rate of the agent keeps or rejects by the hash of the id; before any rate is known every trace is kept.
pub(crate) fn decide(trace_id_low: u64, service: &str, env: &str, rates: &AgentRates) -> Decision {
    let Some(rate) = rates.rate(service, env) else {
        return Decision {
            priority: SamplingPriority::AUTO_KEEP,
            mechanism: Some(Mechanism::DEFAULT),
            rate: None,
        };
    };
    let priority =
        if is_kept(trace_id_low, rate) { SamplingPriority::AUTO_KEEP } else { SamplingPriority::AUTO_REJECT };
    Decision { priority, mechanism: Some(Mechanism::AGENT_RATE), rate: Some(rate) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::priority::rate_text;
    use std::time::Duration;

    fn agent_decision(priority: SamplingPriority, rate: f64) -> Decision {
        Decision { priority, mechanism: Some(Mechanism::AGENT_RATE), rate: Some(rate) }
    }

    #[test]
    fn trace_is_kept_before_the_agent_gave_rates() {
        let decision = decide(10, "web", "prod", &AgentRates::default());
        assert_eq!(decision.priority, SamplingPriority::AUTO_KEEP);
        assert_eq!((decision.mechanism, decision.rate), (Some(Mechanism::DEFAULT), None));
    }

    #[test]
    fn agent_rate_of_the_service_decides_else_its_default() {
        let body = br#"{"rate_by_service":{"service:web,env:prod":0.1,"service:,env:":0.5}}"#;
        let rates = AgentRates::default().after(body, Duration::ZERO).unwrap();
        assert_eq!(decide(100, "web", "prod", &rates), agent_decision(SamplingPriority::AUTO_KEEP, 0.1));
        assert_eq!(decide(10, "web", "prod", &rates), agent_decision(SamplingPriority::AUTO_REJECT, 0.1));
        assert_eq!(decide(7, "api", "prod", &rates), agent_decision(SamplingPriority::AUTO_KEEP, 0.5));
        assert_eq!(decide(10, "web", "qa", &rates), agent_decision(SamplingPriority::AUTO_REJECT, 0.5));
        assert_eq!(rate_text(0.1).as_str(), "0.1");
    }
}
