//! A fake agent: it listens on a free port or a Unix socket, keeps what it receives, and answers as it is told.
//!
//! One thread accepts, one more per connection reads. A payload that the agent would refuse, or repair in silence, is a panic
//! of such a thread, and that fails the test which started the agent.

mod answer;
mod received;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use self::answer::Answer;
use self::answer::Manner;
pub use self::received::{Received, Request};
use crate::http::Head;
use crate::patience::PATIENCE;
use crate::stream::{Address, Listener, Stream};
use crate::wire::decode_v04;

/// Runs `test` with a fake agent on a free port, and returns what the agent received.
///
/// # Panics
/// Where the agent got something it would not take.
pub fn with_agent(test: impl FnOnce(&FakeAgent)) -> Received {
    with_agent_at(&Address::port(0), test)
}

/// [`with_agent`] at an address of one's own: a port, or a Unix socket whose path does not exist yet.
pub fn with_agent_at(address: &Address, test: impl FnOnce(&FakeAgent)) -> Received {
    let agent = FakeAgent::start(address);
    test(&agent);
    agent.stop()
}

/// A running fake agent. It answers a trace payload with 200 and no rates, and says in `/info` that it knows `/v0.4/traces` and
/// nothing else, until it is told otherwise.
#[derive(Debug)]
pub struct FakeAgent {
    address: Address,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    received: Received,
    next: VecDeque<Answer>,
    traces: Answer,
    statistics: Answer,
    info: Answer,
    is_stopping: bool,
    is_broken: bool,
    open: BTreeMap<usize, Stream>,
    readers: Vec<JoinHandle<()>>,
}

const INFO: &str =
    r#"{"version":"7.79.0","endpoints":["/v0.3/traces","/v0.4/traces"],"client_drop_p0s":false}"#;

impl FakeAgent {
    /// Starts an agent that listens at `address`.
    pub fn start(address: &Address) -> Self {
        let (listener, address) =
            Listener::bind(address).unwrap_or_else(|error| panic!("{address} is not free: {error}"));
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                received: Received::default(),
                next: VecDeque::new(),
                traces: Answer::ok(),
                statistics: Answer::ok(),
                info: Answer::ok().with_body(INFO),
                is_stopping: false,
                is_broken: false,
                open: BTreeMap::new(),
                readers: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let accepting = Some(thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        }));
        Self { address, shared, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The URL for `DD_TRACE_AGENT_URL`.
    pub fn url(&self) -> String {
        self.address.to_string()
    }

    /// From now on trace payloads are answered so.
    pub fn answers(&self, answer: Answer) {
        self.shared.lock().traces = answer;
    }

    /// From now on payloads of statistics are answered so.
    pub fn answers_statistics(&self, answer: Answer) {
        self.shared.lock().statistics = answer;
    }

    /// From now on `/info` is answered so.
    pub fn answers_info(&self, answer: Answer) {
        self.shared.lock().info = answer;
    }

    /// From now on whatever is asked is answered so.
    pub fn answers_all(&self, answer: Answer) {
        self.answers_info(answer.clone());
        self.answers(answer);
    }

    /// The next trace payload with spans in it that has no such answer yet is answered so, and only that one.
    pub fn answers_next(&self, answer: Answer) {
        self.shared.lock().next.push_back(answer);
    }

    /// What was received up to now.
    pub fn received(&self) -> Received {
        self.shared.lock().received.clone()
    }

    /// Waits until `enough` of what was received.
    ///
    /// # Panics
    /// Where that takes longer than [`PATIENCE`].
    pub fn wait_until(&self, what: &str, enough: impl Fn(&Received) -> bool) -> Received {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        while !enough(&state.received) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.is_broken {
                let received = state.received.clone();
                drop(state);
                panic!("the agent did not see {what}; it got {received:#?}");
            }
            state = self.shared.wait(state, left);
        }
        state.received.clone()
    }

    /// Closes the connections that are open, as the agent does with idle ones.
    pub fn close_connections(&self) {
        for stream in self.shared.lock().open.values() {
            stream.shutdown();
        }
    }

    /// Stops the agent and returns what it received.
    ///
    /// # Panics
    /// Where the agent got something it would not take.
    pub fn stop(mut self) -> Received {
        if let Err(panic) = self.end() {
            std::panic::resume_unwind(panic);
        }
        std::mem::take(&mut self.shared.lock().received)
    }

    /// Ends all threads; the first panic of one of them is the error.
    fn end(&mut self) -> thread::Result<()> {
        let Some(accepting) = self.accepting.take() else { return Ok(()) };
        self.shared.lock().is_stopping = true;
        self.shared.changed.notify_all();
        // Wakes the accepting thread, which then sees that it is to stop.
        let _ = self.address.connect();
        let mut result = accepting.join();
        self.close_connections();
        let readers = std::mem::take(&mut self.shared.lock().readers);
        for reader in readers {
            result = result.and(reader.join());
        }
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
        result
    }
}

