//! The future of a `#[traced]` function.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::finding::Finding;
use super::polling::{After, Before, Polling};

pin_project! {
    /// A future under the span of its function: active during each poll and during the drop, finished when the future is ready or
    /// dropped. It is `Send` and `Sync` whenever the inner future is.
    ///
    /// It has no drop code of its own, so that it is taken apart at no cost: the order of its fields is that of their drops.
    #[must_use = "a future does nothing, and its span records nothing, until it is polled"]
    #[derive(Debug)]
    pub struct Running<F, H = NoHook> {
        before: Before,
        #[pin]
        inner: F,
        after: After,
        hook: H,
    }
}

/// Looks at what a future returned.
pub trait OnReturn<R> {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate polls")]
    fn look(&mut self, ret: &R, polling: &mut Polling<'_>);
}

/// The hook of a future whose result is not looked at.
#[derive(Debug, Clone, Copy)]
pub struct NoHook;

impl<R> OnReturn<R> for NoHook {
    #[inline]
    #[expect(private_interfaces, reason = "sealed: only this crate polls")]
    fn look(&mut self, _: &R, _: &mut Polling<'_>) {}
}

impl<R, S: Finding, H: FnMut(&R) -> S> OnReturn<R> for H {
    #[inline]
    #[expect(private_interfaces, reason = "sealed: only this crate polls")]
    fn look(&mut self, ret: &R, polling: &mut Polling<'_>) {
        if polling.is_recorded() {
            polling.found(self(ret));
        }
    }
}

impl<F: Future> Running<F> {
    #[inline]
    pub(super) fn new(before: Before, inner: F, after: After) -> Self {
        Self { before, inner, after, hook: NoHook }
    }

    /// Has the result looked at.
    #[inline]
    pub fn on_return<S: Finding, H: FnMut(&F::Output) -> S>(self, hook: H) -> Running<F, H> {
        Running { before: self.before, inner: self.inner, after: self.after, hook }
    }
}

impl<F: Future, H: OnReturn<F::Output>> Future for Running<F, H> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut polling = Polling::begin(this.before, this.after);
        let poll = this.inner.poll(cx);
        if let Poll::Ready(ret) = &poll {
            this.hook.look(ret, &mut polling);
            polling.finishes();
        } else {
            polling.pauses();
        }
        poll
    }
}
