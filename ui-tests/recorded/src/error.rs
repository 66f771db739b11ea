//! An error for those that fail, and an alias that does not say so.

use std::fmt;

/// What went wrong.
#[derive(Debug)]
pub struct OrderError;

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such order")
    }
}

impl std::error::Error for OrderError {}

/// A `Result` by another name.
pub type Outcome<T> = Result<T, OrderError>;
