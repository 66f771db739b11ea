//! A context from another process that is entered begins one part of the trace here, wherever it is carried from there: one decision, about the
//! first span.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use dd_traced::{SpanContext, TraceFuture, active_span, carry, extract, inject, span};
use dd_traced_tests::{Received, with_tracer_of};

/// A context that nobody decided about.
fn received() -> SpanContext {
    of(&[
        ("x-datadog-trace-id", "77"),
        ("x-datadog-parent-id", "5"),
        ("traceparent", "00-0000000000000000000000000000004d-0000000000000006-01"),
        ("x-datadog-tags", "_dd.p.team=core"),
    ])
}

fn of(headers: &[(&str, &str)]) -> SpanContext {
    let headers: HashMap<String, String> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    extract(&headers).unwrap()
}

const RULES: &str = r#"[{"name":"first","sample_rate":1},{"sample_rate":0}]"#;

fn sent(work: impl FnOnce()) -> Received {
    with_tracer_of(|_, tracer| tracer.sampling_rules(RULES).rate_limit(1.0), |_, _| work()).0
}

/// `first` is the first span here, `second` another one under the same context; they may leave together or not.
fn expect_one_part(received: &Received) {
    let (first, second) = (received.span("first"), received.span("second"));
    for span in [first, second] {
        assert_eq!(
            (span.trace_id, span.parent_id, span.metric("_dd.top_level")),
            (77, 6, Some(1.0)),
            "{span:#?}"
        );
    }
    assert_eq!((first.metric("_dd.rule_psr"), second.metric("_dd.rule_psr")), (Some(1.0), None));
    assert_eq!((first.meta("_dd.parent_id"), second.meta("_dd.parent_id")), (Some("0000000000000005"), None));
    for chunk in received.chunks() {
        assert_eq!((chunk[0].priority(), chunk[0].meta("_dd.p.team")), (Some(2.0), Some("core")));
    }
}

#[test]
fn entered_on_one_thread() {
    expect_one_part(&sent(|| {
        let _entered = received().enter();
        span("first").start().finish();
        span("second").start().finish();
    }));
}

/// Where the first span was on another thread, no rule saw it, and it had neither trace metrics nor what came for the local root.
#[test]
fn carried_to_other_threads() {
    expect_one_part(&sent(|| {
        let _entered = received().enter();
        for name in ["first", "second"] {
            thread::spawn(carry(move || span(name).start().finish())).join().unwrap();
        }
    }));
    expect_one_part(&sent(|| {
        let _entered = received().enter();
        let context = active_span().context().unwrap();
        span("first").child_of(&context).start().finish();
        span("second").child_of(&context).start().finish();
    }));
}

/// Each poll used to begin a part of its own, with a decision of its own.
#[test]
fn polled_more_than_once() {
    expect_one_part(&sent(|| {
        poll_twice(received());
    }));
}

/// And a trace of its own, where only baggage came.
#[test]
fn baggage_alone_begins_one_trace() {
    let received = sent(|| poll_twice(of(&[("baggage", "user.id=7")])));
    let (first, second) = (received.span("first"), received.span("second"));
    assert_eq!(first.trace_id, second.trace_id);
    for span in [first, second] {
        assert_eq!((span.parent_id, span.metric("_dd.top_level")), (0, Some(1.0)), "{span:#?}");
    }
}

/// A future under the context, with a span in each of its first two polls.
fn poll_twice(context: SpanContext) {
    let mut names = ["first", "second"].into_iter();
    let work = poll_fn(|_| match names.next() {
        Some(name) => {
            span(name).start().finish();
            let mut headers = HashMap::new();
            inject(&span("calls").start(), &mut headers);
            assert_eq!(headers["x-datadog-sampling-priority"], "2", "{name}");
            Poll::Pending
        }
        None => Poll::Ready(()),
    });
    let mut work = pin!(work.in_context(context));
    let mut waiting = Context::from_waker(Waker::noop());
    while work.as_mut().poll(&mut waiting).is_pending() {}
}
