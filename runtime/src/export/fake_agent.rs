//! An agent for tests: a server on a port or socket of its own that answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::settings::{AgentAddress, AgentSettings};
use super::v04::testing::{WireSpan, decode};

/// A running agent; ends when dropped.
pub(crate) struct FakeAgent {
    pub(crate) address: AgentAddress,
    shared: Arc<Shared>,
    wake: Box<dyn Fn()>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    asked: Mutex<Vec<Received>>,
    info: Mutex<Reply>,
    arrived: Condvar,
    connections: AtomicUsize,
    is_over: AtomicBool,
    reply: Answering,
}

type Answering = Box<dyn Fn(usize, &Received) -> Reply + Send + Sync>;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn spans(&self) -> usize {
        self.chunks().iter().map(Vec::len).sum()
    }

    /// The chunks of a payload; none of anything else.
    pub(crate) fn chunks(&self) -> Vec<Vec<WireSpan>> {
        if self.path.ends_with("/traces") { decode(&self.body) } else { Vec::new() }
    }
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A whole answer with more header lines, each ended by `\r\n`, and a body.
    Status(u16, &'static str, String),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes again and again until the other side has had enough.
    Endless(Vec<u8>),
    /// The connection is closed without an answer.
    Close,
    /// Nothing, until the agent ends.
    Silence,
}

pub(crate) fn ok() -> Reply {
    Reply::Status(200, "", "{}".to_owned())
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Status(status, "", format!("status {status}"))
}

impl FakeAgent {
    /// An agent on a port, that answers the `n`th request (questions about itself left out) with `reply(n, request)`.
    pub(crate) fn start(reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        Self::on_port(listener, address, reply)
    }

    /// An agent on a listener that may have been bound before.
    pub(crate) fn on_port(
        listener: TcpListener,
        address: SocketAddr,
        reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared::serving(
            reply,
            move || listener.accept().map(|(stream, _)| stream),
            |stream| stream.try_clone().unwrap(),
        );
        let wake = Box::new(move || drop(TcpStream::connect(address)));
        Self { address: AgentAddress::parse(&format!("http://{address}")).unwrap(), shared, wake }
    }

    /// An agent on a Unix socket.
    #[cfg(unix)]
    pub(crate) fn on_socket(
        path: &Path,
        reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        use std::os::unix::net::{UnixListener, UnixStream};
        let listener = UnixListener::bind(path).unwrap();
        let shared = Shared::serving(
            reply,
            move || listener.accept().map(|(stream, _)| stream),
            |stream| stream.try_clone().unwrap(),
        );
        let path = path.to_owned();
        let address = AgentAddress::Unix(path.clone());
        Self { address, shared, wake: Box::new(move || drop(UnixStream::connect(&path))) }
    }

    pub(crate) fn settings(&self) -> AgentSettings {
        AgentSettings { address: self.address.clone(), is_explicit: true, ..AgentSettings::default() }
    }

    /// From now on the agent says this of itself. Until then it is too old to say anything.
    pub(crate) fn answers_info(&self, reply: Reply) {
        *self.shared.info.lock().unwrap() = reply;
    }

    /// Like [`FakeAgent::answers_info`], with 200 and a body.
    pub(crate) fn says(&self, info: &str) {
        self.answers_info(Reply::Status(200, "", info.to_owned()));
    }

    /// The questions about itself so far.
    pub(crate) fn asked(&self) -> Vec<Received> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it was asked so often about itself; whether it was.
    pub(crate) fn wait_for_questions(&self, questions: usize, limit: Duration) -> bool {
        let enough = || self.shared.asked.lock().unwrap().len() >= questions;
        let received = self.shared.received.lock().unwrap();
        drop(self.shared.arrived.wait_timeout_while(received, limit, |_| !enough()).unwrap());
        enough()
    }

    /// All requests so far, but for questions about itself.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Spans in all requests so far.
    pub(crate) fn spans(&self) -> usize {
        self.received().iter().map(Received::spans).sum()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have arrived; whether they did.
    pub(crate) fn wait_for(&self, requests: usize, limit: Duration) -> bool {
        let received = self.shared.received.lock().unwrap();
        let (received, _) = self
            .shared
            .arrived
            .wait_timeout_while(received, limit, |received| received.len() < requests)
            .unwrap();
        received.len() >= requests
    }
}

impl Drop for FakeAgent {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        (self.wake)();
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    fn serving<S: Read + Write + Send + 'static>(
        reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
        accept: impl Fn() -> std::io::Result<S> + Send + 'static,
        twin: fn(&S) -> S,
    ) -> Arc<Self> {
        let shared = Arc::new(Self {
            received: Mutex::default(),
            asked: Mutex::default(),
            info: Mutex::new(status(404)),
            arrived: Condvar::new(),
            connections: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            reply: Box::new(reply),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || serve(&serving, accept, twin));
        shared
    }
}

fn serve<S: Read + Write + Send + 'static>(
    shared: &Arc<Shared>,
    accept: impl Fn() -> std::io::Result<S>,
    twin: fn(&S) -> S,
) {
    while let Ok(stream) = accept() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(twin(&stream));
            let mut stream = stream;
            while let Some(request) = read_request(&mut reader) {
                if !answer(&shared, &mut stream, &request) {
                    return;
                }
            }
        });
    }
}

/// Answers one request; whether the connection stays open.
fn answer(shared: &Shared, stream: &mut impl Write, request: &Received) -> bool {
    let reply = if request.path.ends_with("/info") {
        shared.asked.lock().unwrap().push(request.clone());
        // Whoever waits for this holds the other lock while it looks.
        drop(shared.received.lock().unwrap());
        shared.arrived.notify_all();
        let info = shared.info.lock().unwrap();
        info.clone()
    } else {
        let number = {
            let mut received = shared.received.lock().unwrap();
            received.push(request.clone());
            received.len() - 1
        };
        shared.arrived.notify_all();
        (shared.reply)(number, request)
    };
    match reply {
        Reply::Status(status, headers, body) => {
            let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_ok()
        }
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
            false
        }
        Reply::Endless(bytes) => {
            while !shared.is_over.load(Ordering::SeqCst) && stream.write_all(&bytes).is_ok() {
                // A flood keeps an unoptimised parser busy for seconds at a time.
                std::thread::sleep(Duration::from_micros(200));
            }
            false
        }
        Reply::Close => false,
        Reply::Silence => {
            let received = shared.received.lock().unwrap();
            drop(shared.arrived.wait_while(received, |_| !shared.is_over.load(Ordering::SeqCst)).unwrap());
            false
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let received = Received { path, headers, body: Vec::new() };
    let len: usize = received.header("content-length").map_or(Some(0), |len| len.parse().ok())?;
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    Some(Received { body, ..received })
}
