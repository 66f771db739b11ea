//! What the macros refuse, with the messages as users see them, and what they accept.
#![forbid(unsafe_code)]

use std::process::Command;

/// The compiler whose messages are recorded beside the cases.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    if version.stdout.starts_with(RECORDED_WITH.as_bytes()) {
        cases.compile_fail("tests/fail/*.rs");
    }
}
