//! A program whose stderr nobody reads while it reports more than can be kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::thread;

use crate::child::Ended;
use crate::patience::PATIENCE;
use crate::process::program;

/// Has the helper program report `number` messages, and reads its stderr only from then on.
///
/// # Panics
/// Where it does not start, or does not end well.
pub fn flooded(path: &str, number: u64) -> Ended {
    let started = std::time::Instant::now();
    let mut program = program(path, "flood", number);
    program.env("DD_TRACE_DEBUG", "1").env("DD_TRACE_STARTUP_LOGS", "0");
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program starts");
    let mut output = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    let mut stdout = String::new();
    output.read_line(&mut stdout).expect("a line");
    let mut unread = child.stderr.take().expect("stderr is a pipe");
    let reader = thread::spawn(move || {
        let mut stderr = String::new();
        unread.read_to_string(&mut stderr).map(|_| stderr)
    });
    child.stdin.take().expect("stdin is a pipe").write_all(b"\n").expect("it goes on");
    output.read_to_string(&mut stdout).expect("the rest");
    let stderr = reader.join().expect("a reader").expect("text");
    let status = child.wait().expect("waiting for a child");
    let took = started.elapsed();
    assert!(took < PATIENCE, "{took:?}");
    Ended { status, stdout, stderr, took }.expect_success()
}
