//! A structured value as MessagePack.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use crate::diagnostics;
use crate::model::MAX_STRUCT;

/// The MessagePack of a value that is a map; none of anything else, or of one that is too large.
pub(super) fn structure(value: &(impl Serialize + ?Sized)) -> Option<Vec<u8>> {
    let mut out = Cut(Vec::new());
    // What is foreign may panic, and must not take its host along.
    let written = catch_unwind(AssertUnwindSafe(|| rmp_serde::encode::write_named(&mut out, value)));
    let is_map = matches!(out.0.first(), Some(0x80..=0x8f | 0xde | 0xdf));
    if matches!(written, Ok(Ok(()))) && is_map {
        return Some(out.0);
    }
    diagnostics::debug(format_args!(
        "a structured value is left out: it can not be written, is no map, or is too large"
    ));
    None
}

/// Memory within the limit.
struct Cut(Vec<u8>);

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_STRUCT {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
