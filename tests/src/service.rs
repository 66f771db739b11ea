//! A small HTTP service: what it is asked goes to a function, whose result is the status of the answer.

use std::io::{self, BufReader, Write};
use std::thread;

use crate::http::Head;
use crate::patience::PATIENCE;
use crate::stream::{Address, Listener, Stream};

/// The headers of a request, in their order.
pub type HeaderLines = Vec<(String, String)>;

/// Listens on a free port until the process ends. `answer` is given the path and the headers of each request, one request after the
/// other, and gives the status.
///
/// # Panics
/// Where no port is free.
pub fn serve(answer: impl Fn(&str, HeaderLines) -> u16 + Send + 'static) -> Address {
    let (listener, address) = Listener::bind(&Address::port(0)).expect("a free port");
    thread::spawn(move || {
        while let Ok(stream) = listener.accept() {
            // Who asked and went away has no use for an answer.
            let _ = serve_one(stream, &answer);
        }
    });
    address
}

fn serve_one(mut stream: Stream, answer: &impl Fn(&str, HeaderLines) -> u16) -> io::Result<()> {
    stream.set_read_timeout(PATIENCE)?;
    let head = Head::read(&mut BufReader::new(stream.try_clone()?))?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let path = head.first_line.split(' ').nth(1).unwrap_or("/");
    let status = answer(path, head.headers);
    write!(stream, "HTTP/1.1 {status} Told\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}
