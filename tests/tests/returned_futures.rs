//! A function that is not `async` and returns a future: its span is that of the future, whatever way the future came about.

use std::future::{Future, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use dd_traced::testing::ScopedTracer;
use dd_traced::{active_span, traced};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

#[derive(Default)]
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[traced("leaf")]
fn leaf() {}

#[traced("block")]
fn block(id: u8) -> impl Future<Output = u8> {
    async move {
        Pause::default().await;
        leaf();
        id
    }
}

#[traced("statements")]
fn statements(text: &str) -> impl Future<Output = usize> + '_ {
    leaf();
    let len = text.len();
    async move {
        Pause::default().await;
        leaf();
        len
    }
}

#[traced("delegated", tags(id))]
fn delegated(id: u8) -> impl Future<Output = u8> + Send {
    block(id)
}

#[traced("boxed")]
fn boxed<'a>(
    text: &'a str,
) -> Pin<Box<dyn Future<Output = Result<u8, std::num::ParseIntError>> + Send + 'a>> {
    Box::pin(async move {
        Pause::default().await;
        leaf();
        text.parse()
    })
}

#[traced("early")]
fn early(text: &str) -> BoxFuture<'_, Result<u8, String>> {
    if text.is_empty() {
        return Box::pin(ready(Err("empty".to_owned())));
    }
    let parsed = text.parse();
    Box::pin(async move {
        leaf();
        parsed.map_err(|error| format!("{error}"))
    })
}

#[test]
fn the_span_is_the_parent_of_what_the_future_does() {
    let tracer = ScopedTracer::new();
    assert_eq!(finish(block(3)), 3);
    assert_eq!(finish(delegated(4)), 4);
    assert_eq!(finish(boxed("5")), Ok(5));
    assert_eq!(finish(early("6")), Ok(6));
    assert_eq!(tracer.tree(), "block\n  leaf\ndelegated\n  block\n    leaf\nboxed\n  leaf\nearly\n  leaf\n");
}

#[test]
fn statements_before_the_future_run_at_once_and_outside_of_its_span() {
    let tracer = ScopedTracer::new();
    let future = statements("four");
    assert_eq!(tracer.tree(), "leaf\n");
    assert_eq!(finish(future), 4);
    assert_eq!(tracer.tree(), "leaf\nstatements\n  leaf\n");
}

#[test]
fn the_span_starts_at_the_first_poll_under_what_is_active_then() {
    let tracer = ScopedTracer::at(1_000);
    let mut future = pin!(delegated(1));
    tracer.advance(std::time::Duration::from_nanos(500));
    let outer = dd_traced::span("outer").start();
    {
        let _active = outer.activate();
        assert!(poll(future.as_mut()).is_pending());
    }
    outer.finish();
    assert!(poll(future.as_mut()).is_ready());
    assert_eq!(tracer.tree(), "outer\n  delegated\n    block\n      leaf\n");
    let spans = tracer.finished();
    assert!(spans.iter().all(|span| span.start_ns == 1_500), "{spans:#?}");
    let delegated = spans.iter().find(|span| span.name == "delegated").map(|span| span.metrics["id"]);
    assert_eq!(delegated, Some(1.0));
}

#[test]
fn a_future_that_is_never_polled_has_no_span() {
    let tracer = ScopedTracer::new();
    drop(block(1));
    drop(delegated(2));
    drop(boxed("3"));
    drop(early(""));
    assert_eq!(tracer.finished(), []);
    assert!(!active_span().is_recording());
}

#[test]
fn an_err_of_the_future_marks_the_span_whichever_way_it_left() {
    let tracer = ScopedTracer::new();
    assert!(finish(boxed("x")).is_err());
    assert!(finish(early("")).is_err());
    assert!(finish(early("x")).is_err());
    assert_eq!(tracer.tree(), "boxed !\n  leaf\nearly !\nearly !\n  leaf\n");
    let spans = tracer.finished();
    let messages: Vec<_> = spans.iter().filter_map(|span| span.meta.get("error.message")).collect();
    assert_eq!(messages, ["invalid digit found in string", "empty", "invalid digit found in string"]);
}

#[test]
fn the_future_may_be_sent_and_finish_elsewhere() {
    let tracer = ScopedTracer::new();
    let mut future = Box::pin(delegated(7));
    assert!(poll(future.as_mut()).is_pending());
    let polled = std::thread::spawn(move || poll(future.as_mut())).join();
    assert!(matches!(polled, Ok(Poll::Ready(7))));
    assert_eq!(tracer.tree(), "delegated\n  block\n    leaf\n");
}

#[async_trait::async_trait]
trait Load {
    async fn load(&self, id: u8) -> Result<u8, String>;

    #[traced("twice")]
    async fn twice(&self, id: u8) -> Result<u8, String> {
        Ok(self.load(id).await? + self.load(id).await?)
    }
}

struct Store {
    shard: u8,
}

#[async_trait::async_trait]
impl Load for Store {
    #[traced("load", tags(self.shard, id))]
    async fn load(&self, id: u8) -> Result<u8, String> {
        Pause::default().await;
        leaf();
        if id == 0 {
            return Err("zero".into());
        }
        Ok(id + self.shard)
    }
}

struct Outside;

#[traced(service = "outside")]
#[async_trait::async_trait]
impl Load for Outside {
    async fn load(&self, id: u8) -> Result<u8, String> {
        Pause::default().await;
        id.checked_sub(1).ok_or_else(|| "zero".into())
    }
}

struct Inside;

#[async_trait::async_trait]
#[traced(service = "inside")]
impl Load for Inside {
    async fn load(&self, id: u8) -> Result<u8, String> {
        Pause::default().await;
        id.checked_sub(1).ok_or_else(|| "zero".into())
    }
}

#[test]
fn async_trait_may_stand_on_either_side() {
    let tracer = ScopedTracer::new();
    assert_eq!(finish(Store { shard: 1 }.twice(2)), Ok(6));
    assert!(finish(Store { shard: 1 }.twice(0)).is_err());
    assert_eq!(tracer.tree(), "twice\n  load\n    leaf\n  load\n    leaf\ntwice !\n  load !\n    leaf\n");
    let loads = tracer.finished();
    let load = loads.iter().find(|span| span.name == "load").map(|span| &span.metrics);
    assert_eq!(load.map(|tags| (tags["self.shard"], tags["id"])), Some((1.0, 2.0)));

    let tracer = ScopedTracer::new();
    assert_eq!(finish(Outside.load(1)), Ok(0));
    assert!(finish(Inside.load(0)).is_err());
    let (outside, inside) = ("returned_futures.Outside.load", "returned_futures.Inside.load");
    assert_eq!(tracer.tree(), format!("{outside}\n{inside} !\n"));
    let services: Vec<_> = tracer.finished().into_iter().filter_map(|span| span.service).collect();
    assert_eq!(services, ["outside", "inside"]);
}

#[test]
fn a_panic_while_polling_marks_the_span() {
    #[traced("falls")]
    fn falls() -> impl Future<Output = ()> {
        async { std::panic::resume_unwind(Box::new("boom")) }
    }
    let tracer = ScopedTracer::new();
    assert!(std::panic::catch_unwind(|| finish(falls())).is_err());
    assert_eq!(tracer.tree(), "falls !\n");
}
