//! Somebody who takes metrics, on a UDP port or a Unix socket, and reads them strictly: what the format does not allow is a panic, and so is what
//! a parser of others reads as something else.

mod second_opinion;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::patience::PATIENCE;

/// A socket for metrics.
#[derive(Debug)]
pub struct Statsd {
    socket: Socket,
    url: String,
}

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

/// One line of a datagram.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// What is measured.
    pub name: String,
    /// How much.
    pub number: f64,
    /// `c`, `g`, `d`, `ms` or `h`.
    pub kind: String,
    /// Which part of all numbers is sent; 1.0 for all.
    pub rate: f64,
    /// By key; several of a key are a panic.
    pub tags: BTreeMap<String, String>,
    /// `ci-…` or `in-…`.
    pub container: Option<String>,
}

impl Statsd {
    /// On a free port of this machine.
    ///
    /// # Panics
    /// Where there is none.
    pub fn udp() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("udp://{}", socket.local_addr().expect("an address"));
        Self { socket: Socket::Udp(socket), url }
    }

    /// On a Unix socket that does not exist yet.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn unix(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a socket");
        Self { socket: Socket::Unix(socket), url: format!("unix://{}", path.display()) }
    }

    /// Its address, for `DD_DOGSTATSD_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port.
    ///
    /// # Panics
    /// Where it is none.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// What arrived, datagram by datagram; waits for nothing.
    ///
    /// # Panics
    /// Where something is no datagram of metrics.
    pub fn datagrams(&self) -> Vec<Vec<Metric>> {
        std::iter::from_fn(|| self.receive(None)).map(|datagram| self.read(&datagram)).collect()
    }

    /// All metrics up to the one that tells the tracer's end.
    ///
    /// # Panics
    /// Where it does not come, or something is no datagram of metrics.
    pub fn metrics(&self) -> Vec<Metric> {
        let deadline = Instant::now() + PATIENCE;
        let mut metrics = Vec::new();
        while !metrics.iter().any(|metric: &Metric| metric.name == "datadog.tracer.stopped") {
            let left = deadline.saturating_duration_since(Instant::now());
            let datagram = self.receive(Some(left)).unwrap_or_else(|| panic!("no end after {metrics:#?}"));
            metrics.extend(self.read(&datagram));
        }
        metrics.extend(self.datagrams().into_iter().flatten());
        metrics
    }

    fn receive(&self, wait: Option<Duration>) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 1 << 16];
        let is_waiting = wait.is_some();
        let wait = wait.map(|wait| wait.max(Duration::from_millis(1)));
        let received = match &self.socket {
            Socket::Udp(socket) => {
                socket.set_nonblocking(!is_waiting).expect("a socket");
                socket.set_read_timeout(wait).expect("a socket");
                socket.recv(&mut buffer)
            }
            Socket::Unix(socket) => {
                socket.set_nonblocking(!is_waiting).expect("a socket");
                socket.set_read_timeout(wait).expect("a socket");
                socket.recv(&mut buffer)
            }
        };
        match received {
            Ok(length) => {
                buffer.truncate(length);
                Some(buffer)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("receiving: {error}"),
        }
    }

    fn read(&self, datagram: &[u8]) -> Vec<Metric> {
        let most = match self.socket {
            Socket::Udp(_) => 1432,
            Socket::Unix(_) => 8192,
        };
        assert!(datagram.len() <= most, "{} bytes are more than {most}", datagram.len());
        let text = std::str::from_utf8(datagram).expect("UTF-8");
        assert!(!text.is_empty() && !text.ends_with('\n'), "{text:?}");
        let read = |line| {
            let metric = Metric::read(line);
            second_opinion::expect_same(line, &metric);
            metric
        };
        text.split('\n').map(read).collect()
    }
}

impl Metric {
    /// Reads `name:number|kind|@rate|#key:value,…|c:container`.
    fn read(line: &str) -> Self {
        let mut sections = line.split('|');
        let (name, number) =
            sections.next().and_then(|first| first.split_once(':')).expect("name and number");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
                && name.starts_with(|first: char| first.is_ascii_alphabetic()),
            "{line:?}"
        );
        let kind = sections.next().expect("a kind");
        assert!(matches!(kind, "c" | "g" | "d" | "ms" | "h"), "{line:?}");
        let mut metric = Self {
            name: name.to_owned(),
            number: decimal(number),
            kind: kind.to_owned(),
            rate: 1.0,
            tags: BTreeMap::new(),
            container: None,
        };
        let mut order = 0;
        for section in sections {
            let place = match section.split_at(section.len().min(1)) {
                ("@", rate) => {
                    metric.rate = decimal(rate);
                    assert!(metric.rate > 0.0 && metric.rate <= 1.0, "{line:?}");
                    1
                }
                ("#", tags) => {
                    for tag in tags.split(',') {
                        let (key, value) =
                            tag.split_once(':').unwrap_or_else(|| panic!("{tag:?} in {line:?}"));
                        assert!(!key.is_empty() && !value.is_empty(), "{line:?}");
                        assert!(!tag.chars().any(|c| c.is_control() || c.is_whitespace()), "{line:?}");
                        let before = metric.tags.insert(key.to_owned(), value.to_owned());
                        assert_eq!(before, None, "{key} twice in {line:?}");
                    }
                    2
                }
                ("c", container) => {
                    let id = container.strip_prefix(":ci-").or_else(|| container.strip_prefix(":in-"));
                    let is_id =
                        |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                    assert!(id.is_some_and(|id| !id.is_empty() && is_id(id)), "{line:?}");
                    metric.container = container.strip_prefix(':').map(str::to_owned);
                    3
                }
                _ => panic!("{section:?} in {line:?}"),
            };
            assert!(place > order, "sections out of order: {line:?}");
            order = place;
        }
        metric
    }
}

/// Digits, perhaps a point and more digits.
fn decimal(text: &str) -> f64 {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    assert!(is_digits(whole) && is_digits(fraction), "{text:?} is no number");
    text.parse().expect("a number")
}
