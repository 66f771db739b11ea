//! The recordings: a file for each module of the package, as `cargo expand` prints it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{File, Item};

/// The package whose modules are recorded.
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded");

/// With the feature `enable`, or without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Feature {
    On,
    Off,
}

impl Feature {
    pub(crate) const BOTH: [Self; 2] = [Self::On, Self::Off];

    /// The arguments for cargo.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::On => &[],
            Self::Off => &["--no-default-features"],
        }
    }

    fn directory(self) -> PathBuf {
        let name = match self {
            Self::On => "on",
            Self::Off => "off",
        };
        Path::new(PACKAGE).join("expanded").join(name)
    }
}

/// The modules of an expanded crate, by name, each a file of its own.
pub(crate) fn modules(expansion: &str) -> BTreeMap<String, File> {
    parse(expansion).items.into_iter().filter_map(module).collect()
}

fn module(item: Item) -> Option<(String, File)> {
    let Item::Mod(module) = item else { return None };
    let (_, items) = module.content?;
    let attrs = module.attrs;
    Some((module.ident.to_string(), File { attrs, items, ..parse("") }))
}

/// What is recorded, by module.
pub(crate) fn recorded(feature: Feature) -> BTreeMap<String, File> {
    files(&feature.directory())
}

/// What was written, by module.
pub(crate) fn sources() -> BTreeMap<String, File> {
    files(&Path::new(PACKAGE).join("src"))
}

fn files(directory: &Path) -> BTreeMap<String, File> {
    let entries = fs::read_dir(directory).expect("a directory of Rust files");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| (stem(&path), parse(&fs::read_to_string(&path).expect("a Rust file")))).collect()
}

/// Writes the recordings anew.
pub(crate) fn overwrite(feature: Feature, modules: &BTreeMap<String, File>) {
    let directory = feature.directory();
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory for the recordings");
    for (name, module) in modules {
        let path = directory.join(name).with_extension("rs");
        fs::write(path, prettyplease::unparse(module)).expect("a recording is written");
    }
}

/// Parsed, so that nothing of the layout is left.
pub(crate) fn parse(source: &str) -> File {
    syn::parse_file(source).unwrap_or_else(|error| panic!("not Rust: {error}: {source}"))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
