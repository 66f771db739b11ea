//! Spans of `tracing` are spans of ours: in one tree with those of `#[traced]`, with the right parents, tags and errors.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{SpanLayer, active_span, dd_format, span, traced};
use dd_traced_tests::ready;
use tracing::dispatcher::with_default;
use tracing::{Dispatch, Instrument, debug_span, error, info, info_span, instrument, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// Spans that `act` makes, finished, with the layer and without anything left active.
fn spans_of(act: impl FnOnce()) -> Vec<FinishedSpan> {
    let tracer = ScopedTracer::new();
    with_default(&subscriber(), act);
    assert_eq!(active_span().span_id().as_u64(), 0, "nothing is left active");
    tracer.finished()
}

fn tree_of(act: impl FnOnce()) -> String {
    let tracer = ScopedTracer::new();
    with_default(&subscriber(), act);
    assert_eq!(active_span().span_id().as_u64(), 0, "nothing is left active");
    tracer.tree()
}

fn subscriber() -> Dispatch {
    Dispatch::new(Registry::default().with(SpanLayer::new().with_filter(LevelFilter::INFO)))
}

fn named<'a>(spans: &'a [FinishedSpan], name: &str) -> &'a FinishedSpan {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} among {spans:#?}"))
}

#[instrument]
fn instrumented(depth: u8) {
    if depth > 0 {
        annotated(depth - 1);
    }
}

#[traced("annotated")]
fn annotated(depth: u8) {
    if depth > 0 {
        instrumented(depth - 1);
    }
}

#[test]
fn both_kinds_meet_in_one_tree() {
    assert_eq!(
        tree_of(|| {
            instrumented(3);
            annotated(1);
        }),
        "\
instrumented
  annotated
    instrumented
      annotated
annotated
  instrumented
"
    );
    assert_eq!(
        tree_of(|| {
            let hand = span("hand").start();
            let _active = hand.activate();
            info_span!("first").in_scope(|| span("by hand").start().finish());
            info_span!("second").in_scope(|| instrumented(0));
        }),
        "\
hand
  first
    by hand
  second
    instrumented
"
    );
}

#[instrument]
async fn waiting(turns: u8) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    child().await;
}

#[traced("child")]
async fn child() {
    tokio::task::yield_now().await;
    async { tokio::task::yield_now().await }.instrument(info_span!("grandchild")).await;
}

#[test]
fn parents_hold_across_awaits_that_interleave() {
    let tree = tree_of(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let left = waiting(3).instrument(info_span!("left"));
            let right = waiting(1).instrument(info_span!("right"));
            tokio::join!(left, right);
            assert_eq!(active_span().span_id().as_u64(), 0);
        });
    });
    let below = "  waiting\n    child\n      grandchild\n";
    assert_eq!(tree, format!("left\n{below}right\n{below}"));
}

#[test]
fn a_task_on_another_thread_goes_on_in_its_trace() {
    let tracer = ScopedTracer::new();
    let dispatch = subscriber();
    with_default(&dispatch, || {
        // It is the subscriber of the thread that closes the parent of a closed span.
        let of_threads = dispatch.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&of_threads)))
            .build()
            .unwrap();
        let root = info_span!("root");
        let task = root.in_scope(|| waiting(4).instrument(info_span!("task")));
        runtime.block_on(async { tokio::spawn(task).await.unwrap() });
    });
    assert_eq!(tracer.tree(), "root\n  task\n    waiting\n      child\n        grandchild\n");
}

#[test]
fn fields_are_typed_tags() {
    let spans = spans_of(|| {
        let span = info_span!(
            "typed",
            text = "t",
            flag = true,
            whole = -3,
            big = u64::MAX,
            huge = 1_u128 << 70,
            float = 1.5,
            debug = ?Some(1),
            display = %"shown",
            r#type = "raw",
            later = tracing::field::Empty,
            never = tracing::field::Empty,
        );
        span.record("later", 7);
        span.record("text", "changed");
    });
    let span = named(&spans, "typed");
    let meta: Vec<_> = span.meta.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        meta,
        [("debug", "Some(1)"), ("display", "shown"), ("flag", "true"), ("text", "changed"), ("type", "raw")]
    );
    let metrics: Vec<_> = span.metrics.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let (big, huge) = (u64::MAX as f64, (1_u128 << 70) as f64);
    assert_eq!(metrics, [("big", big), ("float", 1.5), ("huge", huge), ("later", 7.0), ("whole", -3.0)]);
    assert_eq!(
        spans_of(|| instrumented(0))[0].metrics.get("depth"),
        Some(&0.0),
        "arguments of #[instrument]"
    );
}

