//! The library's own messages: where they go, what they tell, and that nobody waits for them.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use dd_traced_tests::{Address, Ended, PATIENCE, Place, Report, command, flooded, program, run, with_agent};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

/// The usual program beside an agent, with these variables; it has so many traces of two spans.
fn worked(traces: u64, variables: &[(&str, &str)]) -> Ended {
    let mut ended = None;
    with_agent(|agent| {
        let mut program = program(PROGRAM, "work", traces);
        program.env("DD_TRACE_AGENT_URL", agent.url()).envs(variables.iter().copied());
        ended = Some(run(&mut program).expect_success());
    });
    let ended = ended.unwrap();
    Report::of(&ended).books.expect_settled(2 * traces);
    ended
}

fn debug<'a>(variables: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("DD_TRACE_DEBUG", "true")], variables].concat()
}

/// What a line says, behind the date.
fn told(line: &str) -> &str {
    let (date, told) = line.split_once(' ').unwrap();
    assert!(date.len() == 24 && date.ends_with('Z'), "{line}");
    told
}

#[test]
fn debug_alone_tells_each_step_of_a_span() {
    let ended = worked(1, &debug(&[("DD_TAGS", "team:core")]));
    let steps = [
        "DEBUG: DD_TAGS=team:core (env_var)",
        "DEBUG: DD_TRACE_RATE_LIMIT=100 (default)",
        "DEBUG: span started: name=\"job\" trace_id=",
        "DEBUG: span started: name=\"part\" trace_id=",
        "DEBUG: span finished: name=\"part\" trace_id=",
        "DEBUG: span finished: name=\"job\" trace_id=",
        "DEBUG: trace handed over: trace_id=",
        "DEBUG: attempt to send payload: size: ",
        "DEBUG: sent payload: size: ",
    ];
    for step in steps {
        assert_eq!(ended.stderr_lines_with(step).count(), 1, "{step}: {}", ended.stderr);
    }
    let job = ended.stderr_lines_with("span finished: name=\"job\"").next().unwrap();
    assert!(
        job.contains(" parent_id=0 service=\"program\" resource=\"the daily job\" type=\"\" start_ns="),
        "{job}"
    );
    assert!(job.contains(" error=0 tags={") && job.ends_with(" metrics={number=0}"), "{job}");
    assert!(ended.stderr.lines().all(|line| line.starts_with("dd-traced ")), "{}", ended.stderr);
    assert_eq!(worked(1, &[("DD_TRACE_STARTUP_LOGS", "false")]).stderr, "");
}

#[test]
fn the_startup_line_is_there_whatever_the_level() {
    for level in ["error", "warn", "debug"] {
        let ended = worked(1, &[("DD_TRACE_LOG_LEVEL", level)]);
        assert_eq!(ended.stderr_lines_with("INFO: DATADOG TRACER CONFIGURATION - {").count(), 1, "{level}");
    }
}

