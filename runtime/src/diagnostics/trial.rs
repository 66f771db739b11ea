//! Whether a file of messages could be written, found out without leaving one: whoever makes it owns it, and another user's program could not
//! write to it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::directory;
use super::file;
use super::settings::FilePlace;

/// A file of messages that was looked at, and nothing written to it.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) path: PathBuf,
    pub(crate) opened: io::Result<Tried>,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The file was there, and was opened.
    Itself,
    /// It was not. Another one was made beside it, and removed again.
    Neighbour,
}

/// Opens the file of this place, or finds out whether it could be made.
pub(crate) fn try_file(place: &FilePlace) -> Trial {
    let path = directory::path(place);
    let opened = match fs::symlink_metadata(&path) {
        Ok(_) => file::open(&path).map(|_| Tried::Itself),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_neighbour(&path).map(|()| Tried::Neighbour)
        }
        Err(error) => Err(error),
    };
    Trial { path, opened }
}

fn make_neighbour(path: &Path) -> io::Result<()> {
    let neighbour = path.with_file_name(format!("dd-traced-doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&neighbour)?;
    fs::remove_file(neighbour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_as_it_is_and_nothing_is_added() {
        let directory = std::env::temp_dir().join(format!("dd-traced-trial-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let file = FilePlace::Path(directory.join("messages"));
        let own = FilePlace::In { directory: directory.clone(), program: "shop".into(), retention_days: 1 };
        let tried = [&file, &own].map(|place| try_file(place).opened.unwrap());
        let files = fs::read_dir(&directory).unwrap().count();
        fs::write(directory.join("messages"), "kept").unwrap();
        let again = try_file(&file).opened.unwrap();
        let text = fs::read(directory.join("messages")).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        let gone = try_file(&file);
        assert_eq!((tried, files), ([Tried::Neighbour; 2], 0));
        assert_eq!((again, text.as_slice()), (Tried::Itself, &b"kept"[..]));
        assert_eq!(gone.opened.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(gone.path, directory.join("messages"));
    }
}
