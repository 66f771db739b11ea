//! Files and sockets that the program may not touch: it works all the same, its spans arrive, and it says what it lacks. As root, who may
//! touch everything, the program is run as another user.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use dd_traced_tests::{Bounded, Ended, Place, Report, program, set_mode, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const DEBUG: (&str, &str) = ("DD_TRACE_DEBUG", "true");

/// The usual program beside an agent, with so many traces of two spans, all of which arrive.
fn worked(traces: u64, variables: &[(&str, &str)]) -> Ended {
    let mut ended = None;
    with_agent(|agent| {
        let mut program = program(PROGRAM, "work", traces);
        program.env("DD_TRACE_AGENT_URL", agent.url()).envs(variables.iter().copied());
        ended = Some(Bounded::new(&program).run().expect_success());
    });
    let ended = ended.unwrap();
    let report = Report::of(&ended);
    report.books.expect_settled(2 * traces);
    assert_eq!(report.books.acknowledged, 2 * traces, "{report:?}");
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    ended
}

/// A place with a directory in it that has these rights.
fn with_directory(mode: u32) -> (Place, String) {
    let place = Place::new();
    set_mode(place.directory(), 0o755);
    let directory = place.path("directory");
    fs::create_dir(&directory).unwrap();
    set_mode(&directory, mode);
    (place, directory)
}

/// What says that a file cannot be written, and that the other lines are where they are else.
fn expect_denied(ended: &Ended) {
    let told: Vec<_> = ended.stderr_lines_with("WARN: the log file ").collect();
    assert!(matches!(told[..], [line] if line.contains("Permission denied")), "{}", ended.stderr);
    assert_eq!(ended.stderr_lines_with("INFO: DATADOG TRACER CONFIGURATION").count(), 1, "{}", ended.stderr);
}

/// Else the others would prove nothing.
#[test]
fn a_program_may_write_where_it_has_the_right() {
    let (_place, directory) = with_directory(0o777);
    let ended = worked(1, &[("DD_TRACE_LOG_FILE", &format!("{directory}/log"))]);
    assert_eq!(ended.stderr, "");
    let text = fs::read_to_string(format!("{directory}/log"));
    // As root the test reads the file of another user.
    assert!(text.unwrap().contains("DATADOG TRACER CONFIGURATION"));
}

#[test]
fn a_directory_that_is_closed_gets_no_file() {
    for mode in [0o555, 0o000] {
        let (_place, directory) = with_directory(mode);
        expect_denied(&worked(20, &[DEBUG, ("DD_TRACE_LOG_FILE", &format!("{directory}/log"))]));
        expect_denied(&worked(20, &[DEBUG, ("DD_TRACE_LOG_DIRECTORY", &directory)]));
        set_mode(&directory, 0o755);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    }
}

#[test]
fn a_file_that_is_closed_stays_as_it_is() {
    let (_place, directory) = with_directory(0o777);
    let file = format!("{directory}/log");
    fs::write(&file, "kept").unwrap();
    for mode in [0o444, 0o000] {
        set_mode(&file, mode);
        expect_denied(&worked(20, &[DEBUG, ("DD_TRACE_LOG_FILE", &file)]));
    }
    set_mode(&file, 0o600);
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

/// The file may be written and not be renamed: it goes on, is bounded, and says what it lost.
#[test]
fn a_file_that_cannot_be_renamed_is_emptied() {
    let (place, directory) = with_directory(0o777);
    let file = format!("{directory}/log");
    fs::write(&file, "").unwrap();
    set_mode(&file, 0o666);
    set_mode(&directory, 0o555);
    let size = ("DD_TRACE_LOG_FILE_SIZE_BYTES", "8000");
    let ended = worked(50, &[DEBUG, ("DD_TRACE_LOG_FILE", &file), size]);
    assert_eq!(ended.stderr, "");
    let text = place.text("directory/log");
    assert!(!text.is_empty() && text.len() <= 16_000, "{}", text.len());
    assert!(text.lines().all(|line| line.contains(" dd-traced ")), "no line is torn: {text}");
    assert!(text.contains("WARN: the log file was full and could not be renamed: "), "{text}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    set_mode(&directory, 0o755);
}

/// Old files of somebody else are not an error.
#[test]
fn an_old_file_that_cannot_be_deleted_stays() {
    let (_place, directory) = with_directory(0o777);
    let old = format!("{directory}/ddtrace-program-1.log");
    let of_1970 = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
    fs::File::create(&old).unwrap().set_times(of_1970).unwrap();
    set_mode(&directory, 0o555);
    expect_denied(&worked(1, &[("DD_TRACE_LOG_DIRECTORY", &directory)]));
    set_mode(&directory, 0o755);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_socket_that_is_closed_is_told() {
    let place = Place::new();
    set_mode(place.directory(), 0o755);
    let socket = place.path("apm.socket");
    let _listening = UnixListener::bind(&socket).unwrap();
    set_mode(&socket, 0o000);
    let mut program = program(PROGRAM, "work", 2);
    let ended = Bounded::new(program.env("DD_TRACE_AGENT_URL", format!("unix://{socket}"))).run();
    let ended = ended.expect_success();
    let told: Vec<_> = ended.stderr_lines_with("WARN: Agent not reachable at unix://").collect();
    assert!(matches!(told[..], [line] if line.contains("Permission denied")), "{}", ended.stderr);
    Report::of(&ended).books.expect_settled(4);
}
