//! The installation of what tests need from `PyPI`: a virtual environment, made once and then found.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The releases that the tests were written against: the test agent, and Datadog's tracer for Python.
const AGENT: &str = "1.69.1";
const TRACER: &str = "4.16.0";
const SCRIPT: &str = include_str!("install.py");

/// The directory of the environment's programs, installed below `scratch` if it was not; the error says what is missing for that. Tried once
/// in the life of a process.
pub(super) fn installed(scratch: &Path) -> Result<PathBuf, String> {
    static RESULT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    RESULT.get_or_init(|| install(scratch)).clone()
}

fn install(scratch: &Path) -> Result<PathBuf, String> {
    let directory = scratch.join(format!("python-{AGENT}-{TRACER}"));
    let packages = [["ddapm-test-agent==", AGENT].concat(), ["ddtrace==", TRACER].concat()];
    let mut command = Command::new("python3");
    // The environment is inherited: it may name a package index or a proxy.
    command.args(["-c", SCRIPT]).arg(&directory).args(&packages).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("python3 can not be started: {error}"))?;
    if output.status.success() {
        Ok(directory.join("bin"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
