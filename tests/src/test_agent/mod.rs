//! The APM test agent of Datadog (`ddapm-test-agent` on PyPI): it decodes payloads as the agent does, and checks them.

mod install;

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::child::command;
use crate::http::{Response, get, send};
use crate::stream::Address;
use crate::wire::WireSpan;

/// A running test agent with all its trace checks on. Dropping it ends its process.
#[derive(Debug)]
pub struct TestAgent {
    address: Address,
    child: Child,
    log: Arc<Mutex<String>>,
}

/// All of its checks of traces. They are switched on by the variable: the flag is broken in this release.
const CHECKS: &str = "trace_count_header,meta_tracer_version_header,trace_content_length,trace_stall,\
                      trace_peer_service,trace_dd_service,meta_events_is_valid_json";
/// What differs from run to run.
const OF_A_RUN: &[&str] = &[
    "start",
    "duration",
    "meta._dd.p.tid",
    "meta._dd.tags.process",
    "meta.runtime-id",
    "metrics.process_id",
];
/// A cold start of the interpreter, on a machine with other things to do.
const START: Duration = Duration::from_secs(60);
/// What it prints when all its servers listen.
const READY: &str = "Press CTRL+C to quit";

impl TestAgent {
    /// Starts a test agent on a free port; installs it below `scratch` first if that was not done yet.
    ///
    /// `None` where Python, its modules or the package index are missing: what is missing is printed then, and the test is to be
    /// skipped.
    ///
    /// # Panics
    /// Where something is missing and the variable `CI` is `true`, or the test agent does not start.
    pub fn on_port(scratch: &str) -> Option<Self> {
        Self::start(Path::new(scratch), None)
    }

    /// [`TestAgent::on_port`] on a Unix socket.
    pub fn on_socket(scratch: &str) -> Option<Self> {
        let directory = Path::new(scratch);
        let socket = directory.join(format!("test-agent-{}.socket", std::process::id()));
        Self::start(directory, Some(&socket))
    }

    fn start(scratch: &Path, socket: Option<&Path>) -> Option<Self> {
        let programs = installed(scratch)?;
        Some(Self::started(&programs.join("ddapm-test-agent"), scratch, socket))
    }

    /// Started, with other ports where one of those chosen was taken meanwhile.
    fn started(program: &Path, scratch: &Path, socket: Option<&Path>) -> Self {
        let snapshots = scratch.join("snapshots");
        std::fs::create_dir_all(&snapshots).expect("a directory for snapshots");
        let mut fault = String::new();
        for _ in 0..5 {
            match Self::try_start(program, &snapshots, socket) {
                Ok(agent) => return agent,
                Err(error) => fault = error,
            }
        }
        panic!("the test agent does not start: {fault}");
    }

    fn try_start(program: &Path, snapshots: &Path, socket: Option<&Path>) -> Result<Self, String> {
        let [traces, otlp_http, otlp_grpc] = free_ports();
        let mut command = command(program);
        command
            .env("ENABLED_CHECKS", CHECKS)
            // By default parents are not compared either. Traces are numbered in the order in which they come.
            .env("SNAPSHOT_IGNORED_ATTRS", "trace_id")
            .env("PYTHONUNBUFFERED", "1")
            .arg("--snapshot-dir")
            .arg(snapshots);
        command.args(["--port", &traces.to_string()]);
        command.args(["--otlp-http-port", &otlp_http.to_string()]);
        command.args(["--otlp-grpc-port", &otlp_grpc.to_string()]);
        let address = match socket {
            None => Address::port(traces),
            Some(path) => {
                command.arg("--trace-uds-socket").arg(path);
                Address::socket(path)
            }
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let log = Arc::new(Mutex::new(String::new()));
        let ready = watch(child.stdout.take().expect("stdout is a pipe"), &log);
        watch(child.stderr.take().expect("stderr is a pipe"), &log);
        // From here on the process ends with this value, on every way.
        let agent = Self { address, child, log };
        agent.wait_until_ready(&ready)?;
        Ok(agent)
    }

    fn wait_until_ready(&self, ready: &Receiver<()>) -> Result<(), String> {
        match ready.recv_timeout(START) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Err(format!("no sign of life: {}", self.log())),
            Err(RecvTimeoutError::Disconnected) => return Err(format!("it ended: {}", self.log())),
        }
        match get(&self.address, "/info") {
            Ok(Response { status: 200, .. }) => Ok(()),
            other => Err(format!("{other:?}: {}", self.log())),
        }
    }

