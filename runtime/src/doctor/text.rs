//! Findings as text for people.

use std::fmt::Write;

use serde_json::Value;

use super::finding::{Detail, Finding, Report, Verdict};
use crate::diagnostics::Escaped;

/// Bytes of a line; the JSON has all of it.
const MAX_LINE: usize = 2_000;
/// Below the words of a finding.
const INDENT: &str = "          ";

/// A paragraph for each finding, and a last line that sums them up.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        put(&mut text, finding);
    }
    text.push_str(&sum(report));
    text
}

fn put(text: &mut String, finding: &Finding) {
    let Finding { check, verdict, words, details, advice } = finding;
    put_line(text, &format!("{:<9} {check}: {words}", verdict.name()));
    for (name, detail) in details {
        match detail {
            Detail::Settings(table) if table.iter().next().is_none() => {}
            // Its lines are escaped and cut by the table.
            Detail::Settings(table) => {
                for line in table.to_string().lines() {
                    // Writing to a string does not fail.
                    let _ = writeln!(text, "{INDENT}{line}");
                }
            }
            Detail::Lines(lines) => lines.iter().for_each(|line| put_line(text, &format!("{INDENT}{line}"))),
            Detail::Value(Value::Array(items)) if items.iter().any(Value::is_object) => {
                for item in items {
                    put_line(text, &format!("{INDENT}{name}: {}", shown(item)));
                }
            }
            Detail::Value(value) => put_line(text, &format!("{INDENT}{name}: {}", shown(value))),
        }
    }
    if let Some(advice) = advice {
        put_line(text, &format!("{INDENT}→ {advice}"));
    }
}

/// Writes a line, whatever it holds.
fn put_line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", Escaped::new(line, MAX_LINE));
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) if text.is_empty() => "–".to_owned(),
        Value::Bool(is_so) => if *is_so { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name} {}", shown(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn sum(report: &Report) -> String {
    let problems = report.count(|verdict| matches!(verdict, Verdict::Problem(_)));
    let warnings = report.count(|verdict| verdict == Verdict::Warn);
    let code = report.exit_code();
    format!("{}, {}; exit status {code}\n", counted(problems, "problem"), counted(warnings, "warning"))
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Problem;
    use super::*;
    use crate::diagnostics::is_hostile;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_finding_is_a_paragraph() {
        let finding = Finding::new("agent", Verdict::Problem(Problem::Refused), "it refuses")
            .detail("version", Value::Null)
            .detail("endpoints", json!(["/a", "/b"]))
            .detail("rates", json!([{ "env": "", "rate": 0.5 }]))
            .lines("notices", vec!["one".to_owned(), "two".to_owned()])
            .advice("look at its log");
        let report = Report { command: "agent", findings: vec![finding] };
        let expected = "\
problem   agent: it refuses
          version: –
          endpoints: /a, /b
          rates: env –, rate 0.5
          one
          two
          → look at its log
1 problem, no warning; exit status 5
";
        assert_eq!(of(&report), expected);
    }

    proptest! {
        #[test]
        fn whatever_was_found_forges_no_line(words: String, value: String, line: String, advice: String) {
            let finding = Finding::new("agent", Verdict::Ok, words).detail("value", value);
            let finding = finding.lines("lines", vec![line]).advice(advice);
            let text = of(&Report { command: "all", findings: vec![finding] });
            prop_assert_eq!(text.lines().count(), 5);
            prop_assert!(text.lines().skip(1).take(3).all(|line| line.starts_with(INDENT)));
            prop_assert!(!text.replace('\n', "").contains(is_hostile));
        }
    }
}
