//! Which rule of a file is for this process.

use super::super::source::Values;
use super::super::yaml::Node;
use super::Facts;
use super::template::{Scope, expand};

/// Why the rules of a file are not followed. A rule that is not understood might be the one that is meant, so that none is.
pub(super) type Reason = &'static str;

/// The language of this library, for selectors and templates.
pub(super) const LANGUAGE: &str = "rust";

/// Bytes of all values of a rule once their templates are filled in.
const MAX_EXPANDED_BYTES: usize = 1 << 20;

/// The configuration of the first rule that holds, its templates filled in.
pub(super) fn matching(
    rules: Option<&Node>,
    facts: Facts<'_>,
    tags: &Values,
) -> Result<Option<Node>, Reason> {
    let rules = match rules {
        None | Some(Node::Null) => return Ok(None),
        Some(Node::List(rules)) => rules,
        Some(_) => return Err("they are no list"),
    };
    let scope = Scope { facts, tags };
    let variables: Vec<String> =
        facts.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut found = None;
    for rule in rules {
        let selectors = Selector::all_of(rule)?;
        if found.is_none() && selectors.iter().all(|selector| selector.holds(&scope, &variables)) {
            found = Some(rule);
        }
    }
    found
        .and_then(|rule| rule.get("configuration"))
        .map(|configuration| filled_in(configuration, &scope))
        .transpose()
}

fn filled_in(configuration: &Node, scope: &Scope<'_>) -> Result<Node, Reason> {
    let Node::Map(entries) = configuration else { return Ok(configuration.clone()) };
    let mut room = MAX_EXPANDED_BYTES;
    let mut filled = Vec::new();
    for (key, value) in entries {
        let value = match value {
            Node::Scalar(text) => {
                let text = expand(text, scope, room)?;
                room -= text.len();
                Node::Scalar(text)
            }
            other => other.clone(),
        };
        filled.push((key.clone(), value));
    }
    Ok(Node::Map(filled))
}

/// One condition of a rule.
#[derive(Debug)]
struct Selector<'a> {
    origin: Origin,
    key: Option<&'a str>,
    operator: Operator,
    /// Any of them is enough.
    matches: Vec<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Environment,
    Arguments,
    Language,
    Tags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Equals,
    Prefix,
    Suffix,
}

impl<'a> Selector<'a> {
    fn all_of(rule: &'a Node) -> Result<Vec<Self>, Reason> {
        match rule.get("selectors") {
            Some(Node::List(selectors)) => selectors.iter().map(Self::parse).collect(),
            None | Some(Node::Null) if matches!(rule, Node::Map(_)) => Ok(Vec::new()),
            _ => Err("the selectors of a rule are no list"),
        }
    }

    fn parse(node: &'a Node) -> Result<Self, Reason> {
        let origin = match node.get("origin").and_then(Node::text) {
            Some("environment_variables") => Origin::Environment,
            Some("process_arguments") => Origin::Arguments,
            Some("language") => Origin::Language,
            Some("tags") => Origin::Tags,
            _ => return Err("a selector has an unknown origin"),
        };
        let operator = match node.get("operator").and_then(Node::text) {
            Some("exists") => Operator::Exists,
            Some("equals") => Operator::Equals,
            Some("prefix_matches") => Operator::Prefix,
            Some("suffix_matches") => Operator::Suffix,
            _ => return Err("a selector has an unknown operator"),
        };
        let matches = match node.get("matches") {
            None | Some(Node::Null) => Vec::new(),
            Some(Node::Scalar(text)) => vec![text.as_str()],
            Some(Node::List(items)) => {
                items.iter().map(|item| item.text().ok_or("a match is no text")).collect::<Result<_, _>>()?
            }
            Some(Node::Map(_)) => return Err("the matches of a selector are no list"),
        };
        let key = node.get("key").and_then(Node::text);
        if origin == Origin::Tags && key.is_none() {
            return Err("a selector of tags has no key");
        }
        Ok(Self { origin, key, operator, matches })
    }

    /// `variables` are those of the environment as `NAME=value`.
    fn holds(&self, scope: &Scope<'_>, variables: &[String]) -> bool {
        let Scope { facts, tags } = scope;
        match (self.origin, self.key) {
            (Origin::Language, _) => self.takes(LANGUAGE),
            (Origin::Tags, key) => key.and_then(|key| tags.get(key)).is_some_and(|value| self.takes(value)),
            (Origin::Environment, Some(key)) => {
                facts.environment.get(key).is_some_and(|value| self.takes(value))
            }
            (Origin::Environment, None) => variables.iter().any(|variable| self.takes(variable)),
            (Origin::Arguments, Some(key)) => facts.argument(key).is_some_and(|value| self.takes(value)),
            (Origin::Arguments, None) => facts.arguments.iter().any(|argument| self.takes(argument)),
        }
    }

    fn takes(&self, value: &str) -> bool {
        let any = |test: fn(&str, &str) -> bool| self.matches.iter().any(|text| test(value, text));
        match self.operator {
            Operator::Exists => true,
            Operator::Equals => any(|value, text| value == text),
            Operator::Prefix => any(|value, text| value.starts_with(text)),
            Operator::Suffix => any(|value, text| value.ends_with(text)),
        }
    }
}

impl<'a> Facts<'a> {
    /// The value of an argument `key=value`; that of a bare `key` is empty.
    pub(super) fn argument(&self, key: &str) -> Option<&'a str> {
        let split = |argument: &'a String| argument.split_once('=').unwrap_or((argument, ""));
        self.arguments.iter().map(split).find_map(|(found, value)| (found == key).then_some(value))
    }
}
