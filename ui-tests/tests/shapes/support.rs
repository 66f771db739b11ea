//! What the shapes are made of, and how they are run.

use std::fmt::{self, Display};
use std::future::Future;
use std::num::ParseIntError;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dd_traced::testing::ScopedTracer;

/// Runs `test` while nothing is recorded, and again while it is; gives the spans of the second time as a tree.
pub(crate) fn tree_of(test: impl Fn()) -> String {
    test();
    let tracer = ScopedTracer::new();
    test();
    tracer.tree().replace("shapes.", "")
}

/// The same, giving how many spans there were.
pub(crate) fn spans_of(test: impl Fn()) -> usize {
    tree_of(test).lines().count()
}

/// Runs a future that never waits for long.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..10 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("the future waits")
}

/// Is pending once.
pub(crate) async fn pause() {
    let mut is_first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) })
        .await;
}

/// An error with a `Display` text.
#[derive(Debug, PartialEq)]
pub(crate) struct Failed(pub(crate) &'static str);

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Failed {}

impl From<ParseIntError> for Failed {
    fn from(_: ParseIntError) -> Self {
        Self("not a number")
    }
}

/// A `Result` whose name does not say so.
pub(crate) type Outcome<T> = Result<T, Failed>;
