//! What the macros write, as `cargo expand` prints it: recorded, within its budget, and shown in the documentation.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod budget;
mod cargo_expand;
mod functions;
mod page;
mod recording;

use dd_traced_ui_tests::{is_overwriting, is_recorded_compiler};

use crate::recording::{Feature, modules, overwrite, recorded};

#[test]
fn the_recordings_are_what_the_macros_write() {
    if !is_recorded_compiler("the recorded expansions") {
        return;
    }
    for feature in Feature::BOTH {
        let Some(expansion) = cargo_expand::expanded(feature.arguments()) else { return };
        let found = modules(&expansion);
        if is_overwriting() {
            overwrite(feature, &found);
        }
        let expected = recorded(feature);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "modules with the feature {feature:?}"
        );
        for (name, module) in &found {
            let (found, expected) = (prettyplease::unparse(module), prettyplease::unparse(&expected[name]));
            assert!(
                found == expected,
                "`{name}` with the feature {feature:?} is now\n{found}\nEXPANSION=overwrite records it anew"
            );
        }
    }
    if is_overwriting() {
        page::overwrite();
    }
}

#[test]
fn without_the_feature_nothing_of_the_runtime_is_in_a_function() {
    for (module, file) in recorded(Feature::Off) {
        // Its macro calls the logger in any case.
        if module == "lines" {
            continue;
        }
        for (name, function) in functions::functions(&file) {
            let text = functions::printed(function);
            assert!(!text.contains("dd_traced"), "{module}::{name} without the feature is\n{text}");
        }
    }
}
