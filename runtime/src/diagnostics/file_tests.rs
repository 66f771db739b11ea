use super::*;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dd-traced-file-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_full_file_becomes_the_only_backup() {
    let place = Place::new();
    let mut file = LogFile::new(place.path("log"), 20);
    let now = Instant::now();
    for line in ["first 10 \n", "second 10\n", "third 10 \n", "fourth 10\n", "fifth 10 \n"] {
        file.write(line, now).unwrap();
    }
    assert_eq!(place.text("log"), "fifth 10 \n");
    assert_eq!(place.text("log.1"), "third 10 \nfourth 10\n");
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 2);
    let mode = fs::metadata(place.path("log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn one_line_above_the_size_is_still_written() {
    let place = Place::new();
    let mut file = LogFile::new(place.path("log"), 4);
    for line in ["first\n", "second\n"] {
        file.write(line, Instant::now()).unwrap();
    }
    assert_eq!((place.text("log.1"), place.text("log")), ("first\n".into(), "second\n".into()));
}

#[test]
fn a_file_that_can_not_be_renamed_goes_on_and_stays_below_twice_its_size() {
    let place = Place::new();
    // A directory with something in it is replaced by nothing.
    fs::create_dir_all(place.path("log.1/something")).unwrap();
    let mut file = LogFile::new(place.path("log"), 100);
    let now = Instant::now();
    for number in 0..100 {
        file.write(&format!("line {number}\n"), now).unwrap();
        let text = place.text("log");
        assert!(text.ends_with(&format!("line {number}\n")) && text.len() <= 200, "{text}");
    }
    fs::remove_dir_all(place.path("log.1")).unwrap();
    file.write(&format!("{}\n", "x".repeat(99)), now + PAUSE).unwrap();
    assert!(place.text("log.1").ends_with("line 99\n"), "renamed as soon as that works");
}

#[test]
fn two_writers_of_one_file_rotate_it_once() {
    let place = Place::new();
    let mut files = [(); 2].map(|()| LogFile::new(place.path("log"), 1_000));
    let mut written = 0;
    let now = Instant::now();
    for number in 0..45 {
        for (writer, file) in files.iter_mut().enumerate() {
            let line = format!("writer {writer} line {number:02}\n");
            written += line.len();
            file.write(&line, now).unwrap();
        }
    }
    let kept = [place.text("log.1"), place.text("log")].concat();
    assert_eq!(kept.len(), written);
    assert!(kept.lines().all(|line| line.len() == "writer 0 line 00".len()), "{kept}");
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let place = Place::new();
    let mut file = LogFile::new(place.path("log"), 1_000);
    let now = Instant::now();
    file.write("one\n", now).unwrap();
    fs::rename(place.path("log"), place.path("moved")).unwrap();
    file.write("two\n", now).unwrap();
    file.write("three\n", now + PAUSE).unwrap();
    assert_eq!((place.text("moved"), place.text("log")), ("one\ntwo\n".into(), "three\n".into()));
}

/// What came within a second used to go where nobody can read it.
#[test]
fn a_file_that_was_deleted_or_replaced_as_the_backup_loses_nothing_more() {
    let place = Place::new();
    let mut file = LogFile::new(place.path("log"), 1_000);
    let now = Instant::now();
    file.write("one\n", now).unwrap();
    fs::remove_file(place.path("log")).unwrap();
    file.write("two\n", now).unwrap();
    assert_eq!(place.text("log"), "two\n");
    // Another process rotates twice.
    for _ in 0..2 {
        fs::rename(place.path("log"), place.path("log.1")).unwrap();
        fs::write(place.path("log"), "").unwrap();
    }
    file.write("three\n", now).unwrap();
    assert_eq!(place.text("log"), "three\n");
    // Where it cannot be made anew, the line is lost, and not without a word.
    fs::remove_file(place.path("log")).unwrap();
    fs::create_dir(place.path("log")).unwrap();
    assert!(file.write("four\n", now).is_err() && !file.is_due(now));
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let place = Place::new();
    fs::write(place.path("victim"), "kept").unwrap();
    std::os::unix::fs::symlink(place.path("victim"), place.path("log")).unwrap();
    let mut file = LogFile::new(place.path("log"), 1_000);
    let now = Instant::now();
    assert!(file.write("one\n", now).is_err());
    assert_eq!(place.text("victim"), "kept");
    assert!(!file.is_due(now) && file.is_due(now + PAUSE));
    fs::remove_file(place.path("log")).unwrap();
    file.write("two\n", now + PAUSE).unwrap();
    assert_eq!(place.text("log"), "two\n");
}

#[test]
fn a_directory_is_not_made() {
    let place = Place::new();
    let mut file = LogFile::new(place.path("missing/log"), 1_000);
    assert_eq!(file.write("one\n", Instant::now()).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(!place.path("missing").exists());
}

#[test]
fn a_full_disk_loses_the_line_and_nothing_waits_for_a_reader() {
    let mut full = LogFile::new("/dev/full".into(), 10);
    for _ in 0..3 {
        let error = full.write("a line of text\n", Instant::now()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    let place = Place::new();
    let fifo = place.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut file = LogFile::new(fifo.clone(), 10);
    let now = Instant::now();
    assert!(file.write("nobody reads\n", now).is_err());
    let mut reader = OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    file.write("somebody\n", now + PAUSE).unwrap();
    let mut read = [0; 9];
    io::Read::read_exact(&mut reader, &mut read).unwrap();
    assert_eq!(&read, b"somebody\n");
    let line = "x".repeat(4095) + "\n";
    let written = (0..100).take_while(|_| file.write(&line, now + PAUSE).is_ok()).count();
    assert!((1..100).contains(&written), "{written} lines in a pipe that nobody reads");
}
