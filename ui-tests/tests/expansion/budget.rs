//! How many lines a function gains, as `cargo expand` prints it with short paths.

use std::collections::BTreeMap;

use syn::ItemFn;

use crate::functions::{functions, printed, shortened};
use crate::recording::{Feature, recorded};

/// A guard in front of the statements.
const GUARD: usize = 1;
/// A closure around the body, what looks at its value, and the return of it.
const CLOSURE: usize = 5;
/// A future around the body, in four lines; three more fix the type of its output.
const FUTURE: usize = 7;
/// The closure that looks at what a future gives.
const LOOK: usize = 1;
/// A line for each tag, and what holds them where they do not fit into one line.
const fn tags(count: usize) -> usize {
    count + 2
}
/// In front of a log line.
const PREFIX: usize = 2;
/// Around a body with items.
const BRACES: usize = 2;

/// What each recorded function gains.
const GAINED: &[(&str, usize)] = &[
    ("asynchronous::items", FUTURE + BRACES),
    ("asynchronous::load", FUTURE + LOOK),
    // It has no hint, but a call behind the future.
    ("asynchronous::never", FUTURE - 3 + 1),
    ("asynchronous::silent", FUTURE),
    ("asynchronous::tags", FUTURE + LOOK + 1),
    ("asynchronous::unit", FUTURE),
    ("asynchronous::value", FUTURE),
    ("blocks::Named::greeting", GUARD),
    ("blocks::Shelf::first", CLOSURE),
    ("blocks::Shelf::name", GUARD),
    ("blocks::Shelf::put", GUARD + 2),
    ("blocks::Shelf::take", FUTURE + 1),
    ("fallible::debug", CLOSURE),
    ("fallible::display", CLOSURE),
    ("fallible::hidden", CLOSURE),
    ("fallible::load", CLOSURE),
    // Four lines of it are the user's function.
    ("fallible::mapped", CLOSURE + 6 + 4),
    // Two looks do not fit into one line.
    ("fallible::shown", CLOSURE + 3),
    ("fallible::silent", GUARD),
    ("fallible::tags", CLOSURE + 2),
    ("lines::prefix", PREFIX + 2),
    ("lines::structured", PREFIX),
    ("plain::area", GUARD),
    ("plain::caller", GUARD),
    // Four lines of it are the user's `format!`.
    ("plain::computed", GUARD + tags(2) + 4),
    ("plain::conditional", GUARD + tags(2) + 2),
    ("plain::constants", GUARD),
    ("plain::inner_attribute", GUARD),
    ("plain::items", GUARD + BRACES),
    ("plain::named", GUARD),
    ("plain::never", GUARD),
    ("plain::one_tag", GUARD),
    ("plain::root", GUARD + 2),
    ("plain::tags", GUARD + tags(5)),
    // The wrapper begins on the line of the block, whose braces stay.
    ("returned::block", 0),
    ("returned::boxed", 0),
    ("returned::early", 5),
    ("returned::statements", 7),
    ("small::digest", CLOSURE),
];

#[test]
fn an_expansion_gains_the_lines_that_are_stated() {
    let off = recorded_functions(Feature::Off);
    let mut gains: BTreeMap<&str, usize> = GAINED.iter().copied().collect();
    let mut faults = Vec::new();
    for (name, function) in &recorded_functions(Feature::On) {
        let gained = lines(function) - lines(&off[name]);
        let stated = gains.remove(name.as_str()).unwrap_or(0);
        if gained != stated {
            faults.push(format!("{name} gains {gained} lines, not {stated}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(gains.is_empty(), "no recording of {gains:?}");
}

#[test]
fn no_closure_is_around_a_plain_body() {
    let off = recorded_functions(Feature::Off);
    let on = recorded_functions(Feature::On);
    let plain: Vec<_> = on.iter().filter(|(name, _)| name.starts_with("plain::")).collect();
    assert!(!plain.is_empty(), "there are recordings");
    for (name, function) in plain {
        let body = |function: &ItemFn| function.block.stmts.iter().map(statement).collect::<Vec<_>>();
        let (with, without) = (body(function), body(&off[name]));
        let [guard, rest @ ..] = &with[..] else { panic!("{name} has no body") };
        assert!(guard.starts_with("let _span ="), "{name} starts with {guard}");
        let braced = format!("{{ {} }}", without.join(" "));
        assert!(rest == without || rest == [braced], "{name} is not as written: {rest:?}");
    }
}

fn statement(statement: &syn::Stmt) -> String {
    quote::ToTokens::to_token_stream(statement).to_string()
}

/// All recorded functions, as `module::name`.
fn recorded_functions(feature: Feature) -> BTreeMap<String, ItemFn> {
    let of_module = |(module, file)| {
        functions(&file).into_iter().map(move |(name, function)| (format!("{module}::{name}"), function))
    };
    recorded(feature).into_iter().flat_map(of_module).collect()
}

fn lines(function: &ItemFn) -> usize {
    printed(shortened(function)).lines().count()
}
