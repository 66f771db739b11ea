//! Futures whose span is active during each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::ActiveGuard;
use super::error::ErrorInfo;
use super::frame::Frame;
use super::handle::Span;
use super::owned::OwnedSpan;
use super::stack::with_stack;
use crate::model::NO_INDEX;

pin_project! {
    /// A future with a span: active during each poll, finished when the future is ready or dropped.
    ///
    /// Made by [`TraceFuture::traced`] and by `#[traced]` on an `async fn`. It is `Send` and `Sync` whenever the inner future is.
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
                let polling = this.holder.enter();
                this.inner.set(None);
                polling.finish(None);
            }
        }
    }
}

/// The span of a future, between polls.
#[derive(Debug)]
pub(crate) enum Holder {
    /// Not recorded, or finished.
    None,
    /// The macro's; empty while it is on the stack.
    Owned(Option<Box<Frame>>),
    /// The user's.
    Handle(Span),
}

/// The hook of a future whose result is not looked at.
#[derive(Debug, Clone, Copy)]
pub struct NoHook;

/// Looks at what a future returned.
pub trait OnReturn<R> {
    #[doc(hidden)]
    fn error(self, ret: &R) -> Option<ErrorInfo>;
}

impl<R> OnReturn<R> for NoHook {
    fn error(self, _: &R) -> Option<ErrorInfo> {
        None
    }
}

impl<R, H: FnOnce(&R) -> Option<ErrorInfo>> OnReturn<R> for H {
    fn error(self, ret: &R) -> Option<ErrorInfo> {
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
    pub fn on_return<H: FnOnce(&F::Output) -> Option<ErrorInfo>>(mut self, hook: H) -> Traced<F, H> {
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
        if let Holder::None = this.holder {
            let poll = inner.poll(cx);
            if poll.is_ready() {
                this.inner.set(None);
            }
            return poll;
        }
        let polling = this.holder.enter();
        let poll = inner.poll(cx);
        if let Poll::Ready(ret) = &poll {
            let error = this.hook.take().and_then(|hook| hook.error(ret));
            this.inner.set(None);
            polling.finish(error.as_ref());
        }
        poll
    }
}

impl Holder {
    /// Makes the span active for a poll.
    #[inline]
    fn enter(&mut self) -> Polling<'_> {
        let was_panicking = std::thread::panicking();
        let stage = match self {
            Holder::Owned(frame) => enter_frame(frame),
            Holder::None => Stage::Out,
            Holder::Handle(span) => Stage::Entered(span.activate()),
        };
        Polling { holder: self, stage, was_panicking }
    }
}

/// Puts a span on the stack, if that can be reached.
#[inline(never)]
fn enter_frame(frame: &mut Option<Box<Frame>>) -> Stage {
    let entered = with_stack(|stack| {
        let frame = frame.take()?;
        let span_id = frame.span_id;
        stack.enter_poll(frame);
        Some(span_id)
    });
    entered.flatten().map_or(Stage::Out, Stage::Polled)
}

/// Takes a span off the stack again.
#[inline(never)]
fn leave_frame(span_id: u64) -> Option<Box<Frame>> {
    with_stack(|stack| stack.leave_poll(span_id)).flatten()
}

/// A poll that is going on. Dropping it, also by a panic, restores what was active before.
struct Polling<'a> {
    holder: &'a mut Holder,
    stage: Stage,
    was_panicking: bool,
}

enum Stage {
    /// The span is not on the stack.
    Out,
    Polled(u64),
    Entered(ActiveGuard),
}

impl Polling<'_> {
    /// Ends the span for good.
    #[inline]
    fn finish(mut self, error: Option<&ErrorInfo>) {
        if error.is_none() && !self.was_panicking && std::thread::panicking() {
            return self.finish(Some(&ErrorInfo::panic()));
        }
        match std::mem::replace(&mut self.stage, Stage::Out) {
            Stage::Polled(span_id) => finish_frame(span_id, error),
            Stage::Entered(guard) => drop(guard),
            Stage::Out => {}
        }
        match std::mem::replace(self.holder, Holder::None) {
            Holder::None | Holder::Owned(None) => {}
            // On a thread whose stack it never entered or cannot reach: finished by being dropped.
            Holder::Owned(Some(mut frame)) => {
                if let (Some(error), Some(mut edit)) = (error, frame.edit()) {
                    edit.error(error);
                }
            }
            Holder::Handle(span) => {
                if let Some(error) = error {
                    span.fail(error);
                }
                span.finish();
            }
        }
    }

    /// The poll panicked: the span is marked now, and finished when its future is dropped.
    #[cold]
    fn mark_panic(&self) {
        let panic = ErrorInfo::panic();
        match (&self.stage, &*self.holder) {
            (Stage::Polled(span_id), _) => {
                with_stack(|stack| stack.edit(NO_INDEX, *span_id, |edit| edit.error(&panic)));
            }
            (_, Holder::Handle(span)) => span.fail(&panic),
            _ => {}
        }
    }
}

#[inline(never)]
fn finish_frame(span_id: u64, error: Option<&ErrorInfo>) {
    with_stack(|stack| stack.finish_poll(span_id, error));
}

impl Drop for Polling<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.was_panicking && std::thread::panicking() {
            self.mark_panic();
        }
        if let (Stage::Polled(span_id), Holder::Owned(place)) = (&self.stage, &mut *self.holder) {
            *place = leave_frame(*span_id);
        }
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
