//! What whoever runs the tests has asked for.

use std::fmt;

/// Whether something missing is a failure.
pub fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value == "true")
}

/// Whether the expansions are to be recorded anew.
pub fn is_overwriting() -> bool {
    variable("EXPANSION").is_some_and(|value| value == "overwrite")
}

#[expect(clippy::disallowed_methods, reason = "how tests run is up to who runs them")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Prints why a test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn report(what: fmt::Arguments<'_>) {
    eprintln!("{what}");
}