impl Drop for FakeAgent {
    fn drop(&mut self) {
        if let Err(panic) = self.end() {
            if !thread::panicking() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until `deadline`, or until the agent stops.
    fn pause_until(&self, deadline: Option<Instant>) {
        let mut state = self.lock();
        while !state.is_stopping {
            let left =
                deadline.map_or(PATIENCE, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            state = self.wait(state, left);
        }
    }

    fn record(&self, request: Request) {
        self.lock().received.requests.push(request);
        self.changed.notify_all();
    }
}

/// The end of a connection, on every way: closes it, and tells who waits for the agent where its thread panicked.
struct Connection {
    number: usize,
    shared: Arc<Shared>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.open.remove(&self.number);
        state.is_broken |= thread::panicking();
        self.shared.changed.notify_all();
    }
}

fn accept(listener: &Listener, shared: &Arc<Shared>) {
    loop {
        let stream = listener.accept().expect("accepting a connection");
        let mut state = shared.lock();
        if state.is_stopping {
            return;
        }
        let connection = state.received.connections;
        state.received.connections += 1;
        state.open.insert(connection, stream.try_clone().expect("a second handle of a connection"));
        let shared = Arc::clone(shared);
        state.readers.push(thread::spawn(move || {
            let connection = Connection { number: connection, shared };
            // Ended by the other side, or by this one at the end: both are ways in which connections end.
            let _ = serve(connection.number, stream, &connection.shared);
        }));
    }
}

fn serve(connection: usize, stream: Stream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    while let Some(head) = Head::read(&mut reader)? {
        let mut words = head.first_line.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            panic!("not a request: {}", head.first_line);
        };
        let mut request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: head.headers.clone(),
            body: Vec::new(),
            chunks: Vec::new(),
            answered: None,
            connection,
        };
        assert!(head.header("transfer-encoding").is_none(), "a request without Content-Length: {head:?}");
        let answer = shared.lock().answer_to(&request);
        if answer.manner == Manner::Reset {
            shared.record(request);
            return reader.into_inner().reset_when_closed();
        }
        request.body = vec![0; head.content_length().unwrap_or(0)];
        reader.read_exact(&mut request.body)?;
        if request.path.ends_with("/v0.4/traces") {
            request.chunks = decode_v04(&request.body).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(
                request.header("x-datadog-trace-count"),
                Some(request.chunks.len().to_string().as_str()),
                "the header counts the chunks"
            );
        }
        request.answered = answer.seen_status();
        if answer.manner == Manner::Never {
            shared.record(request);
            shared.pause_until(None);
            return Ok(());
        }
        shared.pause_until(Some(Instant::now() + answer.delay));
        // Recorded before it is answered: who got the answer finds the request here.
        shared.record(request);
        let stream = reader.get_mut();
        stream.write_all(&answer.bytes())?;
        if answer.manner != Manner::Whole {
            stream.shutdown();
            return Ok(());
        }
    }
    Ok(())
}

impl State {
    fn answer_to(&mut self, request: &Request) -> Answer {
        if request.path.ends_with("/info") {
            return self.info.clone();
        }
        if request.is_statistics() {
            return self.statistics.clone();
        }
        if !request.is_traces() {
            return Answer::status(404);
        }
        let is_empty = request.header("x-datadog-trace-count") == Some("0");
        let next = if is_empty { None } else { self.next.pop_front() };
        next.unwrap_or_else(|| self.traces.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{get, send};

    const EMPTY: &[u8] = &[0x90];
    const COUNT_0: &[(&str, &str)] = &[("X-Datadog-Trace-Count", "0")];

    #[test]
    fn an_empty_payload_is_accepted_and_kept() {
        let received = with_agent(|agent| {
            let response = send(agent.address(), "POST", "/v0.4/traces", COUNT_0, EMPTY).expect("an answer");
            assert_eq!(response.status, 200);
        });
        assert_eq!(received.requests.len(), 1);
        assert_eq!(received.requests[0].header("x-datadog-trace-count"), Some("0"));
    }

    #[test]
    fn what_can_not_be_decoded_fails_the_test() {
        let result = std::panic::catch_unwind(|| {
            with_agent(|agent| {
                let _ = send(agent.address(), "POST", "/v0.4/traces", COUNT_0, b"junk");
            })
        });
        assert!(result.is_err());
    }

    #[test]
    fn an_agent_that_never_answers_is_stopped_all_the_same() {
        let agent = FakeAgent::start(&Address::port(0));
        agent.answers_all(Answer::never());
        let address = agent.address().clone();
        let asking = thread::spawn(move || get(&address, "/info"));
        agent.wait_until("the question", |received| received.requests.len() == 1);
        agent.stop();
        assert!(asking.join().expect("the client ends").is_err());
    }

    #[test]
    fn a_reset_and_half_an_answer_are_errors_to_the_client() {
        with_agent(|agent| {
            agent.answers_all(Answer::reset());
            assert!(get(agent.address(), "/info").is_err());
            agent.answers_all(Answer::ok().half());
            assert!(get(agent.address(), "/info").is_err());
        });
    }

    #[test]
    fn a_unix_socket_serves_as_well() {
        let path = std::env::temp_dir().join(format!("dd-traced-fake-{}.socket", std::process::id()));
        let address = Address::socket(&path);
        let received = with_agent_at(&address, |agent| {
            assert_eq!(get(agent.address(), "/info").expect("an answer").status, 200);
        });
        assert_eq!(received.requests.len(), 1);
        assert!(!path.exists(), "the agent takes its socket away");
    }
}
