//! Whether a file of messages could be written, found out as the first message would.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::directory;
use super::file;
use super::settings::FilePlace;

/// A file of messages that was opened, and nothing written to it.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) path: PathBuf,
    pub(crate) opened: io::Result<Left>,
}

/// What the trial left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// All is as before: the file was there.
    Nothing,
    /// An empty file, as the first message would have made it. Another process may be writing to it by now, so that it stays.
    Empty,
    /// Nothing: the file was made, and removed again. Its name is that of this process alone.
    Removed,
}

/// Opens the file of this place.
pub(crate) fn try_file(place: &FilePlace) -> Trial {
    let path = directory::path(place);
    let was_there = fs::symlink_metadata(&path).is_ok();
    let opened = file::open(&path).map(|_| match place {
        _ if was_there => Left::Nothing,
        FilePlace::In { .. } if fs::remove_file(&path).is_ok() => Left::Removed,
        _ => Left::Empty,
    });
    Trial { path, opened }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_as_it_is() {
        let directory = std::env::temp_dir().join(format!("dd-traced-trial-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let file = FilePlace::Path(directory.join("messages"));
        let own = FilePlace::In { directory: directory.clone(), program: "shop".into(), retention_days: 1 };
        let left = [&file, &own].map(|place| try_file(place).opened.unwrap());
        fs::write(directory.join("messages"), "kept").unwrap();
        let again = try_file(&file).opened.unwrap();
        let (text, files) =
            (fs::read(directory.join("messages")).unwrap(), fs::read_dir(&directory).unwrap());
        let files = files.count();
        fs::remove_dir_all(&directory).unwrap();
        let gone = try_file(&file);
        assert_eq!((left, again), ([Left::Empty, Left::Removed], Left::Nothing));
        assert_eq!((text.as_slice(), files), (&b"kept"[..], 1));
        assert_eq!(gone.opened.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(gone.path, directory.join("messages"));
    }
}
