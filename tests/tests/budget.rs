//! What dd-traced costs those who depend on it: how many crates, under which licences, for which compilers.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use dd_traced_tests::repository;
use serde::Deserialize;

/// The crates of the default graph, own ones counted. `DESIGN.md` names the reason of each direct one.
const MOST_CRATES: usize = 82;
/// The oldest compiler that builds the default graph.
const OLDEST_COMPILER: (u32, u32) = (1, 85);
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];
const OWN: &[&str] = &["dd-traced", "dd-traced-macros"];
/// Who is known to be in the default graph. Another name wants a reason, and then a place in this list.
const KNOWN: &str = "
    atomic-waker autocfg base64 bitflags bytes dd-traced dd-traced-macros displaydoc form_urlencoded futures-channel
    futures-core futures-task futures-util http http-body http-body-util httparse hyper hyper-util icu_collections
    icu_locale_core icu_normalizer icu_normalizer_data icu_properties icu_properties_data icu_provider idna idna_adapter
    ipnet itoa libc linux-raw-sys litemap log memchr mio num-traits once_cell percent-encoding pin-project-lite potential_utf proc-macro2
    quote regex-lite reqwest rmp rmp-serde rustix serde serde_core serde_json slab smallvec socket2 stable_deref_trait syn sync_wrapper
    synstructure tinystr tokio tower tower-http tower-layer tower-service tracing tracing-core try-lock unicode-ident url
    utf8_iter utf_types want writeable yoke yoke-derive zerofrom zerofrom-derive zerotrie zerovec zerovec-derive zmij";

#[test]
fn the_default_graph_stays_small() {
    let graph = default_graph();
    let known: BTreeSet<&str> = KNOWN.split_whitespace().collect();
    let newcomers: Vec<_> = graph.iter().filter(|(name, _)| !known.contains(name.as_str())).collect();
    assert!(newcomers.is_empty(), "crates that nobody gave a reason for: {newcomers:?}");
    assert!(graph.len() <= MOST_CRATES, "{} crates are more than {MOST_CRATES}: {graph:?}", graph.len());
}

#[test]
fn each_direct_dependency_has_its_reason() {
    let design = std::fs::read_to_string(repository().join("DESIGN.md")).expect("DESIGN.md");
    let mut faults = Vec::new();
    for package in packages().values().filter(|package| OWN.contains(&package.name.as_str())) {
        let direct = package.dependencies.iter().filter(|dependency| dependency.kind.is_none());
        let named = direct.map(|dependency| dependency.name.as_str()).filter(|name| !OWN.contains(name));
        faults.extend(named.filter(|name| !design.contains(&format!("`{name}`"))).map(str::to_owned));
    }
    assert!(faults.is_empty(), "DESIGN.md does not say why we depend on {faults:?}");
}

#[test]
fn without_features_no_client_is_in_the_graph() {
    let graph = graph(&["--no-default-features"]);
    let clients: Vec<_> = graph
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "reqwest" | "hyper" | "tokio" | "rmp" | "serde_json"))
        .collect();
    assert!(clients.is_empty(), "{clients:?}");
}

#[test]
fn each_crate_may_be_used_freely() {
    let packages = packages();
    let faults: Vec<_> = graph_with_loggers()
        .into_iter()
        .map(|key| {
            let licence = packages[&key].license.clone().unwrap_or_default();
            (key, licence)
        })
        .filter(|(_, licence)| !is_allowed(licence))
        .collect();
    assert!(faults.is_empty(), "licences that are not in the list: {faults:?}");
}

/// What is published brings the licences along; the files at the top do not go into a package.
#[test]
fn each_package_holds_its_licences() {
    for (folder, file) in ["runtime", "macros"]
        .iter()
        .flat_map(|folder| ["LICENSE-APACHE", "LICENSE-MIT"].map(|file| (folder, file)))
    {
        let packed = std::fs::read_to_string(repository().join(folder).join(file)).unwrap_or_default();
        let licence = std::fs::read_to_string(repository().join(file)).expect("the licence");
        assert_eq!(packed, licence, "{folder}/{file}");
    }
}

