//! A line says the ids of the span that is active where it is written: through whichever logger, and wherever that is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

use dd_traced::testing::ScopedTracer;
use dd_traced::{
    Carried, CorrelatedDrain, TraceFuture, TraceStream, active_span, carry, dd_log, extract, span, traced,
};
use dd_traced_tests::{Loggers, PATIENCE};
use futures_core::Stream;
use slog::Drain;

/// A situation, the span that its lines belong to, and how to get there.
type Situation = (&'static str, Option<&'static str>, fn(&'static str));

fn say(message: &'static str) {
    Loggers::install().say(message);
}

#[traced("call")]
fn call(message: &'static str) {
    say(message);
}

#[traced("outer")]
fn outer(act: impl FnOnce()) {
    act();
}

#[traced("future")]
async fn future(message: &'static str) {
    tokio::task::yield_now().await;
    say(message);
}

/// Says something when it is dropped.
struct Talker(&'static str);

impl Drop for Talker {
    fn drop(&mut self) {
        say(self.0);
    }
}

/// Says something while it is formatted.
struct Chatty(&'static str);

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        thread_local!(static IS_FORMATTING: Cell<bool> = const { Cell::new(false) });
        if !IS_FORMATTING.replace(true) {
            say(self.0);
            IS_FORMATTING.set(false);
        }
        f.write_str("chatter")
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(future)
}

fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap()
}

/// Says something when it is asked for its item.
struct Once(&'static str);

impl Stream for Once {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
        say(self.0);
        Poll::Ready(Some(()))
    }
}

const SITUATIONS: &[Situation] = &[
    ("in no span at all", None, say),
    ("in a call", Some("call"), call),
    ("in a nested call", Some("call"), |message| outer(|| call(message))),
    ("behind a nested call", Some("outer"), |message| {
        outer(|| {
            call("elsewhere");
            say(message);
        });
    }),
    ("in a future", Some("future"), |message| block_on(future(message))),
    ("in a spawned task", Some("future"), |message| {
        let parent = span("parent").start();
        block_on(async {
            let task = async move { future(message).await }.traced(parent);
            tokio::spawn(task).await.unwrap();
        });
    }),
    ("in a spawned task of a span by hand", Some("task"), |message| {
        let task = span("task").start();
        block_on(async { tokio::spawn(async move { say(message) }.traced(task)).await.unwrap() });
    }),
    ("on a thread for blocking work", Some("blocking"), |message| {
        let blocking = span("blocking").start();
        let context = blocking.context();
        block_on(async {
            let act = move || {
                let _active = context.enter();
                say(message);
            };
            tokio::task::spawn_blocking(act).await.unwrap();
        });
    }),
    ("on another thread", Some("call"), |message| {
        let parent = span("parent").start();
        let context = parent.context();
        let act = move || {
            let _active = context.enter();
            call(message);
        };
        thread::spawn(act).join().unwrap();
    }),
    ("in a closure carried to a thread", Some("outer"), |message| {
        outer(|| thread::spawn(carry(move || say(message))).join().unwrap());
    }),
    ("in a closure carried to a scoped thread", Some("outer"), |message| {
        outer(|| thread::scope(|scope| scope.spawn(carry(|| say(message))).join().unwrap()));
    }),
    ("in a carried task", Some("outer"), |message| {
        outer(|| block_on(async { tokio::spawn(async move { say(message) }.carried()).await.unwrap() }));
    }),
    ("in a carried task of a set", Some("future"), |message| {
        outer(|| {
            block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                tasks.spawn(future(message).carried());
                tasks.join_next().await.unwrap().unwrap();
            });
        });
    }),
    ("in a closure carried to blocking work", Some("outer"), |message| {
        let act = || async { tokio::task::spawn_blocking(carry(move || say(message))).await.unwrap() };
        outer(|| block_on(act()));
    }),
    ("in a job carried to a pool", Some("outer"), |message| {
        let (done, is_done) = mpsc::channel();
        outer(|| {
            let job = carry(move || say(message));
            pool().spawn(move || {
                job();
                done.send(()).unwrap();
            });
        });
        is_done.recv_timeout(PATIENCE).unwrap();
    }),
    ("in one half of a join", Some("outer"), |message| {
        outer(|| _ = pool().join(carry(|| ()), carry(|| say(message))));
    }),
    ("in a scope of a pool", Some("call"), |message| {
        outer(|| {
            let job = carry(|| call(message));
            pool().scope(|scope| scope.spawn(|_| job()));
        });
    }),
    ("where a message is taken from a channel", Some("outer"), |message| {
        let (sender, inbox) = mpsc::channel();
        outer(|| sender.send(Carried::new(message)).unwrap());
        thread::spawn(move || inbox.recv().unwrap().run(say)).join().unwrap();
    }),
    ("in the poll of a stream", Some("stream"), |message| {
        outer(|| {
            let mut stream = Box::pin(Once(message).traced(span("stream").start()));
            assert!(stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop())).is_ready());
        });
    }),
    ("on another thread without a context", None, |message| {
        outer(|| thread::spawn(move || say(message)).join().unwrap());
    }),
    ("in a span by hand", Some("hand"), |message| {
        let span = span("hand").start();
        let _active = span.activate();
        say(message);
    }),
    ("in a span that has finished", None, |message| {
        let span = span("hand").start();
        let _active = span.activate();
        span.finish();
        say(message);
    }),
    ("in a span of tracing", Some("instrumented"), |message| {
        let span = tracing::info_span!("instrumented");
        span.in_scope(|| say(message));
    }),
    ("in a span of tracing that was left", Some("outer"), |message| {
        outer(|| {
            let span = tracing::info_span!("instrumented");
            span.in_scope(|| say("elsewhere"));
            say(message);
        });
    }),
    ("in a span of tracing below the level", Some("outer"), |message| {
        outer(|| tracing::debug_span!("filtered").in_scope(|| say(message)));
    }),
    ("in a call in a span of tracing", Some("call"), |message| {
        tracing::info_span!("instrumented").in_scope(|| call(message));
    }),
    ("in the drop of a local", Some("outer"), |message| outer(|| drop(Talker(message)))),
    ("in the drop of an unfinished future", Some("future that never ends"), |message| {
        #[traced("future that never ends")]
        async fn endless(message: &'static str) {
            let _talker = Talker(message);
            std::future::pending::<()>().await;
        }
        let mut endless = Box::pin(endless(message));
        assert!(pin!(&mut endless).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(endless);
    }),
    ("while a message is formatted", Some("outer"), |message| {
        // Not by `slog-json`, which takes no line while it writes another one.
        outer(|| {
            dd_log!("{}", Chatty(message));
            tracing::info!("{}", Chatty(message));
        });
    }),
    ("while it unwinds", Some("outer"), |message| {
        let act = || {
            outer(|| {
                let _talker = Talker(message);
                std::panic::resume_unwind(Box::new(()));
            });
        };
        std::panic::catch_unwind(act).unwrap_err();
    }),
];

