//! Values with places to fill in: `{{environment_variables['NAME']}}-svc`.

use super::super::source::Values;
use super::Facts;
use super::rules::{LANGUAGE, Reason};

/// What templates name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) facts: Facts<'a>,
    /// Those of the file.
    pub(super) tags: &'a Values,
}

/// Stands where a template names nothing there is.
const UNDEFINED: &str = "UNDEFINED";

/// The text with its templates filled in, at most `max_bytes` long.
pub(super) fn expand(text: &str, scope: &Scope<'_>, max_bytes: usize) -> Result<String, Reason> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, template)) = rest.split_once("{{") {
        let (name, after) = template.split_once("}}").ok_or("a template is not closed")?;
        expanded.push_str(before);
        expanded.push_str(scope.value(name.trim()).unwrap_or(UNDEFINED));
        if expanded.len() > max_bytes {
            return Err(TOO_LONG);
        }
        rest = after;
    }
    expanded.push_str(rest);
    if expanded.len() > max_bytes { Err(TOO_LONG) } else { Ok(expanded) }
}

const TOO_LONG: Reason = "their values are longer than 1 MiB";

impl Scope<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        if name == "language" {
            return Some(LANGUAGE);
        }
        let (origin, key) = name.strip_suffix(']')?.split_once('[')?;
        let key = unquoted(key.trim());
        match origin.trim_end() {
            "environment_variables" => self.facts.environment.get(key).map(String::as_str),
            "process_arguments" => self.facts.argument(key),
            "tags" => self.tags.get(key).map(String::as_str),
            _ => None,
        }
    }
}

fn unquoted(key: &str) -> &str {
    let within = |quote: char| key.strip_prefix(quote)?.strip_suffix(quote);
    within('\'').or_else(|| within('"')).unwrap_or(key)
}
