//! Where lines go: stderr and a file, or a logger of the program.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::Level;
use super::directory;
use super::entry::Entry;
use super::file::LogFile;
use super::logger::SharedLogger;
use super::settings::{FileSettings, LogSettings};
use super::stderr::Stderr;

/// All places that a message goes to.
#[derive(Debug)]
pub(super) struct Outlets {
    logger: Option<SharedLogger>,
    file: Option<FileOutlet>,
    stderr: Stderr,
    is_on_stderr: bool,
    is_json: bool,
    is_prepared: bool,
}

#[derive(Debug)]
struct FileOutlet {
    settings: FileSettings,
    file: LogFile,
    /// Lines lost since the last one that was written.
    lost: u64,
    /// Until when nobody is told of the next trouble.
    is_told_until: Option<Instant>,
}

/// Between two warnings on stderr about a file.
const PERIOD: Duration = Duration::from_secs(60);

impl Outlets {
    /// A logger stands in for everything else.
    pub(super) fn new(settings: &LogSettings, logger: Option<SharedLogger>, path: Option<PathBuf>) -> Self {
        let file = settings.file.clone().zip(path).map(|(settings, path)| FileOutlet {
            file: LogFile::new(path, settings.max_bytes),
            settings,
            lost: 0,
            is_told_until: None,
        });
        let file = file.filter(|_| logger.is_none());
        Self {
            stderr: Stderr::default(),
            is_on_stderr: settings.is_on_stderr && logger.is_none(),
            is_json: settings.is_json,
            is_prepared: false,
            logger,
            file,
        }
    }

    /// Does what takes its time before the first message, once.
    pub(super) fn prepare(&mut self) {
        let is_first = !std::mem::replace(&mut self.is_prepared, true);
        if let Some(file) = self.file.as_ref().filter(|_| is_first) {
            directory::delete_old(&file.settings.place, SystemTime::now());
        }
    }

    pub(super) fn write(&mut self, entry: &Entry) {
        if let Some(SharedLogger(logger)) = &self.logger {
            // What is foreign may panic; the next message is another chance.
            let result = catch_unwind(AssertUnwindSafe(|| logger.log(entry.level, &entry.message())));
            if let Err(foreign) = catch_unwind(AssertUnwindSafe(|| drop(result))) {
                // What a panic brought may panic in its own end, again and again.
                std::mem::forget(foreign);
            }
        }
        if self.is_on_stderr {
            self.stderr.write(entry, self.is_json);
        }
        if let Some(file) = self.file.as_mut().filter(|file| entry.is_within(file.settings.level)) {
            if let Err(lost) = file.write(entry, self.is_json, Instant::now()) {
                // What only the file would have had still reaches somebody, but for debug messages.
                let is_heard = self.is_on_stderr || entry.level > Level::Info;
                let entries = lost.warning.iter().chain((!is_heard).then_some(entry));
                entries.for_each(|entry| self.stderr.write(entry, self.is_json));
            }
        }
    }

    /// Tells on stderr how many lines the file never had; no more will come.
    pub(super) fn finish(&mut self) {
        let Some(file) = self.file.as_mut().filter(|file| file.lost > 0) else { return };
        let (lost, path) = (std::mem::take(&mut file.lost), file.file.path().display());
        let text = format_args!("{lost} log lines lost: the log file {path} could not be written");
        self.stderr.write(&Entry::new(Level::Warn, text), self.is_json);
    }
}

/// What is to be said of a line that is not in the file.
#[derive(Debug)]
struct Lost {
    /// What somebody has to be told about the file, if it is time for that.
    warning: Option<Entry>,
}

impl FileOutlet {
    /// Writes a line, and before it how many were lost.
    fn write(&mut self, entry: &Entry, is_json: bool, now: Instant) -> Result<(), Lost> {
        if !self.file.is_due(now) {
            self.lost += 1;
            return Err(Lost { warning: None });
        }
        if let Err(error) = self.try_write(entry, is_json, now) {
            self.lost += 1;
            return Err(Lost { warning: self.warning(&error, now) });
        }
        self.is_told_until = None;
        Ok(())
    }

