//! What the macros of `dd-traced` refuse, and with which words; what they accept, and that it stays what it was; what they
//! write.
//!
//! - `tests/fail`: one file for each mistake, with the compiler's output beside it. `TRYBUILD=overwrite cargo test` records
//!   them anew.
//! - `tests/pass`: whole crates with something unusual about them.
//! - `tests/shapes`: shapes of functions, compiled with every lint denied, and run. Like `tests/pass` they are compiled in the edition
//!   before as well, by the package in `edition-2021`; that no lint of clippy fires is up to the run of clippy over the workspace.
//! - `tests/log_lines.rs`: what `dd_log!` hands to the `log` crate.
//! - `tests/expansion`: holds the functions of `recorded/src` against the expansions in `recorded/expanded`, and the page
//!   `docs/expansion.md` against both. `EXPANSION=overwrite cargo test` records them anew.
//! - `tests/machine_code.rs`: that a function is the same program as without the attribute where nothing is recorded.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "a test fails by panicking, and this crate is only for tests")]

mod compiler;
mod environment;

pub use compiler::is_recorded_compiler;
pub use environment::{is_ci, is_overwriting, report};
