//! Reading the table of rates in the JSON body of the agent's answer, without keeping more of it than that.
//!
//! Source: the field `rate_by_service` in answers of the agent's trace endpoints, `pkg/trace/api/responses.go` of
//! DataDog/datadog-agent.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Rates kept of one answer; further ones are ignored.
const MAX_RATES: usize = 10_000;

/// The rates a body holds, or none when it has no table of rates. Entries that are not a rate are left out.
pub(super) fn read(body: &[u8]) -> Option<Vec<Target>> {
    let Body(targets) = serde_json::from_slice(body).ok()?;
    targets
}

/// A rate the agent wants for a service and environment.
pub(super) struct Target {
    pub(super) service: Box<str>,
    pub(super) env: Box<str>,
    /// 0.0 to 1.0.
    pub(super) rate: f64,
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