#[test]
fn no_crate_asks_for_a_newer_compiler() {
    let packages = packages();
    let faults: Vec<_> = graph_with_loggers()
        .into_iter()
        .filter_map(|key| {
            let stated = packages[&key].rust_version.clone()?;
            // A version that cannot be read is a fault too.
            version(&stated).is_none_or(|version| version > OLDEST_COMPILER).then_some((key, stated))
        })
        .collect();
    assert!(faults.is_empty(), "newer than {OLDEST_COMPILER:?}: {faults:?}");
}

#[test]
fn licence_expressions_are_read_as_they_are_meant() {
    assert!(is_allowed("MIT") && is_allowed("MIT/Apache-2.0") && is_allowed("Unlicense OR MIT"));
    assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_allowed("(MIT OR Apache-2.0) AND GPL-3.0") && !is_allowed("GPL-3.0") && !is_allowed(""));
    assert!(!is_allowed("MIT AND (GPL-3.0 OR AGPL-3.0)"));
}

/// A name and a version.
type Key = (String, String);

fn default_graph() -> BTreeSet<Key> {
    graph(&[])
}

/// The default graph and what the doors to loggers bring.
fn graph_with_loggers() -> BTreeSet<Key> {
    let graph = graph(&["--features", "slog,tracing"]);
    assert!(graph.iter().any(|(name, _)| name == "slog") && graph.is_superset(&default_graph()), "{graph:?}");
    graph
}

/// What a dependency on `dd-traced` builds on this machine. `cargo tree` resolves the features of this one package, where
/// `cargo metadata` would mix in those which other members of the workspace ask for.
fn graph(options: &[&str]) -> BTreeSet<Key> {
    let mut command = cargo("tree");
    command.args(["--package", "dd-traced", "--edges", "normal,build", "--prefix", "none"]);
    let graph: BTreeSet<Key> = output(command.args(options))
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
        })
        .collect();
    assert!(graph.iter().any(|(name, _)| name == "dd-traced"), "{graph:?}");
    graph
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    version: String,
    license: Option<String>,
    rust_version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

fn packages() -> BTreeMap<Key, Package> {
    let mut command = cargo("metadata");
    command.args(["--format-version", "1", "--filter-platform", &host()]);
    let metadata: Metadata = serde_json::from_str(&output(&mut command)).expect("metadata as JSON");
    metadata
        .packages
        .into_iter()
        .map(|package| ((package.name.clone(), package.version.clone()), package))
        .collect()
}

fn cargo(verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(repository()).args([verb, "--locked", "--quiet"]);
    command
}

fn host() -> String {
    let text = output(Command::new(env!("CARGO")).args(["--version", "--verbose"]));
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo names its host").to_owned()
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether an SPDX expression leaves a choice that is in the list. `/` is an old way to write `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    alternatives(&mut rest) && rest.is_empty()
}

fn alternatives(rest: &mut &[&str]) -> bool {
    let mut is_allowed = conjunction(rest);
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        is_allowed |= conjunction(rest);
    }
    is_allowed
}

fn conjunction(rest: &mut &[&str]) -> bool {
    let mut is_allowed = term(rest);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        is_allowed &= term(rest);
    }
    is_allowed
}

fn term(rest: &mut &[&str]) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let is_allowed = alternatives(rest);
            if let [")", after @ ..] = *rest {
                *rest = after;
            }
            is_allowed
        }
        [name, "WITH", exception, after @ ..] => {
            *rest = after;
            LICENCES.contains(&format!("{name} WITH {exception}").as_str())
        }
        [name, after @ ..] => {
            *rest = after;
            LICENCES.contains(name)
        }
        [] => false,
    }
}
