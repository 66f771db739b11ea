//! Futures whose span is active during each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::ErrorInfo;
use super::finding::Finding;
use super::handle::Span;
use super::holder::{Holder, Polling};
use super::owned::OwnedSpan;
use super::stack::with_stack;

pin_project! {
    /// A future with a span: active during each poll, finished when the future is ready or dropped.
    ///
    /// Made by [`TraceFuture::traced`] and by `#[traced]` on a function that is `async` or returns a future. It is `Send` and `Sync` whenever the inner future is.
    #[must_use = "a future does nothing, and its span records nothing, until it is polled"]
    #[derive(Debug)]
    pub struct Traced<F, H = NoHook> {
        holder: Holder,
        hook: Option<H>,
        // An option, so that the inner future can be dropped while its span is active.
        #[pin]
        inner: Option<F>,
    }

    impl<F, H> PinnedDrop for Traced<F, H> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                this.holder.give_up_start();
                let polling = Polling::begin(this.holder);
                this.inner.set(None);
                polling.finish();
            }
        }
    }
}

/// The hook of a future whose result is not looked at.
#[derive(Debug, Clone, Copy)]
pub struct NoHook;

/// Looks at what a future returned.
pub trait OnReturn<R> {
    #[doc(hidden)]
    type Finding: Finding;

    #[doc(hidden)]
    fn look(self, ret: &R) -> Self::Finding;
}

impl<R> OnReturn<R> for NoHook {
    type Finding = Option<Box<ErrorInfo>>;

    fn look(self, _: &R) -> Option<Box<ErrorInfo>> {
        None
    }
}

impl<R, S: Finding, H: FnOnce(&R) -> S> OnReturn<R> for H {
    type Finding = S;

    fn look(self, ret: &R) -> S {
        self(ret)
    }
}

impl<F> Traced<F> {
    pub(crate) fn new(holder: Holder, inner: F) -> Self {
        Self { holder, hook: Some(NoHook), inner: Some(inner) }
    }
}

impl<F: Future> Traced<F> {
    /// Has the result looked at; for generated code.
    #[doc(hidden)]
    pub fn on_return<S: Finding, H: FnOnce(&F::Output) -> S>(mut self, hook: H) -> Traced<F, H> {
        // A type with drop code is taken apart by emptying it.
        let holder = std::mem::replace(&mut self.holder, Holder::None);
        Traced { holder, hook: Some(hook), inner: self.inner.take() }
    }
}

impl<F: Future, H: OnReturn<F::Output>> Future for Traced<F, H> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            // As a future that was polled after it was ready.
            return Poll::Pending;
        };
        let mut polling = Polling::begin(this.holder);
        let poll = inner.poll(cx);
        match &poll {
            Poll::Pending => polling.pause(),
            Poll::Ready(ret) => {
                let hook = this.hook.take().filter(|_| polling.is_recorded());
                let finding = hook.map(|hook| hook.look(ret));
                this.inner.set(None);
                if let Some(finding) = finding.filter(|finding| !finding.is_empty()) {
                    polling.write(&finding);
                }
                polling.finish();
            }
        }
        poll
    }
}

/// Sends a finished owned span to its segment, also from a thread that is ending.
pub(crate) fn deliver(owned: OwnedSpan) {
    let mut waiting = Some(owned);
    with_stack(|stack| {
        if let Some(owned) = waiting.take() {
            stack.deliver(owned);
        }
    });
    if let Some(OwnedSpan { record, tags, segment }) = waiting {
        segment.take_one(record, &tags);
    }
}

/// Gives any future a span.
pub trait TraceFuture: Future + Sized {
    /// Makes `span` the active one during each poll of this future, and finishes it when the future is ready or dropped.
    ///
    /// ```
    /// use dd_traced::{TraceFuture, span};
    ///
    /// async fn work() {}
    /// let future = work().traced(span("job.run").start());
    /// # drop(future);
    /// ```
    fn traced(self, span: Span) -> Traced<Self> {
        Traced::new(Holder::Handle(span), self)
    }
}

impl<F: Future> TraceFuture for F {}
