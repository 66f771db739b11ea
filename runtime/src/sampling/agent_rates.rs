//! Rates per service and environment, as the agent answers with them to each payload.
//!
//! Each answer replaces the whole table. A rate falls at once and rises by steps, so that an agent that lost sight of the
//! load does not let everything through.
//!
//! Source: `ddtrace/tracer/sampler.go` of DataDog/dd-trace-go.

#[cfg(feature = "enable")]
use super::answer::{self, Target};
#[cfg(feature = "enable")]
use crate::diagnostics::Escaped;
use std::collections::{BTreeMap, HashMap};
#[cfg(feature = "enable")]
use std::fmt;
use std::time::Duration;

/// Between two rises of a rate.
const STEP: Duration = Duration::from_secs(1);
/// How much a rate rises in one step.
const RISE: f64 = 2.0;

/// The rates known; empty before the first answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct AgentRates {
    default: Option<Rate>,
    services: HashMap<Box<str>, BTreeMap<Box<str>, Rate>>,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    value: f64,
    rose_at: Option<Duration>,
}

impl AgentRates {
    /// The rate for traces of this service and environment: their own, else the agent's default.
    pub(crate) fn rate(&self, service: &str, env: &str) -> Option<f64> {
        let own = self.services.get(service).and_then(|envs| envs.get(env));
        own.or(self.default.as_ref()).map(|rate| rate.value)
    }

    /// Whether none is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.default.is_none() && self.services.is_empty()
    }

    /// Whether there are rates for this service in another environment.
    #[cfg(feature = "enable")]
    pub(crate) fn has_other_envs(&self, service: &str, env: &str) -> bool {
        self.services.get(service).is_some_and(|envs| envs.keys().any(|other| **other != *env))
    }

    /// The rate of services that have none of their own.
    #[cfg(feature = "doctor")]
    pub(crate) fn default_rate(&self) -> Option<f64> {
        self.default.map(|rate| rate.value)
    }

    /// Service, environment and rate, in the order of the names.
    #[cfg(feature = "enable")]
    pub(crate) fn of_services(&self) -> Vec<(&str, &str, f64)> {
        let services: BTreeMap<&str, _> = self.services.iter().map(|(name, envs)| (&**name, envs)).collect();
        let rates = services
            .into_iter()
            .flat_map(|(name, envs)| envs.iter().map(move |(env, rate)| (name, &**env, rate.value)));
        rates.collect()
    }

    /// The table after an answer with this JSON body, or none when the body holds no rates and the table stays.
    ///
    /// Rates that are not numbers from 0 to 1 are ignored. `now` is the time since any fixed moment.
    #[cfg(feature = "enable")]
    pub(crate) fn after(&self, body: &[u8], now: Duration) -> Option<Self> {
        let targets = answer::read(body)?;
        let mut rates = Self::default();
        // What a service without a rate of its own was sampled with until now.
        let before = self.default.unwrap_or(Rate { value: 1.0, rose_at: None });
        for Target { service, env, rate } in targets {
            if service.is_empty() && env.is_empty() {
                rates.default = Some(before.towards(rate, now));
                continue;
            }
            let old = self.services.get(&service).and_then(|envs| envs.get(&env)).copied();
            let old = old.unwrap_or(Rate { rose_at: None, ..before });
            rates.services.entry(service).or_default().insert(env, old.towards(rate, now));
        }
        Some(rates)
    }
}

/// `default 0.5, service "web" env "prod" 0.25`, in the order of the names; of many rates the first ones.
#[cfg(feature = "enable")]
impl fmt::Display for AgentRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.default {
            Some(rate) => write!(f, "default {}", rate.value)?,
            None => f.write_str("no default")?,
        }
        let rates = self.of_services();
        for (name, env, rate) in rates.iter().take(MAX_SHOWN) {
            let (name, env) = (Escaped::new(name, MAX_SHOWN_BYTES), Escaped::new(env, MAX_SHOWN_BYTES));
            write!(f, ", service \"{name}\" env \"{env}\" {rate}")?;
        }
        match rates.len().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            others => write!(f, ", and {others} others"),
        }
    }
}

/// Rates that are shown, and bytes of each name in them.
#[cfg(feature = "enable")]
const MAX_SHOWN: usize = 100;
#[cfg(feature = "enable")]
const MAX_SHOWN_BYTES: usize = 100;

impl Rate {
    /// The next value on the way to `target`: at once down or from zero, else at most doubled, and once a second.
    fn towards(self, target: f64, now: Duration) -> Self {
        if target <= self.value || self.value <= 0.0 {
            return Self { value: target, ..self };
        }
        if self.rose_at.is_some_and(|rose_at| now.saturating_sub(rose_at) < STEP) {
            return self;
        }
        Self { value: target.min(self.value * RISE), rose_at: Some(now) }
    }
}

