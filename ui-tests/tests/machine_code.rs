//! Where nothing is recorded, a function with the attribute is the same program as without it.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn without_the_feature_the_attribute_leaves_no_instruction() {
    let (with, without) = (instructions(&[]), instructions(&["--features", "bare"]));
    assert!(with.len() > 5, "the function was found: {with:#?}");
    assert_eq!(with, without);
}

/// The instructions of `small::digest` in a release build without the feature `enable`.
fn instructions(arguments: &[&str]) -> Vec<String> {
    let scratch = Path::new(SCRATCH).join("machine-code");
    let listing = scratch.join(if arguments.is_empty() { "with.s" } else { "without.s" });
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustc", "--package", "dd-traced-recorded", "--lib", "--release", "--no-default-features"]);
    cargo.args(arguments).arg("--target-dir").arg(&scratch);
    cargo.arg("--").arg(format!("--emit=asm={}", listing.display())).arg("-Ccodegen-units=1");
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output();
    let output = output.expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = fs::read_to_string(listing).expect("a listing");
    let is_start = |line: &&str| line.ends_with(':') && line.contains("small") && line.contains("digest");
    let function = listing.lines().skip_while(|line| !is_start(line)).skip(1);
    let function = function.take_while(|line| !line.contains(".cfi_endproc"));
    function.map(str::trim).filter(|line| !line.starts_with(['.', '#'])).map(str::to_owned).collect()
}
