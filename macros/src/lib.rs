//! The macros of `dd-traced`.
#![forbid(unsafe_code)]
