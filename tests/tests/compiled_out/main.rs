//! Where the library is compiled without `enable`, wrappers of loggers pass on what they get, and placeholders are zeros.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use dd_traced_tests::repository;

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
const PROGRAM: &str = include_str!("program.txt");

/// A package outside of the workspace, whose other members ask for `enable`.
const MANIFEST: &str = r#"
[package]
name = "compiled-out"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.dev]
debug = false

[dependencies]
dd-traced = { path = "RUNTIME", default-features = false, features = ["log", "slog", "tracing"] }
log = { version = "0.4.21", features = ["kv", "std"] }
slog = "2.8"
tracing = "0.1"
tracing-subscriber = { version = "0.3.18", default-features = false, features = ["fmt", "json"] }
"#;

#[test]
fn lines_are_as_they_would_be_without_the_library() {
    let package = Path::new(SCRATCH).join("compiled-out");
    fs::create_dir_all(package.join("src")).expect("a directory");
    let runtime = repository().join("runtime").display().to_string();
    fs::write(package.join("Cargo.toml"), MANIFEST.replace("RUNTIME", &runtime)).expect("a manifest");
    fs::write(package.join("src/main.rs"), PROGRAM).expect("a program");
    fs::copy(repository().join("Cargo.lock"), package.join("Cargo.lock")).expect("a lock file");

    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&package)
        .args(["run", "--quiet", "--offline", "--target-dir"])
        .arg(package.join("target"));
    let output = cargo.stdin(Stdio::null()).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        lines,
        r#"log: an order
log: an order
log: placed in 0, span 0
log: an order key=1
slog: an order
slog: an order key=1
 INFO an order
{"level":"INFO","message":"an order"}
an order of ""
"#
    );
}
