//! stderr: lines that it does not take are counted, and their number is the next line that it takes.

use std::io;

use super::Level;
use super::append::Lines;
use super::entry::Entry;
use super::room;

/// What became of lines so far.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    lines: Lines,
    /// Lines lost since the last one that was written.
    lost: u64,
}

impl Stderr {
    /// One write of the whole line. Waits for who reads it; a stderr that is closed loses it.
    pub(super) fn write(&mut self, entry: &Entry, is_json: bool) {
        self.write_by(entry, is_json, write);
    }

    fn write_by(&mut self, entry: &Entry, is_json: bool, mut write: impl FnMut(&[u8]) -> io::Result<usize>) {
        let line = |entry: &Entry| if is_json { entry.json_line() } else { entry.line() };
        if self.lost > 0 {
            let text = format_args!("{} log lines lost: stderr did not take them", self.lost);
            if self.lines.append(&line(&Entry::new(Level::Warn, text)), &mut write).is_err() {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        self.lost += u64::from(self.lines.append(&line(entry), write).is_err());
    }
}

/// Without the lock of std's stderr: held by our thread during a fork, it would be held in the child for ever.
#[cfg(unix)]
fn write(bytes: &[u8]) -> io::Result<usize> {
    use rustix::event::{PollFd, PollFlags, poll};

    let stderr = io::stderr();
    if !room::is_there_for(bytes.len(), &stderr) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    match rustix::io::write(&stderr, bytes) {
        // Who shares the pipe or the terminal may have made it one that does not wait.
        Err(rustix::io::Errno::AGAIN) => {
            poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None)?;
            Err(io::ErrorKind::Interrupted.into())
        }
        written => Ok(written?),
    }
}

#[cfg(not(unix))]
fn write(bytes: &[u8]) -> io::Result<usize> {
    io::Write::write(&mut io::stderr(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_taken_are_counted_in_the_next() {
        let (mut stderr, mut text) = (Stderr::default(), Vec::new());
        for (number, is_open) in [true, false, false, false, true, true].into_iter().enumerate() {
            let entry = Entry::new(Level::Debug, format_args!("line {number}"));
            stderr.write_by(&entry, false, |bytes| {
                text.extend_from_slice(if is_open { bytes } else { &[] });
                if is_open { Ok(bytes.len()) } else { Err(io::ErrorKind::StorageFull.into()) }
            });
        }
        let expected = "dd-traced DEBUG: line 0\ndd-traced WARN: 3 log lines lost: stderr did not take them\n\
                        dd-traced DEBUG: line 4\ndd-traced DEBUG: line 5\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
