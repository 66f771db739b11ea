//! What a check found, in words and in values.

use serde_json::Value;

use crate::config::SettingsTable;

/// All that was found.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) command: &'static str,
    pub(super) findings: Vec<Finding>,
}

/// What one check found.
#[derive(Debug)]
pub(super) struct Finding {
    /// The name of the check.
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    /// One sentence.
    pub(super) words: String,
    /// By their names, in the order in which they are shown.
    pub(super) details: Vec<(&'static str, Detail)>,
    /// What to do about it.
    pub(super) advice: Option<String>,
}

/// Something that a finding rests on.
#[derive(Debug)]
pub(super) enum Detail {
    Value(Value),
    /// Texts, each of which is a sentence.
    Lines(Vec<String>),
    Settings(SettingsTable),
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well.
    Ok,
    /// It works, and may not be what is meant.
    Warn,
    /// It does not work.
    Problem(Problem),
    /// It was not looked at; the words say why.
    Skipped,
}

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Settings,
    Unreachable,
    Refused,
    Clock,
    LogFile,
}

/// The status of the process where the arguments make no sense.
pub(super) const USAGE: u8 = 2;

impl Problem {
    /// The status of the process where this is the first problem. `help` lists them.
    pub(super) const fn exit_code(self) -> u8 {
        match self {
            Self::Settings => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
            Self::Clock => 6,
            Self::LogFile => 7,
        }
    }
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Problem(_) => "problem",
            Self::Skipped => "skipped",
        }
    }
}

impl Finding {
    pub(super) fn new(check: &'static str, verdict: Verdict, words: impl Into<String>) -> Self {
        Self { check, verdict, words: words.into(), details: Vec::new(), advice: None }
    }

    pub(super) fn detail(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((name, Detail::Value(value.into())));
        self
    }

    /// Nothing where there are no lines.
    pub(super) fn lines(mut self, name: &'static str, lines: Vec<String>) -> Self {
        if !lines.is_empty() {
            self.details.push((name, Detail::Lines(lines)));
        }
        self
    }

    pub(super) fn settings(mut self, name: &'static str, table: SettingsTable) -> Self {
        self.details.push((name, Detail::Settings(table)));
        self
    }

    pub(super) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

impl Report {
    /// The status of the process: of several kinds of problem that with the smallest number, since a later kind may follow from an earlier one.
    pub(super) fn exit_code(&self) -> u8 {
        let problems = self.findings.iter().filter_map(|finding| match finding.verdict {
            Verdict::Problem(problem) => Some(problem.exit_code()),
            _ => None,
        });
        problems.min().unwrap_or(0)
    }

    pub(super) fn count(&self, is_meant: impl Fn(Verdict) -> bool) -> usize {
        self.findings.iter().filter(|finding| is_meant(finding.verdict)).count()
    }
}
