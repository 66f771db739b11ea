//! The page "what it expands to": the text around its examples is written by hand, the examples are the recordings.

use std::collections::BTreeMap;
use std::fs;

use syn::{Attribute, ItemFn};

use crate::functions::{functions, printed};
use crate::recording::{Feature, recorded, sources};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/expansion.md");
/// A place for an example is `<!-- module::function -->`, or `<!-- off module::function -->`, up to this line.
const END: &str = "<!-- end -->";

#[test]
fn the_page_shows_the_recordings() {
    // Another test writes it then.
    if dd_traced_ui_tests::is_overwriting() {
        return;
    }
    let page = fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains(END), "the page has examples");
    let found = with_examples(&page);
    assert!(found == page, "the page is to be\n{found}\nEXPANSION=overwrite writes it anew");
}

pub(crate) fn overwrite() {
    let page = fs::read_to_string(PAGE).expect("the page");
    fs::write(PAGE, with_examples(&page)).expect("the page is written");
}

/// The page with the examples as they are recorded now.
fn with_examples(page: &str) -> String {
    let mut written = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        let place = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
        if let Some(place) = place {
            lines.find(|line| *line == END);
            written.push_str(&example(place));
            written.push_str(END);
            written.push('\n');
        }
    }
    written
}

fn example(place: &str) -> String {
    let (feature, path) = match place.strip_prefix("off ") {
        Some(path) => (Feature::Off, path),
        None => (Feature::On, place),
    };
    let (module, name) = path.split_once("::").unwrap_or_else(|| panic!("no module in {place}"));
    let written = shown(sources().get(module), name);
    let expanded = shown(recorded(feature).get(module), name);
    format!("\n```rust\n{written}```\n\nbecomes\n\n```rust\n{expanded}```\n\n")
}

/// The function without its documentation.
fn shown(module: Option<&syn::File>, name: &str) -> String {
    let mut functions: BTreeMap<String, ItemFn> = module.map(functions).unwrap_or_default();
    let mut function = functions.remove(name).unwrap_or_else(|| panic!("no function {name}"));
    let is_shown = |attribute: &Attribute| !attribute.path().is_ident("doc");
    function.attrs.retain(is_shown);
    printed(function)
}
