//! Configuration files (`application_monitoring.yaml`): that of this machine, and the one Datadog manages for the fleet.
//!
//! A file has values for all processes, and rules with values for some: the first rule whose selectors all hold is laid over the rest, key by key.
//! What a file says is read like variables of the environment; its rank is not this module's business. A file that can not be read or understood is as
//! if it were not there, with one notice.
//!
//! Source: Datadog's documentation of host-wide and fleet configuration, and the reader of DataDog/libdatadog (`libdd-library-config`).

mod rules;
mod template;

use super::source::{Notice, Values};
use super::yaml::{self, Node};
use crate::diagnostics::Level;
use std::io::{self, Read};
use std::path::Path;

/// The largest file read, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 256 * 1024;

/// Paths of the local and of the fleet's file.
#[cfg(target_os = "macos")]
pub(super) const PATHS: [&str; 2] = [
    "/opt/datadog-agent/etc/application_monitoring.yaml",
    "/opt/datadog-agent/etc/stable/application_monitoring.yaml",
];
#[cfg(windows)]
pub(super) const PATHS: [&str; 2] = [
    r"C:\ProgramData\Datadog\application_monitoring.yaml",
    r"C:\ProgramData\Datadog\managed\datadog-agent\stable\application_monitoring.yaml",
];
#[cfg(not(any(target_os = "macos", windows)))]
pub(super) const PATHS: [&str; 2] = [
    "/etc/datadog-agent/application_monitoring.yaml",
    "/etc/datadog-agent/managed/datadog-agent/stable/application_monitoring.yaml",
];

/// What a file says about this process.
#[derive(Clone, Default)]
pub(crate) struct StableFile {
    pub(super) values: Values,
    /// The name of this state of the configuration, for telemetry.
    pub(super) config_id: Option<String>,
    pub(super) notices: Vec<Notice>,
}

/// What selectors and templates look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// All variables of the environment.
    pub(super) environment: &'a Values,
    /// Without the program itself.
    pub(super) arguments: &'a [String],
}

impl StableFile {
    /// The file of a path; of one that is not there, nothing.
    pub(super) fn read(path: &Path, facts: Facts<'_>) -> Self {
        match read_file(path) {
            Ok(None) => Self::default(),
            Ok(Some(bytes)) => Self::parse(&path.display().to_string(), &bytes, facts),
            Err(reason) => Self::unusable(&path.display().to_string(), &reason),
        }
    }

    /// What bytes say that were found under a name.
    pub(super) fn parse(name: &str, bytes: &[u8], facts: Facts<'_>) -> Self {
        if bytes.len() > MAX_FILE_BYTES {
            return Self::unusable(name, &"it is larger than 256 KiB");
        }
        match yaml::parse(bytes) {
            Ok(node @ (Node::Map(_) | Node::Null)) => Self::of_document(name, &node, facts),
            Ok(_) => Self::unusable(name, &"it holds no mapping"),
            Err(error) => Self::unusable(name, &error),
        }
    }

    fn of_document(name: &str, document: &Node, facts: Facts<'_>) -> Self {
        let config_id = document.get("config_id").and_then(Node::text).map(str::to_owned);
        let mut file = Self { config_id, ..Self::default() };
        file.lay_over(name, document.get("apm_configuration_default"));
        let tags = texts(document.get("tags"));
        let rules = document.get("apm_configuration_rules").or_else(|| document.get("rules"));
        match rules::matching(rules, facts, &tags) {
            Ok(configuration) => file.lay_over(name, configuration.as_ref()),
            Err(reason) => file.warn(format!("{name}: its rules are not followed: {reason}")),
        }
        file
    }

    /// Takes over the entries of a mapping. What is no scalar is left out.
    fn lay_over(&mut self, name: &str, entries: Option<&Node>) {
        let mut left_out = 0;
        match entries {
            None | Some(Node::Null) => {}
            Some(Node::Map(entries)) => {
                for (key, value) in entries {
                    match value {
                        Node::Scalar(text) => _ = self.values.insert(key.clone(), text.clone()),
                        Node::Null => {}
                        Node::List(_) | Node::Map(_) => left_out += 1,
                    }
                }
            }
            Some(_) => left_out = 1,
        }
        if left_out > 0 {
            self.warn(format!(
                "{name}: {left_out} of its values are no texts, numbers or booleans and are left out"
            ));
        }
    }

    fn unusable(name: &str, reason: &dyn std::fmt::Display) -> Self {
        let mut file = Self::default();
        file.warn(format!("{name} is ignored: {reason}"));
        file
    }

    fn warn(&mut self, text: String) {
        self.notices.push(Notice { level: Level::Warn, text });
    }
}

/// The bytes of a file, at most one more than the limit; `None` where there is none. Anything but a plain file is refused: opening a pipe would wait
/// for somebody who writes.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, io::Error> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(io::Error::other("it is not a file")),
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The scalars of a mapping.
fn texts(node: Option<&Node>) -> Values {
    let Some(Node::Map(entries)) = node else { return Values::new() };
    entries.iter().filter_map(|(key, value)| Some((key.clone(), value.text()?.to_owned()))).collect()
}

#[cfg(test)]
#[cfg(feature = "enable")]
mod tests;
