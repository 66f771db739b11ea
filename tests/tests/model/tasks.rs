//! Futures with spans: made by one, polled and dropped by others.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dd_traced::{TraceFuture, span, traced};
use dd_traced_tests::Dice;

use crate::acts::Actor;
use crate::world::{World, active, may_fall};

/// Futures that wait for each other, at most.
const DEEPEST: u32 = 9;

/// A future that is polled and dropped wherever.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    /// What was active where the innermost task is polled: the parent of its span, if this is its first poll.
    static POLLED_BELOW: Cell<u64> = const { Cell::new(0) };
}

/// Polls a task once. Whether it is over, by its end or by a panic that was meant.
pub(crate) fn poll_at_top(task: &mut Task) -> bool {
    poll(task, &mut Context::from_waker(Waker::noop()))
}

fn poll(task: &mut Task, context: &mut Context<'_>) -> bool {
    let before = active();
    let outer = POLLED_BELOW.replace(before);
    let is_over = may_fall(|| task.as_mut().poll(context).is_ready()).unwrap_or(true);
    POLLED_BELOW.set(outer);
    assert_eq!(active(), before, "active after a poll");
    is_over
}

/// Is pending once.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Waits for all, each of which is polled each time.
struct Join(Vec<Task>);

impl Future for Join {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.retain_mut(|task| !poll(task, context));
        if self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A task of one kind or another, below what is active or what will poll it first.
pub(crate) fn new_task(world: &Arc<World>, dice: &mut Dice, depth: u32) -> Task {
    let (world, own, depth) = (Arc::clone(world), Dice::new(dice.next_u64()), depth + 1);
    match dice.below(5) {
        0 => {
            let handle = span("task of a handle").start();
            let id = handle.span_id().as_u64();
            world.born(id, active(), &[]);
            Box::pin(steps(world, own, depth, id).traced(handle))
        }
        1 => Box::pin(tagged_task(world, own, depth)),
        2 => Box::pin(returned_task(world, own, depth)),
        _ => Box::pin(task(world, own, depth)),
    }
}

#[traced(name = "task")]
async fn task(world: Arc<World>, dice: Dice, depth: u32) {
    world.called(active(), POLLED_BELOW.get(), &[]);
    steps(world, dice, depth, active()).await;
}

#[traced(name = "tagged task", service = "other", tags(literal = "first", own = "t".repeat(60)))]
async fn tagged_task(world: Arc<World>, dice: Dice, depth: u32) {
    world.called(active(), POLLED_BELOW.get(), &[("literal", "first"), ("own", &"t".repeat(60))]);
    world.set_service(active(), "other");
    steps(world, dice, depth, active()).await;
}

#[traced(name = "returned task", tags(literal = "first", own = "second"))]
fn returned_task(world: Arc<World>, dice: Dice, depth: u32) -> impl Future<Output = ()> + Send {
    async move {
        world.called(active(), POLLED_BELOW.get(), &[("literal", "first"), ("own", "second")]);
        steps(world, dice, depth, active()).await;
    }
}

/// The inside of a task with its `own` span, which may panic.
async fn steps(world: Arc<World>, mut dice: Dice, depth: u32, own: u64) {
    for _ in 0..dice.below(8) {
        if !world.may_act() {
            break;
        }
        step(&world, &mut dice, depth, own).await;
        // A task from where no tracer is has no span, and acts as whoever polls it.
        assert!(own == 0 || active() == own, "active after a step of a task: {}, not {own}", active());
    }
    if dice.below(40) == 0 {
        world.fall(own);
    }
}

async fn step(world: &Arc<World>, dice: &mut Dice, depth: u32, own: u64) {
    match dice.below(10) {
        0..=3 => act(world, dice, depth, own),
        4 | 5 => Pause(false).await,
        6 | 7 if depth < DEEPEST => Join(vec![new_task(world, dice, depth)]).await,
        8 if depth < DEEPEST => {
            let tasks = (0..=dice.below(4)).map(|_| new_task(world, dice, depth)).collect();
            Join(tasks).await;
        }
        9 => {
            let left_behind = new_task(world, dice, depth);
            world.give(left_behind);
        }
        _ => {}
    }
}

fn act(world: &Arc<World>, dice: &mut Dice, depth: u32, own: u64) {
    let acts = dice.below(4);
    let mut actor = Actor::new(world, dice, depth);
    actor.look(own);
    for _ in 0..acts {
        actor.act();
    }
}
