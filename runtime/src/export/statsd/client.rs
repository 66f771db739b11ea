//! The metrics client: the address, the connection as far as there is one, and what became of a datagram.

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use rustix::io::Errno;
use tokio::sync::watch;

use super::settings::StatsdAddress;
use super::socket::Socket;
use crate::export::resolve::{Answer, Resolver};

/// Whoever takes metrics, as this side knows them. Lives on the worker's thread.
#[derive(Debug)]
pub(crate) struct StatsdClient {
    address: StatsdAddress,
    resolver: Resolver,
    state: State,
}

#[derive(Debug)]
enum State {
    Disconnected,
    /// The name is being looked up.
    Asked(watch::Receiver<Answer>),
    Connected(Socket),
}

/// Why a datagram was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatsdFailure {
    /// Nobody listens, the name is unknown, the path is no such socket: why, in words.
    Unreachable(String),
    /// More was sent than is read.
    Full,
}

/// Bytes of a datagram that no network between here and the agent has to part: 1500 of Ethernet without the headers, and some to spare.
const MAX_UDP_BYTES: usize = 1432;
const MAX_UNIX_BYTES: usize = 8192;

impl StatsdClient {
    /// A client without a socket. `resolver` looks names up.
    pub(crate) fn new(address: StatsdAddress, resolver: Resolver) -> Self {
        Self { address, resolver, state: State::Disconnected }
    }

    pub(crate) fn address(&self) -> &StatsdAddress {
        &self.address
    }

    /// Takes over the port that the agent says its metrics go to.
    pub(crate) fn learn_port(&mut self, port: u16) {
        let learned = self.address.clone().at_port(port);
        if self.address != learned {
            self.address = learned;
            self.state = State::Disconnected;
        }
    }

    /// The largest datagram.
    pub(crate) fn max_bytes(&self) -> usize {
        match self.address {
            StatsdAddress::Udp { .. } => MAX_UDP_BYTES,
            StatsdAddress::Unix(_) => MAX_UNIX_BYTES,
        }
    }

    /// Makes the connection, if there is none; false while the name is being looked up.
    ///
    /// # Errors
    ///
    /// Why there can be none now.
    pub(crate) fn connect(&mut self) -> Result<bool, StatsdFailure> {
        if matches!(self.state, State::Connected(_)) {
            return Ok(true);
        }
        let connected = match &self.address {
            StatsdAddress::Unix(path) => Socket::unix(path).map(Some),
            StatsdAddress::Udp { host, port } => {
                let found = match known(host) {
                    Some(ip) => Ok(Some(SocketAddr::new(ip, *port))),
                    None => self.look_up(),
                };
                found.and_then(|found| found.map(Socket::udp).transpose())
            }
        };
        match connected {
            Ok(None) => Ok(false),
            Ok(Some(socket)) => {
                self.state = State::Connected(socket);
                Ok(true)
            }
            Err(error) => {
                self.state = State::Disconnected;
                Err(failure(&error))
            }
        }
    }

    /// Waits for the look-up of a name that is on its way, at most so long.
    pub(crate) fn wait_for_name(&mut self, limit: Duration) {
        let State::Asked(answer) = &mut self.state else { return };
        let Ok(runtime) = crate::export::client::runtime() else { return };
        // Whatever came of it, the next look at the answer tells.
        let _ = runtime
            .block_on(async { tokio::time::timeout(limit, answer.wait_for(Option::is_some)).await.is_ok() });
        runtime.shutdown_background();
    }

    /// Sends a datagram, over a new connection where the one there was is broken. Needs one.
    ///
    /// # Errors
    ///
    /// Why it was not taken; or why the one before was not, which is all that is ever known over UDP.
    pub(crate) fn send(&mut self, datagram: &[u8]) -> Result<(), StatsdFailure> {
        let State::Connected(socket) = &self.state else { return Ok(()) };
        let Err(error) = socket.send(datagram) else { return Ok(()) };
        let failed = failure(&error);
        if failed == StatsdFailure::Full {
            return Err(failed);
        }
        // A refusal is of the datagram before: this one was not tried yet. Who restarted listens on another socket of the same path.
        self.state = State::Disconnected;
        if self.connect()? {
            if let State::Connected(socket) = &self.state {
                socket.send(datagram).map_err(|error| failure(&error))?;
            }
        }
        match self.address {
            StatsdAddress::Udp { .. } => Err(failed),
            StatsdAddress::Unix(_) => Ok(()),
        }
    }

