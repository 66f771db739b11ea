//! Looking up the agent's name: on a thread of its own, at most one at a time, never joined.
//!
//! A look-up cannot be cancelled and may hang for minutes. Whoever asks meanwhile waits for the one in progress, for as
//! long as the attempt's deadline lets it.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::watch;

/// Resolves names for the client.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    in_progress: Arc<Mutex<Option<Asked>>>,
    look_up: fn(&str) -> io::Result<Vec<SocketAddr>>,
}

/// A name and the answer to come.
type Asked = (String, watch::Receiver<Answer>);
/// What a look-up found, once it is done.
pub(super) type Answer = Option<Result<Vec<SocketAddr>, String>>;

impl Resolver {
    /// Asks the system.
    pub(crate) fn system() -> Self {
        Self::new(|name| (name, 0).to_socket_addrs().map(Iterator::collect))
    }

    pub(crate) fn new(look_up: fn(&str) -> io::Result<Vec<SocketAddr>>) -> Self {
        Self { in_progress: Arc::default(), look_up }
    }

    /// The answer to come for `name`, of the look-up in progress or of a new one.
    pub(super) fn ask(&self, name: &str) -> io::Result<watch::Receiver<Answer>> {
        let mut in_progress = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, answer)) = in_progress.as_ref() {
            // A sender that is gone without an answer ended as well.
            if answer.borrow().is_none() && answer.has_changed().is_ok() {
                if asked == name {
                    return Ok(answer.clone());
                }
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "another name is being looked up"));
            }
        }
        let (sender, receiver) = watch::channel(None);
        let (look_up, owned) = (self.look_up, name.to_owned());
        std::thread::Builder::new().name("dd-traced-name".to_owned()).spawn(move || {
            let found = look_up(&owned).map_err(|error| error.to_string());
            // Nobody may be waiting any more.
            let _ = sender.send(Some(found));
        })?;
        *in_progress = Some((name.to_owned(), receiver.clone()));
        Ok(receiver)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let asked = self.ask(name.as_str());
        Box::pin(async move {
            let mut answer = asked?;
            // An error means that the look-up ended, with or without an answer.
            let found = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
            match found {
                Some(Ok(addresses)) if addresses.is_empty() => Err("the name has no address".into()),
                Some(Ok(addresses)) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Some(Err(error)) => Err(error.into()),
                None => Err("the look-up of the name ended without an answer".into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn name_is_looked_up() {
        let found = run(Resolver::system().resolve(name("localhost"))).map(Iterator::count);
        assert!(found.unwrap() > 0);
        let error = run(Resolver::new(|_| Err(io::Error::other("no such host"))).resolve(name("nowhere")))
            .map(|_| ());
        assert_eq!(error.unwrap_err().to_string(), "no such host");
    }

    #[test]
    fn one_look_up_is_in_progress_at_most() {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        static GATE: Mutex<()> = Mutex::new(());
        let gate = GATE.lock().unwrap();
        let resolver = Resolver::new(|_| {
            STARTED.fetch_add(1, Ordering::SeqCst);
            let _open = GATE.lock().unwrap();
            Ok(vec![([127, 0, 0, 1], 0).into()])
        });
        run(async {
            for _ in 0..3 {
                let waiting =
                    tokio::time::timeout(Duration::from_millis(20), resolver.resolve(name("agent")));
                assert!(waiting.await.is_err());
            }
            assert!(resolver.resolve(name("other")).await.is_err());
            let waiting = resolver.resolve(name("agent"));
            drop(gate);
            assert_eq!(waiting.await.map(Iterator::count).unwrap(), 1);
        });
        assert_eq!(STARTED.load(Ordering::SeqCst), 1);
        assert!(run(resolver.resolve(name("other"))).is_ok());
        assert_eq!(STARTED.load(Ordering::SeqCst), 2);
    }
}
