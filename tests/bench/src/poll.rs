//! The smallest executor, so that a workload times the tracer and not a runtime.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Polls `future` until it is ready. Nothing here sleeps: who returns `Pending` is polled again at once.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A function body that lets go of its thread three times.
pub(crate) async fn three_awaits(value: u64) -> u64 {
    Once::default().await;
    Once::default().await;
    Once::default().await;
    std::hint::black_box(value).wrapping_add(1)
}

/// Pending at the first poll, ready at the second.
#[derive(Default)]
struct Once {
    polled: bool,
}

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polled {
            return Poll::Ready(());
        }
        self.polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
