//! A directory for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new directory below that of temporary files, which goes with this value.
#[derive(Debug)]
pub struct Place(PathBuf);

impl Place {
    /// An empty directory.
    #[expect(clippy::new_without_default, reason = "making one is an act")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dd-traced-place-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// Where a file of this name would be; with the empty name the place itself.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in Unicode").to_owned()
    }

    /// What stands in a file.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("a file of text")
    }

    /// The names of all that is there, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a directory");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a name in Unicode");
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