#[cfg(test)]
#[cfg(feature = "enable")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Duration = Duration::from_secs(100);

    fn table(rates: &AgentRates, entries: &str, at_ms: u64) -> AgentRates {
        let body = format!("{{\"rate_by_service\":{{{entries}}}}}");
        rates.after(body.as_bytes(), NOW + Duration::from_millis(at_ms)).unwrap()
    }

    #[test]
    fn each_answer_replaces_the_whole_table() {
        let rates = table(&AgentRates::default(), r#""service:web,env:prod":0.25,"service:,env:":0.5"#, 0);
        let lookups =
            |rates: &AgentRates| [("web", "prod"), ("web", ""), ("", "")].map(|(s, e)| rates.rate(s, e));
        assert_eq!(lookups(&rates), [Some(0.25), Some(0.5), Some(0.5)]);
        let rates = table(&rates, r#""service:,env:prod":0.125"#, 0);
        assert_eq!(lookups(&rates), [None, None, None]);
        assert_eq!(rates.rate("", "prod"), Some(0.125));
    }

    #[test]
    fn rates_are_shown_in_the_order_of_their_names() {
        let rates = table(
            &AgentRates::default(),
            r#""service:web,env:prod":0.25,"service:a\n,env:":1,"service:,env:":0.5"#,
            0,
        );
        assert_eq!(
            rates.to_string(),
            r#"default 0.5, service "a\n" env "" 1, service "web" env "prod" 0.25"#
        );
        let many: Vec<String> = (0..MAX_SHOWN + 7).map(|n| format!(r#""service:{n},env:":1"#)).collect();
        let rates = table(&AgentRates::default(), &many.join(","), 0).to_string();
        assert!(rates.starts_with("no default, ") && rates.ends_with(", and 7 others"), "{rates}");
    }

    #[test]
    fn answer_without_rates_leaves_the_table() {
        let rates = table(&AgentRates::default(), r#""service:,env:":0.5"#, 0);
        let bodies = [
            "",
            "{}",
            "null",
            "7",
            "[]",
            "{\"rate_by_service\":null}",
            "{\"rate_by_service\":[1]}",
            "{\"rate_by_service\":{",
            "OK",
        ];
        for body in bodies {
            assert!(rates.after(body.as_bytes(), NOW).is_none(), "{body}");
        }
    }

    #[test]
    fn unusable_rates_are_ignored_one_by_one() {
        let entries = r#""service:a,env:":-1,"service:b,env:":7,"service:c,env:":"0.5","service:d,env:":null,"x":0.5,
            "service:e":0.5,"service:f,env:":{"g":1},"service:h,env:":[0.5],"service:i,env:":true,"service:ok,env:":0.5"#;
        let rates = table(&AgentRates::default(), entries, 0);
        assert_eq!(rates.rate("ok", ""), Some(0.5));
        assert_eq!(rates.services.len(), 1);
    }

    #[test]
    fn number_of_rates_is_bounded() {
        for (count, expected) in [(9_999, 9_999), (10_000, 10_000), (10_001, 10_000)] {
            let entries: Vec<String> = (0..count).map(|n| format!("\"service:{n},env:\":0.5")).collect();
            let rates = table(&AgentRates::default(), &entries.join(","), 0);
            assert_eq!(rates.services.len(), expected);
        }
    }

    #[test]
    fn rate_rises_at_most_twofold_and_once_a_second() {
        let mut rates = table(&AgentRates::default(), r#""service:web,env:":0.1"#, 0);
        let steps = [(0, 0.2), (999, 0.2), (1000, 0.4), (1500, 0.4), (2000, 0.8), (3000, 1.0), (4000, 1.0)];
        for (at_ms, expected) in steps {
            rates = table(&rates, r#""service:web,env:":1"#, at_ms);
            assert_eq!(rates.rate("web", ""), Some(expected), "at {at_ms} ms");
        }
    }

    #[test]
    fn rate_falls_at_once_and_leaves_zero_at_once() {
        let mut rates = AgentRates::default();
        for (target, expected) in [("0.3", 0.3), ("0.01", 0.01), ("0", 0.0), ("0.9", 0.9)] {
            rates = table(&rates, &format!("\"service:web,env:\":{target}"), 0);
            assert_eq!(rates.rate("web", ""), Some(expected));
        }
    }

    #[test]
    fn new_service_rises_from_the_default_rate() {
        let rates = table(&AgentRates::default(), r#""service:,env:":0.1"#, 0);
        let rates = table(&rates, r#""service:,env:":0.1,"service:new,env:":0.9"#, 0);
        assert_eq!(rates.rate("new", ""), Some(0.2));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_body_is_taken(body: Vec<u8>, text in "\\{\"rate_by_service\":\\{(\"service:[a-z]?,env:[a-z]?\":[0-9.e-]{1,5},?){0,3}\\}\\}") {
            for body in [body.as_slice(), text.as_bytes()] {
                if let Some(rates) = AgentRates::default().after(body, NOW) {
                    prop_assert!(rates.services.values().flat_map(BTreeMap::values).all(|rate| (0.0..=1.0).contains(&rate.value)));
                }
            }
        }
    }
}
