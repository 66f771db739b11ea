//! The compiler that the recordings belong to.

use std::process::Command;

use crate::report;

/// The compiler whose messages and expansions are recorded.
const RECORDED_WITH: &str = "rustc 1.95.";

/// Whether the recordings can be compared here. Where not, that is printed, with what is `skipped`.
///
/// # Panics
/// Where the compiler does not run.
pub fn is_recorded_compiler(skipped: &str) -> bool {
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let output = Command::new(rustc).arg("--version").output().unwrap_or_else(|error| panic!("{error}"));
    let version = String::from_utf8_lossy(&output.stdout);
    let is_recorded = version.starts_with(RECORDED_WITH);
    if !is_recorded {
        report(format_args!("skipped {skipped}: recorded with {RECORDED_WITH}x, this is {}", version.trim()));
    }
    is_recorded
}
