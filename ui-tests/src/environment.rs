//! What whoever runs the tests has asked for.

use std::fmt;
use std::io::Write;

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

/// Prints why a test is skipped: to the stream itself, because what `eprintln!` prints is seen only where a test fails.
pub fn report(what: fmt::Arguments<'_>) {
    // A line that nobody reads is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{what}");
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The marker used to be captured together with the output of the test, which passed.
    #[test]
    fn what_is_skipped_is_seen() {
        const MARKER: &str = "skipped: the marker of a test";
        report(format_args!("{MARKER}"));
        if std::env::args().any(|argument| argument == "--exact") {
            return;
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "environment::tests::what_is_skipped_is_seen"]);
        let output = again.output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains(MARKER), "{output:?}");
    }
}
