//! Lines at the end of what takes them, whole: one that was cut short by an error gets its end before the next one.

use std::io;

/// What is known of the latest line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// It stands there without its end.
    is_torn: bool,
}

impl Lines {
    /// Appends a line by `write`, in one call where that takes it.
    ///
    /// # Errors
    ///
    /// That of `write`, unless it was interrupted, and where it takes nothing; the line is lost then.
    pub(super) fn append(
        &mut self,
        line: &str,
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let ended;
        let line = if self.is_torn {
            ended = format!("\n{line}");
            &ended
        } else {
            line
        };
        let mut written = 0;
        let result = write_all(line.as_bytes(), &mut written, &mut write);
        self.is_torn = match written {
            0 => self.is_torn,
            all if all == line.len() => false,
            1 if self.is_torn => false,
            _ => true,
        };
        result
    }
}

/// Like [`io::Write::write_all`], and counts the bytes that were written before an error.
fn write_all(
    bytes: &[u8],
    written: &mut usize,
    write: &mut impl FnMut(&[u8]) -> io::Result<usize>,
) -> io::Result<()> {
    while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
        match write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => *written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_gets_its_end_and_no_other_does() {
        let (mut lines, mut text) = (Lines::default(), String::new());
        // How many bytes there is room for, and whether the line arrives.
        for (number, (room, is_whole)) in
            [(9, true), (0, false), (3, false), (0, false), (1, false), (9, true), (6, false), (9, true)]
                .into_iter()
                .enumerate()
        {
            let mut room = room;
            let result = lines.append(&format!("line {number}\n"), |bytes| {
                let taken = bytes.len().min(room).min(4);
                room -= taken;
                text.push_str(std::str::from_utf8(&bytes[..taken]).unwrap());
                Ok(taken)
            });
            assert_eq!(result.is_ok(), is_whole, "{number}: {text:?}");
        }
        assert_eq!(text, "line 0\nlin\nline 5\nline 6\nline 7\n");
    }
}
