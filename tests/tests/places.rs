//! Where the span of a `#[traced]` function belongs: under the active one, at the start of a new trace (`root`), under a parent
//! that was handed over (`parent`); and to which others it is linked (`links`).

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{Span, SpanContext, active_span, span, traced};
use dd_traced_tests::ready;

fn find<'a>(spans: &'a [FinishedSpan], name: &str) -> &'a FinishedSpan {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}: {spans:#?}"))
}

#[traced("leaf")]
fn leaf() {}

#[traced("root", root, service = "batch", resource = format!("part {part}"), kind = "consumer", measured)]
fn root(part: u8) -> bool {
    leaf();
    active_span().set_tag("inside", part);
    part > 0
}

#[traced("root.fallible", root)]
fn root_fallible(part: u8) -> Result<u8, String> {
    leaf();
    part.checked_sub(1).ok_or_else(|| "none left".to_owned())
}

#[traced("root.async", root = true)]
async fn root_async() {
    leaf();
}

#[traced("root.future", root)]
fn root_future() -> impl Future<Output = ()> {
    async { leaf() }
}

#[traced("around")]
fn around(body: impl FnOnce()) {
    body();
}

#[test]
fn a_root_begins_a_trace_whatever_is_active() {
    let tracer = ScopedTracer::new();
    around(|| {
        root(1);
        assert!(root_fallible(0).is_err());
        ready(root_async());
        ready(root_future());
        leaf();
    });
    let spans = tracer.finished();
    let roots =
        ["root", "root.fallible", "root.async", "root.future", "around"].map(|name| find(&spans, name));
    assert!(roots.iter().all(|root| root.parent_id.as_u64() == 0 && root.is_top_level), "{roots:#?}");
    for root in roots {
        let leaves: Vec<_> = spans.iter().filter(|span| span.parent_id == root.span_id).collect();
        assert!(matches!(leaves[..], [leaf] if leaf.name == "leaf" && leaf.trace_id == root.trace_id));
    }
    let ids: std::collections::BTreeSet<_> = roots.iter().map(|root| root.trace_id.as_u128()).collect();
    assert_eq!(ids.len(), 5);
    assert!(!active_span().is_recording());
}

#[test]
fn a_root_has_all_that_other_spans_have() {
    let tracer = ScopedTracer::new();
    root(7);
    assert!(root_fallible(0).is_err());
    let spans = tracer.finished();
    let root = find(&spans, "root");
    assert_eq!((root.service.as_deref(), root.resource.as_deref()), (Some("batch"), Some("part 7")));
    assert_eq!((root.meta["span.kind"].as_str(), root.metrics["inside"]), ("consumer", 7.0));
    assert!(root.is_measured && !root.is_error);
    let fallible = find(&spans, "root.fallible");
    assert!(fallible.is_error && fallible.meta["error.message"] == "none left");
}

#[traced("worker", parent = parent)]
fn worker(parent: &SpanContext) {
    leaf();
}

#[traced("worker.fallible", parent = parent.context(), tags(step))]
fn worker_fallible(parent: &Span, step: u8) -> Result<u8, String> {
    leaf();
    Ok(step)
}

#[traced("worker.async", parent = parent)]
async fn worker_async(parent: Option<&SpanContext>) {
    leaf();
}

#[traced("worker.future", parent = parent)]
fn worker_future(parent: &Span) -> impl Future<Output = ()> + use<> {
    let _ = parent;
    async { leaf() }
}

#[test]
fn a_parent_is_handed_over_to_another_thread() {
    let tracer = ScopedTracer::new();
    let parent = span("parent").start();
    let context = parent.context();
    let handed = context.clone();
    assert!(std::thread::spawn(move || worker(&handed)).join().is_ok());
    around(|| {
        assert_eq!(worker_fallible(&parent, 3), Ok(3));
        ready(worker_async(Some(&context)));
        ready(worker_async(None));
    });
    ready(worker_future(&parent));
    parent.finish();
    assert_eq!(
        tracer.tree(),
        "parent\n  worker\n    leaf\n  worker.fallible\n    leaf\n  worker.async\n    leaf\n  \
         worker.future\n    leaf\naround\n  worker.async\n    leaf\n"
    );
    let spans = tracer.finished();
    let trace = find(&spans, "parent").trace_id;
    assert_eq!(spans.iter().filter(|span| span.trace_id == trace).count(), 9);
    assert_eq!(find(&spans, "worker.fallible").metrics.get("step"), Some(&3.0));
}

#[test]
fn a_panic_ends_a_placed_span_and_restores_what_was_active() {
    #[traced("falls", root)]
    fn falls() {
        std::panic::resume_unwind(Box::new("boom"))
    }
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            root(1);
        }
    }
    let tracer = ScopedTracer::new();
    around(|| {
        let fallen = catch_unwind(AssertUnwindSafe(|| {
            let _noisy = Noisy;
            falls();
        }));
        assert!(fallen.is_err());
        leaf();
    });
    assert_eq!(tracer.tree(), "around\n  leaf\nfalls !\nroot\n  leaf\n");
}

#[traced("linked", links(first, second.context(), None::<SpanContext>), tags(count = 2))]
fn linked(first: &SpanContext, second: &Span) {}

#[traced("linked.async", root, links(to))]
async fn linked_async(to: SpanContext) {
    drop(to);
}

#[test]
fn links_name_other_spans() {
    let tracer = ScopedTracer::new();
    let (first, second) = (span("first").start(), span("second").start());
    linked(&first.context(), &second);
    ready(linked_async(first.context()));
    let ids = |span: &Span| (span.context().trace_id(), span.span_id());
    let spans = tracer.finished();
    let links = |name| -> Vec<_> {
        find(&spans, name).links.iter().map(|link| (link.trace_id, link.span_id)).collect()
    };
    assert_eq!(links("linked"), [ids(&first), ids(&second)]);
    assert_eq!(find(&spans, "linked").metrics.get("count"), Some(&2.0));
    assert_eq!(links("linked.async"), [ids(&first)]);
}

#[test]
fn a_context_from_where_tracing_was_off_is_no_link() {
    let nowhere = span("nowhere").start().context();
    let tracer = ScopedTracer::new();
    linked(&nowhere, &span("second").start());
    assert_eq!(find(&tracer.finished(), "linked").links.len(), 1);
}
