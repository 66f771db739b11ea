//! What a log pipeline makes of a line: the processors that the page names, as far as they are needed.

use std::collections::BTreeMap;
use std::fmt::Write;

use regex::Regex;
use serde_json::Value;

use crate::page::Page;

/// Processors in their order. Source: <https://docs.datadoghq.com/logs/log_configuration/processors/> and, for the rules of the first one,
/// <https://docs.datadoghq.com/logs/log_configuration/parsing/>.
#[derive(Debug)]
pub(crate) struct Pipeline {
    grok: Regex,
    /// The attribute of a capture group, by its number.
    groups: Vec<String>,
    /// From an attribute to what a log is known by.
    remappers: Vec<(String, String)>,
}

impl Pipeline {
    pub(crate) fn read(page: &Page) -> Self {
        let processors: Vec<Value> =
            serde_json::from_str(page.block("pipeline")).unwrap_or_else(|error| panic!("{error}"));
        let [first, remappers @ ..] = &processors[..] else { panic!("no processors") };
        let rule = first["grok"]["match_rules"].as_str().unwrap_or_default();
        let (_name, pattern) = rule.split_once(' ').unwrap_or_else(|| panic!("no name in front of {rule}"));
        let (pattern, groups) = regex_of(pattern);
        let grok = Regex::new(&pattern).unwrap_or_else(|error| panic!("{error}"));
        Self { grok, groups, remappers: remappers.iter().map(remapper).collect() }
    }

    /// What a log is known by: `service`, `env`, `version`, `trace_id`, `span_id`.
    pub(crate) fn take(&self, line: &str) -> BTreeMap<String, String> {
        let attributes = match serde_json::from_str::<BTreeMap<String, Value>>(line) {
            Ok(object) => {
                let text = |value: Value| value.as_str().map(str::to_owned);
                object.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()
            }
            Err(_) => self.parse(line),
        };
        let taken = self.remappers.iter();
        taken.filter_map(|(source, target)| Some((target.clone(), attributes.get(source)?.clone()))).collect()
    }

    fn parse(&self, line: &str) -> BTreeMap<String, String> {
        let Some(captures) = self.grok.captures(line) else { return BTreeMap::new() };
        let found = self.groups.iter().enumerate();
        found
            .filter_map(|(at, name)| Some((name.clone(), captures.name(&group(at))?.as_str().to_owned())))
            .collect()
    }
}

fn remapper(processor: &Value) -> (String, String) {
    let target = match processor["type"].as_str().unwrap_or_default() {
        "trace-id-remapper" => "trace_id",
        "span-id-remapper" => "span_id",
        "service-remapper" => "service",
        "attribute-remapper" => processor["target"].as_str().unwrap_or_default(),
        other => panic!("no such processor: {other}"),
    };
    (processor["sources"][0].as_str().unwrap_or_default().to_owned(), target.to_owned())
}

/// A grok pattern as an expression over the whole line, with the attributes of its groups.
fn regex_of(grok: &str) -> (String, Vec<String>) {
    let (mut pattern, mut groups) = (String::from(r"\A"), Vec::new());
    let mut rest = grok;
    while let Some((before, after)) = rest.split_once("%{") {
        pattern.push_str(before);
        let (matcher, after) = if let Some(after) = after.strip_prefix("regex(\"") {
            after.split_once("\")").unwrap_or_else(|| panic!("no end of {after}"))
        } else {
            let end = after.find([':', '}']).unwrap_or_else(|| panic!("no end of {after}"));
            let matcher = match &after[..end] {
                "notSpace" => r"\S+",
                "data" => r"[\s\S]*",
                other => panic!("no such matcher: {other}"),
            };
            (matcher, &after[end..])
        };
        let (name, after) = after.split_once('}').unwrap_or_else(|| panic!("no end of {after}"));
        let matcher = matcher.replace(r"\\", r"\");
        // Writing to a string does not fail.
        let _ = match name.strip_prefix(':') {
            Some(_) => write!(pattern, "(?P<{}>{matcher})", group(groups.len())),
            None => write!(pattern, "(?:{matcher})"),
        };
        groups.extend(name.strip_prefix(':').map(str::to_owned));
        rest = after;
    }
    (pattern + rest + r"\z", groups)
}

fn group(at: usize) -> String {
    format!("attribute{at}")
}
