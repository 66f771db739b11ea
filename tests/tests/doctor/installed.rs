//! The program, installed as users install it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use dd_traced_tests::{Ended, command, repository, run};
use serde_json::Value;

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// The installed program, with an environment that holds nothing but the search path and these variables.
pub(crate) fn doctor(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(install).as_ref().unwrap_or_else(|fault| panic!("{fault}"));
    let mut doctor = command(program);
    doctor.args(arguments).envs(variables.iter().copied()).current_dir(SCRATCH);
    doctor
}

/// Unoptimised, and into the directory where the rest is built, so that little is left to be compiled.
fn install() -> Result<PathBuf, String> {
    let root = Path::new(SCRATCH).join("doctor");
    let target = Path::new(SCRATCH).parent().expect("a directory of all that is built");
    let mut install = Command::new(env!("CARGO"));
    install
        .args(["install", "--quiet", "--locked", "--offline", "--debug", "--force", "--no-track"])
        .args(["--features", "doctor", "--path"])
        .arg(repository().join("runtime"))
        .arg("--root")
        .arg(&root)
        .arg("--target-dir")
        .arg(target);
    let output = install.output().expect("cargo runs");
    if !output.status.success() {
        return Err(format!("{install:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(root.join("bin").join(format!("dd-traced-doctor{}", std::env::consts::EXE_SUFFIX)))
}

/// How the program ended, and its report.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) ended: Ended,
    pub(crate) report: Value,
}

/// Runs a command of the program with `--json`.
pub(crate) fn examine(arguments: &[&str], variables: &[(&str, &str)]) -> Examined {
    let ended = run(doctor(arguments, variables).arg("--json"));
    let report: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("no report: {error}: {ended:#?}"));
    let code = ended.status.code().map(i64::from);
    assert_eq!(report["exit_code"].as_i64(), code, "{ended:#?}");
    assert_eq!(ended.stderr, "", "all is in the report");
    Examined { ended, report }
}

impl Examined {
    pub(crate) fn code(&self) -> Option<i32> {
        self.ended.status.code()
    }

    /// The checks and their verdicts, such as `agent ok`.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let findings = self.report["findings"].as_array().expect("findings");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        findings
            .iter()
            .map(|finding| format!("{} {}", text(&finding["check"]), text(&finding["verdict"])))
            .collect()
    }

    /// The only finding of a check.
    pub(crate) fn finding(&self, check: &str) -> &Value {
        let findings = self.report["findings"].as_array().expect("findings");
        let mut found = findings.iter().filter(|finding| finding["check"] == check);
        match (found.next(), found.next()) {
            (Some(finding), None) => finding,
            _ => panic!("not one finding of {check}: {:#}", self.report),
        }
    }

    pub(crate) fn words(&self, check: &str) -> &str {
        self.finding(check)["words"].as_str().expect("words")
    }

    pub(crate) fn advice(&self, check: &str) -> &str {
        self.finding(check)["advice"].as_str().unwrap_or_default()
    }

    pub(crate) fn detail(&self, check: &str, name: &str) -> &Value {
        &self.finding(check)["details"][name]
    }
}
