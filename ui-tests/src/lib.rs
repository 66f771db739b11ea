//! What the macros of `dd-traced` refuse, and with which words; what they accept, and that it stays what it was.
//!
//! - `tests/fail`: one file for each mistake, with the compiler's output beside it. `TRYBUILD=overwrite cargo test` records
//!   them anew.
//! - `tests/pass`: whole crates with something unusual about them.
//! - `tests/shapes.rs`: shapes of functions, compiled with every lint denied and run.
//! - `tests/log_lines.rs`: what `dd_log!` hands to the `log` crate.
#![forbid(unsafe_code)]
