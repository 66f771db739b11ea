//! The rooms of the runtime are layers: each names only rooms below its own, and never one beside it.
//!
//! Read from the paths that start at `crate` (or reach it by `super`) in `runtime/src`. Code under `#[cfg(test)]` is left out:
//! a test may come in through the front door.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use dd_traced_tests::{repository, rust_files, tokens};

/// The layers from the top. What is not in this list has no place yet.
const LAYERS: &[&[&str]] = &[
    DOORS,
    &["global"],
    &["support"],
    &["trace"],
    &["config"],
    &["worker"],
    &["export", "stats"],
    &["sampling", "propagation"],
    &["model"],
    &["diagnostics", "clock"],
];

/// The doors are the face of the crate: they may name each other, and names that `lib.rs` re-exports.
const DOORS: &[&str] = &["lib", "macro_support", "log", "testing", "foreign", "doctor", "bin"];

#[test]
fn each_room_names_only_rooms_below_its_own() {
    let sources = runtime_sources();
    let faults: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| source.named.iter().map(move |named| (source, named)))
        .filter(|(source, named)| !may_name(source.room(), named))
        .map(|(source, named)| format!("{} names `{named}`, which is not below it", source.path.join("/")))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn each_room_has_a_place_in_the_layers() {
    let sources = runtime_sources();
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    assert!(rooms.contains("trace") && rooms.contains("model"), "the sources were found: {rooms:?}");
    let homeless: Vec<_> = rooms.iter().filter(|room| layer_of(room).is_none()).collect();
    assert!(homeless.is_empty(), "no layer is given for {homeless:?}");
    let missing: Vec<_> =
        LAYERS.iter().flat_map(|layer| *layer).filter(|room| !rooms.contains(*room)).collect();
    assert!(missing.is_empty(), "there is no room {missing:?}");
}

fn may_name(room: &str, named: &str) -> bool {
    if room == named || DOORS.contains(&room) {
        return true;
    }
    // What is not a room is a name that `lib.rs` re-exports, and so a thing of the doors.
    matches!((layer_of(room), layer_of(named)), (Some(own), Some(other)) if own < other)
}

fn layer_of(room: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&room))
}

/// A file of the runtime, and what it names at the top of the crate.
#[derive(Debug)]
struct Source {
    path: Vec<String>,
    named: BTreeSet<String>,
    /// Modules that exist for tests only, and have files of their own.
    test_modules: Vec<Vec<String>>,
}

impl Source {
    fn room(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }
}

fn runtime_sources() -> Vec<Source> {
    let root = repository().join("runtime/src");
    let all: Vec<Source> = rust_files(&root)
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).expect("a readable source");
            read(module_path(file.strip_prefix(&root).expect("a path below the root")), &tokens(&text))
        })
        .collect();
    let only_for_tests: Vec<Vec<String>> =
        all.iter().flat_map(|source| source.test_modules.iter().cloned()).collect();
    all.into_iter()
        .filter(|source| !only_for_tests.iter().any(|module| source.path.starts_with(module)))
        .collect()
}

/// `trace/stack/mod.rs` is the module `trace::stack`; `lib.rs` is the top.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> = file
        .with_extension("")
        .components()
        .map(|component| component.as_os_str().to_string_lossy().into_owned())
        .collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

fn read(path: Vec<String>, tokens: &[String]) -> Source {
    let mut source = Source { path, named: BTreeSet::new(), test_modules: Vec::new() };
    let mut inline: Vec<usize> = Vec::new();
    let mut braces = 0;
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        match rest[0].as_str() {
            "#" if is_for_tests(rest) => {
                let length = item_length(rest);
                source.test_modules.extend(test_file(&source.path, &rest[..length]));
                at += length;
                continue;
            }
            "{" => {
                braces += 1;
                if at >= 2 && tokens[at - 2] == "mod" {
                    inline.push(braces);
                }
            }
            "}" => {
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
                braces -= 1;
            }
            "crate" => source.named.extend(named_after(&rest[1..])),
            "super" if at < 2 || tokens[at - 2] != "super" => {
                let ups = rest.chunks(2).take_while(|pair| pair[0] == "super").count();
                if ups >= source.path.len() + inline.len() {
                    source.named.extend(named_after(&rest[2 * ups - 1..]));
                }
            }
            _ => {}
        }
        at += 1;
    }
    source
}

/// Whether an attribute `#[cfg(test)]` or `#[cfg(all(test, …))]` stands here.
fn is_for_tests(tokens: &[String]) -> bool {
    let starts = |with: &[&str]| tokens.iter().map(String::as_str).take(with.len()).eq(with.iter().copied());
    starts(&["#", "[", "cfg", "(", "test"]) || starts(&["#", "[", "cfg", "(", "all", "(", "test"])
}

/// The module of the file that `#[cfg(test)] mod tests;` brings in, as its place says: `#[path = "…"]` puts it elsewhere.
fn test_file(path: &[String], item: &[String]) -> Option<Vec<String>> {
    let [.., keyword, module, end] = item else { return None };
    if end != ";" || keyword != "mod" {
        return None;
    }
    let file = item.iter().find_map(|token| token.strip_prefix('"')?.strip_suffix(".rs\""));
    Some(match file {
        None => [path, std::slice::from_ref(module)].concat(),
        Some(file) => [&path[..path.len().saturating_sub(1)], &[file.to_owned()]].concat(),
    })
}

/// The length of an item with its attributes: up to its `;` or the end of its block.
fn item_length(tokens: &[String]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 => return at + 1,
            "}" | ")" | "]" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The first names after `crate`: one, or those of a group.
fn named_after(tokens: &[String]) -> Vec<String> {
    let [separator, first, ..] = tokens else { return Vec::new() };
    if separator != "::" {
        return Vec::new();
    }
    if first != "{" {
        return vec![first.clone()];
    }
    let mut names = Vec::new();
    let mut depth = 0;
    for pair in tokens[1..].windows(2) {
        match pair[0].as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(pair[0].as_str(), "{" | ",") && pair[1] != "}" {
            names.push(pair[1].clone());
        }
    }
    names
}

#[test]
fn paths_are_found_in_every_form() {
    let text = "
        use crate::{export::{self, queue}, model::Record, clock};
        use super::super::worker::Thread; use super::sibling;
        fn f() { crate::sampling::decide() }
        mod inner { use super::super::super::config::Settings; use super::super::near; }
        #[cfg(test)] mod tests;
        #[cfg(test)] #[path = \"elsewhere.rs\"] mod tests;
        #[cfg(test)] mod more { use crate::testing; }
        #[cfg(any(test, feature = \"x\"))] use crate::stats;
    ";
    let source = read(vec!["trace".to_owned(), "stack".to_owned()], &tokens(text));
    let named: Vec<&str> = source.named.iter().map(String::as_str).collect();
    assert_eq!(named, ["clock", "config", "export", "model", "sampling", "stats", "worker"]);
    assert_eq!(source.test_modules, [vec!["trace", "stack", "tests"], vec!["trace", "elsewhere"]]);
}

#[test]
fn a_name_from_above_or_beside_is_a_fault() {
    assert!(may_name("trace", "export") && may_name("lib", "testing") && may_name("model", "model"));
    assert!(!may_name("export", "worker") && !may_name("export", "stats") && !may_name("trace", "Span"));
}