    /// The URL for `DD_TRACE_AGENT_URL`.
    pub fn url(&self) -> String {
        self.address.to_string()
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The chunks that it accepted.
    ///
    /// # Panics
    /// Where it refused one: the message holds its reason.
    pub fn traces(&self) -> Vec<Vec<WireSpan>> {
        let response = self.ask("/test/session/traces");
        assert_eq!(response.status, 200, "a payload was refused: {}\n{}", response.body, self.log());
        serde_json::from_str(&response.body)
            .unwrap_or_else(|error| panic!("not traces: {error}: {}", response.body))
    }

    /// The groups of all statistics that it accepted, as the objects that it shows.
    ///
    /// # Panics
    /// Where it refused some, or they cannot be read.
    pub fn statistics(&self) -> Vec<serde_json::Value> {
        let response = self.ask("/test/session/stats");
        assert_eq!(response.status, 200, "statistics were refused: {}\n{}", response.body, self.log());
        let payloads: serde_json::Value = serde_json::from_str(&response.body)
            .unwrap_or_else(|error| panic!("not statistics: {error}: {}", response.body));
        let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
        let buckets = list(&payloads).into_iter().flat_map(|payload| list(&payload["Stats"]));
        buckets.flat_map(|bucket| list(&bucket["Stats"])).collect()
    }

    /// What it receives from now on is held against the snapshot of this name.
    pub fn begin(&self, snapshot: &str) {
        let begun = self.ask(&format!("/test/session/start?test_session_token={snapshot}"));
        assert_eq!(begun.status, 200, "{}", begun.body);
    }

    /// Compares the traces received since [`TestAgent::begin`] with the committed file `<snapshot>.json` in the directory, but for ids,
    /// times, what belongs to a process, and these attributes (`meta.error.stack`). With the variable `SNAPSHOTS=overwrite` the file is written
    /// instead, without them.
    ///
    /// # Panics
    /// With what differs, or where there is no such file.
    pub fn expect_snapshot(&self, snapshot: &str, directory: &Path, ignored: &[&str]) {
        let path = directory.join(snapshot);
        let file = path.with_extension("json");
        if is_overwriting() {
            // There may be none yet.
            let _ = std::fs::remove_file(&file);
        } else {
            assert!(file.exists(), "{} is not there; SNAPSHOTS=overwrite writes it", file.display());
        }
        let (path, removed) = (path.display(), [OF_A_RUN, ignored].concat().join(","));
        let query = format!("test_session_token={snapshot}&file={path}&ignores={removed}&removes={removed}");
        let compared = self.ask(&format!("/test/session/snapshot?{query}"));
        assert_eq!(compared.status, 200, "{}", compared.body);
        assert!(file.exists(), "no traces came");
    }

    /// Fails where one of the checks failed, or none was made.
    ///
    /// # Panics
    /// With what the test agent says of the failure.
    pub fn expect_checks_passed(&self) {
        let failures = self.ask("/test/trace_check/failures");
        assert_eq!(failures.status, 200, "{}\n{}", failures.body, self.log());
        let summary = self.ask("/test/trace_check/summary").body;
        let checks: serde_json::Value = serde_json::from_str(&summary).expect("a summary of checks");
        for check in ["trace_count_header", "meta_tracer_version_header", "trace_content_length"] {
            let passed = checks[check]["Passed_Checks"].as_u64();
            assert!(passed > Some(0), "the check {check} was never made: {summary}");
        }
        let all = checks.as_object().expect("an object of checks");
        for (check, counts) in all {
            assert_eq!(counts["Failed_Checks"].as_u64(), Some(0), "{check} failed: {}", self.log());
        }
    }

    fn ask(&self, path: &str) -> Response {
        send(&self.address, "GET", path, &[], b"")
            .unwrap_or_else(|error| panic!("{path}: {error}: {}", self.log()))
    }

    fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A Python that has Datadog's tracer, `ddtrace`, with an environment that holds nothing but the search path; installed below
/// `scratch` first if that was not done yet.
///
/// `None` where something is missing for that, as with [`TestAgent::on_port`].
///
/// # Panics
/// Where something is missing and the variable `CI` is `true`.
pub fn python(scratch: &str) -> Option<Command> {
    installed(Path::new(scratch)).map(|programs| command(programs.join("python")))
}

/// Where the installed programs are, or a word on what is missing.
fn installed(scratch: &Path) -> Option<PathBuf> {
    match install::installed(scratch) {
        Ok(programs) => Some(programs),
        Err(missing) if is_ci() => panic!("what the test needs can not be installed: {missing}"),
        Err(missing) => {
            report(format_args!("skipped, since what it needs can not be installed: {missing}"));
            None
        }
    }
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Keeps what is written, and says when a line tells that all is ready.
fn watch(from: impl Read + Send + 'static, log: &Arc<Mutex<String>>) -> Receiver<()> {
    let (send, receive) = mpsc::channel();
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if line.contains(READY) {
                let _ = send.send(());
            }
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    });
    receive
}

/// Three ports that were free while all of them were held.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port"));
    held.map(|listener| listener.local_addr().expect("a bound address").port())
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a missing test agent is a failure is up to who runs the tests"
)]
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

#[expect(clippy::disallowed_methods, reason = "whether snapshots are written is up to who runs the tests")]
fn is_overwriting() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite")
}

/// Prints to the stream itself: what `eprintln!` prints is seen only where a test fails.
fn report(what: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
