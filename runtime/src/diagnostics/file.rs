//! A file of lines: it becomes its own backup when it is full, and is safe beside other processes that write to it.
//!
//! Lines are appended by one write each, so that those of several processes do not mix. Who finds the file full takes its lock, looks whether
//! it is still the one under its name, and renames it; the others find another file there and open that. Where it cannot be renamed, writing
//! goes on up to twice the size; then it is emptied. Symbolic links are not followed, and nothing here waits for a reader. A limit of the process
//! on the size of its files is kept: see [`room`].

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::append::Lines;
use super::room;

/// The file, opened when there is something to write.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    backup: PathBuf,
    max_bytes: u64,
    file: Option<File>,
    lines: Lines,
    /// From when on the file under the name is looked at again, and what failed is tried again.
    next_look: Option<Instant>,
    next_rotation: Option<Instant>,
    /// What stood there is gone, and nobody was told.
    is_emptied: bool,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

impl LogFile {
    /// A file that holds about so many bytes.
    pub(super) fn new(path: PathBuf, max_bytes: u64) -> Self {
        let mut backup = path.clone().into_os_string();
        backup.push(".1");
        Self {
            path,
            backup: backup.into(),
            max_bytes,
            file: None,
            lines: Lines::default(),
            next_look: None,
            next_rotation: None,
            is_emptied: false,
        }
    }

    /// Whether lines were thrown away since the last call, because the file could not become the backup.
    pub(super) fn was_emptied(&mut self) -> bool {
        std::mem::take(&mut self.is_emptied)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a line would be written, as far as is known; else it is not the moment to try again.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.file.is_some() || self.next_look.is_none_or(|next| next <= now)
    }

    /// Appends a line.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened or written; the line is lost then.
    pub(super) fn write(&mut self, line: &str, now: Instant) -> io::Result<()> {
        self.look(now)?;
        self.rotate(line.len() as u64, now);
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        if !room::is_there_for(line.len() + 1, &*file) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.lines.append(line, |bytes| file.write(bytes))
    }

    /// Opens the file where that was not done, or another one stands under its name.
    fn look(&mut self, now: Instant) -> io::Result<()> {
        // Nobody would ever read what is written to a file without a name.
        self.file.take_if(|file| is_unlinked(file)).inspect(|_| self.next_look = None);
        if self.next_look.is_some_and(|next| now < next) {
            return if self.file.is_some() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        self.next_look = Some(now + PAUSE);
        if self.file.as_ref().is_some_and(|file| is_at(file, &self.path)) {
            return Ok(());
        }
        match open(&self.path) {
            Ok(file) => self.replace(file),
            // What is open has another name, and goes on being written to.
            Err(_) if self.file.is_some() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn replace(&mut self, file: File) {
        self.file = Some(file);
        self.lines = Lines::default();
    }

    /// Begins a new file where so many bytes more are too many for this one.
    fn rotate(&mut self, more: u64, now: Instant) {
        let Some(file) = &self.file else { return };
        let max_bytes = self.max_bytes();
        let Some(bytes) = bytes_of(file).filter(|bytes| *bytes > 0 && bytes + more > max_bytes) else {
            return;
        };
        // Where another process holds the lock, it is at it.
        if self.next_rotation.is_some_and(|next| now < next) || !lock(file) {
            return self.bound(bytes + more);
        }
        let is_renamed = if is_at(file, &self.path) { fs::rename(&self.path, &self.backup) } else { Ok(()) };
        if let Ok(file) = is_renamed.and_then(|()| open(&self.path)) {
            self.next_rotation = None;
            return self.replace(file);
        }
        unlock(file);
        self.next_rotation = Some(now + PAUSE);
        self.bound(bytes + more);
    }

    /// What the file holds. Twice of it is within the limit of the process.
    fn max_bytes(&self) -> u64 {
        self.max_bytes.min(room::limit() / 2)
    }

    /// Empties a file that would have so many bytes and cannot be renamed.
    fn bound(&mut self, bytes: u64) {
        if let Some(file) = self.file.as_ref().filter(|_| bytes > self.max_bytes().saturating_mul(2)) {
            // Else it goes on growing, which the next line tries to stop again.
            self.is_emptied |= file.set_len(0).is_ok();
        }
    }
}

/// The size of what has one: not of a pipe or a device.
fn bytes_of(file: &File) -> Option<u64> {
    file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len())
}

#[cfg(unix)]
pub(super) fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    // A pipe without a reader is an error at once, and one that is full too.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags as i32).open(path)
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Whether an open file is the one under this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Whether a file has no name any more.
#[cfg(unix)]
fn is_unlinked(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

#[cfg(not(unix))]
fn is_unlinked(_: &File) -> bool {
    false
}

/// Takes the lock of a file; false where somebody else holds it. A file system without locks has nobody to wait for.
#[cfg(unix)]
fn lock(file: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};

    flock(file, FlockOperation::NonBlockingLockExclusive) != Err(rustix::io::Errno::WOULDBLOCK)
}

#[cfg(unix)]
fn unlock(file: &File) {
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

#[cfg(not(unix))]
fn lock(_: &File) -> bool {
    true
}

#[cfg(not(unix))]
fn unlock(_: &File) {}

#[cfg(test)]
#[cfg(unix)]
#[path = "file_tests.rs"]
mod tests;
