//! What is said of guards that are held over an `.await`: what goes wrong, and that the lint which the pages name finds it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use dd_traced::testing::ScopedTracer;
use dd_traced::{TraceFuture, active_span, span, traced};
use dd_traced_tests::repository;
use tokio::task::yield_now;

#[traced("other task")]
async fn other_task() {
    yield_now().await;
}

/// Where the future is not sent, nobody but clippy says anything: without the lint this expectation is an error.
#[expect(clippy::await_holding_invalid_type, reason = "what happens then is shown here")]
async fn holds_a_guard() {
    let job = span("job").start();
    let _active = job.activate();
    yield_now().await;
}

#[expect(clippy::await_holding_invalid_type, reason = "what happens then is shown here")]
async fn holds_what_is_active() {
    let active = active_span();
    yield_now().await;
    active.set_tag("late", true);
}

async fn holds_nothing() {
    yield_now().await;
}

fn tree_of(job: impl Future<Output = ()>) -> String {
    let tracer = ScopedTracer::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { tokio::join!(job, other_task()) });
    tracer.tree()
}

#[test]
fn spans_of_other_tasks_get_below_a_span_whose_guard_is_held() {
    assert_eq!(tree_of(holds_a_guard()), "job\n  other task\n");
    assert_eq!(tree_of(holds_nothing().traced(span("job").start())), "other task\n");
    let tracer = ScopedTracer::new();
    let job = span("job").start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { tokio::join!(holds_nothing().traced(job), other_task()) });
    assert_eq!(tracer.tree(), "job\nother task\n");
}

#[test]
fn a_held_look_at_the_active_span_finds_it_no_more() {
    let tracer = ScopedTracer::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(holds_what_is_active().traced(span("job").start()));
    assert_eq!(tracer.tree(), "job\n");
}

/// The pages tell users what the library's own configuration says.
#[test]
fn the_pages_and_the_configuration_name_the_same_types() {
    for file in ["README.md", "docs/context.md", "clippy.toml"] {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        let (_, list) = text.split_once("await-holding-invalid-types = [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let mut types: Vec<_> = list.split('"').filter(|part| part.starts_with("dd_traced::")).collect();
        types.sort_unstable();
        assert_eq!(types, ["dd_traced::ActiveGuard", "dd_traced::ActiveSpan"], "{file}");
    }
}
