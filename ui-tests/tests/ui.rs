//! What the macros refuse, with the messages as users see them, and what they accept.
#![forbid(unsafe_code)]

use dd_traced_ui_tests::is_recorded_compiler;

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    if is_recorded_compiler("tests/fail") {
        cases.compile_fail("tests/fail/*.rs");
    }
}