#[test]
fn every_logger_says_the_ids_of_the_active_span_everywhere() {
    for (situation, expected, act) in SITUATIONS {
        let tracer = ScopedTracer::new();
        act(situation);
        assert_eq!(active_span().span_id().as_u64(), 0, "{situation}: nothing is left active");
        // On a thread of its own a scoped tracer is known only by what was carried there.
        let is_known = *situation != "on another thread without a context";
        let ids = expected.map(|name| ids_of(&tracer, name, situation));
        assert!(ids.iter().all(|(trace_id, _)| trace_id.len() == 32), "{ids:?}");
        expect_lines(situation, ids.as_ref(), is_known);
    }
    // In a trace that an older peer has begun, where ids are decimal.
    for (situation, expected, act) in SITUATIONS {
        let Some(name) = expected else { continue };
        let message: &str = format!("64 bits: {situation}").leak();
        let tracer = ScopedTracer::new();
        let headers = [("x-datadog-trace-id", "12345678901234567890"), ("x-datadog-parent-id", "77")];
        let headers = headers.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let upstream = extract(&HashMap::from(headers)).unwrap();
        let entered = upstream.enter();
        act(message);
        drop(entered);
        let ids = ids_of(&tracer, name, message);
        assert_eq!(ids.0, "12345678901234567890", "{message}");
        expect_lines(message, Some(&ids), true);
    }
}

