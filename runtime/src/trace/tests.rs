//! What the stack promises, through the public face.

mod activations;
mod calls;
mod futures;
mod parts;
mod sampling;
mod sampling_model;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use crate::macro_support::{CallSite, async_span, span as site_span};
use crate::testing::ScopedTracer;
use crate::{ActiveGuard, TraceFuture, active_span, span};

fn traced<R>(name: &'static str, body: impl FnOnce() -> R) -> R {
    // A call site is a constant in real code.
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named(name)));
    let _span = site_span(site).enter();
    body()
}

fn nothing() {}

/// Pending once.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn poll_once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

async fn traced_async(name: &'static str, body: impl AsyncFnOnce()) {
    let site: &'static CallSite = Box::leak(Box::new(CallSite::named(name)));
    async_span(site).run(async move { body().await }).await;
}
