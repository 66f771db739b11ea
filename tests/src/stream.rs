//! TCP and Unix sockets under one name.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use socket2::SockRef;

/// Where a server listens. Displayed as the URL that `DD_TRACE_AGENT_URL` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port of the loopback interface.
    Tcp(u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// The address of a TCP port.
    pub fn port(port: u16) -> Self {
        Self::Tcp(port)
    }

    /// The address of a Unix socket.
    pub fn socket(path: impl AsRef<Path>) -> Self {
        Self::Unix(path.as_ref().to_owned())
    }

    /// A port on which nobody listens, and that nobody gets who asks for any port: it is below those that Linux gives away.
    pub fn unused() -> io::Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let free = (0..1_000).find_map(|_| {
            let number = (std::process::id() as u16)
                .wrapping_mul(61)
                .wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = 10_000 + number % 20_000;
            TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
        });
        free.map(Self::Tcp).ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    pub(crate) fn connect(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(port) => Stream::Tcp(TcpStream::connect(("127.0.0.1", *port))?),
            Self::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        })
    }
}

impl FromStr for Address {
    type Err = io::Error;

    /// From what [`Display`](fmt::Display) gives.
    fn from_str(url: &str) -> io::Result<Self> {
        let port = url.strip_prefix("http://127.0.0.1:").and_then(|port| port.parse().ok());
        let path = url.strip_prefix("unix://").map(Self::socket);
        port.map(Self::port).or(path).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "http://127.0.0.1:{port}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Listens at `address`; a port of 0 is replaced by a free one.
    pub(crate) fn bind(address: &Address) -> io::Result<(Self, Address)> {
        Ok(match address {
            Address::Tcp(port) => {
                let listener = TcpListener::bind(("127.0.0.1", *port))?;
                let port = listener.local_addr()?.port();
                (Self::Tcp(listener), Address::Tcp(port))
            }
            Address::Unix(path) => (Self::Unix(UnixListener::bind(path)?), address.clone()),
        })
    }

    pub(crate) fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(listener) => Stream::Tcp(listener.accept()?.0),
            Self::Unix(listener) => Stream::Unix(listener.accept()?.0),
        })
    }
}

#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }

    pub(crate) fn shutdown(&self) {
        // Whether the other side was quicker does not matter.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    /// Makes the coming close a reset. A Unix socket is reset by what is left unread in it.
    pub(crate) fn reset_when_closed(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).set_linger(Some(Duration::ZERO)),
            Self::Unix(_) => Ok(()),
        }
    }

    pub(crate) fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(timeout)),
            Self::Unix(stream) => stream.set_read_timeout(Some(timeout)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
        }
    }
}
