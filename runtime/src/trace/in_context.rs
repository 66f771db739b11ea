//! Futures and streams that go on under a context from elsewhere.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::{ActiveGuard, SpanContext};

pin_project! {
    /// A future, or a stream, under a context: active during each poll and during its drop. It has no span of its own.
    ///
    /// Made by [`TraceFuture::carried`](crate::TraceFuture::carried) and [`TraceFuture::in_context`](crate::TraceFuture::in_context). It is `Send`
    /// and `Sync` whenever the inner future is.
    #[must_use = "futures and streams do nothing until they are polled"]
    #[derive(Debug)]
    pub struct InContext<F> {
        context: Option<SpanContext>,
        // An option, so that the inner future can be dropped while its context is active.
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let _active = enter(this.context.as_ref());
                this.inner.set(None);
            }
        }
    }
}

impl<F> InContext<F> {
    pub(super) fn new(inner: F, context: Option<SpanContext>) -> Self {
        // It is entered in each poll.
        Self { context: context.map(SpanContext::settled), inner: Some(inner) }
    }

    /// What is inside, until it is over.
    #[cfg(feature = "stream")]
    pub(super) fn inner(&self) -> Option<&F> {
        self.inner.as_ref()
    }

    /// Makes the context active, for what is inside.
    pub(super) fn enter(self: Pin<&mut Self>) -> (ActiveGuard, Pin<&mut Option<F>>) {
        let this = self.project();
        (enter(this.context.as_ref()), this.inner)
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (_active, mut inner) = self.enter();
        let Some(future) = inner.as_mut().as_pin_mut() else {
            // As a future that was polled after it was ready.
            return Poll::Pending;
        };
        let poll = future.poll(cx);
        if poll.is_ready() {
            inner.set(None);
        }
        poll
    }
}

fn enter(context: Option<&SpanContext>) -> ActiveGuard {
    context.map_or_else(ActiveGuard::inert, SpanContext::enter)
}
