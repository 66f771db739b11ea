//! Part of dd-traced.
#![forbid(unsafe_code)]