    /// The address of the host's name; `None` while it is being looked up.
    fn look_up(&mut self) -> io::Result<Option<SocketAddr>> {
        let StatsdAddress::Udp { host, port } = &self.address else { return Ok(None) };
        let mut answer = match mem::replace(&mut self.state, State::Disconnected) {
            State::Asked(answer) => answer,
            _ => self.resolver.ask(host)?,
        };
        // A sender that is gone without an answer ended as well.
        let is_over = answer.has_changed().is_err();
        let found = answer.borrow_and_update().clone();
        match found {
            Some(Ok(addresses)) => match preferred(&addresses) {
                Some(ip) => Ok(Some(SocketAddr::new(ip, *port))),
                None => Err(io::Error::other("the name has no address")),
            },
            Some(Err(error)) => Err(io::Error::other(error)),
            None if is_over => Err(io::Error::other("the look-up of the name ended without an answer")),
            None => {
                self.state = State::Asked(answer);
                Ok(None)
            }
        }
    }
}

/// An address that needs no look-up.
fn known(host: &str) -> Option<IpAddr> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    host.parse().ok()
}

/// IPv4 first: there is nobody to say that the other one is where they listen.
///
/// Source: `net.ResolveUDPAddr` of Go, which DataDog/datadog-go uses.
fn preferred(addresses: &[SocketAddr]) -> Option<IpAddr> {
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).map(SocketAddr::ip)
}