#[test]
fn a_file_replaces_stderr_unless_both_are_asked_for() {
    let place = Place::new();
    let file = place.path("log");
    let ended = worked(1, &debug(&[("DD_TRACE_LOG_FILE", &file)]));
    assert_eq!(ended.stderr, "");
    let text = place.text("log");
    assert!(text.lines().map(told).all(|line| line.starts_with("dd-traced ")), "{text}");
    assert!(text.contains("sent payload") && text.contains("DATADOG TRACER CONFIGURATION"), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let ended = worked(1, &debug(&[("DD_TRACE_LOG_FILE", &file), ("DD_TRACE_LOG_STREAM_HANDLER", "1")]));
    assert_eq!(ended.stderr_lines_with("sent payload").count(), 1);
    assert_eq!(place.text("log").matches("sent payload").count(), 2, "appended");
    let quiet =
        [("DD_TRACE_LOG_FILE", &*file), ("DD_TRACE_LOG_FILE_LEVEL", "error"), ("DD_TRACE_DEBUG", "1")];
    worked(1, &quiet);
    assert_eq!(place.text("log").matches("sent payload").count(), 2);
}

/// They used to be nowhere where the file took errors alone.
#[test]
fn what_has_a_switch_of_its_own_is_in_a_file_of_any_level() {
    let place = Place::new();
    let mut program = program(PROGRAM, "abandoned", 1);
    program.env("DD_TRACE_AGENT_URL", Address::unused().unwrap().to_string());
    program.envs([("DD_TRACE_LOG_FILE", &*place.path("log")), ("DD_TRACE_LOG_FILE_LEVEL", "error")]);
    let ended = run(program.env("DD_TRACE_DEBUG_ABANDONED_SPANS", "1")).expect_success();
    let text = place.text("log");
    // The tracer is started twice.
    for told in
        ["INFO: DATADOG TRACER CONFIGURATION", "INFO: DATADOG TRACER DIAGNOSTIC", "WARN: abandoned span: "]
    {
        assert!(text.matches(told).count() >= 2, "{told}: {text}");
    }
    assert!(
        !text.contains("WARN: Agent not reachable") && ended.stderr.is_empty(),
        "{text} {}",
        ended.stderr
    );
}

#[test]
fn a_tracer_that_is_switched_off_makes_no_file() {
    let place = Place::new();
    let mut program = program(PROGRAM, "work", 1);
    program.envs([("DD_TRACE_ENABLED", "false"), ("DD_TRACE_LOG_FILE", &*place.path("log"))]);
    let ended = run(&mut program).expect_success();
    assert_eq!(place.names(), [""; 0]);
    assert_eq!(ended.stderr.matches("DATADOG TRACER CONFIGURATION").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_directory_gets_a_file_for_each_process_and_is_never_made() {
    let place = Place::new();
    for _ in 0..2 {
        worked(1, &[("DD_TRACE_LOG_DIRECTORY", &place.path(""))]);
    }
    let names = place.names();
    assert_eq!(names.len(), 2, "{names:?}");
    let is_named = |name: &String| {
        let id = name.strip_prefix("ddtrace-program-").and_then(|name| name.strip_suffix(".log"));
        id.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
    };
    assert!(names.iter().all(is_named), "{names:?}");
    let missing = place.path("missing");
    let ended = worked(1, &[("DD_TRACE_LOG_DIRECTORY", &missing)]);
    assert_eq!(ended.stderr_lines_with("WARN: the log file ").count(), 1, "{}", ended.stderr);
    assert_eq!(ended.stderr_lines_with("INFO: DATADOG TRACER CONFIGURATION").count(), 1, "{}", ended.stderr);
    assert!(!PathBuf::from(missing).exists());
}

#[test]
fn json_is_one_object_a_line() {
    let ended =
        worked(1, &debug(&[("DD_LOG_FORMAT_JSON", "true"), ("DD_SERVICE", "a\"\u{1b}[31m\u{2028}b")]));
    assert!(ended.stderr.lines().count() > 20);
    for line in ended.stderr.lines() {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(object["logger"], "dd-traced");
        assert!(object["date"].is_string() && object["level"].is_string() && object["message"].is_string());
    }
    assert!(!ended.stderr.contains(['\u{1b}', '\u{2028}']), "{}", ended.stderr);
}

#[test]
fn a_full_file_has_one_backup() {
    let place = Place::new();
    worked(
        200,
        &debug(&[("DD_TRACE_LOG_FILE", &place.path("log")), ("DD_TRACE_LOG_FILE_SIZE_BYTES", "20000")]),
    );
    assert_eq!(place.names(), ["log", "log.1"]);
    for name in ["log", "log.1"] {
        let text = place.text(name);
        assert!(text.len() <= 20_000 && text.ends_with('\n'), "{name}: {}", text.len());
        assert!(text.lines().map(told).all(|line| line.starts_with("dd-traced ")), "{name}: {text}");
    }
}

/// A write beyond the limit used to end the program, by a signal.
#[test]
fn a_limit_on_the_size_of_files_ends_no_program() {
    let place = Place::new();
    with_agent(|agent| {
        // In units of 512 bytes; one file can be renamed, the other one can not.
        fs::create_dir_all(place.path("stuck.1/something")).unwrap();
        for (blocks, file) in [("32", "log"), ("32", "stuck"), ("1", "small"), ("32", "stderr")] {
            let mut shell = command("sh");
            let script = format!(r#"ulimit -f {blocks} && exec "$0" work 200 2>"$1/err-$2""#);
            shell.args(["-c", &script, PROGRAM, &place.path(""), file]);
            shell.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_DEBUG", "1");
            if file != "stderr" {
                shell.env("DD_TRACE_LOG_FILE", place.path(file));
            }
            let ended = run(&mut shell).expect_success();
            Report::of(&ended).books.expect_settled(400);
        }
    });
    // A file that has just been renamed or emptied has a line or two.
    let log = place.text("log.1") + &place.text("log");
    for (text, least) in [(&log, 4_000), (&place.text("stuck"), 1), (&place.text("err-stderr"), 10_000)] {
        assert!(text.len() > least && text.ends_with('\n'), "{}", text.len());
    }
    for text in [&log, &place.text("stuck")] {
        assert!(text.contains("tracer ended after "), "{text}");
    }
}

#[test]
fn two_processes_on_one_file_tear_no_line() {
    let place = Place::new();
    let (path, size) = (place.path("log"), ("DD_TRACE_LOG_FILE_SIZE_BYTES", "5000000"));
    with_agent(|agent| {
        let running: Vec<_> = (0..2)
            .map(|_| {
                let mut program = program(PROGRAM, "work", 500);
                program.env("DD_TRACE_AGENT_URL", agent.url()).envs([size]);
                program.envs(debug(&[("DD_TRACE_LOG_FILE", &path)]));
                dd_traced_tests::Running::start(&mut program)
            })
            .collect();
        for program in running {
            program.wait(Duration::from_secs(60)).expect_success();
        }
    });
    let text = place.text("log");
    assert!(text.lines().map(told).all(|line| line.starts_with("dd-traced ")), "{text}");
    assert_eq!(text.matches("span finished: ").count(), 2_000, "{}", text.len());
}

/// For each file that cannot be written: the program ends in time, its spans arrive, and somebody is told.
#[test]
fn a_file_that_can_not_be_written_holds_nobody_up() {
    let place = Place::new();
    let victim = place.path("victim");
    fs::write(&victim, "kept").unwrap();
    symlink(&victim, place.path("link")).unwrap();
    assert!(Command::new("mkfifo").arg(place.path("fifo")).status().unwrap().success());
    fs::create_dir(place.path("directory")).unwrap();
    let mut paths: Vec<String> = ["link", "fifo", "directory"].map(|name| place.path(name)).into();
    // A full disk, a path below a file, a directory that not even root writes to.
    paths.extend(["/dev/full", "/dev/null/log", "/sys/log"].map(Into::into));
    for path in paths {
        let ended = worked(50, &debug(&[("DD_TRACE_LOG_FILE", &path)]));
        assert_eq!(ended.stderr_lines_with("WARN: the log file ").count(), 1, "{path}: {}", ended.stderr);
        // How many lines that were used to be told in the file alone, if it was mended.
        let lost = format!(" log lines lost: the log file {path} could not be written");
        let lost: Vec<_> = ended.stderr.lines().filter_map(|line| line.strip_suffix(&lost)).collect();
        let [lost] = lost[..] else { panic!("{path}: {}", ended.stderr) };
        let lost: u32 = lost.strip_prefix("dd-traced WARN: ").unwrap().parse().unwrap();
        // Starts, ends, decisions and traces.
        assert!((50 * 6..50 * 6 + 200).contains(&lost), "{path}: {lost}");
        assert!(ended.took < Duration::from_secs(10), "{path}");
    }
    assert_eq!(fs::read_to_string(victim).unwrap(), "kept");
    assert_eq!(place.names(), ["directory", "fifo", "link", "victim"]);
}

/// What a program says that forks, once beside an agent.
fn forked(variables: &[(&str, &str)]) -> String {
    let mut stderr = String::new();
    with_agent(|agent| {
        let mut program = program(PROGRAM, "fork", 3);
        program.env("DD_TRACE_AGENT_URL", agent.url()).envs(debug(variables));
        let ended = run(&mut program).expect_success();
        assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
        stderr = ended.stderr;
    });
    stderr
}

/// The thread that writes is not in the child, which starts one of its own. What the child said before it started a tracer used to be on stderr,
/// as text.
#[test]
fn a_forked_child_writes_to_a_file_of_its_own() {
    let place = Place::new();
    assert_eq!(forked(&[("DD_TRACE_LOG_DIRECTORY", &place.path(""))]), "");
    let names = place.names();
    assert_eq!(names.len(), 2, "{names:?}");
    let texts: Vec<String> = names.iter().map(|name| place.text(name)).collect();
    assert!(texts.iter().all(|text| text.contains("sent payload: ")), "{texts:#?}");
    // In the child there were a thousand jobs before its tracer.
    let started = texts.iter().map(|text| text.matches("span started: ").count()).max().unwrap();
    assert!(started > 2_000, "{started}");
    for line in forked(&[("DD_LOG_FORMAT_JSON", "true")]).lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

/// Nobody reads the pipe that is stderr, which is full from the start on or soon.
#[test]
fn a_full_stderr_holds_nobody_up() {
    let nobody = Address::unused().unwrap().to_string();
    with_agent(|agent| {
        let fill = "head -c 65536 /dev/zero >&3 && ";
        for (fill, url, debug) in
            [("", &*agent.url(), "1"), (fill, &*agent.url(), "0"), (fill, &*nobody, "0")]
        {
            let place = Place::new();
            let mut shell = command("sh");
            let script = format!(r#"mkfifo "$1" && exec 3<>"$1" && {fill}exec "$0" work 2000 2>&3"#);
            shell.args(["-c", &script, PROGRAM, &place.path("fifo")]);
            shell.env("DD_TRACE_AGENT_URL", url).env("DD_TRACE_DEBUG", debug);
            let ended = run(&mut shell).expect_success();
            let report = Report::of(&ended);
            report.books.expect_settled(4_000);
            let delivered = if url == nobody { 0 } else { 4_000 };
            assert_eq!(report.books.acknowledged, delivered, "{report:?}");
            // A write that blocks would never end.
            assert!(report.took["init"] < Duration::from_secs(1), "{report:?}");
            assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
        }
    });
}

/// The lines for which it had no room used to be lost without a word. Whoever shares a terminal or a socket can make it one that does not wait.
#[test]
fn a_stderr_that_does_not_wait_gets_every_line() {
    const LINES: u64 = 20_000;
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut program = program(PROGRAM, "flood", LINES);
    program.env("DD_TRACE_DEBUG", "1").env("DD_TRACE_STARTUP_LOGS", "0");
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::from(OwnedFd::from(theirs)));
    let mut child = program.spawn().unwrap();
    // It has what is left of the other end.
    drop(program);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(text.lines().all(|line| line.starts_with("dd-traced ")), "no line is torn");
    let written = text.matches("the incoming traceparent is malformed: ignored").count() as u64;
    assert_eq!((written, text.matches(" log lines lost").count()), (LINES, 0));
}

/// They were written by whoever reported them: to a full pipe, for ever.
#[test]
fn without_a_thread_nobody_writes() {
    let place = Place::new();
    let mut shell = command("sh");
    let script = r#"mkfifo "$1" && exec 3<>"$1" && head -c 65536 /dev/zero >&3 && exec "$0" work 2000 2>&3"#;
    shell.args(["-c", script, PROGRAM, &place.path("fifo")]);
    // No machine has so much memory for a stack.
    shell.env("DD_TRACE_DEBUG", "1").env("RUST_MIN_STACK", (1_u64 << 46).to_string());
    let ended = run(&mut shell).expect_success();
    let report = Report::of(&ended);
    report.books.expect_settled(4_000);
    assert_eq!(report.books.dropped("no_thread"), 4_000, "{report:?}");
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[cfg(target_os = "linux")]
#[test]
fn messages_wait_for_a_thread() {
    let mut shell = command("sh");
    shell.args(["-c", r#"ulimit -v 400000; exec "$0" "no threads" 3"#, PROGRAM]);
    let ended = run(&mut shell).expect_success();
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert!(lines[0].starts_with("dd-traced INFO: DATADOG TRACER CONFIGURATION"), "{lines:#?}");
    for waiting in ["no thread to write messages from: ", "no thread to send spans from: "] {
        let told = lines.iter().filter(|line| line.starts_with(&format!("dd-traced WARN: {waiting}")));
        assert_eq!(told.count(), 1, "{lines:#?}");
    }
}

/// Nobody reads them until the last one was reported: who reports does not wait, few are kept, and the others are counted.
#[test]
fn a_million_lines_are_written_or_counted() {
    const LINES: u64 = 1_000_000;
    let ended = flooded(PROGRAM, LINES);
    let report = Report::of(&ended);
    let written = ended.stderr_lines_with("the incoming traceparent is malformed: ignored").count() as u64;
    let lost = ended.stderr_lines_with(" log lines lost: more came than could be written").map(|line| {
        let count = line.strip_prefix("dd-traced WARN: ").unwrap().split(' ').next().unwrap();
        count.parse::<u64>().unwrap()
    });
    let all = written + lost.sum::<u64>();
    // Of the few lines of the start some may be lost, too.
    assert!((LINES..LINES + 200).contains(&all), "{all}");
    assert!(written > 10_000 && written < LINES / 2, "{written}");
    assert!(report.notes["grown by KiB"] < 16 << 10, "{report:?}");
    assert!(ended.stderr.lines().all(|line| line.starts_with("dd-traced ")), "no line is torn");
}

#[test]
fn secrets_are_in_no_debug_log() {
    let nobody = Address::unused().unwrap().to_string().replace("http://", "http://me:s3cret@");
    for json in ["true", "false"] {
        let mut program = program(PROGRAM, "secrets", 1);
        program.env("DD_TRACE_AGENT_URL", &nobody).envs([
            ("DD_TRACE_DEBUG", "1"),
            ("DD_LOG_FORMAT_JSON", json),
            ("DD_API_KEY", "s3cret"),
            ("DD_TAGS", "db.password:s3cret,header:Bearer s3cret"),
            ("DD_TRACE_SAMPLING_RULES", r#"[{"tags":{"api_key":"s3cret"},"sample_rate":0}]"#),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret"),
        ]);
        let ended = run(&mut program).expect_success();
        assert_eq!(ended.stderr_lines_with("span finished").count(), 1, "{}", ended.stderr);
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
        let is_line = |line: &str| line.starts_with("dd-traced ") || line.starts_with('{');
        assert!(ended.stderr.lines().all(is_line), "{}", ended.stderr);
    }
}
