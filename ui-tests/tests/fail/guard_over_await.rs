//! A guard that is held over an `.await` keeps the future from being spawned.

use std::future::ready;

use dd_traced::{active_span, span};

fn spawn<F: Future + Send + 'static>(_: F) {}

async fn activated() {
    let job = span("job").start();
    let _active = job.activate();
    ready(()).await;
}

async fn entered() {
    let context = span("job").start().context();
    let _active = context.enter();
    ready(()).await;
}

async fn looked_up() {
    let active = active_span();
    ready(()).await;
    active.set_tag("late", true);
}

fn main() {
    spawn(activated());
    spawn(entered());
    spawn(looked_up());
}
