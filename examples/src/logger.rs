//! The smallest logger: a line on stderr for each record. Any other one does as well; the ids are part of the message.

use std::io::{self, Write};

use log::{LevelFilter, Log, Metadata, Record};

/// Shows the records of this crate from `Info` on. Does nothing if there is a logger already.
pub fn install() {
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{:5} {}\n", record.level(), record.args());
            // A closed stderr is no reason to fail.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}