#[test]
fn some_fields_are_those_of_the_span() {
    let spans = spans_of(|| {
        drop(info_span!("ours", service = "mail", resource = "send", span.type = "worker"));
        drop(info_span!(
            "otel",
            otel.name = "GET /items/7",
            otel.kind = "Server",
            otel.status_code = "ERROR"
        ));
        drop(info_span!("told", otel.status_code = ?Shown("Error"), otel.status_description = "too late"));
        drop(info_span!("fine", otel.status_code = "Ok", error = true));
        drop(info_span!("failed", error = true));
        drop(info_span!("not failed", error = false));
        drop(info_span!("described", error = %"no ink"));
    });
    let ours = named(&spans, "ours");
    assert_eq!(
        (ours.service.as_deref(), ours.resource.as_deref(), ours.span_type.as_str(), ours.is_top_level),
        (Some("mail"), Some("send"), "worker", true)
    );
    assert!(ours.meta.is_empty() && !ours.is_error, "{ours:?}");
    let otel = named(&spans, "otel");
    assert_eq!((otel.resource.as_deref(), otel.is_error), (Some("GET /items/7"), true));
    assert_eq!(otel.meta.iter().collect::<Vec<_>>(), [(&"span.kind".to_owned(), &"server".to_owned())]);
    let told = named(&spans, "told");
    assert!(told.is_error && told.meta["error.message"] == "too late", "{told:?}");
    assert!(!named(&spans, "fine").is_error);
    assert!(named(&spans, "failed").is_error && !named(&spans, "not failed").is_error);
    let described = named(&spans, "described");
    assert!(described.is_error && described.meta["error.message"] == "no ink", "{described:?}");
}