    fn try_write(&mut self, entry: &Entry, is_json: bool, now: Instant) -> io::Result<()> {
        let line = |entry: &Entry| if is_json { entry.json_line() } else { entry.dated_line() };
        if self.lost > 0 {
            let text = format_args!("{} log lines lost", self.lost);
            self.file.write(&line(&Entry::new(Level::Warn, text)), now)?;
            self.lost = 0;
        }
        self.file.write(&line(entry), now)?;
        if self.file.was_emptied() {
            let text =
                format_args!("the log file was full and could not be renamed: what stood here is lost");
            self.file.write(&line(&Entry::new(Level::Warn, text)), now)?;
        }
        Ok(())
    }

    fn warning(&mut self, error: &io::Error, now: Instant) -> Option<Entry> {
        if self.is_told_until.is_some_and(|until| now < until) {
            return None;
        }
        self.is_told_until = Some(now + PERIOD);
        let path = self.file.path().display();
        let text = format_args!(
            "the log file {path} cannot be written: {error}; its lines are counted until it can"
        );
        Some(Entry::new(Level::Warn, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::settings::FilePlace;

    #[test]
    fn lost_lines_are_counted_in_the_file() {
        let path = std::env::temp_dir().join(format!("dd-traced-outlet-{}", std::process::id()));
        let (directory, place) = (path.join("later"), FilePlace::Path(path.join("later/log")));
        let file = FileSettings { place: place.clone(), max_bytes: 10_000, level: Level::Info };
        let settings = LogSettings { file: Some(file), is_on_stderr: false, ..LogSettings::default() };
        let mut outlets = Outlets::new(&settings, None, Some(directory::path(&place)));
        let file = outlets.file.as_mut().unwrap();
        let now = Instant::now();
        let debug = |text: &str| Entry::new(Level::Debug, format_args!("{text}"));
        for _ in 0..5 {
            assert!(file.write(&debug("lost"), false, now).is_err());
        }
        std::fs::create_dir_all(&directory).unwrap();
        assert!(file.write(&debug("lost too: it is too early"), false, now).is_err());
        file.write(&debug("kept"), false, now + PERIOD).unwrap();
        outlets.write(&debug("above the level of the file"));
        let text = std::fs::read_to_string(directory.join("log")).unwrap();
        std::fs::remove_dir_all(&path).unwrap();
        let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(lines, ["dd-traced WARN: 6 log lines lost", "dd-traced DEBUG: kept"]);
    }

    /// The lines were lost without a word.
    #[test]
    fn a_file_that_was_emptied_says_so() {
        let path = std::env::temp_dir().join(format!("dd-traced-emptied-{}", std::process::id()));
        std::fs::create_dir_all(path.join("log.1/taken")).unwrap();
        let place = FilePlace::Path(path.join("log"));
        let file = FileSettings { place: place.clone(), max_bytes: 1_000, level: Level::Debug };
        let settings = LogSettings { file: Some(file), is_on_stderr: false, ..LogSettings::default() };
        let mut outlets = Outlets::new(&settings, None, Some(directory::path(&place)));
        let mut texts = Vec::new();
        for _ in 0..100 {
            outlets.write(&Entry::new(Level::Debug, format_args!("a line of some length")));
            texts.push(std::fs::read_to_string(path.join("log")).unwrap());
        }
        std::fs::remove_dir_all(&path).unwrap();
        assert!(texts.iter().all(|text| text.len() <= 2_200), "{texts:#?}");
        let told =
            "dd-traced WARN: the log file was full and could not be renamed: what stood here is lost\n";
        let emptied = texts.windows(2).filter(|pair| pair[1].len() < pair[0].len());
        assert!(
            emptied.clone().count() > 1 && emptied.clone().all(|pair| pair[1].ends_with(told)),
            "{texts:#?}"
        );
    }
}
