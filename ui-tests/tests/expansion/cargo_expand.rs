//! `cargo expand`, installed below the target directory, once.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use dd_traced_ui_tests::{is_ci, report};

/// The release that printed the recordings.
const VERSION: &str = "1.0.127";
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// The whole of the package `dd-traced-recorded`, expanded; `None` where `cargo-expand` can not be installed: what is missing is
/// printed then.
///
/// # Panics
/// Where something is missing and the variable `CI` is `true`, or the package does not compile.
pub(crate) fn expanded(arguments: &[&str]) -> Option<String> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = match INSTALLED.get_or_init(install) {
        Ok(program) => program,
        Err(missing) if is_ci() => panic!("cargo-expand can not be installed: {missing}"),
        Err(missing) => {
            report(format_args!("skipped, since cargo-expand can not be installed: {missing}"));
            return None;
        }
    };
    let mut expand = Command::new(program);
    expand.args([
        "expand",
        "--package",
        "dd-traced-recorded",
        "--lib",
        "--theme",
        "none",
        "--color",
        "never",
    ]);
    expand.args(arguments).arg("--target-dir").arg(Path::new(SCRATCH).join("expansion"));
    let output = run(expand).unwrap_or_else(|error| panic!("cargo expand does not start: {error}"));
    assert!(output.status.success(), "cargo expand fails: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("an expansion is text"))
}

/// The program. An exact version that is there is found without a look at the registry, and a second process waits for the first.
fn install() -> Result<PathBuf, String> {
    let root = Path::new(SCRATCH).join("cargo-expand");
    let mut install = Command::new(env!("CARGO"));
    // It runs twice and takes a minute to build; optimising it would take three.
    install.args([
        "install",
        "--locked",
        "--profile",
        "dev",
        "--config",
        "profile.dev.debug=false",
        "--root",
    ]);
    install.arg(&root).args(["--version", &format!("={VERSION}"), "cargo-expand"]);
    let output = run(install).map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(root.join("bin").join(format!("cargo-expand{}", std::env::consts::EXE_SUFFIX)));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let faults: Vec<&str> =
        said.lines().skip_while(|line| !line.starts_with("error")).map(str::trim).collect();
    Err(faults.join(" | "))
}

/// Runs a cargo with directories of its own, whatever those of the running one are.
fn run(mut cargo: Command) -> std::io::Result<Output> {
    cargo.env_remove("CARGO_TARGET_DIR").env("CARGO", env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output()
}
