//! A socket that takes datagrams, or does not: never one to wait for.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

/// A socket that is connected to whoever takes metrics.
#[derive(Debug)]
pub(super) enum Socket {
    Udp(UdpSocket),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixDatagram),
}

impl Socket {
    /// For an address. That nobody listens there is known after the first datagram, if at all.
    pub(super) fn udp(address: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self::Udp(socket))
    }

    /// For a path. Fails where nobody listens there.
    #[cfg(unix)]
    pub(super) fn unix(path: &Path) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        // Before: one to a socket that is full would wait.
        socket.set_nonblocking(true)?;
        socket.connect(path)?;
        Ok(Self::Unix(socket))
    }

    #[cfg(not(unix))]
    pub(super) fn unix(_: &Path) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets"))
    }

    /// Hands a datagram to the system, whole or not at all.
    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(datagram),
            #[cfg(unix)]
            Self::Unix(socket) => socket.send(datagram),
        }
        .map(drop)
    }
}
