//! The server that takes what the tracers send: it answers as an agent would, throws the bodies away and counts the
//! spans in them. A process of its own, so that nothing of it is in the figures.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What the agent has received since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) spans: u64,
    pub(crate) bytes: u64,
}

/// Asks the agent what it has received.
pub(crate) fn received(agent: SocketAddr) -> io::Result<Received> {
    let mut stream = TcpStream::connect(agent)?;
    stream.write_all(b"GET /bench/received HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let mut numbers = answer.lines().last().unwrap_or_default().split(' ').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(spans)), Some(Ok(bytes))) => Ok(Received { spans, bytes }),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Which agent it seems to be, each at an address of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// Without `/info`: no tracer computes statistics or may leave out what it rejected.
    Old,
    /// With `/info`: every tracer that can does both.
    Current,
}

/// Door `agent`: prints the addresses of the old and the current one and serves until it is killed.
pub(crate) fn serve() -> ExitCode {
    let (Some(old), Some(current)) = (listen(Age::Old), listen(Age::Current)) else {
        return ExitCode::FAILURE;
    };
    println!("{old} {current}");
    loop {
        thread::park();
    }
}

fn listen(age: Age) -> Option<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").ok()?;
    let address = listener.local_addr().ok();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || connection(stream, age));
        }
    });
    address
}

static SPANS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Serves one connection until its client closes it.
fn connection(stream: TcpStream, age: Age) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::with_capacity(1 << 16, stream);
    let mut body = Vec::new();
    while let Some(head) = Head::read(&mut requests)? {
        head.body(&mut requests, &mut body)?;
        BYTES.fetch_add(body.len() as u64, Ordering::Relaxed);
        SPANS.fetch_add(spans_in(&head.path, &body), Ordering::Relaxed);
        let (status, answer) = answer_to(&head.path, age);
        let length = answer.len();
        write!(
            answers,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{answer}"
        )?;
        if head.close {
            break;
        }
    }
    Ok(())
}

fn answer_to(path: &str, age: Age) -> (&'static str, String) {
    match path {
        "/bench/received" => {
            ("200 OK", format!("{} {}", SPANS.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed)))
        }
        "/info" if age == Age::Old => ("404 Not Found", String::new()),
        "/info" => ("200 OK", INFO.to_owned()),
        _ => ("200 OK", r#"{"rate_by_service":{}}"#.to_owned()),
    }
}

const INFO: &str = r#"{"version":"7.70.0","endpoints":["/v0.4/traces","/v0.5/traces","/v0.6/stats"],"client_drop_p0s":true}"#;

struct Head {
    path: String,
    length: Length,
    close: bool,
}

#[derive(Clone, Copy)]
enum Length {
    Bytes(u64),
    Chunked,
}

impl Head {
    fn read(requests: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if requests.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut head = Self { path, length: Length::Bytes(0), close: false };
        loop {
            line.clear();
            requests.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(head)) };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = Length::Bytes(value.parse().unwrap_or(0)),
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => head.length = Length::Chunked,
                "connection" => head.close = value.eq_ignore_ascii_case("close"),
                _ => (),
            }
        }
    }

    fn body(&self, requests: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
        body.clear();
        match self.length {
            Length::Bytes(length) => requests.take(length).read_to_end(body).map(drop),
            Length::Chunked => loop {
                let mut line = String::new();
                requests.read_line(&mut line)?;
                let size =
                    u64::from_str_radix(line.trim_end(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
                requests.take(size).read_to_end(body)?;
                requests.read_line(&mut line)?;
                if size == 0 {
                    return Ok(());
                }
            },
        }
    }
}

/// Spans in a payload; none in what is no payload.
fn spans_in(path: &str, body: &[u8]) -> u64 {
    let mut reader = Reader { bytes: body };
    match path {
        "/v0.3/traces" | "/v0.4/traces" => reader.traces().unwrap_or(0),
        "/v0.5/traces" => reader.dictionary_and_traces().unwrap_or(0),
        _ => 0,
    }
}

/// Walks over `MessagePack` without building anything.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn traces(&mut self) -> Option<u64> {
        let mut total = 0;
        for _ in 0..self.array()? {
            let spans = self.array()?;
            total += spans;
            self.skip(spans)?;
        }
        Some(total)
    }

    fn dictionary_and_traces(&mut self) -> Option<u64> {
        (self.array()? == 2).then_some(())?;
        self.skip(1)?;
        self.traces()
    }

    fn array(&mut self) -> Option<u64> {
        match self.number(1)? {
            marker @ 0x90..=0x9f => Some(marker & 0x0f),
            0xdc => self.number(2),
            0xdd => self.number(4),
            _ => None,
        }
    }

    /// Passes over so many values with all that is in them.
    fn skip(&mut self, values: u64) -> Option<()> {
        let mut left = values;
        while left > 0 {
            left -= 1;
            let (bytes, nested) = match self.number(1)? {
                0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => (0, 0),
                marker @ 0x80..=0x8f => (0, 2 * (marker & 0x0f)),
                marker @ 0x90..=0x9f => (0, marker & 0x0f),
                marker @ 0xa0..=0xbf => (marker & 0x1f, 0),
                0xc4 | 0xd9 => (self.number(1)?, 0),
                0xc5 | 0xda => (self.number(2)?, 0),
                0xc6 | 0xdb => (self.number(4)?, 0),
                0xcc | 0xd0 => (1, 0),
                0xcd | 0xd1 => (2, 0),
                0xca | 0xce | 0xd2 => (4, 0),
                0xcb | 0xcf | 0xd3 => (8, 0),
                0xdc => (0, self.number(2)?),
                0xdd => (0, self.number(4)?),
                0xde => (0, 2 * self.number(2)?),
                0xdf => (0, 2 * self.number(4)?),
                // extensions are in no payload
                _ => return None,
            };
            self.bytes = self.bytes.get(usize::try_from(bytes).ok()?..)?;
            left += nested;
        }
        Some(())
    }

    /// A big-endian number of so many bytes.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        let (head, rest) = self.bytes.split_at_checked(bytes)?;
        self.bytes = rest;
        Some(head.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::spans_in;

    fn bytes(traces: &impl serde::Serialize) -> Vec<u8> {
        rmp_serde::to_vec(traces).unwrap()
    }

    #[test]
    fn spans_are_counted_over_all_traces() {
        let span = std::collections::BTreeMap::from([
            ("name", "a long enough name for a marker of its own"),
            ("x", ""),
        ]);
        let traces = vec![vec![span.clone(); 3], vec![span; 20]];
        assert_eq!(spans_in("/v0.4/traces", &bytes(&traces)), 23);
    }

    #[test]
    fn spans_of_a_dictionary_payload_are_counted() {
        let span = (1_u32, u64::MAX, i64::MIN, 1.5_f64);
        assert_eq!(spans_in("/v0.5/traces", &bytes(&(vec!["", "shop"], vec![vec![span; 7]]))), 7);
    }

    #[test]
    fn a_cut_payload_counts_as_none() {
        let payload = bytes(&vec![vec![("shop", 1); 5]]);
        assert_eq!(spans_in("/v0.4/traces", &payload[..payload.len() - 1]), 0);
    }
}
