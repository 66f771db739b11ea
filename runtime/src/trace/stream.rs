//! Streams whose span is active during each poll.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::active::active_span;
use super::as_context::AsContext;
use super::future::Active;
use super::handle::Span;
use super::in_context::InContext;

/// The tag that says how many items a stream gave.
const ITEMS: &str = "stream.items";

pin_project! {
    /// A stream with a span: active during each poll and nowhere else, finished when the stream ends or is dropped.
    ///
    /// Made by [`TraceStream::traced`]. It is `Send` and `Sync` whenever the inner stream is. Polled after its end it gives `None` again.
    #[must_use = "a stream does nothing until it is polled"]
    #[derive(Debug)]
    pub struct TracedStream<S> {
        span: Span,
        items: u64,
        // An option, so that the inner stream can be dropped while its span is active.
        #[pin]
        inner: Option<S>,
    }

    impl<S> PinnedDrop for TracedStream<S> {
        fn drop(this: Pin<&mut Self>) {
            this.end();
        }
    }
}

impl<S> TracedStream<S> {
    /// Drops what is left of the inner stream under the span, and finishes that.
    fn end(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.inner.is_some() {
            this.span.set_tag(ITEMS, *this.items);
            let active = Active::enter(this.span);
            this.inner.set(None);
            active.leave();
            this.span.finish();
        }
    }
}

impl<S: Stream> Stream for TracedStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.as_mut().project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let active = Active::enter(this.span);
        let poll = inner.poll_next(cx);
        active.leave();
        match &poll {
            Poll::Ready(Some(_)) => *this.items = this.items.saturating_add(1),
            Poll::Ready(None) => self.end(),
            Poll::Pending => {}
        }
        poll
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S: Stream> Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let (_active, mut inner) = self.enter();
        let Some(stream) = inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let poll = stream.poll_next(cx);
        if matches!(poll, Poll::Ready(None)) {
            inner.set(None);
        }
        poll
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner().map_or((0, Some(0)), Stream::size_hint)
    }
}

/// Gives any stream a span, or the context that it goes on under (feature `stream`).
pub trait TraceStream: Stream + Sized {
    /// Makes `span` the active one during each poll of this stream, and finishes it when the stream ends or is dropped. Between polls, where the
    /// items are used, it is not active. The number tag `stream.items` says how many items there were.
    ///
    /// ```
    /// # struct Rows;
    /// # impl futures_core::Stream for Rows {
    /// #     type Item = u32;
    /// #     fn poll_next(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<u32>> {
    /// #         std::task::Poll::Ready(None)
    /// #     }
    /// # }
    /// use dd_traced::{TraceStream, span};
    ///
    /// fn rows() -> Rows {
    ///     // …
    /// #   Rows
    /// }
    /// let rows = rows().traced(span("db.rows").start());
    /// # drop(rows);
    /// ```
    fn traced(self, span: Span) -> TracedStream<Self> {
        TracedStream { span, items: 0, inner: Some(self) }
    }

    /// Makes the context that is active here and now the active one during each poll, as
    /// [`TraceFuture::carried`](crate::TraceFuture::carried) does for a future.
    fn carried(self) -> InContext<Self> {
        self.in_context(active_span())
    }

    /// As [`carried`](Self::carried), with a given context, or with none.
    fn in_context(self, context: impl AsContext) -> InContext<Self> {
        InContext::new(self, context.as_context())
    }
}

impl<S: Stream> TraceStream for S {}
