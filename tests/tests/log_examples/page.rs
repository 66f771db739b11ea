//! The page on log lines: its blocks by the comment above each.

use std::fs;
use std::path::PathBuf;

use dd_traced_tests::repository;

/// A page, and what was found to differ. With the variable `LOG_LINES=overwrite` differences are written to it instead.
#[derive(Debug)]
pub(crate) struct Page {
    path: PathBuf,
    text: String,
    has_changed: bool,
}

impl Page {
    pub(crate) fn read(path: &str) -> Self {
        let path = repository().join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text, has_changed: false }
    }

    /// The block below `<!-- name -->`.
    pub(crate) fn block(&self, name: &str) -> &str {
        let (start, end) = self.find(name);
        &self.text[start..end]
    }

    /// Holds that the block says this.
    pub(crate) fn expect(&mut self, name: &str, lines: &str) {
        if overwrites() && self.block(name) != lines {
            let (start, end) = self.find(name);
            self.text.replace_range(start..end, lines);
            self.has_changed = true;
        }
        assert_eq!(self.block(name), lines, "the block {name} of {}", self.path.display());
    }

    /// Writes what has changed.
    pub(crate) fn close(self) {
        if self.has_changed {
            fs::write(&self.path, self.text)
                .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        }
    }

    fn find(&self, name: &str) -> (usize, usize) {
        let mark = format!("<!-- {name} -->\n```");
        let fence = self.text.find(&mark).unwrap_or_else(|| panic!("no block {name}")) + mark.len();
        let start = fence + self.text[fence..].find('\n').unwrap_or_default() + 1;
        let end = start + self.text[start..].find("```").unwrap_or_else(|| panic!("no end of {name}"));
        (start, end)
    }
}

#[expect(clippy::disallowed_methods, reason = "whether to record is up to who runs the tests")]
fn overwrites() -> bool {
    std::env::var("LOG_LINES").is_ok_and(|value| value == "overwrite")
}
