//! What a subscriber writes.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

static WRITTEN: Mutex<String> = Mutex::new(String::new());

/// Keeps what is written to it in this process.
#[derive(Debug)]
pub struct Written;

impl Written {
    /// What was written since the last call.
    pub fn take() -> String {
        std::mem::take(&mut *WRITTEN.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
