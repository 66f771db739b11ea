//! Reading the JSON that the agent answers `/info` with: the whole of what it says, or nothing.
//!
//! Unknown fields are skipped without being kept. `null` is how the agent writes an empty list, and counts as absent.
//!
//! Source: `pkg/trace/api/info.go` of DataDog/datadog-agent.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

use crate::model::{AgentInfo, TagFilters};

/// Entries kept of one list; further ones are ignored.
const MAX_ENTRIES: usize = 1_000;

/// What a body says of the agent, or none when it is not such a description.
pub(crate) fn read(body: &[u8]) -> Option<AgentInfo> {
    let Fields(info) = serde_json::from_slice(body).ok()?;
    Some(info)
}

/// A value that is read from a JSON object, field by field.
trait Object: Default {
    /// Takes the value of one field, known or not.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, fields: &mut A) -> Result<(), A::Error>;
}

impl Object for AgentInfo {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, fields: &mut A) -> Result<(), A::Error> {
        match name {
            "version" => self.version = or_default(fields)?,
            "endpoints" => self.endpoints = texts(fields)?.unwrap_or_default(),
            "feature_flags" => {
                let flags = texts(fields)?.unwrap_or_default();
                self.big_resource = flags.iter().any(|flag| **flag == *"big_resource");
            }
            "client_drop_p0s" => self.client_drop_p0s = or_default(fields)?,
            "span_events" => self.span_events = or_default(fields)?,
            "peer_tags" => self.peer_tags = texts(fields)?.unwrap_or_default(),
            "span_kinds_stats_computed" => self.span_kinds_stats_computed = texts(fields)?,
            "obfuscation_version" => self.obfuscation_version = number(fields)?.unwrap_or_default(),
            "filter_tags" => self.filter_tags = object(fields)?,
            "filter_tags_regex" => self.filter_tags_regex = object(fields)?,
            "ignore_resources" => self.ignore_resources = texts(fields)?.unwrap_or_default(),
            "org_prop_marker" => self.org_prop_marker = text(fields)?,
            "config" => {
                let Config { default_env, max_request_bytes, statsd_port } = object(fields)?;
                self.default_env = default_env;
                self.max_request_bytes = max_request_bytes;
                self.statsd_port = statsd_port;
            }
            _ => skip(fields)?,
        }
        Ok(())
    }
}

impl Object for TagFilters {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, fields: &mut A) -> Result<(), A::Error> {
        match name {
            "require" => self.require = texts(fields)?.unwrap_or_default(),
            "reject" => self.reject = texts(fields)?.unwrap_or_default(),
            _ => skip(fields)?,
        }
        Ok(())
    }
}

/// The agent's configuration, as far as it matters here.
#[derive(Default)]
struct Config {
    default_env: Option<Box<str>>,
    max_request_bytes: Option<usize>,
    statsd_port: Option<u16>,
}

impl Object for Config {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, fields: &mut A) -> Result<(), A::Error> {
        match name {
            "default_env" => self.default_env = text(fields)?,
            "max_request_bytes" => {
                let bytes = number(fields)?.filter(|bytes| *bytes > 0);
                self.max_request_bytes = bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            "statsd_port" => {
                let port = number(fields)?.and_then(|port| u16::try_from(port).ok());
                self.statsd_port = port.filter(|port| *port > 0);
            }
            _ => skip(fields)?,
        }
        Ok(())
    }
}

fn or_default<'de, T: Deserialize<'de> + Default, A: MapAccess<'de>>(fields: &mut A) -> Result<T, A::Error> {
    Ok(fields.next_value::<Option<T>>()?.unwrap_or_default())
}

/// A text that says something.
fn text<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<Option<Box<str>>, A::Error> {
    Ok(fields.next_value::<Option<Box<str>>>()?.filter(|text| !text.is_empty()))
}

/// A number, cut to whole ones from 0 on.
fn number<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<Option<u64>, A::Error> {
    Ok(fields.next_value::<Option<f64>>()?.map(|number| number as u64))
}

fn texts<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<Option<Vec<Box<str>>>, A::Error> {
    Ok(fields.next_value::<Option<Texts>>()?.map(|Texts(texts)| texts))
}

fn object<'de, T: Object, A: MapAccess<'de>>(fields: &mut A) -> Result<T, A::Error> {
    Ok(fields.next_value::<Option<Fields<T>>>()?.map_or_else(T::default, |Fields(object)| object))
}

fn skip<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<(), A::Error> {
    fields.next_value::<IgnoredAny>().map(drop)
}

struct Fields<T>(T);

