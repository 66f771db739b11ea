//! A context goes along over every border: threads, tasks, pools, channels, closures. One test a border, with the crate that has it;
//! each fails where the context is lost, for what starts elsewhere without one is in no tree, or a root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use dd_traced::testing::ScopedTracer;
use dd_traced::{
    Carried, InContext, SpanContext, TraceFuture, active_span, carry, carry_fn, carry_mut, extract, span,
    traced,
};
use dd_traced_tests::{PATIENCE, ready};
use rayon::prelude::*;
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, yield_now};

const ONE: &str = "parent\n  work\n";
const TWO: &str = "parent\n  work\n  work\n";

#[traced("work")]
fn work() {}

/// Its span is started in one poll, and a child of it in another, perhaps on another thread.
#[traced("task")]
async fn task() {
    yield_now().await;
    work();
}

#[traced("parent")]
fn in_function(act: impl Fn()) {
    act();
}

#[traced("parent")]
async fn in_future(act: impl Fn()) {
    act();
}

/// The tree of what `act` does under a span, which is the same for a span of each kind: a handle, a function, a future.
fn under_parent(act: impl Fn()) -> String {
    let tree = |run: &dyn Fn()| {
        let tracer = ScopedTracer::new();
        run();
        assert!(active_span().context().is_none(), "nothing is left active");
        tracer.tree()
    };
    let by_hand = tree(&|| {
        let parent = span("parent").start();
        let _active = parent.activate();
        act();
    });
    assert_eq!(tree(&|| in_function(&act)), by_hand);
    assert_eq!(tree(&|| ready(in_future(&act))), by_hand);
    by_hand
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap()
}

#[test]
fn thread() {
    assert_eq!(under_parent(|| thread::spawn(carry(work)).join().unwrap()), ONE);
}

#[test]
fn scoped_threads() {
    let tree = under_parent(|| {
        let sum = [1, 2];
        thread::scope(|scope| {
            let add = || {
                work();
                sum.iter().sum::<u32>()
            };
            let threads = [scope.spawn(carry(add)), scope.spawn(carry(add))];
            assert_eq!(threads.map(|thread| thread.join().unwrap()), [3, 3]);
        });
    });
    assert_eq!(tree, TWO);
}

#[test]
fn tokio_spawn() {
    let runtime = runtime();
    let tree = under_parent(|| runtime.block_on(runtime.spawn(task().carried())).unwrap());
    assert_eq!(tree, "parent\n  task\n    work\n");
}

#[test]
fn tokio_spawn_from_inside_of_a_task() {
    let runtime = runtime();
    let tree = under_parent(|| {
        let outer = async { tokio::spawn(task().carried()).await.unwrap() };
        runtime.block_on(runtime.spawn(outer.carried())).unwrap();
    });
    assert_eq!(tree, "parent\n  task\n    work\n");
}

#[test]
fn tokio_spawn_blocking() {
    let runtime = runtime();
    assert_eq!(under_parent(|| runtime.block_on(runtime.spawn_blocking(carry(work))).unwrap()), ONE);
}

#[test]
fn tokio_join_set() {
    let runtime = runtime();
    let tree = under_parent(|| {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            tasks.spawn(task().carried());
            tasks.join_next().await.unwrap().unwrap();
            tasks.spawn_blocking(carry(work));
            tasks.join_next().await.unwrap().unwrap();
        });
    });
    assert_eq!(tree, "parent\n  task\n    work\n  work\n");
}

#[test]
fn rayon_spawn() {
    let pool = pool();
    let tree = under_parent(|| {
        let (done, is_done) = mpsc::channel();
        let job = carry(work);
        pool.spawn(move || {
            job();
            done.send(()).unwrap();
        });
        is_done.recv_timeout(PATIENCE).unwrap();
    });
    assert_eq!(tree, ONE);
}

#[test]
fn rayon_join() {
    let pool = pool();
    let tree = under_parent(|| {
        pool.join(carry(work), carry(work));
    });
    assert_eq!(tree, TWO);
}

#[test]
fn rayon_scope() {
    let pool = pool();
    let tree = under_parent(|| {
        let jobs = [carry(work), carry(work)];
        pool.scope(|scope| {
            for job in jobs {
                scope.spawn(|_| job());
            }
        });
    });
    assert_eq!(tree, TWO);
}

/// The closure of a scope is itself moved to the pool: what was carried inside of it was carried from nowhere.
#[test]
fn rayon_scope_that_carries_inside() {
    let pool = pool();
    let tree = under_parent(|| {
        let here = Carried::new(());
        pool.scope(|scope| {
            let _here = here.enter();
            for _ in 0..2 {
                let job = carry(work);
                scope.spawn(|_| job());
            }
        });
    });
    assert_eq!(tree, TWO);
}

#[test]
fn rayon_parallel_iterator() {
    let pool = pool();
    let tree = under_parent(|| {
        let double = carry_fn(|number: &u32| {
            work();
            number * 2
        });
        let doubled: Vec<u32> = pool.install(|| [1, 2].par_iter().map(double).collect());
        assert_eq!(doubled, [2, 4]);
    });
    assert_eq!(tree, TWO);
}

