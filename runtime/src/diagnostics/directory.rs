//! The files of messages in a directory: one for each process, the old ones deleted at the start.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::settings::FilePlace;

/// Entries of the directory that are looked at.
const MAX_ENTRIES: usize = 10_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Where this process writes. A path that is not absolute starts where the program stands now.
pub(super) fn path(place: &FilePlace) -> PathBuf {
    match fixed(place) {
        FilePlace::Path(path) => path,
        FilePlace::In { directory, program, .. } => {
            directory.join(format!("ddtrace-{program}-{}.log", std::process::id()))
        }
    }
}

/// The same place, wherever the program moves.
pub(super) fn fixed(place: &FilePlace) -> FilePlace {
    let mut place = place.clone();
    let (FilePlace::Path(path) | FilePlace::In { directory: path, .. }) = &mut place;
    if let Ok(absolute) = std::path::absolute(&*path) {
        *path = absolute;
    }
    place
}

/// Deletes files of the program that are too old, and their backups.
pub(super) fn delete_old(place: &FilePlace, now: SystemTime) {
    let FilePlace::In { directory, program, retention_days } = place else { return };
    let days = u32::try_from(*retention_days).unwrap_or(u32::MAX);
    let Some(limit) = now.checked_sub(DAY.saturating_mul(days)).filter(|_| days > 0) else { return };
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.take(MAX_ENTRIES).flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| is_of(name, program));
        if is_ours && is_older(&entry.path(), limit) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file has the name that a process of this program gives it, or its backup.
fn is_of(name: &str, program: &str) -> bool {
    let rest = name.strip_prefix("ddtrace-").and_then(|rest| rest.strip_prefix(program));
    let rest = rest.and_then(|rest| rest.strip_prefix('-'));
    let id = rest.and_then(|rest| rest.strip_suffix(".log").or_else(|| rest.strip_suffix(".log.1")));
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_older(path: &Path, limit: SystemTime) -> bool {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    metadata.and_then(|metadata| metadata.modified().ok()).is_some_and(|modified| modified <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_program_are_known_by_their_name() {
        for name in ["ddtrace-shop-1.log", "ddtrace-shop-77.log.1"] {
            assert!(is_of(name, "shop"), "{name}");
        }
        for name in [
            "ddtrace-shop-.log",
            "ddtrace-shop-1.log.2",
            "ddtrace-shop-db-1.log",
            "ddtrace-shop-1x.log",
            "shop-1.log",
            "ddtrace-shop1.log",
        ] {
            assert!(!is_of(name, "shop"), "{name}");
        }
    }

    #[test]
    fn files_of_that_age_are_deleted_and_0_keeps_all() {
        let directory = std::env::temp_dir().join(format!("dd-traced-retention-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let names = ["ddtrace-shop-1.log", "ddtrace-shop-1.log.1", "ddtrace-cart-1.log", "mine.log"];
        for name in names {
            fs::write(directory.join(name), "").unwrap();
        }
        let left = |retention_days, days| {
            let place =
                FilePlace::In { directory: directory.clone(), program: "shop".into(), retention_days };
            delete_old(&place, SystemTime::now() + DAY * days);
            names.iter().filter(|name| directory.join(name).exists()).count()
        };
        let counts = [left(0, 9_999), left(u64::MAX, 3), left(4, 3), left(3, 3)];
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(counts, [4, 4, 4, 2]);
    }
}
