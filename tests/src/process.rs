//! The tracer of this process, and the helper program, ready for use.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use dd_traced::{Tracer, TracerBuilder, TracerGuard};

use crate::agent::{FakeAgent, Received, with_agent};
use crate::child::command;
use crate::patience::PATIENCE;
use crate::report::Books;

/// Runs `test` while the tracer of this process reports to a fake agent, as service `shop`, env `test`, version `1.2.3`; gives what
/// the agent received until the shutdown after it. A process has one tracer: tests that need it wait for each other.
///
/// # Panics
/// Where a span was neither delivered nor lost for a reason.
pub fn with_tracer(test: impl FnOnce(&FakeAgent, &TracerGuard)) -> (Received, Books) {
    with_tracer_of(|_, tracer| tracer, test)
}

/// [`with_tracer`], where agent and tracer are prepared before the tracer starts.
///
/// # Panics
/// As [`with_tracer`] does.
pub fn with_tracer_of(
    prepare: impl FnOnce(&FakeAgent, TracerBuilder) -> TracerBuilder,
    test: impl FnOnce(&FakeAgent, &TracerGuard),
) -> (Received, Books) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut books = Books::default();
    let received = with_agent(|agent| {
        let tracer = Tracer::builder().service("shop").env("test").version("1.2.3").agent_url(agent.url());
        let tracer = prepare(agent, tracer).start().expect("no other tracer runs");
        test(agent, &tracer);
        tracer.shutdown(PATIENCE);
        books = dd_traced::counters().into();
    });
    books.expect_settled(books.finished);
    assert_eq!(received.span_count() as u64, books.acknowledged, "what was acknowledged arrived, once");
    (received, books)
}

/// The helper program at `path` (`env!("CARGO_BIN_EXE_program")`), told to do `act` with `number`.
pub fn program(path: &str, act: &str, number: u64) -> Command {
    let mut command = command(path);
    command.arg(act).arg(number.to_string());
    command
}
