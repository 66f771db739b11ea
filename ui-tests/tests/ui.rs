//! What the macros refuse, with the messages as users see them.
#![forbid(unsafe_code)]

use dd_traced_ui_tests::is_recorded_compiler;

#[test]
fn ui() {
    if is_recorded_compiler("tests/fail") {
        trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
    }
}