fn failure(error: &io::Error) -> StatsdFailure {
    // A send buffer that is full is told by some systems as a lack of memory for it.
    let is_full = error.kind() == io::ErrorKind::WouldBlock
        || error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error());
    if is_full { StatsdFailure::Full } else { StatsdFailure::Unreachable(error.to_string()) }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use std::path::PathBuf;
    use std::sync::Mutex;

    fn client(address: StatsdAddress) -> StatsdClient {
        StatsdClient::new(address, Resolver::new(|_| Err(io::Error::other("no such host"))))
    }

    /// A path in a directory that exists, gone with the test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("dd-traced-statsd-{name}-{}", std::process::id())))
        }

        fn client(&self) -> StatsdClient {
            client(StatsdAddress::Unix(self.0.clone()))
        }

        fn free(&self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            self.free();
        }
    }

    fn received(socket: &UnixDatagram) -> Vec<Vec<u8>> {
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 9_000];
        std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|len| buffer[..len].to_vec())).collect()
    }

    #[test]
    fn receiver_that_comes_late_or_again_is_found() {
        let place = Place::new("again");
        let mut client = place.client();
        let failed = client.connect();
        assert!(
            matches!(&failed, Err(StatsdFailure::Unreachable(reason)) if reason.contains("No such file")),
            "{failed:?}"
        );
        let first = UnixDatagram::bind(&place.0).unwrap();
        assert_eq!((client.connect(), client.send(b"one")), (Ok(true), Ok(())));
        assert_eq!(received(&first), [b"one"]);
        drop(first);
        place.free();
        assert!(matches!(client.send(b"nobody"), Err(StatsdFailure::Unreachable(_))));
        let second = UnixDatagram::bind(&place.0).unwrap();
        assert_eq!(client.connect(), Ok(true));
        assert_eq!((client.send(b"two"), received(&second)), (Ok(()), vec![b"two".to_vec()]));
        // It restarts between two datagrams: the one that meets the broken connection arrives.
        drop(second);
        place.free();
        let third = UnixDatagram::bind(&place.0).unwrap();
        assert_eq!((client.send(b"three"), received(&third)), (Ok(()), vec![b"three".to_vec()]));
    }

    #[test]
    fn socket_that_is_full_is_not_waited_for() {
        let place = Place::new("full");
        let receiver = UnixDatagram::bind(&place.0).unwrap();
        let mut client = place.client();
        assert_eq!(client.connect(), Ok(true));
        let datagram = vec![b'x'; client.max_bytes()];
        let taken = (0..100_000).take_while(|_| client.send(&datagram).is_ok()).count();
        assert!((1..100_000).contains(&taken));
        assert_eq!(client.send(&datagram), Err(StatsdFailure::Full));
        assert_eq!(received(&receiver).len(), taken);
        assert_eq!(client.send(&datagram), Ok(()), "there is room again");
    }

    #[test]
    fn path_that_is_no_datagram_socket_is_told() {
        let place = Place::new("stream");
        let _listener = UnixListener::bind(&place.0).unwrap();
        assert!(matches!(place.client().connect(), Err(StatsdFailure::Unreachable(_))));
        let long = StatsdAddress::Unix(format!("/{}", "x".repeat(300)).into());
        assert!(matches!(client(long).connect(), Err(StatsdFailure::Unreachable(_))));
    }

    #[test]
    fn refusal_is_of_the_datagram_before() {
        let port = UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut client = client(StatsdAddress::Udp { host: "localhost".into(), port });
        assert_eq!((client.connect(), client.send(b"lost")), (Ok(true), Ok(())));
        let receiver = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        let told = client.send(b"arrives");
        assert!(
            matches!(&told, Err(StatsdFailure::Unreachable(reason)) if reason.contains("refused")),
            "{told:?}"
        );
        assert_eq!(client.send(b"too"), Ok(()));
        let mut buffer = [0; 20];
        for expected in [&b"arrives"[..], b"too"] {
            let len = receiver.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], expected);
        }
    }

    #[test]
    fn name_is_looked_up_elsewhere_and_ipv4_is_preferred() {
        static GATE: Mutex<()> = Mutex::new(());
        let gate = GATE.lock().unwrap();
        let receiver = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let port = receiver.local_addr().unwrap().port();
        let resolver = Resolver::new(|_| {
            let _open = GATE.lock().unwrap();
            Ok(vec!["[::1]:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()])
        });
        let mut client = StatsdClient::new(StatsdAddress::Udp { host: "agent".into(), port }, resolver);
        assert_eq!([client.connect(), client.connect()], [Ok(false), Ok(false)]);
        client.wait_for_name(Duration::from_millis(1));
        assert_eq!((client.connect(), client.send(b"lost")), (Ok(false), Ok(())), "it is still on its way");
        drop(gate);
        client.wait_for_name(Duration::from_secs(10));
        assert_eq!((client.connect(), client.send(b"a")), (Ok(true), Ok(())));
        assert_eq!(receiver.recv(&mut [0; 9]).unwrap(), 1);
    }

    #[test]
    fn unknown_name_is_told_and_asked_again() {
        let mut client = client(StatsdAddress::Udp { host: "nowhere".into(), port: 1 });
        for _ in 0..2 {
            let mut connected = client.connect();
            // A look-up may be over before somebody asks.
            while connected == Ok(false) {
                client.wait_for_name(Duration::from_secs(10));
                connected = client.connect();
            }
            assert_eq!(connected, Err(StatsdFailure::Unreachable("no such host".into())));
        }
    }

    #[test]
    fn learned_port_is_that_of_the_next_datagram() {
        let receiver = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let mut client = client(StatsdAddress::Udp { host: "127.0.0.1".into(), port: 1 });
        assert_eq!(client.connect(), Ok(true));
        client.learn_port(receiver.local_addr().unwrap().port());
        assert_eq!((client.connect(), client.send(b"a")), (Ok(true), Ok(())));
        assert_eq!(receiver.recv(&mut [0; 9]).unwrap(), 1);
        let mut unix = Place::new("port").client();
        unix.learn_port(7);
        assert!(matches!(unix.address(), StatsdAddress::Unix(_)));
    }
}
