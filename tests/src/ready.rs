//! Runs small pieces of traced code.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dd_traced::testing::{FinishedSpan, ScopedTracer};

/// Runs a future that never waits.
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

/// The one span that `act` makes.
pub fn span_of<R>(act: impl FnOnce() -> R) -> FinishedSpan {
    let tracer = ScopedTracer::new();
    act();
    match <[FinishedSpan; 1]>::try_from(tracer.finished()) {
        Ok([span]) => span,
        Err(spans) => panic!("not one span: {spans:#?}"),
    }
}