/// The ids of the finished span of this name.
fn ids_of(tracer: &ScopedTracer, name: &str, situation: &str) -> (String, String) {
    let spans = tracer.finished();
    let span = spans.iter().find(|span| span.name == name);
    let span = span.unwrap_or_else(|| panic!("{situation}: no {name} among {spans:#?}"));
    (span.trace_id.to_string(), span.span_id.to_string())
}

/// Holds that each line of a message has these ids, or says in its form that there are none.
fn expect_lines(message: &str, ids: Option<&(String, String)>, is_known: bool) {
    for line in Loggers::install().lines(message) {
        let without = line.logger.ends_with("text").then(|| ("0".to_owned(), "0".to_owned()));
        assert_eq!(line.ids(), ids.cloned().or(without), "{message}: {line:?}");
        let service = line.fields().into_iter().find(|(key, _)| key == "dd.service");
        assert_eq!(service.map(|(_, value)| value), is_known.then(|| "test".to_owned()), "{line:?}");
    }
}

/// What the wrapper says is all that a line says of it: ids of others are left out, or stand where readers do not take them.
#[test]
fn a_pair_of_ones_own_with_a_name_of_ours_forges_nothing() {
    let loggers = Loggers::install();
    let tracer = ScopedTracer::new();
    let say = |message: &str| {
        dd_log!("dd.trace_id" = "1", "dd.other" = 2; "{message}");
        // By name, and whatever its type.
        tracing::info!(dd.trace_id = 1, dd.span_id = "2", dd.other = 2, "{message}");
        loggers.say(message);
    };
    say("pairs of ones own without a span");
    let span = span("work").start();
    let active = span.activate();
    say("pairs of ones own in a span");
    drop((active, tracer));
    let trace_id = format!("{:x}", span.context().trace_id());
    for (message, expected) in
        [("pairs of ones own in a span", Some(trace_id)), ("pairs of ones own without a span", None)]
    {
        let lines = loggers.lines(message);
        for logger in ["log json", "tracing flat json"] {
            let json = lines.iter().find(|line| line.logger == logger && line.text.contains("dd.other"));
            let json = json.unwrap_or_else(|| panic!("{logger}: {lines:#?}"));
            let pair = expected.as_ref().map(|id| format!(r#""dd.trace_id":"{id}""#));
            assert_eq!(json.text.matches("dd.trace_id").count(), usize::from(pair.is_some()), "{json:?}");
            assert!(pair.is_none_or(|pair| json.text.contains(&pair)), "{json:?}");
            assert!(json.text.contains(r#""dd.other":2"#), "{json:?}");
        }
    }
}

/// Pairs of `slog` cannot be left out: ours come last, also behind those of a logger.
#[test]
fn of_two_pairs_of_slog_ours_is_the_later_one() {
    let _tracer = ScopedTracer::new();
    let span = span("work").start();
    let _active = span.activate();
    let written = Arc::new(Mutex::new(Vec::new()));
    let json = Mutex::new(slog_json::Json::new(Shared(Arc::clone(&written))).build());
    let drain = CorrelatedDrain::structured(json.fuse()).fuse();
    let logger = slog::Logger::root(drain, slog::o!("dd.span_id" => "1"));
    slog::info!(logger, "an order"; "dd.trace_id" => 2, "dd.span_id" => "3");
    let line = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert_eq!((line.matches("dd.span_id").count(), line.matches("dd.trace_id").count()), (3, 2), "{line}");
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["dd.span_id"], span.span_id().to_string());
    assert_eq!(object["dd.trace_id"], format!("{:x}", span.context().trace_id()));
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
