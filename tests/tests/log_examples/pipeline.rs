//! What a log pipeline makes of a line: the processors that the page names, as far as they are needed.

use std::collections::BTreeMap;
use std::fmt::Write;

use regex::Regex;
use serde_json::Value;

use crate::page::Page;

type Texts = BTreeMap<String, String>;

/// Processors in their order. Source: <https://docs.datadoghq.com/logs/log_configuration/processors/> and, for the rules of a parser,
/// <https://docs.datadoghq.com/logs/log_configuration/parsing/>.
#[derive(Debug)]
pub(crate) struct Pipeline(Vec<Processor>);

#[derive(Debug)]
enum Processor {
    /// Processors for lines that lack an attribute.
    Lacking(String, Vec<Processor>),
    /// An expression for the message, and the attribute of each capture group, by its number.
    Grok(Regex, Vec<String>),
    /// From an attribute to what a log is known by.
    Remapper(String, String),
}

impl Pipeline {
    pub(crate) fn read(page: &Page) -> Self {
        let processors: Value =
            serde_json::from_str(page.block("pipeline")).unwrap_or_else(|error| panic!("{error}"));
        Self(Processor::all_of(&processors))
    }

    /// What a log is known by: `service`, `env`, `version`, `trace_id`, `span_id`.
    pub(crate) fn take(&self, line: &str) -> Texts {
        let mut attributes = match serde_json::from_str::<BTreeMap<String, Value>>(line) {
            Ok(object) => {
                let text = |value: Value| value.as_str().map(str::to_owned);
                object.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()
            }
            Err(_) => Texts::from([("message".to_owned(), line.to_owned())]),
        };
        // Any of these is the message. Source: <https://docs.datadoghq.com/logs/log_configuration/pipelines/?tab=message#preprocessing>
        if let Some(message) = attributes.get("msg").cloned() {
            attributes.entry("message".to_owned()).or_insert(message);
        }
        let mut known = Texts::new();
        self.0.iter().for_each(|processor| processor.process(&mut attributes, &mut known));
        known
    }
}

impl Processor {
    fn all_of(processors: &Value) -> Vec<Self> {
        processors
            .as_array()
            .unwrap_or_else(|| panic!("no processors: {processors}"))
            .iter()
            .map(Self::read)
            .collect()
    }

    fn read(processor: &Value) -> Self {
        let text =
            |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {processor}")).to_owned();
        let target = match processor["type"].as_str().unwrap_or_default() {
            "pipeline" => {
                let query = text(&processor["filter"]["query"]);
                let lacks = query.strip_prefix("-@").and_then(|lacks| lacks.strip_suffix(":*"));
                let lacks = lacks.unwrap_or_else(|| panic!("no such query: {query}"));
                return Self::Lacking(lacks.to_owned(), Self::all_of(&processor["processors"]));
            }
            "grok-parser" => {
                assert_eq!(processor["source"], "message");
                let rule = text(&processor["grok"]["match_rules"]);
                let (_, pattern) =
                    rule.split_once(' ').unwrap_or_else(|| panic!("no name in front of {rule}"));
                let (pattern, groups) = regex_of(pattern);
                return Self::Grok(Regex::new(&pattern).unwrap_or_else(|error| panic!("{error}")), groups);
            }
            "trace-id-remapper" => "trace_id".to_owned(),
            "span-id-remapper" => "span_id".to_owned(),
            "service-remapper" => "service".to_owned(),
            "attribute-remapper" => text(&processor["target"]),
            other => panic!("no such processor: {other}"),
        };
        Self::Remapper(text(&processor["sources"][0]), target)
    }

    fn process(&self, attributes: &mut Texts, known: &mut Texts) {
        match self {
            Self::Lacking(attribute, processors) => {
                if !attributes.contains_key(attribute) {
                    for processor in processors {
                        processor.process(attributes, known);
                    }
                }
            }
            Self::Grok(expression, groups) => {
                let message = attributes.get("message").cloned().unwrap_or_default();
                let Some(captures) = expression.captures(&message) else { return };
                for (at, name) in groups.iter().enumerate() {
                    if let Some(found) = captures.name(&group(at)) {
                        attributes.insert(name.clone(), found.as_str().to_owned());
                    }
                }
            }
            Self::Remapper(source, target) => {
                known.extend(attributes.get(source).map(|value| (target.clone(), value.clone())));
            }
        }
    }
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
