//! Random programs of futures, streams, tasks and threads, with a span of any kind each: every span has the parent that the program says, and
//! every line the ids of the span whose work it is, whoever polls it, and where.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use dd_traced::testing::ScopedTracer;
use dd_traced::{SpanLayer, TraceFuture, TraceStream, active_span, carry, correlation, span, traced};
use dd_traced_tests::Dice;
use futures_core::Stream;
use tokio::runtime::{self, Handle};
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tracing::{Instrument, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Work with a span of its own.
#[derive(Clone)]
struct Node {
    number: u64,
    kind: u64,
    yields: u64,
    /// Whether its children run all at once.
    is_joined: bool,
    children: Vec<Node>,
}

/// Kinds of work, the last of which is dropped before it ends.
const KINDS: u64 = 12;

impl Node {
    /// Writes down the parent of each; 0 for the root.
    fn random(dice: &mut Dice, parent: u64, depth: u32, parents: &mut Vec<u64>) -> Self {
        parents.push(parent);
        let number = parents.len() as u64;
        // Elsewhere than on the thread of the test, the tracer is known by what is carried there.
        let kind = dice.below(if parent == 0 { 4 } else { KINDS });
        let children = if depth == 0 || kind == KINDS - 1 { 0 } else { dice.below(4) };
        let (yields, is_joined) = (dice.below(4), dice.below(2) == 0);
        let children = (0..children).map(|_| Self::random(dice, number, depth - 1, parents)).collect();
        Self { number, kind, yields, is_joined, children }
    }
}

/// What lines said: whose work they were, and the ids.
static LINES: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());

fn say(number: u64) {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).push((number, correlation().to_string()));
}

/// Says something when it is dropped.
struct Talker(u64);

impl Drop for Talker {
    fn drop(&mut self) {
        say(self.0);
    }
}

async fn work(node: Node) {
    let _talker = Talker(node.number);
    for _ in 0..node.yields {
        say(node.number);
        yield_now().await;
    }
    say(node.number);
    let mut children: Vec<Work> = node.children.into_iter().map(run).collect();
    if node.is_joined {
        poll_fn(|cx| {
            children.retain_mut(|child| child.as_mut().poll(cx).is_pending());
            if children.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    } else {
        for child in children {
            child.await;
            say(node.number);
        }
    }
    say(node.number);
}

#[traced("annotated", tags(number = node.number))]
async fn annotated(node: Node) {
    work(node).await;
}

#[traced("returned", tags(number = node.number))]
fn returned(node: Node) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(work(node))
}

#[instrument(skip_all, fields(number = node.number))]
async fn instrumented(node: Node) {
    work(node).await;
}

/// A stream of one item, which is work.
struct Once(Option<Work>);

impl Stream for Once {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let Some(work) = &mut self.0 else { return Poll::Ready(None) };
        let poll = work.as_mut().poll(cx);
        if poll.is_ready() {
            self.0 = None;
        }
        poll.map(Some)
    }
}

/// Begins with the first poll, so that it has the parent that polls it.
fn run(node: Node) -> Work {
    let number = node.number;
    let hand = move || span("by hand").tag("number", number).start();
    let info = move || info_span!("info", number);
    Box::pin(async move {
        match node.kind {
            0 => annotated(node).await,
            1 => instrumented(node).await,
            2 => TraceFuture::traced(work(node), hand()).await,
            3 => work(node).instrument(info()).await,
            4 => returned(node).await,
            5 => {
                let mut stream = pin!(Once(Some(Box::pin(work(node)))).traced(hand()));
                while poll_fn(|cx| stream.as_mut().poll_next(cx)).await.is_some() {}
            }
            6 => tokio::spawn(annotated(node).carried()).await.unwrap(),
            7 => tokio::spawn(work(node).instrument(info())).await.unwrap(),
            8 => {
                let mut tasks = JoinSet::new();
                tasks.spawn(TraceFuture::traced(work(node), hand()));
                tasks.join_next().await.unwrap().unwrap();
            }
            9 => {
                let runtime = Handle::current();
                spawn_blocking(carry(move || runtime.block_on(annotated(node)))).await.unwrap();
            }
            10 => {
                let (runtime, (done, is_done)) = (Handle::current(), tokio::sync::oneshot::channel());
                let thread = thread::spawn(carry(move || {
                    runtime.block_on(instrumented(node));
                    done.send(()).unwrap();
                }));
                is_done.await.unwrap();
                // It is still on its way out of the context.
                thread.join().unwrap();
            }
            _ => {
                let endless = async move {
                    let _talker = Talker(number);
                    say(number);
                    yield_now().await;
                    say(number);
                    pending::<()>().await;
                };
                let mut endless = Box::pin(TraceFuture::traced(endless, hand()));
                for _ in 0..node.yields {
                    poll_fn(|cx| Poll::Ready(_ = endless.as_mut().poll(cx))).await;
                    yield_now().await;
                }
            }
        }
    })
}

#[test]
fn every_span_has_its_parent_and_every_line_its_span() {
    let subscriber = tracing_subscriber::registry().with(SpanLayer::new());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
    let (mut spans, mut lines) = (0, 0);
    for seed in 0..400 {
        let tracer = ScopedTracer::with_parts_of(if seed % 2 == 0 { 7 } else { 1_000 });
        let mut expected = Vec::new();
        let root = Node::random(&mut Dice::new(seed), 0, 4, &mut expected);
        runtime.block_on(run(root));
        assert_eq!(active_span().span_id().as_u64(), 0, "seed {seed}: nothing is left active");

        let finished = tracer.finished();
        let number = |span: &dd_traced::testing::FinishedSpan| span.metrics["number"] as u64;
        let numbers: BTreeMap<_, _> = finished.iter().map(|span| (span.span_id, number(span))).collect();
        let parent = |id| numbers.get(id).copied().unwrap_or(0);
        let parents: BTreeMap<_, _> =
            finished.iter().map(|span| (number(span), parent(&span.parent_id))).collect();
        let expected: BTreeMap<_, _> = (1..).zip(expected).collect();
        assert_eq!(parents, expected, "seed {seed}: {}", tracer.tree());

        let said = finished.iter().map(|span| {
            let ids = format!("dd.trace_id={} dd.span_id={}", span.trace_id, span.span_id);
            (number(span), format!("dd.service=test {ids}"))
        });
        let said: BTreeMap<_, _> = said.collect();
        for (number, line) in std::mem::take(&mut *LINES.lock().unwrap_or_else(PoisonError::into_inner)) {
            assert_eq!(line, said[&number], "seed {seed}, {number}: {}", tracer.tree());
            lines += 1;
        }
        spans += finished.len();
    }
    assert!(spans > 2_000 && lines > 10_000, "the programs were worth it: {spans} spans, {lines} lines");
}
