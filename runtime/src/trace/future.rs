//! Futures whose span is active during each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::active::active_span;
use super::as_context::AsContext;
use super::context::ActiveGuard;
use super::error::ErrorInfo;
use super::handle::Span;
use super::in_context::InContext;

pin_project! {
    /// A future with a span: active during each poll, finished when the future is ready or dropped.
    ///
    /// Made by [`TraceFuture::traced`]. It is `Send` and `Sync` whenever the inner future is.
    #[must_use = "a future does nothing, and its span records nothing, until it is polled"]
    #[derive(Debug)]
    pub struct Traced<F> {
        span: Span,
        // An option, so that the inner future can be dropped while its span is active.
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for Traced<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let active = Active::enter(this.span);
                this.inner.set(None);
                active.leave();
                this.span.finish();
            }
        }
    }
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            // As a future that was polled after it was ready.
            return Poll::Pending;
        };
        let active = Active::enter(this.span);
        let poll = inner.poll(cx);
        if poll.is_ready() {
            this.inner.set(None);
        }
        active.leave();
        if poll.is_ready() {
            this.span.finish();
        }
        poll
    }
}

/// A span that is active for a poll, or for the drop of its future. It is dropped with `is_over` unset only by a panic inside.
pub(super) struct Active<'a> {
    span: &'a Span,
    is_over: bool,
    _guard: ActiveGuard,
}

impl<'a> Active<'a> {
    pub(super) fn enter(span: &'a Span) -> Self {
        Self { span, is_over: false, _guard: span.activate() }
    }

    pub(super) fn leave(mut self) {
        self.is_over = true;
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.span.edit(|edit| edit.error(&ErrorInfo::panic()));
        }
    }
}

/// Gives any future a span, or the context that it goes on under.
pub trait TraceFuture: Future + Sized {
    /// Makes `span` the active one during each poll of this future, and finishes it when the future is ready or dropped.
    ///
    /// A panic marks it as failed. An `Err` does not, unlike under [`#[traced]`](macro@crate::traced): the future itself calls
    /// [`active_span().set_error(..)`](crate::ActiveSpan::set_error).
    ///
    /// ```
    /// use dd_traced::{TraceFuture, span};
    ///
    /// async fn work() {}
    /// let future = work().traced(span("job.run").start());
    /// # drop(future);
    /// ```
    fn traced(self, span: Span) -> Traced<Self> {
        Traced { span, inner: Some(self) }
    }

    /// Makes the context that is active here and now the active one during each poll, wherever that happens: for a future that is handed
    /// to `tokio::spawn` or a `JoinSet`. Where nothing is active it changes nothing.
    ///
    /// ```
    /// # fn spawn(_: impl Future + Send + 'static) {}
    /// use dd_traced::TraceFuture;
    ///
    /// async fn send_receipt() {}
    /// spawn(send_receipt().carried()); // its spans are children of the span that is active here
    /// ```
    fn carried(self) -> InContext<Self> {
        self.in_context(active_span())
    }

    /// As [`carried`](Self::carried), with a given context, or with none.
    ///
    /// ```
    /// use dd_traced::{Carried, TraceFuture};
    ///
    /// async fn ship(order: u32) {}
    /// let message = Carried::new(7);
    /// let (order, context) = message.into_parts();
    /// let future = ship(order).in_context(context);
    /// # drop(future);
    /// ```
    fn in_context(self, context: impl AsContext) -> InContext<Self> {
        InContext::new(self, context.as_context())
    }
}

impl<F: Future> TraceFuture for F {}
