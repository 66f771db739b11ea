//! `dd-traced-doctor`, installed, finds what is wrong: each kind of problem has its words and its exit status.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agents;
mod here;
mod installed;
mod page;
mod sample;
mod usage;
