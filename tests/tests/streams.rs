//! The span of a stream is open until the stream's end, active inside of its polls alone, and says how many items there were.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{TraceStream, active_span, span, traced};
use futures_core::Stream;

#[traced("fetch")]
fn fetch() {}

#[traced("use")]
fn use_item() {}

#[traced("close")]
fn close() {}

/// Gives so many items, each after it has waited once, and fetches something in each poll and at its end.
#[derive(Debug)]
struct Rows {
    left: u32,
    waits: bool,
}

impl Rows {
    fn of(items: u32) -> Self {
        Self { left: items, waits: false }
    }
}

impl Stream for Rows {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        self.waits = !self.waits;
        if self.waits {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        fetch();
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
        self.left = left;
        Poll::Ready(Some(left))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        close();
    }
}

/// The next item, from a stream that waits at most once.
fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    let mut poll = || Pin::new(&mut *stream).poll_next(&mut Context::from_waker(Waker::noop()));
    match poll() {
        Poll::Pending => match poll() {
            Poll::Pending => panic!("the stream waits twice"),
            Poll::Ready(item) => item,
        },
        Poll::Ready(item) => item,
    }
}

fn items_of(spans: &[FinishedSpan]) -> f64 {
    spans.iter().find(|span| span.name == "rows").unwrap().metrics["stream.items"]
}

#[test]
fn the_span_is_open_until_the_end_and_active_in_polls_alone() {
    let tracer = ScopedTracer::new();
    let mut rows = Box::pin(Rows::of(2).traced(span("rows").start()));
    while next(&mut rows).is_some() {
        assert!(active_span().context().is_none());
        use_item();
        assert!(!tracer.tree().contains("rows\n"), "it is not finished yet");
    }
    let tree = tracer.tree();
    assert_eq!(tree, "rows\n  fetch\n  fetch\n  fetch\n  close\nuse\nuse\n");
    assert!((items_of(&tracer.finished()) - 2.0).abs() < f64::EPSILON);
    assert_eq!(next(&mut rows), None);
    drop(rows);
    assert_eq!(tracer.tree(), tree, "what is over stays as it is");
}

#[test]
fn a_stream_that_is_dropped_early_has_the_items_so_far() {
    let tracer = ScopedTracer::new();
    let mut rows = Box::pin(Rows::of(9).traced(span("rows").start()));
    assert_eq!((next(&mut rows), next(&mut rows)), (Some(8), Some(7)));
    drop(rows);
    let spans = tracer.finished();
    assert!((items_of(&spans) - 2.0).abs() < f64::EPSILON);
    assert!(spans.iter().all(|span| !span.is_error), "{spans:#?}");
    assert_eq!(tracer.tree(), "rows\n  fetch\n  fetch\n  close\n");
}

#[test]
fn it_goes_on_under_its_span_on_other_threads() {
    let tracer = ScopedTracer::new();
    let mut rows = Box::pin(Rows::of(2).traced(span("rows").start()));
    next(&mut rows);
    let sum = thread::spawn(move || {
        let mut sum = 0;
        while let Some(item) = next(&mut rows) {
            sum += item;
            assert!(active_span().context().is_none());
        }
        sum
    });
    assert_eq!(sum.join().unwrap(), 0);
    assert_eq!(tracer.tree(), "rows\n  fetch\n  fetch\n  fetch\n  close\n");
}

#[test]
fn a_panic_marks_the_span() {
    let tracer = ScopedTracer::new();
    let mut rows = Box::pin(Panics.traced(span("rows").start()));
    assert!(catch_unwind(AssertUnwindSafe(|| next(&mut rows))).is_err());
    assert!(active_span().context().is_none());
    drop(rows);
    let spans = tracer.finished();
    assert!(
        matches!(&spans[..], [span] if span.is_error && span.metrics["stream.items"] == 0.0),
        "{spans:#?}"
    );
}

struct Panics;

impl Stream for Panics {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u32>> {
        panic!("on purpose")
    }
}

#[test]
fn a_stream_in_a_task_is_polled_under_the_context_it_was_carried_from() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tracer = ScopedTracer::new();
    {
        let parent = span("parent").start();
        let _active = parent.activate();
        let mut rows = Box::pin(Rows::of(2).carried());
        let task = runtime.spawn(async move {
            let mut items = 0;
            while poll_fn(|cx| rows.as_mut().poll_next(cx)).await.is_some() {
                assert!(active_span().context().is_none());
                items += 1;
            }
            assert!(poll_fn(|cx| rows.as_mut().poll_next(cx)).await.is_none());
            items
        });
        assert_eq!(runtime.block_on(task).unwrap(), 2);
        let rows = Rows::of(1).carried();
        thread::spawn(move || drop(rows)).join().unwrap();
    }
    assert_eq!(tracer.tree(), "parent\n  fetch\n  fetch\n  fetch\n  close\n  close\n");
}

#[test]
fn the_stream_is_as_long_as_the_one_inside() {
    let rows = Box::pin(Rows::of(3).traced(span("rows").start()));
    assert_eq!((rows.size_hint(), Rows::of(2).carried().size_hint()), ((3, Some(3)), (2, Some(2))));
    let mut ended = Box::pin(Rows::of(0).traced(span("rows").start()));
    assert_eq!((next(&mut ended), ended.size_hint()), (None, (0, Some(0))));
}

#[test]
fn without_a_tracer_it_is_the_stream_inside() {
    let mut rows = Box::pin(Rows::of(2).traced(span("rows").start()));
    assert_eq!((next(&mut rows), next(&mut rows), next(&mut rows)), (Some(1), Some(0), None));
}
