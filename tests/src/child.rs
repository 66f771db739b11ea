//! Programs run as child processes: with an environment of their own, a deadline, and never left behind.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::patience::PATIENCE;

/// A command with an environment that holds nothing but the search path.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env_clear();
    if let Some(path) = path_variable() {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null());
    command
}

#[expect(clippy::disallowed_methods, reason = "tests hand their search path on")]
fn path_variable() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}

/// Runs a command to its end.
///
/// # Panics
/// Where it does not start, or takes longer than [`PATIENCE`].
pub fn run(command: &mut Command) -> Ended {
    Running::start(command).wait(PATIENCE)
}

/// A child process that is killed when the test ends before it does.
#[derive(Debug)]
pub struct Running {
    child: Child,
    started: Instant,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    name: String,
}

/// A child process that came to its end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote on stdout.
    pub stdout: String,
    /// What it wrote on stderr.
    pub stderr: String,
    /// From its start until its outputs were closed.
    pub took: Duration,
}

impl Ended {
    /// The same, where it ended well.
    ///
    /// # Panics
    /// Where it did not.
    pub fn expect_success(self) -> Self {
        assert!(self.status.success(), "the child failed: {self:#?}");
        self
    }

    /// The lines of stderr that contain `text`.
    pub fn stderr_lines_with<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        self.stderr.lines().filter(move |line| line.contains(text))
    }
}

impl Running {
    /// Starts the command.
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let started = Instant::now();
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let stdout = read_to_end(child.stdout.take().expect("stdout is a pipe"));
        let stderr = read_to_end(child.stderr.take().expect("stderr is a pipe"));
        Self { child, started, stdout, stderr, name }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where that does not come within `deadline`; the child is killed then.
    pub fn wait(mut self, deadline: Duration) -> Ended {
        let until = self.started + deadline;
        let stdout = self.output_until(until, |running| &running.stdout);
        let stderr = self.output_until(until, |running| &running.stderr);
        let took = self.started.elapsed();
        // Both outputs are closed, so the process has ended or is about to.
        let status = self.child.wait().expect("waiting for a child");
        Ended { status, stdout, stderr, took }
    }

    fn output_until(&mut self, until: Instant, of: impl Fn(&Self) -> &Receiver<Vec<u8>>) -> String {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(bytes) = of(self).recv_timeout(left) else {
            self.kill();
            let stderr = self.stderr.recv_timeout(PATIENCE).unwrap_or_default();
            panic!("{} did not end in time; stderr:\n{}", self.name, String::from_utf8_lossy(&stderr));
        };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_to_end(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = from.read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    receive
}
