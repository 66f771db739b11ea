//! Whatever a program does to its spans, each of them arrives once, in its trace, with the parent, the service, the tags and the
//! outcome that it should have; and what is active before a call or a poll is active after it.
//!
//! Dice choose what is done: futures are made, polled on one thread or another and dropped half way; functions call each other and
//! panic; handles are activated, left in one order or another, leaked, and finished elsewhere; spans are tagged late, by those that
//! they called, and given other services. [`World`] keeps books of it. Traces are shipped whole and in parts of many sizes.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod acts;
mod checks;
mod tasks;
mod world;

use std::ops::RangeInclusive;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::thread::{self, Scope, ScopedJoinHandle};

use dd_traced::testing::ScopedTracer;
use dd_traced_tests::{Dice, with_tracer};

use crate::acts::Actor;
use crate::checks::{Seen, expect_all};
use crate::tasks::{new_task, poll_at_top};
use crate::world::{World, active, lock};

#[test]
fn a_scoped_tracer_gets_what_the_model_says() {
    for_each_seed(1..=16, |seed| {
        // One after the other on the same thread, which keeps memory for the next.
        for (turn, part) in (10 * seed..).zip([2, 3, 5, 60, 100, 300, 1_000_000]) {
            act_with_parts_of(part, turn);
        }
    });
}

#[test]
fn the_agent_gets_what_the_model_says() {
    for_each_seed(1..=8, |seed| {
        let world = World::new(seed, 2_500);
        let (received, _) = with_tracer(|_, _| {
            act_on_threads(&world, seed);
            end(&world, seed);
        });
        expect_all(&world.spans(), received.spans().map(Seen::on_the_wire));
    });
}

/// Runs a test with each seed, on a thread that is named after it: so is a failure, even one that aborts the process.
///
/// One test at a time: what a scoped tracer's futures start on other threads would be recorded by the tracer of the process.
fn for_each_seed(seeds: RangeInclusive<u64>, run: impl Fn(u64) + Sync) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = lock(&TURN);
    for seed in seeds {
        let result = thread::scope(|scope| spawn(scope, format!("seed {seed}"), || run(seed)).join());
        if let Err(panic) = result {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text");
            panic!("seed {seed}: {text}");
        }
    }
}

fn spawn<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    name: String,
    run: impl FnOnce() + Send + 'scope,
) -> ScopedJoinHandle<'scope, ()> {
    thread::Builder::new().name(name).spawn_scoped(scope, run).expect("a thread")
}

fn act_with_parts_of(part: usize, seed: u64) {
    let tracer = ScopedTracer::with_parts_of(part);
    let world = World::new(seed, 500);
    act(&world, seed, poll_here_or_elsewhere);
    end(&world, seed);
    let spans = world.spans();
    expect_all(&spans, tracer.finished().iter().map(Seen::in_memory));
    let counters = tracer.counters();
    let counts = (counters.finished(), counters.dropped_total(), counters.waiting());
    assert_eq!(counts, (spans.len() as u64, 0, 0), "finished, dropped and waiting, in parts of {part}");
}

/// Acts at the top of this thread, where nothing is active, until the world has had enough.
fn act(world: &Arc<World>, seed: u64, poll: fn(&World, &mut Dice)) {
    let mut dice = Dice::new(seed);
    while world.may_act() {
        match dice.below(4) {
            0 => Actor::new(world, &mut dice, 0).act(),
            1 => {
                let task = new_task(world, &mut dice, 0);
                world.give(task);
            }
            _ => poll(world, &mut dice),
        }
        assert_eq!(active(), 0, "nothing is active at the top of a thread");
    }
}

fn act_on_threads(world: &Arc<World>, seed: u64) {
    thread::scope(|scope| {
        let acting: Vec<_> = (0..=seed % 4)
            .map(|number| {
                let name = format!("seed {seed}, thread {number}");
                spawn(scope, name, move || act(world, 1_000 * seed + number, poll_here))
            })
            .collect();
        acting.into_iter().for_each(join);
    });
}

/// Goes on with the panic of a thread, if it had one.
fn join(thread: ScopedJoinHandle<'_, ()>) {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic));
}

fn poll_here(world: &World, dice: &mut Dice) {
    if let Some(mut task) = world.take_any(dice) {
        if !poll_at_top(&mut task) {
            world.give(task);
        }
    }
}

fn poll_here_or_elsewhere(world: &World, dice: &mut Dice) {
    if dice.below(3) > 0 {
        return poll_here(world, dice);
    }
    let name = [thread::current().name().unwrap_or_default(), ", elsewhere"].concat();
    thread::scope(|scope| join(spawn(scope, name, || poll_here(world, dice))));
}

/// Ends or drops whatever is left.
fn end(world: &World, seed: u64) {
    let mut dice = Dice::new(seed);
    while let Some(mut task) = world.take_latest() {
        while dice.below(20) < 19 && !poll_at_top(&mut task) {}
    }
    world.drop_handles();
    assert_eq!(active(), 0, "nothing is active at the end");
}
