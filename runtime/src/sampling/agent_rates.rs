//! Rates per service and environment, as the agent answers with them to each payload.
//!
//! Each answer replaces the whole table. A rate falls at once and rises by steps, so that an agent that lost sight of the
//! load does not let everything through.
//!
//! Source: the answer `rate_by_service` of the agent's trace endpoints; `ddtrace/tracer/sampler.go` of
//! DataDog/dd-trace-go.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

/// Rates kept of one answer; further ones are ignored.
const MAX_RATES: usize = 10_000;
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

    /// The table after an answer with this JSON body, or none when the body holds no rates and the table stays.
    ///
    /// Rates that are not numbers from 0 to 1 are ignored. `now` is the time since any fixed moment.
    pub(crate) fn after(&self, body: &[u8], now: Duration) -> Option<Self> {
        let Body(targets) = serde_json::from_slice(body).ok()?;
        let mut rates = Self::default();
        // What a service without a rate of its own was sampled with until now.
        let before = self.default.unwrap_or(Rate { value: 1.0, rose_at: None });
        for Target { service, env, rate } in targets? {
            if service.is_empty() && env.is_empty() {
                rates.default = Some(before.towards(rate, now));
                continue;
            }
            let old = self.services.get(&service).and_then(|envs| envs.get(&env)).copied();
            let old = old.unwrap_or(before);
            rates.services.entry(service).or_default().insert(env, old.towards(rate, now));
        }
        Some(rates)
    }
}

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

/// A rate the agent wants for a service and environment.
struct Target {
    service: Box<str>,
    env: Box<str>,
    rate: f64,
}

impl Target {
    /// Takes a key such as `service:web,env:prod` apart.
    fn new(key: &str, rate: f64) -> Option<Self> {
        let (service, env) = key.strip_prefix("service:")?.rsplit_once(",env:")?;
        let is_rate = (0.0..=1.0).contains(&rate);
        is_rate.then(|| Self { service: service.into(), env: env.into(), rate })
    }
}

/// The agent's answer; nothing when it has no table of rates.
struct Body(Option<Vec<Target>>);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the agent's answer")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Body, A::Error> {
                let mut body = Body(None);
                while let Some(name) = fields.next_key::<String>()? {
                    if name == "rate_by_service" {
                        body.0 = fields.next_value::<Any>()?.0.table();
                    } else {
                        fields.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(body)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// Any JSON value, of which a number and a flat map of numbers mean something.
struct Any(Meaning);

enum Meaning {
    Number(f64),
    Table(Vec<Target>),
    Nothing,
}

impl Meaning {
    fn number(self) -> Option<f64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    fn table(self) -> Option<Vec<Target>> {
        if let Self::Table(targets) = self { Some(targets) } else { None }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Self)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Meaning, A::Error> {
        let mut targets = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            let rate = entries.next_value::<Any>()?.0.number();
            let target = rate.and_then(|rate| Target::new(&key, rate));
            targets.extend(target.filter(|_| targets.len() < MAX_RATES));
        }
        Ok(Meaning::Table(targets))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Meaning, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Meaning::Nothing)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Meaning, E> {
        Ok(Meaning::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Meaning, E> {
        Ok(Meaning::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Meaning, E> {
        Ok(Meaning::Number(number as f64))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Meaning, E> {
        Ok(Meaning::Nothing)
    }

    fn visit_str<E>(self, _: &str) -> Result<Meaning, E> {
        Ok(Meaning::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Meaning, E> {
        Ok(Meaning::Nothing)
    }
}

#[cfg(test)]
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
