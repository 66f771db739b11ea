//! What the sink needs to know.

use std::path::PathBuf;

use super::Level;

/// Which messages are shown, where, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// Messages up to this level are shown. Defaults to `Warn`.
    pub(crate) level: Level,
    /// Defaults to none.
    pub(crate) file: Option<FileSettings>,
    /// Whether they go to stderr. Defaults to true without a file, else to false.
    pub(crate) is_on_stderr: bool,
    /// Whether each line is an object of JSON. Defaults to false.
    pub(crate) is_json: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: Level::Warn, file: None, is_on_stderr: true, is_json: false }
    }
}

/// A file of messages, and its backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSettings {
    pub(crate) place: FilePlace,
    /// Bytes from which on the file becomes the backup and a new one begins. Defaults to 15 MiB.
    pub(crate) max_bytes: u64,
    /// Of the messages shown, those up to this level are written. Defaults to `Debug`.
    pub(crate) level: Level,
}

/// Where the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilePlace {
    /// At this path.
    Path(PathBuf),
    /// In a directory, under a name that the program and its process id give.
    In {
        /// It has to exist.
        directory: PathBuf,
        /// The file name of the program.
        program: String,
        /// Files of the program that are as old are deleted at the start; 0 keeps all. Defaults to 32.
        retention_days: u64,
    },
}
