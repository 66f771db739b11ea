//! Sources made of foreign bytes, for the fuzzer.

use super::source::{Source, Values};
use super::stable::{Facts, StableFile};

/// A machine with these variables.
pub(crate) fn environment(variables: &[(String, String)]) -> Source {
    Source { environment: variables.iter().cloned().collect(), ..Source::default() }
}

/// A machine with this configuration file, and a variable and an argument that its rules may ask for.
pub(crate) fn file(bytes: &[u8]) -> Source {
    let environment = Values::from([("DD_ENV".to_owned(), "prod".to_owned())]);
    let arguments = ["--name=shop".to_owned()];
    let local = StableFile::parse("file", bytes, Facts { environment: &environment, arguments: &arguments });
    Source { local, ..Source::default() }
}