#[test]
fn channel() {
    let tree = under_parent(|| {
        let (orders, inbox) = mpsc::channel::<Carried<u32>>();
        let shop = thread::spawn(move || {
            let ship = |order| {
                work();
                order
            };
            inbox.iter().map(|order| order.run(ship)).collect::<Vec<_>>()
        });
        orders.send(Carried::new(1)).unwrap();
        orders.send(Carried::new(1).map(|one| one + 1)).unwrap();
        drop(orders);
        assert_eq!(shop.join().unwrap(), [1, 2]);
    });
    assert_eq!(tree, TWO);
}

#[test]
fn asynchronous_channel() {
    let runtime = runtime();
    let tree = under_parent(|| {
        let (orders, mut inbox) = tokio::sync::mpsc::channel::<Carried<u32>>(1);
        let shop = runtime.spawn(async move {
            while let Some(message) = inbox.recv().await {
                let (seconds, context) = message.into_parts();
                assert_eq!(seconds, 7);
                task().in_context(context).await;
            }
        });
        orders.blocking_send(Carried::new(7)).unwrap();
        drop(orders);
        runtime.block_on(shop).unwrap();
    });
    assert_eq!(tree, "parent\n  task\n    work\n");
}

#[test]
fn call_backs() {
    let tracer = ScopedTracer::new();
    let mut calls = Vec::new();
    let (mut on_event, on_end) = {
        let parent = span("parent").start();
        let _active = parent.activate();
        let on_event = carry_mut(|event: u32| {
            work();
            calls.push(event);
        });
        (on_event, carry_fn(|()| work()))
    };
    on_event(1);
    on_event(2);
    on_end(());
    drop(on_event);
    assert_eq!(calls, [1, 2]);
    assert_eq!(tracer.tree(), "parent\n  work\n  work\n  work\n");
}

#[test]
fn what_a_message_leaves_behind_is_not_active_for_the_next_one() {
    let tracer = ScopedTracer::new();
    let messages = ["first", "second"].map(|name| {
        let request = span(name).start();
        let _active = request.activate();
        Carried::new(name)
    });
    for message in messages {
        let result = catch_unwind(AssertUnwindSafe(|| {
            message.run(|name| {
                work();
                std::panic::resume_unwind(Box::new(name));
            })
        }));
        assert!(result.is_err());
        assert!(active_span().context().is_none());
    }
    assert_eq!(tracer.tree(), "first\n  work\nsecond\n  work\n");
}

#[test]
fn polls_of_one_thread_do_not_meet_each_others_context() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tracer = ScopedTracer::new();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for name in ["first", "second"] {
            let request = span(name).start();
            let _active = request.activate();
            tasks.spawn(task().carried());
        }
        tasks.spawn(task());
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
    let tree = tracer.tree();
    assert_eq!(tree, "first\n  task\n    work\nsecond\n  task\n    work\ntask\n  work\n");
}

#[test]
fn a_future_is_dropped_under_its_context() {
    struct Worker;
    impl Drop for Worker {
        fn drop(&mut self) {
            work();
        }
    }
    let tree = under_parent(|| {
        let worker = Worker;
        let waits = async move {
            let _worker = worker;
            std::future::pending::<()>().await;
        };
        let waits: InContext<_> = waits.carried();
        thread::spawn(move || drop(waits)).join().unwrap();
    });
    assert_eq!(tree, ONE);
}

#[test]
fn service_and_baggage_go_along() {
    let tracer = ScopedTracer::new();
    let parent = span("parent").service("batch").baggage("tier", "gold").start();
    let active = parent.activate();
    let tier = thread::spawn(carry(|| {
        work();
        active_span().baggage("tier")
    }));
    assert_eq!(tier.join().unwrap().as_deref(), Some("gold"));
    drop((active, parent));
    let spans = tracer.finished();
    assert!(
        spans.len() == 2 && spans.iter().all(|span| span.service.as_deref() == Some("batch")),
        "{spans:#?}"
    );
}

#[test]
fn a_context_of_another_process_is_carried_as_it_is() {
    let tracer = ScopedTracer::new();
    let headers = [("x-datadog-trace-id", "7"), ("x-datadog-parent-id", "8")];
    let headers = headers.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let upstream: SpanContext = extract(&std::collections::HashMap::from(headers)).unwrap();
    ready(task_without_waiting().in_context(&upstream));
    Carried::with_context((), &upstream).run(|()| work());
    let spans = tracer.finished();
    assert_eq!(spans.len(), 2);
    assert!(
        spans.iter().all(|span| (span.trace_id.low_u64(), span.parent_id.as_u64()) == (7, 8)),
        "{spans:#?}"
    );
}

#[traced("task")]
async fn task_without_waiting() {}

#[test]
fn where_nothing_is_active_nothing_changes() {
    let tracer = ScopedTracer::new();
    let message = Carried::new(1);
    assert!(message.context().is_none());
    let job = carry(work);
    {
        let parent = span("parent").start();
        let _active = parent.activate();
        job();
        ready(task_without_waiting().in_context(None::<SpanContext>));
    }
    carry(work)();
    assert_eq!(tracer.tree(), "parent\n  work\n  task\nwork\n");
}

#[test]
fn what_is_carried_is_sent_and_shared_as_it_was() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    fn shared<T: Send + Sync + Clone>(value: &T) -> T {
        value.clone()
    }
    let message = Carried::new(vec![1]);
    assert_eq!(shared(&message).value(), message.value());
    drop(sent(task().carried()));
    drop(sent(carry(work)));
}
