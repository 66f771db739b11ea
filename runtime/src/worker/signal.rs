//! How others reach the worker: a bell that anybody may ring without waiting, and orders with a reply.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use tokio::sync::Notify;

/// The worker's bell and its in-tray.
#[derive(Default)]
pub(crate) struct Signal {
    is_rung: AtomicBool,
    /// The worker's thread, once it runs.
    thread: OnceLock<Thread>,
    /// For the worker while it waits for the agent.
    rings: Notify,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    orders: Vec<Order>,
    /// Spans lost by the latest answer: who ordered before it was told of them.
    told: u64,
    is_over: bool,
}

/// What somebody wants of the worker and waits for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) kind: OrderKind,
    /// When whoever gave the order stops waiting.
    pub(super) deadline: Instant,
    /// Spans lost that somebody was told of before.
    pub(super) told: u64,
    /// Told whether everything was delivered.
    pub(super) reply: SyncSender<bool>,
}

impl Order {
    /// Tells whoever waits, where so many spans are lost by now.
    pub(super) fn answer(self, lost: u64) {
        // Nobody listens any more where the deadline has passed.
        let _ = self.reply.try_send(lost == self.told);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderKind {
    Flush,
    Shutdown,
}

impl Signal {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Tells the worker to look. Does not block; cheap while the worker has not looked yet.
    pub(crate) fn ring(&self) {
        // Acquire and release pair with `wait`: what was done before ringing is seen by the worker.
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            if let Some(thread) = self.thread.get() {
                thread.unpark();
            }
            self.rings.notify_one();
        }
    }

    /// Hands an order in.
    ///
    /// # Errors
    ///
    /// The worker has ended; these are the lost spans of which somebody was told before it did.
    pub(super) fn order(
        &self,
        kind: OrderKind,
        deadline: Instant,
        reply: SyncSender<bool>,
    ) -> Result<(), u64> {
        let mut inbox = self.inbox();
        let told = inbox.told;
        if inbox.is_over {
            return Err(told);
        }
        inbox.orders.push(Order { kind, deadline, told, reply });
        // Before the tray is free again, so that the bell is answered together with the order.
        self.ring();
        Ok(())
    }

    /// Says that the present thread is the worker's.
    pub(super) fn attach(&self) {
        let _ = self.thread.set(std::thread::current());
    }

    /// Waits on the worker's thread until somebody rings, which gives true, or the moment comes.
    pub(super) fn wait(&self, until: Instant) -> bool {
        while !self.is_rung.swap(false, Ordering::AcqRel) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            // A ring between the look and the parking leaves a token, so that it does not park.
            std::thread::park_timeout(left);
        }
        true
    }

    /// Waits for a ring without blocking the thread.
    pub(super) async fn rung(&self) {
        // A ring that was answered elsewhere has left its notice.
        while !self.is_rung.swap(false, Ordering::AcqRel) {
            self.rings.notified().await;
        }
    }

    /// Takes all orders out, and answers the bell for them.
    pub(super) fn orders(&self) -> Vec<Order> {
        let mut inbox = self.inbox();
        self.is_rung.store(false, Ordering::Release);
        std::mem::take(&mut inbox.orders)
    }

    /// Says how many spans are lost by now, before those who wait are told.
    pub(super) fn tell(&self, lost: u64) {
        self.inbox().told = lost;
    }

    /// Whether the worker has ended.
    pub(super) fn is_over(&self) -> bool {
        self.inbox().is_over
    }

    /// Takes the last orders out; from now on there are none.
    pub(super) fn end(&self) -> Vec<Order> {
        let mut inbox = self.inbox();
        inbox.is_over = true;
        std::mem::take(&mut inbox.orders)
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("is_rung", &self.is_rung).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};
    use std::time::Duration;

    #[test]
    fn ring_before_the_wait_is_heard() {
        let signal = Signal::new();
        signal.ring();
        let start = Instant::now();
        signal.wait(start + Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn ring_from_another_thread_ends_the_wait() {
        let signal = Arc::new(Signal::new());
        signal.attach();
        let ringing = Arc::clone(&signal);
        let thread = std::thread::spawn(move || ringing.ring());
        let start = Instant::now();
        signal.wait(start + Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(30));
        thread.join().unwrap();
    }

    /// A worker that took the notice of an answered ring for a new one went round once more after each delivery.
    #[test]
    fn answered_ring_is_heard_once() {
        let signal = Signal::new();
        let is_rung = || pin!(signal.rung()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        signal.ring();
        assert!(signal.orders().is_empty());
        assert!(!is_rung());
        signal.ring();
        assert!(is_rung());
        assert!(!is_rung());
        signal.ring();
        signal.wait(Instant::now() + Duration::from_secs(60));
        assert!(!is_rung());
    }

    #[test]
    fn wait_ends_by_itself() {
        let until = Instant::now() + Duration::from_millis(1);
        Signal::new().wait(until);
        assert!(Instant::now() >= until);
    }

    #[test]
    fn order_after_the_end_comes_back() {
        let signal = Signal::new();
        let order = || signal.order(OrderKind::Flush, Instant::now(), std::sync::mpsc::sync_channel(1).0);
        signal.tell(7);
        assert!(order().is_ok());
        let orders = signal.end();
        assert_eq!((orders.len(), orders[0].told), (1, 7));
        assert_eq!(order(), Err(7));
    }
}
