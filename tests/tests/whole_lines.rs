//! Each message of the library is one write of a whole line, so that lines of several processes do not mix.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use dd_traced_tests::{command, program, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
/// What a pipe takes at once at least, and all of it at once.
const PIPE_BYTES: usize = 4096;
/// Of each process: what they write is more than a pipe holds.
const SPANS: usize = 50;

/// What `program` writes to stderr, by the write.
fn writes(program: &mut Command) -> Vec<String> {
    // A datagram is what one write wrote.
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let end = theirs.try_clone().unwrap();
    program.stdout(Stdio::null()).stderr(Stdio::from(OwnedFd::from(theirs)));
    let mut child = program.spawn().unwrap();
    let reader = std::thread::spawn(move || {
        let mut writes = Vec::new();
        let mut bytes = vec![0; 1 << 17];
        loop {
            match ours.recv(&mut bytes).unwrap() {
                0 => return writes,
                length => writes.push(String::from_utf8(bytes[..length].to_vec()).unwrap()),
            }
        }
    });
    assert!(child.wait().unwrap().success());
    end.send(&[]).unwrap();
    reader.join().unwrap()
}

#[test]
fn a_line_is_one_write() {
    for json in ["false", "true"] {
        let mut all = Vec::new();
        with_agent(|agent| {
            let mut program = program(PROGRAM, "long lines", 10);
            program.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_DEBUG", "true");
            all = writes(program.env("DD_LOG_FORMAT_JSON", json));
        });
        let is_line = |write: &String| write.ends_with('\n') && write.matches('\n').count() == 1;
        let is_whole = |write: &String| {
            write.starts_with("dd-traced ") || write.starts_with('{') && write.ends_with("}\n")
        };
        assert!(all.iter().all(|write| is_line(write) && is_whole(write)), "{all:#?}");
        assert_eq!(all.iter().filter(|write| write.len() > PIPE_BYTES).count(), 10, "{all:#?}");
    }
}

/// What two processes write at once by this line of a shell, whose `$0` is the program and `$1` a file; gives what came on the pipe that is
/// stdout, and what is in the file.
fn written_by_two(name: &str, line: &str) -> (String, String) {
    let path = std::env::temp_dir().join(format!("dd-traced-whole-{name}-{}", std::process::id()));
    let mut on_pipe = String::new();
    with_agent(|agent| {
        let mut shell = command("sh");
        shell.args(["-c", &format!("{line} & {line} & wait"), PROGRAM, path.to_str().unwrap()]);
        shell.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_DEBUG", "true");
        on_pipe = run(&mut shell).expect_success().stdout;
    });
    let in_file = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(&path);
    (on_pipe, in_file)
}

/// The lines that tell of so many starts and finishes are there, and each line is whole.
fn expect_whole(text: &str, spans: usize) {
    let is_whole = |line: &str| line.contains("dd-traced ") && line.matches("dd-traced ").count() == 1;
    assert!(text.lines().all(is_whole), "{text}");
    let count = |told, end: fn(&str) -> bool| {
        text.lines().filter(|line| line.contains(told) && end(line.rsplit(' ').next().unwrap())).count()
    };
    let is_start = |end: &str| end.strip_prefix("start_ns=").is_some_and(|start| start.len() == 19);
    let is_metrics = |end: &str| end.starts_with("metrics={") && end.ends_with('}');
    let counts = (count(" span started: name=", is_start), count(" span finished: name=", is_metrics));
    assert_eq!(counts, (spans, spans), "{text}");
}

#[test]
fn two_processes_on_one_pipe_tear_no_line_that_it_takes_at_once() {
    let (text, _) = written_by_two("pipe", &format!(r#""$0" work {SPANS} 2>&1 >/dev/null"#));
    assert!(text.lines().all(|line| line.len() < PIPE_BYTES));
    expect_whole(&text, 4 * SPANS);
}

/// A longer one may be torn by another process, where the pipe has no room for all of it. It arrives, and tears none that is shorter.
#[test]
fn two_processes_on_one_pipe_lose_no_line_that_is_longer() {
    let (text, _) = written_by_two("long-pipe", &format!(r#""$0" "long lines" {SPANS} 2>&1 >/dev/null"#));
    let started = text.split("dd-traced DEBUG: span started: name=\"long\" ").skip(1);
    let is_whole = |rest: &str| {
        let start = rest.split('\n').next().unwrap().rsplit(' ').next().unwrap();
        start.strip_prefix("start_ns=").is_some_and(|start| start.len() == 19)
    };
    assert_eq!(started.filter(|rest| is_whole(rest)).count(), 2 * SPANS);
    assert!(text.matches('x').count() >= 2 * SPANS * 20 * 500);
}

#[test]
fn two_processes_on_one_file_tear_no_line_however_long() {
    let (_, text) = written_by_two("stderr", &format!(r#""$0" "long lines" {SPANS} 2>>"$1" >/dev/null"#));
    expect_whole(&text, 2 * SPANS);
    let line = format!(r#"DD_TRACE_LOG_FILE="$1" "$0" "long lines" {SPANS} >/dev/null"#);
    let (_, text) = written_by_two("file", &line);
    expect_whole(&text, 2 * SPANS);
}
