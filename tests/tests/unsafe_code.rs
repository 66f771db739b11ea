//! Where unsafe code is: in one module of the runtime, and nowhere else.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use dd_traced_tests::{repository, rust_files, tokens};

/// The one module that may be unsafe: it reads the time-stamp counter.
const UNSAFE: &str = "runtime/src/clock.rs";
const MEMBERS: &[&str] = &["macros", "runtime", "examples", "tests", "ui-tests", "ui-tests/recorded"];
/// A workspace of its own, and code as users may write it.
const OTHERS: &[&str] =
    &["tests/bench", "ui-tests/tests/pass", "ui-tests/tests/fail", "ui-tests/tests/shapes"];

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

/// The lint may be named to forbid it, and for nothing else.
#[test]
fn no_other_module_lets_unsafe_code_in() {
    let faults: Vec<_> = MEMBERS
        .iter()
        .flat_map(|member| rust_files(&repository().join(member)))
        .filter(|file| !file.ends_with(UNSAFE))
        .filter(|file| !OTHERS.iter().any(|other| file.starts_with(repository().join(other))))
        .filter(|file| names_the_lint(&read(file)))
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn every_way_to_let_unsafe_code_in_is_found() {
    for (text, is_fault) in [
        ("#![forbid(unsafe_code)]", false),
        ("#![forbid(unsafe_code)] #[allow(unsafe_code)] fn f() {}", true),
        ("#![allow(dead_code, unsafe_code)]", true),
        ("#[cfg_attr(all(), expect(unsafe_code, reason = \"why\"))] mod m {}", true),
        ("#![forbid(missing_docs)] // unsafe_code", false),
    ] {
        assert_eq!(names_the_lint(&tokens(text)), is_fault, "{text}");
    }
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

fn names_the_lint(tokens: &[String]) -> bool {
    let places = tokens.iter().enumerate().filter(|(_, token)| *token == "unsafe_code");
    places.into_iter().any(|(at, _)| at < 2 || tokens[at - 2..at] != ["forbid", "("])
}

fn words(file: &Path) -> String {
    read(file).join(" ")
}

fn read(file: &Path) -> Vec<String> {
    tokens(&std::fs::read_to_string(file).expect("a readable source"))
}