/// `Debug` as it is, as macros record a `Display`.
struct Shown(&'static str);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[test]
fn a_service_of_its_own_begins_one_and_children_inherit_it() {
    let spans = spans_of(|| {
        let _shop = info_span!("shop").entered();
        let mail = info_span!("mail", service = "mail");
        mail.in_scope(|| annotated(0));
    });
    let (mail, below) = (named(&spans, "mail"), named(&spans, "annotated"));
    assert!(mail.is_top_level && !below.is_top_level);
    assert_eq!(below.service.as_deref(), Some("mail"));
}

#[derive(Debug)]
struct Refused(std::num::ParseIntError);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("payment refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[instrument(err)]
fn charge() -> Result<u8, Refused> {
    "ten".parse().map_err(Refused)
}

#[test]
fn an_error_event_marks_the_active_span() {
    let spans = spans_of(|| {
        info_span!("outer").in_scope(|| charge().unwrap_err());
        info_span!("message").in_scope(|| error!(code = 7, "no ink in {}", "the printer"));
        info_span!("value").in_scope(|| {
            error!(error = &Refused("x".parse::<u8>().unwrap_err()) as &(dyn Error + 'static), "failed");
        });
        info_span!("wordless").in_scope(|| {
            error!("a jam");
            error!(code = 7);
        });
        info_span!("harmless").in_scope(|| {
            warn!("low on ink");
            info!(error = "none");
        });
        let elsewhere = info_span!("elsewhere");
        info_span!("active").in_scope(|| error!(parent: &elsewhere, "there"));
        info_span!("rootless").in_scope(|| error!(parent: None, "nowhere"));
        info_span!("around").in_scope(fails);
    });
    assert!(!named(&spans, "outer").is_error);
    let charged = named(&spans, "charge");
    assert_eq!((charged.is_error, charged.meta["error.message"].as_str()), (true, "payment refused"));
    assert_eq!(named(&spans, "message").meta["error.message"], "no ink in the printer");
    let wordless = named(&spans, "wordless");
    assert!(wordless.is_error && wordless.meta["error.message"] == "a jam", "{wordless:?}");
    let value = &named(&spans, "value").meta;
    assert_eq!(
        (value["error.type"].as_str(), value["error.message"].as_str()),
        ("Refused", "payment refused")
    );
    assert_eq!(value["error.stack"], "caused by: invalid digit found in string");
    for name in ["harmless", "active", "rootless", "around"] {
        assert!(!named(&spans, name).is_error, "{name}");
    }
    assert_eq!(named(&spans, "elsewhere").meta["error.message"], "there");
    assert_eq!(named(&spans, "fails").meta["error.message"], "in a function of ours");
}

#[traced("fails")]
fn fails() {
    error!("in a function of ours");
}

#[test]
fn a_status_of_ok_is_the_last_word() {
    let spans = spans_of(|| {
        let ok = info_span!("ok", otel.status_code = tracing::field::Empty);
        ok.in_scope(|| {
            error!("a first try failed");
            ok.record("otel.status_code", "OK");
            error!("a second one too");
        });
    });
    assert!(!named(&spans, "ok").is_error);
}

#[test]
fn a_span_below_the_level_is_none() {
    let tree = tree_of(|| {
        let _outer = info_span!("outer").entered();
        let _hidden = debug_span!("hidden").entered();
        let _inner = info_span!("inner").entered();
        annotated(0);
    });
    assert_eq!(tree, "outer\n  inner\n    annotated\n");
    let tree = tree_of(|| {
        let outer = info_span!("outer");
        let hidden = debug_span!(parent: &outer, "hidden");
        drop(info_span!(parent: &hidden, "explicit"));
    });
    // A span that is no span for anybody is no parent either.
    assert_eq!(tree, "outer\nexplicit\n");
}

#[test]
fn a_place_of_its_own_is_obeyed() {
    let tree = tree_of(|| {
        let far = info_span!("far");
        let _near = info_span!("near").entered();
        info_span!(parent: &far, "child of far").in_scope(|| annotated(0));
        info_span!(parent: None, "root").in_scope(|| annotated(0));
    });
    assert_eq!(tree, "far\n  child of far\n    annotated\nnear\nroot\n  annotated\n");
}

#[test]
fn what_a_span_follows_from_is_a_link() {
    let spans = spans_of(|| {
        let cause = info_span!("cause");
        let effect = info_span!(parent: None, "effect");
        effect.follows_from(&cause);
        effect.follows_from(cause.id());
    });
    let (cause, effect) = (named(&spans, "cause"), named(&spans, "effect"));
    let links: Vec<_> = effect.links.iter().map(|link| (link.trace_id, link.span_id)).collect();
    assert_eq!(links, [(cause.trace_id, cause.span_id); 2]);
    assert_ne!(cause.trace_id, effect.trace_id);
}

#[test]
fn a_span_may_be_entered_twice_and_left_in_any_order() {
    let tree = tree_of(|| {
        let (one, two) = (info_span!("one"), info_span!(parent: None, "two"));
        let first = one.enter();
        let second = two.enter();
        let again = one.enter();
        annotated(0);
        // `tracing` does not tell which of the two is left: it is the later one.
        drop(first);
        span("in two").start().finish();
        drop(again);
        span("in two still").start().finish();
        drop(second);
        span("in none").start().finish();
    });
    assert_eq!(tree, "one\n  annotated\ntwo\n  in two\n  in two still\nin none\n");
}

#[test]
fn a_span_may_be_entered_on_several_threads_at_once() {
    let tracer = ScopedTracer::new();
    let dispatch = subscriber();
    with_default(&dispatch, || {
        let shared = info_span!("shared");
        let barrier = std::sync::Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    with_default(&dispatch, || {
                        let _entered = shared.enter();
                        barrier.wait();
                        annotated(0);
                        barrier.wait();
                    });
                    assert_eq!(active_span().span_id().as_u64(), 0);
                });
            }
        });
    });
    assert_eq!(tracer.tree(), "shared\n".to_owned() + &"  annotated\n".repeat(4));
}

#[test]
fn a_span_finishes_with_its_last_handle_and_after_those_below() {
    let tracer = ScopedTracer::at(1_000_000);
    with_default(&subscriber(), || {
        let step = || tracer.advance(std::time::Duration::from_nanos(100));
        let outer = info_span!("outer");
        let inner = outer.in_scope(|| info_span!("inner"));
        step();
        let copy = inner.clone();
        drop(outer);
        drop(inner);
        assert!(tracer.finished().is_empty());
        step();
        drop(copy);
    });
    let spans = tracer.finished();
    assert_eq!((named(&spans, "inner").duration_ns, named(&spans, "outer").duration_ns), (200, 200));
    assert_eq!(named(&spans, "inner").parent_id, named(&spans, "outer").span_id);
}

