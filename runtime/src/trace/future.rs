//! Futures whose span is active during each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::ActiveGuard;
use super::error::ErrorInfo;
use super::finding::Finding;
use super::frame::Frame;
use super::handle::Span;
use super::owned::OwnedSpan;
use super::process;
use super::setup::Setup;
use super::stack::with_stack;
use crate::model::{CallSite, NO_INDEX};

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
                this.holder.give_up_start();
                let polling = this.holder.enter();
                this.inner.set(None);
                polling.finish();
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
    /// Not started yet.
    Site(&'static CallSite),
    /// Not started yet, and described already.
    Setup(Box<Setup>),
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
    type Finding = Option<ErrorInfo>;

    fn look(self, _: &R) -> Option<ErrorInfo> {
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
        if let Holder::None = this.holder {
            let poll = inner.poll(cx);
            if poll.is_ready() {
                this.inner.set(None);
            }
            return poll;
        }
        let mut polling = this.holder.enter();
        let poll = inner.poll(cx);
        if let Poll::Ready(ret) = &poll {
            let finding = this.hook.take().map(|hook| hook.look(ret));
            this.inner.set(None);
            if let Some(finding) = finding.filter(|finding| !finding.is_empty()) {
                polling.write(&finding);
            }
            polling.finish();
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
            Holder::Site(_) | Holder::Setup(_) => {
                self.start();
                return self.enter();
            }
        };
        Polling { holder: self, stage, was_panicking }
    }

    /// Starts a span that has not started yet.
    #[cold]
    pub(super) fn start(&mut self) {
        *self = match std::mem::replace(self, Holder::None) {
            Holder::Site(site) => Holder::of_site(site),
            Holder::Setup(setup) => match setup.start() {
                Some(owned) => Holder::Owned(Some(Frame::polled(owned))),
                None => Holder::not_recorded(),
            },
            started => started,
        }
    }

    /// A span of this call site, started now under the active one.
    #[inline]
    pub(super) fn of_site(site: &'static CallSite) -> Self {
        if process::is_on() { start_frame(site) } else { Holder::None }
    }

    #[cold]
    fn not_recorded() -> Self {
        process::count_not_recorded();
        Holder::None
    }

    /// A future that was never polled has no span.
    fn give_up_start(&mut self) {
        if matches!(self, Holder::Site(_) | Holder::Setup(_)) {
            *self = Holder::None;
        }
    }
}

#[inline(never)]
fn start_frame(site: &'static CallSite) -> Holder {
    match with_stack(|stack| stack.start_polled(site)).flatten() {
        Some(frame) => Holder::Owned(Some(frame)),
        None => Holder::not_recorded(),
    }
}

/// Puts a span on the stack, if that can be reached.
#[inline(never)]
pub(super) fn enter_frame(frame: &mut Option<Box<Frame>>) -> Stage {
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

pub(super) enum Stage {
    /// The span is not on the stack.
    Out,
    Polled(u64),
    Entered(ActiveGuard),
}

impl Polling<'_> {
    /// Ends the span for good.
    #[inline]
    fn finish(mut self) {
        self.mark_panic();
        match std::mem::replace(&mut self.stage, Stage::Out) {
            Stage::Polled(span_id) => finish_frame(span_id, None),
            Stage::Entered(guard) => drop(guard),
            Stage::Out => {}
        }
        // On a thread whose stack it never entered or cannot reach, an owned span finishes by being dropped.
        if let Holder::Handle(span) = std::mem::replace(self.holder, Holder::None) {
            span.finish();
        }
    }

    /// Marks the span if the poll panicked; it finishes when its future is dropped.
    #[inline]
    fn mark_panic(&mut self) {
        if !self.was_panicking && std::thread::panicking() {
            self.write(&Some(ErrorInfo::panic()));
        }
    }

    /// Writes to the span, wherever it is.
    #[cold]
    fn write(&mut self, finding: &dyn Finding) {
        match (&self.stage, &mut *self.holder) {
            (Stage::Polled(span_id), _) => {
                with_stack(|stack| stack.edit(NO_INDEX, *span_id, |edit| finding.write(edit)));
            }
            (_, Holder::Handle(span)) => span.edit(|edit| finding.write(edit)),
            (_, Holder::Owned(Some(frame))) => {
                if let Some(mut edit) = frame.edit() {
                    finding.write(&mut edit);
                }
            }
            _ => {}
        }
    }
}

#[inline(never)]
pub(super) fn finish_frame(span_id: u64, error: Option<&ErrorInfo>) {
    with_stack(|stack| stack.finish_poll(span_id, error));
}

impl Drop for Polling<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Stage::Out = self.stage {
            return;
        }
        self.mark_panic();
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