impl<'de, T: Object> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Object> Visitor<'de> for Reader<T> {
            type Value = Fields<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Fields<T>, A::Error> {
                let mut object = T::default();
                while let Some(name) = fields.next_key::<String>()? {
                    object.take(&name, &mut fields)?;
                }
                Ok(Fields(object))
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// A list of texts, of which the first [`MAX_ENTRIES`] are kept.
struct Texts(Vec<Box<str>>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element::<Box<str>>()? {
                    if texts.len() < MAX_ENTRIES {
                        texts.push(text);
                    }
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_seq(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boxed(texts: &[&str]) -> Vec<Box<str>> {
        texts.iter().map(|text| (*text).into()).collect()
    }

    #[test]
    fn everything_a_present_agent_says_is_read() {
        let body = r#"{"version":"7.79.0","git_commit":"abc","endpoints":["/v0.4/traces","/v0.6/stats","/telemetry/proxy/"],
            "feature_flags":["discovery","big_resource"],"client_drop_p0s":true,"span_meta_structs":true,"span_events":true,
            "peer_tags":["db.name","out.host"],"span_kinds_stats_computed":["server","client"],"obfuscation_version":1,
            "filter_tags":{"require":["env:prod"],"reject":["synthetic:true"]},
            "filter_tags_regex":{"reject":["http.url:.*health.*"],"other":[{"deep":[[1]]}]},
            "ignore_resources":["GET /healthz"],"org_prop_marker":"a1b2",
            "config":{"default_env":"none","target_tps":10,"max_request_bytes":26214400,"statsd_port":8125,
              "obfuscation":{"http":{"remove_query_string":false},"redis":{"enabled":true}}}}"#;
        let expected = AgentInfo {
            version: "7.79.0".into(),
            endpoints: boxed(&["/v0.4/traces", "/v0.6/stats", "/telemetry/proxy/"]),
            client_drop_p0s: true,
            span_events: true,
            max_request_bytes: Some(26_214_400),
            peer_tags: boxed(&["db.name", "out.host"]),
            span_kinds_stats_computed: Some(boxed(&["server", "client"])),
            obfuscation_version: 1,
            filter_tags: TagFilters { require: boxed(&["env:prod"]), reject: boxed(&["synthetic:true"]) },
            filter_tags_regex: TagFilters { reject: boxed(&["http.url:.*health.*"]), ..Default::default() },
            ignore_resources: boxed(&["GET /healthz"]),
            org_prop_marker: Some("a1b2".into()),
            default_env: Some("none".into()),
            statsd_port: Some(8125),
            big_resource: true,
        };
        assert_eq!(read(body.as_bytes()), Some(expected));
    }

    #[test]
    fn what_is_absent_null_or_unknown_is_off() {
        for body in [
            "{}",
            r#"{"version":null,"endpoints":null,"client_drop_p0s":null,"peer_tags":null,"filter_tags":null,"config":null}"#,
            r#"{"config":{"max_request_bytes":0,"statsd_port":70000,"default_env":""},"org_prop_marker":""}"#,
            r#"{"config":{"max_request_bytes":-5,"statsd_port":-1},"obfuscation_version":-1}"#,
            r#"{"x":[{"y":1e999}],"config":{"statsd_port":null}}"#,
        ] {
            assert_eq!(read(body.as_bytes()), Some(AgentInfo::default()), "{body}");
        }
    }

    #[test]
    fn what_is_no_description_is_nothing() {
        for body in [
            "",
            "null",
            "[]",
            "7",
            "OK",
            "{",
            r#"{"version":"7.79.0""#,
            r#"{"version":7}"#,
            r#"{"client_drop_p0s":"true"}"#,
            r#"{"endpoints":{"a":1}}"#,
            r#"{"endpoints":[1]}"#,
            r#"{"version":"7.79.0"} x"#,
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn lists_are_bounded() {
        for (count, kept) in [(999, 999), (1_000, 1_000), (1_001, 1_000)] {
            let tags = vec!["\"t\""; count].join(",");
            let info = read(format!("{{\"peer_tags\":[{tags}]}}").as_bytes()).unwrap();
            assert_eq!(info.peer_tags.len(), kept);
        }
    }

    /// Nesting without end is an error and no overflow of the stack.
    #[test]
    fn deep_nesting_is_nothing_or_skipped() {
        let deep = "[".repeat(500_000);
        assert_eq!(read(format!("{{\"x\":{deep}").as_bytes()), None);
        let closed = format!("{{\"x\":{deep}{}}}", "]".repeat(500_000));
        let _ = read(closed.as_bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_body_is_taken(
            body: Vec<u8>,
            text in "\\{(\"(version|endpoints|peer_tags|config|filter_tags|client_drop_p0s)\":(null|true|1e9|-7|\"a\"|\\[\"a\"\\]|\\{\"require\":\\[\\]\\}|\\{\"statsd_port\":[0-9]{1,7}\\}),?){0,4}\\}?"
        ) {
            for body in [body.as_slice(), text.as_bytes()] {
                let _ = read(body).map(|info| info.to_string());
            }
        }
    }
}