#[test]
fn a_panic_marks_the_spans_that_it_leaves_and_no_other() {
    let spans = spans_of(|| {
        struct Cleaner;
        impl Drop for Cleaner {
            fn drop(&mut self) {
                info_span!("cleaning").in_scope(|| ());
            }
        }
        info_span!("caller").in_scope(|| {
            let fall = || {
                let _span = info_span!("falls").entered();
                let _cleaner = Cleaner;
                resume_unwind(Box::new(()));
            };
            catch_unwind(AssertUnwindSafe(fall)).unwrap_err();
        });
    });
    assert!(named(&spans, "falls").is_error && named(&spans, "falls").meta["error.type"] == "panic");
    assert!(!named(&spans, "caller").is_error && !named(&spans, "cleaning").is_error);
}

/// A guard that is forgotten, and a span whose subscriber is gone.
#[test]
fn odd_lives_leave_nothing_active_and_lose_no_span() {
    let tracer = ScopedTracer::new();
    with_default(&subscriber(), || {
        let never_left = info_span!("never left");
        std::mem::forget(never_left.enter());
        drop(never_left);
    });
    assert_eq!(active_span().span_id().as_u64(), 0, "the subscriber is gone, and its spans with it");
    let orphan = with_default(&subscriber(), || info_span!("outlives its subscriber"));
    orphan.in_scope(|| annotated(0));
    drop(orphan);
    let mut names: Vec<_> = tracer.finished().into_iter().map(|span| span.name).collect();
    names.sort();
    assert_eq!(names, ["annotated", "never left", "outlives its subscriber"]);
}

/// What the registry makes of a span that is closed where another subscriber is the default, or none; as the layer's page says.
#[test]
fn closed_on_a_thread_without_the_subscriber_a_span_holds_its_parent_until_that_is_gone() {
    let close_elsewhere = |dispatch: &Dispatch, install: bool| {
        let (tracer, here) = (ScopedTracer::new(), dispatch.clone());
        with_default(dispatch, || {
            let parent = info_span!("parent");
            let child = parent.in_scope(|| info_span!("child"));
            drop(parent);
            let close = move || if install { with_default(&here, || drop(child)) } else { drop(child) };
            thread::spawn(close).join().unwrap();
        });
        tracer
    };
    let installed = subscriber();
    assert_eq!(close_elsewhere(&installed, true).tree(), "parent\n  child\n");

    let missing = subscriber();
    let tracer = close_elsewhere(&missing, false);
    let names = || tracer.finished().into_iter().map(|span| span.name).collect::<Vec<_>>();
    assert_eq!(names(), [""; 0], "the trace waits for its root");
    drop(missing);
    assert_eq!(tracer.tree(), "parent\n  child\n");
}

#[test]
fn a_field_may_log_and_trace_while_it_is_read() {
    struct Busy(tracing::Span);
    impl fmt::Debug for Busy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.record("seen", true);
            annotated(0);
            error!("while it is read");
            f.write_str(&dd_format!("busy"))
        }
    }
    let spans = spans_of(|| {
        let outer = info_span!("outer", seen = tracing::field::Empty);
        let _entered = outer.enter();
        let span = info_span!("busy", what = ?Busy(outer.clone()), more = tracing::field::Empty);
        span.in_scope(|| span.record("more", tracing::field::debug(Busy(span.clone()))));
    });
    assert!(named(&spans, "busy").meta["more"].ends_with("busy"), "{spans:#?}");
    assert_eq!(named(&spans, "outer").meta["seen"], "true");
}

/// Fields used to be formatted all the same.
#[test]
fn without_a_tracer_nothing_happens() {
    struct Read<'a>(&'a Cell<u32>);
    impl fmt::Debug for Read<'_> {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }
    let read = Cell::new(0);
    with_default(&subscriber(), || {
        let span = info_span!("nobody", n = 1, what = ?Read(&read), later = tracing::field::Empty);
        let _entered = span.enter();
        span.record("later", tracing::field::debug(Read(&read)));
        error!("nothing {:?}", Read(&read));
        span.follows_from(span.id());
        assert_eq!(active_span().span_id().as_u64(), 0);
        ready(async {}.instrument(info_span!("nobody")));
    });
    assert_eq!(read.get(), 0);
}
