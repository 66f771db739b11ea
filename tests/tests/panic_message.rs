//! What a panic hook says of a panic on the active span stays there, and is not replaced by the tracer's own words.
#![expect(clippy::panic, reason = "what is tested")]

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};

use dd_traced::testing::ScopedTracer;
use dd_traced::{TraceFuture, active_span, span, traced};
use dd_traced_tests::ready;

#[traced]
fn function(message: Option<&str>) {
    inner(message);
}

#[traced]
fn inner(message: Option<&str>) {
    if let Some(message) = message {
        panic!("{message}");
    }
}

#[traced]
fn fallible() -> Result<(), String> {
    panic!("in a function that can fail")
}

#[traced(root)]
fn placed() {
    panic!("in a span of its own place")
}

#[traced]
async fn future() {
    panic!("in a poll")
}

async fn by_hand() {
    std::future::ready(()).await;
    panic!("under a handle")
}

fn words<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("not a text")
}

/// The name of each failed span, its type of error and its message, the innermost first.
fn failures(act: impl FnOnce()) -> Vec<(String, String, String)> {
    let tracer = ScopedTracer::new();
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err());
    let failed = tracer.finished().into_iter().filter(|span| span.is_error);
    let mut failed: Vec<_> = failed.collect();
    failed.sort_by_key(|span| std::cmp::Reverse(span.start_ns));
    let told = failed.iter().map(|span| {
        let name = span.name.rsplit('.').next().unwrap_or_default();
        (name.to_owned(), span.meta["error.type"].clone(), span.meta["error.message"].clone())
    });
    told.collect()
}

/// It used to be "the function panicked", whatever a hook had said.
#[test]
fn the_message_of_a_panic_hook_stays() {
    set_hook(Box::new(|panic| active_span().set_tag("error.message", words(panic))));
    let one = |name: &str, message: &str| vec![(name.to_owned(), "panic".to_owned(), message.to_owned())];

    assert_eq!(failures(|| inner(Some("in a function"))), one("inner", "in a function"));
    assert_eq!(failures(|| drop(fallible())), one("fallible", "in a function that can fail"));
    assert_eq!(failures(placed), one("placed", "in a span of its own place"));
    assert_eq!(failures(|| ready(future())), one("future", "in a poll"));
    assert_eq!(
        failures(|| ready(by_hand().traced(span("by_hand").start()))),
        one("by_hand", "under a handle")
    );

    // The hook sees one span, the innermost; those around it have the tracer's words.
    let mut both = one("inner", "twice");
    both.extend(one("function", "the function panicked"));
    assert_eq!(failures(|| function(Some("twice"))), both);
}
