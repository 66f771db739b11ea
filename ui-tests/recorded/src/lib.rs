//! Functions of each shape; what the macros make of them is recorded in `expanded/`, module by module.
//!
//! `expanded/on` is with the feature `enable`, `expanded/off` without it.
#![forbid(unsafe_code)]

pub mod asynchronous;
pub mod blocks;
pub mod error;
pub mod fallible;
pub mod lines;
pub mod plain;
pub mod returned;
pub mod small;
