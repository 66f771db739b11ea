//! Findings as one object of JSON for programs.

use serde_json::{Map, Value, json};

use super::finding::{Detail, Finding, Report};
use crate::config::{Setting, SettingValue, SettingsTable};
use crate::support;

/// The object on one line: `version`, `command`, `exit_code`, and `findings` with `check`, `verdict`, `words`, `details` and `advice`.
pub(super) fn of(report: &Report) -> String {
    let object = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "command": report.command,
        "exit_code": report.exit_code(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    });
    support::on_one_line(&object.to_string()) + "\n"
}

fn finding(finding: &Finding) -> Value {
    let Finding { check, verdict, words, details, advice } = finding;
    let details: Map<String, Value> =
        details.iter().map(|(name, detail)| ((*name).to_owned(), value(detail))).collect();
    json!({ "check": check, "verdict": verdict.name(), "words": words, "details": details, "advice": advice })
}

fn value(detail: &Detail) -> Value {
    match detail {
        Detail::Value(value) => value.clone(),
        Detail::Lines(lines) => json!(lines),
        Detail::Settings(table) => table_value(table),
    }
}

fn table_value(table: &SettingsTable) -> Value {
    table.iter().map(setting).collect()
}

fn setting(setting: &Setting) -> Value {
    let shadowed: Vec<Value> = setting.shadowed().iter().map(beaten).collect();
    json!({
        "name": setting.name(),
        "value": setting.value(),
        "origin": setting.origin().to_string(),
        "variable": setting.variable(),
        "default": setting.default(),
        "has_effect": setting.has_effect(),
        "shadowed": shadowed,
    })
}

fn beaten(value: &SettingValue) -> Value {
    json!({
        "value": value.value(),
        "origin": value.origin().to_string(),
        "variable": value.variable(),
        "is_valid": value.is_valid(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;
    use crate::diagnostics::is_hostile;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_was_found_is_one_line_and_read_back(words: String, value: String, line: String, advice: String) {
            let finding = Finding::new("agent", Verdict::Warn, words.clone());
            let finding = finding.detail("value", value.clone()).lines("lines", vec![line.clone()]);
            let report = Report { command: "all", findings: vec![finding.advice(advice.clone())] };
            let text = of(&report);
            prop_assert!(!text.trim_end_matches('\n').contains(is_hostile));
            let read: Value = serde_json::from_str(&text).unwrap();
            let finding = &read["findings"][0];
            let details = json!({ "value": value, "lines": [line] });
            prop_assert_eq!(&finding["words"], &json!(words));
            prop_assert_eq!((&finding["details"], &finding["advice"]), (&details, &json!(advice)));
        }
    }
}
