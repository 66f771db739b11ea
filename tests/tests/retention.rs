//! `DD_TRACE_LOG_DIRECTORY`: files of this program that are `DD_TRACE_LOGFILE_RETENTION_DAYS` old are deleted at the start, and nothing else.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use dd_traced_tests::{Address, Ended, Place, program, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);

/// A file, or a directory, of this age.
fn age(path: &str, age: Duration) {
    let then = FileTimes::new().set_modified(SystemTime::now() - age);
    File::open(path).unwrap().set_times(then).unwrap();
}

fn file(place: &Place, name: &str, days_old: Duration) {
    fs::write(place.path(name), name).unwrap();
    age(&place.path(name), days_old);
}

/// Runs the program with its messages in this directory.
fn start(place: &Place, variables: &[(&str, &str)]) -> Ended {
    let mut program = program(PROGRAM, "work", 1);
    program.env("DD_TRACE_AGENT_URL", Address::unused().unwrap().to_string());
    run(program.env("DD_TRACE_LOG_DIRECTORY", place.path("")).envs(variables.iter().copied()))
        .expect_success()
}

/// What is left of these files after a start, and what the program said in its own, which is taken away.
fn left(place: &Place, variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let before = place.names();
    let ended = start(place, variables);
    assert_eq!(ended.stderr, "");
    let (left, own): (Vec<_>, Vec<_>) = place.names().into_iter().partition(|name| before.contains(name));
    assert_eq!(own.len(), 1, "{own:?}");
    let said = place.text(&own[0]);
    fs::remove_file(place.path(&own[0])).unwrap();
    (left, said)
}

/// Ids that no process has: those of Linux end at 4 194 304.
const OLD: &str = "ddtrace-program-5000001.log";
const OLD_BACKUP: &str = "ddtrace-program-5000001.log.1";
const YOUNG: &str = "ddtrace-program-5000002.log";

/// An old file, its backup, and a younger file.
fn with_files(old: Duration, young: Duration) -> Place {
    let place = Place::new();
    file(&place, OLD, old);
    file(&place, OLD_BACKUP, old);
    file(&place, YOUNG, young);
    place
}

/// Some just older than `age`, and one just younger.
fn with_files_around(age: Duration) -> Place {
    with_files(age + MINUTE, age.saturating_sub(MINUTE))
}

#[test]
fn files_of_that_age_go_and_younger_ones_stay() {
    for (days, age) in [("1", DAY), ("7", 7 * DAY), ("400", 400 * DAY)] {
        let place = with_files_around(age);
        let (left, said) = left(&place, &[("DD_TRACE_LOGFILE_RETENTION_DAYS", days)]);
        assert_eq!(left, [YOUNG], "{days}");
        assert!(said.contains("DATADOG TRACER CONFIGURATION"), "{said}");
    }
}

#[test]
fn the_default_is_32_days() {
    let place = with_files_around(32 * DAY);
    assert_eq!(left(&place, &[]).0, [YOUNG]);
}

#[test]
fn with_0_days_nothing_is_deleted() {
    let place = with_files(20_000 * DAY, DAY);
    let (left, said) = left(&place, &[("DD_TRACE_LOGFILE_RETENTION_DAYS", "0")]);
    assert_eq!(left, [OLD, OLD_BACKUP, YOUNG]);
    assert!(!said.contains("WARN: DD_TRACE_LOGFILE"), "{said}");
}

#[test]
fn a_number_of_days_that_cannot_be_is_one_warning_and_the_default() {
    for days in ["-1", "9223372036854775808", "1e99", "soon", "1.5"] {
        let place = with_files_around(32 * DAY);
        let (left, said) = left(&place, &[("DD_TRACE_LOGFILE_RETENTION_DAYS", days)]);
        assert_eq!(left, [YOUNG], "{days}");
        let warnings = said.matches("dd-traced WARN: DD_TRACE_LOGFILE_RETENTION_DAYS: ").count();
        assert_eq!(warnings, 1, "{days}: {said}");
    }
}

/// No time is that long ago.
#[test]
fn a_huge_number_of_days_deletes_nothing() {
    let place = with_files(20_000 * DAY, DAY);
    let (left, said) = left(&place, &[("DD_TRACE_LOGFILE_RETENTION_DAYS", "9223372036854775807")]);
    assert_eq!(left, [OLD, OLD_BACKUP, YOUNG]);
    assert!(!said.contains("WARN: DD_TRACE_LOGFILE"), "{said}");
}

#[test]
fn what_is_not_a_file_of_this_program_stays() {
    let place = Place::new();
    let foreign = [
        "app.log",
        "ddtrace-program-1.log.2",
        "ddtrace-program-1.log.gz",
        "ddtrace-program-1x.log",
        "ddtrace-program-.log",
        "ddtrace-program-db-1.log",
        "ddtrace-programs-1.log",
        "ddtrace-shop-1.log",
        "ddtrace.log",
        "DDTRACE-PROGRAM-1.LOG",
    ];
    for name in foreign {
        file(&place, name, 400 * DAY);
    }
    file(&place, OLD, 400 * DAY);
    // A directory of such a name, with a file in it.
    let directory = "ddtrace-program-5000003.log";
    fs::create_dir(place.path(directory)).unwrap();
    file(&place, &format!("{directory}/inside"), 400 * DAY);
    age(&place.path(directory), 400 * DAY);
    // Links of such names to old files: neither they nor what they lead to. Their own age cannot be set by std.
    let target = Place::new();
    file(&target, "target", 400 * DAY);
    let links = [
        ("ddtrace-program-5000004.log", target.path("target")),
        ("ddtrace-program-5000005.log", "/nowhere".into()),
    ];
    for (name, to) in &links {
        symlink(to, place.path(name)).unwrap();
        let touched = std::process::Command::new("touch")
            .args(["-h", "-t", "200001010000"])
            .arg(place.path(name))
            .status();
        assert!(touched.unwrap().success());
    }

    let mut expected: Vec<_> =
        foreign.iter().chain([&directory, &links[0].0, &links[1].0]).map(|name| (*name).to_owned()).collect();
    expected.sort();
    assert_eq!(left(&place, &[("DD_TRACE_LOGFILE_RETENTION_DAYS", "1")]).0, expected);
    assert_eq!(
        (place.text(&format!("{directory}/inside")).as_str(), target.names()),
        ("ddtrace-program-5000003.log/inside", vec!["target".to_owned()])
    );
}

/// A file that is named in full is the user's, and so are its neighbours.
#[test]
fn beside_a_file_of_its_own_name_nothing_is_deleted() {
    let place = with_files(400 * DAY, DAY);
    let elsewhere = place.path("messages");
    let (left, said) = (left(&place, &[("DD_TRACE_LOG_FILE", &elsewhere)]), "DATADOG TRACER CONFIGURATION");
    assert_eq!(left.0, [OLD, OLD_BACKUP, YOUNG]);
    assert!(left.1.contains(said), "{}", left.1);
}

/// A tracer that is off has no file, and touches none.
#[test]
fn a_disabled_tracer_deletes_nothing() {
    let place = with_files(400 * DAY, DAY);
    start(&place, &[("DD_TRACE_ENABLED", "false"), ("DD_TRACE_LOGFILE_RETENTION_DAYS", "1")]);
    assert_eq!(place.names(), [OLD, OLD_BACKUP, YOUNG]);
}
