//! Where unsafe code is: in one module of the runtime, and nowhere else.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use dd_traced_tests::{repository, rust_files, tokens};

/// The one module that may be unsafe: it reads the time-stamp counter.
const UNSAFE: &str = "runtime/src/clock.rs";
const MEMBERS: &[&str] = &["macros", "runtime", "examples", "tests", "ui-tests"];

#[test]
fn every_other_crate_forbids_unsafe_code() {
    let faults: Vec<_> = MEMBERS
        .iter()
        .filter(|member| **member != "runtime")
        .map(|member| repository().join(member).join("src/lib.rs"))
        .filter(|root| !words(root).contains("# ! [ forbid ( unsafe_code ) ]"))
        .collect();
    assert!(faults.is_empty(), "no `#![forbid(unsafe_code)]` in {faults:?}");
}

#[test]
fn no_other_module_lets_unsafe_code_in() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|file| !file.ends_with(UNSAFE))
        .filter(|file| {
            words(file).contains("( unsafe_code") && !words(file).contains("forbid ( unsafe_code )")
        })
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn no_other_module_of_the_runtime_is_unsafe() {
    let faults: Vec<_> = rust_files(&repository().join("runtime"))
        .into_iter()
        .filter(|file| !file.ends_with(UNSAFE))
        .filter(|file| read(file).iter().any(|token| token == "unsafe"))
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

fn sources() -> Vec<PathBuf> {
    MEMBERS.iter().flat_map(|member| rust_files(&repository().join(member).join("src"))).collect()
}

fn words(file: &Path) -> String {
    read(file).join(" ")
}

fn read(file: &Path) -> Vec<String> {
    tokens(&std::fs::read_to_string(file).expect("a readable source"))
}
