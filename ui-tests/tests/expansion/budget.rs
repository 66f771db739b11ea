//! How many lines a function may gain, as `cargo expand` prints it with short paths.

use std::collections::BTreeMap;

use syn::ItemFn;

use crate::functions::{functions, printed, shortened};
use crate::recording::{Feature, recorded};

/// A guard in front of the statements.
const GUARD: usize = 1;
/// A closure around the body, and another that looks at what it returns.
const CLOSURES: usize = 9;
/// A future around the body; three lines of it fix the type of its output.
const FUTURE: usize = 7;
const FUTURE_AND_CLOSURE: usize = 11;
/// A line for each tag, and what holds them where they do not fit into one line.
const fn tags(count: usize) -> usize {
    count + 3
}
/// In front of a log line.
const PREFIX: usize = 2;
/// Around a body with items.
const BRACES: usize = 2;
/// A future around the one that is returned, and the closure that looks at what it gives.
const FUTURE_ONLY: usize = 4;
const CLOSURE: usize = 7;

/// What each recorded function may gain.
const BUDGET: &[(&str, usize)] = &[
    ("asynchronous::items", FUTURE + BRACES),
    ("asynchronous::load", FUTURE_AND_CLOSURE),
    ("asynchronous::never", FUTURE),
    ("asynchronous::silent", FUTURE),
    ("asynchronous::tags", FUTURE_AND_CLOSURE + 2),
    ("asynchronous::unit", FUTURE),
    ("asynchronous::value", FUTURE),
    ("blocks::Named::greeting", GUARD),
    ("blocks::Shelf::first", CLOSURES),
    ("blocks::Shelf::name", GUARD),
    ("blocks::Shelf::put", GUARD + 2),
    ("blocks::Shelf::take", FUTURE + 1),
    ("fallible::debug", CLOSURES),
    ("fallible::display", CLOSURES),
    ("fallible::hidden", CLOSURES),
    ("fallible::load", CLOSURES),
    // Four lines of it are the user's function.
    ("fallible::mapped", CLOSURES + 4),
    ("fallible::shown", CLOSURES + 8),
    ("fallible::silent", GUARD),
    ("fallible::tags", CLOSURES + 2),
    ("lines::prefix", PREFIX + 2),
    ("lines::structured", PREFIX),
    ("plain::area", GUARD),
    ("plain::caller", GUARD),
    // Six lines of it are the user's `format!`.
    ("plain::computed", GUARD + tags(2) + 6),
    ("plain::conditional", GUARD + tags(2) + 1),
    ("plain::constants", GUARD),
    ("plain::inner_attribute", GUARD),
    ("plain::items", GUARD + BRACES),
    ("plain::named", GUARD),
    ("plain::never", GUARD),
    ("plain::one_tag", GUARD + 1),
    ("plain::root", GUARD + 2),
    ("plain::tags", GUARD + tags(5)),
    ("returned::block", FUTURE_ONLY),
    ("returned::boxed", FUTURE_ONLY + 1),
    ("returned::early", FUTURE_ONLY + 1),
    ("returned::statements", FUTURE_ONLY + CLOSURE + 1),
    ("small::digest", CLOSURES + 2),
];

#[test]
fn an_expansion_is_within_its_budget() {
    let off = recorded_functions(Feature::Off);
    let mut budget: BTreeMap<&str, usize> = BUDGET.iter().copied().collect();
    let mut faults = Vec::new();
    for (name, function) in &recorded_functions(Feature::On) {
        let gained = lines(function) - lines(&off[name]);
        let may_gain = budget.remove(name.as_str()).unwrap_or(0);
        if gained > may_gain {
            faults.push(format!("{name} gains {gained} lines, more than {may_gain}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(budget.is_empty(), "no recording of {budget:?}");
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
