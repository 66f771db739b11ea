//! Where settings come from: the one place that reads the environment.
//!
//! Everything is read once, at the start, into plain values. What changes in the environment or in a file afterwards changes nothing.

use super::stable::{self, Facts, StableFile};
use super::tags;
use crate::diagnostics::Level;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// Texts by the name of their setting, as one source holds them.
pub(crate) type Values = BTreeMap<String, String>;

/// The surroundings that settings are read from; in tests a table of what is there.
#[derive(Clone, Default)]
pub(crate) struct Source {
    /// What remote configuration says, by the names of the settings; it wins over everything else. Empty at the start: who receives
    /// remote configuration hands its values over here and resolves again.
    pub(crate) remote: Values,
    /// The variables of the environment that concern this library.
    pub(crate) environment: Values,
    /// The configuration file that Datadog manages.
    pub(crate) fleet: StableFile,
    /// The configuration file of this machine.
    pub(crate) local: StableFile,
    /// The program that runs.
    pub(crate) executable: Option<PathBuf>,
    /// Where it was started.
    pub(crate) working_directory: Option<PathBuf>,
    /// What the system calls this machine.
    pub(crate) hostname: Option<String>,
    /// Whether an agent's socket is where it is by default.
    pub(crate) has_socket: bool,
    /// Whether a socket for metrics is where it is by default.
    pub(crate) has_statsd_socket: bool,
}

/// Where an agent on the same machine listens unless told otherwise.
pub(crate) const SOCKET: &str = "/var/run/datadog/apm.socket";
/// Where it takes metrics.
pub(super) const STATSD_SOCKET: &str = "/var/run/datadog/dsd.socket";

impl Source {
    /// The environment of this process and the files of this machine, as they are now.
    pub(crate) fn process() -> Self {
        let environment = environment();
        let arguments: Vec<String> =
            std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
        let facts = Facts { environment: &environment, arguments: &arguments };
        let [local, fleet] = stable::PATHS.map(|path| StableFile::read(Path::new(path), facts));
        Self {
            remote: Values::new(),
            fleet,
            local,
            environment: environment.into_iter().filter(|(name, _)| concerns_us(name)).collect(),
            executable: std::env::current_exe().ok(),
            working_directory: std::env::current_dir().ok(),
            hostname: hostname(),
            has_socket: Path::new(SOCKET).exists(),
            has_statsd_socket: Path::new(STATSD_SOCKET).exists(),
        }
    }
}

#[cfg(feature = "doctor")]
impl Source {
    /// Whether a configuration file is there that can not be used, or not all of it.
    pub(crate) fn has_faulty_file(&self) -> bool {
        !self.fleet.notices.is_empty() || !self.local.notices.is_empty()
    }
}

/// Values may be secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("executable", &self.executable).finish_non_exhaustive()
    }
}

#[cfg(feature = "enable")]
fn hostname() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(not(feature = "enable"))]
fn hostname() -> Option<String> {
    None
}

/// A name or value that is not Unicode is read with replacement characters, so that it is reported like any malformed one. Windows does
/// not tell the cases of a name apart.
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
fn environment() -> Values {
    let name = |name: String| if cfg!(windows) { name.to_uppercase() } else { name };
    std::env::vars_os()
        .map(|(key, value)| (name(key.to_string_lossy().into_owned()), value.to_string_lossy().into_owned()))
        .collect()
}

fn concerns_us(name: &str) -> bool {
    name.starts_with("DD_") || name.starts_with("OTEL_") || matches!(name, "NO_COLOR" | "TERM")
}

/// What code says, by the names of the settings; what it does not name is left to the other sources.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    pub(super) values: Values,
    /// Added to those of `DD_TAGS`.
    pub(super) tags: Vec<(String, String)>,
}

impl Overrides {
    /// Says a setting; a later text of the same name replaces it, and an empty one leaves the setting to other sources.
    pub(crate) fn set(&mut self, name: &'static str, text: impl Display) {
        self.values.insert(name.to_owned(), text.to_string());
    }

    /// What was said about a setting, trimmed; `None` where nothing or the empty text was.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Adds a tag of every span; a later value of a key wins.
    pub(crate) fn tag(&mut self, key: String, value: String) {
        tags::set(&mut self.tags, key, value);
    }
}

/// Values may be secrets.
impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).entries(self.tags.iter().map(|(key, _)| key)).finish()
    }
}

/// Something about the settings that the user is to be told, once the level of messages is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) level: Level,
    pub(crate) text: String,
}
