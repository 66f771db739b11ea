//! A child process that answers questions: one line of JSON on its stdin, one on its stdout.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use crate::patience::PATIENCE;

/// A child process in a conversation. Dropping it closes its stdin, and kills it if it does not end by that.
#[derive(Debug)]
pub struct Partner {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<String>,
    stderr: Arc<Mutex<String>>,
}

impl Partner {
    /// Starts the command.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let (send, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let stderr = Arc::default();
        keep(child.stderr.take().expect("stderr is a pipe"), Arc::clone(&stderr));
        Self { child, stdin, answers, stderr }
    }

    /// Asks, and waits for the answer. The first one waits for the start of the program, too, which may be an interpreter's.
    ///
    /// # Panics
    /// Where none comes within twice [`PATIENCE`].
    pub fn ask(&mut self, question: &Value) -> Value {
        let stdin = self.stdin.as_mut().expect("the conversation is not over");
        // One that has ended is told by the answer that does not come.
        let _ = writeln!(stdin, "{question}").and_then(|()| stdin.flush());
        let answer = self.answers.recv_timeout(2 * PATIENCE);
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {question}: {}", self.stderr()));
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Says goodbye, and waits for its end.
    ///
    /// # Panics
    /// Where that does not come within [`PATIENCE`], or is a failure.
    pub fn end(mut self) {
        self.stdin = None;
        // Its stdout is closed by its end.
        while self.answers.recv_timeout(PATIENCE).is_ok() {}
        let status = self.child.wait().expect("waiting for a child");
        assert!(status.success(), "{status}: {}", self.stderr());
    }

    fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(mut from: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        }
    });
}
