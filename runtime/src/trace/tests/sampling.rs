//! The local root is what a decision looks at, with its latest tags, wherever it is and whoever asks.

use std::collections::HashMap;
use std::sync::mpsc::channel;

use super::*;
use crate::sampling::{SamplingSettings, json};
use crate::{AsContext, SpanContext, extract, inject};

/// A tracer that keeps traces whose root has the tag `vip`, or is renamed to `kept`, and rejects others.
fn tracer() -> ScopedTracer {
    tracer_in_parts_of(300)
}

fn tracer_in_parts_of(spans: usize) -> ScopedTracer {
    let rules = r#"[{"tags":{"plan":"free"},"sample_rate":0},{"tags":{"vip":"*"},"sample_rate":1},
        {"name":"kept","sample_rate":1},{"resource":"kept","sample_rate":1},{"tags":{"error.type":"*"},"sample_rate":1},
        {"sample_rate":0}]"#;
    let rules = json::trace_rules(rules).unwrap().rules;
    ScopedTracer::sampling(SamplingSettings { rules, ..SamplingSettings::default() }, spans)
}

/// The priority that is handed on from a span.
fn injected(span: &impl AsContext) -> String {
    let mut headers = HashMap::new();
    inject(span, &mut headers);
    headers.remove("x-datadog-sampling-priority").unwrap()
}

/// The same, on another thread.
fn injected_elsewhere(context: &SpanContext) -> String {
    let context = context.clone();
    std::thread::spawn(move || {
        let _active = context.enter();
        let child = span("child").start();
        child.set_tag("vip", "of a child");
        injected(&child)
    })
    .join()
    .unwrap()
}

#[test]
fn root_on_this_thread_is_seen_with_its_latest_tags() {
    let _tracer = tracer();
    for (is_vip, expected) in [(false, "-1"), (true, "2")] {
        traced("root", || {
            if is_vip {
                active_span().set_tag("vip", "yes");
            }
            traced("child", || {
                active_span().set_tag("vip", "of a child");
                assert_eq!(injected(&active_span()), expected);
            });
        });
    }
    traced("root", || {
        let root = active_span();
        let context = root.context();
        traced("child", || {
            // Below the span that is active, and after the trace was shared.
            root.set_tag("vip", 1);
            assert_eq!(injected(&context), "2");
        });
    });
}

#[test]
fn name_and_resource_of_the_root_are_the_latest() {
    let _tracer = tracer();
    for change in [|| active_span().set_name("kept"), || active_span().set_resource("kept")] {
        traced("root", || {
            let context = active_span().context().unwrap();
            change();
            assert_eq!(injected_elsewhere(&context), "2");
        });
    }
    traced("kept", || {
        active_span().set_name("root");
        active_span().set_name("");
        assert_eq!(injected(&active_span()), "2", "an empty name is none");
    });
    traced("kept", || {
        active_span().set_name("root");
        active_span().set_resource("root");
        assert_eq!(injected(&active_span()), "-1");
    });
}

#[test]
fn root_open_on_another_thread_is_seen_with_its_latest_tags() {
    let _tracer = tracer();
    traced("root", || {
        let (to_child, contexts) = channel::<SpanContext>();
        let (to_root, answers) = channel();
        let child = std::thread::spawn(move || {
            let context = contexts.recv().unwrap();
            to_root.send(context.why_sampled().is_none()).unwrap();
            let _go = contexts.recv().unwrap();
            injected(&context)
        });
        let context = active_span().context().unwrap();
        to_child.send(context.clone()).unwrap();
        assert!(answers.recv().unwrap(), "asking decides nothing");
        traced("other", || active_span().set_tag("vip", "of another"));
        active_span().set_tag("vip", "yes");
        to_child.send(context).unwrap();
        assert_eq!(child.join().unwrap(), "2");
    });
}

#[test]
fn root_of_a_handle_is_seen_with_its_latest_tags() {
    let _tracer = tracer();
    let root = span("root").tag("vip", "yes").start();
    assert_eq!(injected_elsewhere(&root.context()), "2", "those it started with count");
    let root = span("root").start();
    let context = root.context();
    root.set_tag("vip", "yes");
    assert_eq!(injected_elsewhere(&context), "2");
    let root = span("root").tag("vip", "yes").start();
    root.unset_tag("vip");
    assert_eq!(injected_elsewhere(&root.context()), "-1", "taken back");
    let root = span("root").tag("vip", "yes").start();
    let _active = root.activate();
    active_span().set_tag("plan", "free");
    assert_eq!(injected_elsewhere(&root.context()), "-1", "set on the active one");
}

#[test]
fn finished_root_is_seen_as_it_was() {
    let tracer = tracer();
    let root = span("root").tag("vip", "yes").start();
    let context = root.context();
    root.finish();
    assert_eq!(tracer.finished().len(), 1, "it is on its way already");
    assert_eq!(injected_elsewhere(&context), "2");
    let context = traced("root", || {
        let context = active_span().context().unwrap();
        active_span().set_tag("vip", "yes");
        context
    });
    assert_eq!(injected_elsewhere(&context), "2");
}

#[test]
fn error_of_a_root_counts_whichever_way_it_ends() {
    let _tracer = tracer();
    let failed = |run: &dyn Fn(&mut Option<SpanContext>)| {
        let mut context = None;
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&mut context)));
        assert!(result.is_err());
        injected(&context)
    };
    let line = failed(&|context| {
        traced("root", || {
            *context = active_span().context();
            panic!("as told");
        });
    });
    let polled = failed(&|context| {
        let mut future = Box::pin(traced_async("root", async || {
            *context = active_span().context();
            panic!("as told");
        }));
        let _ = poll_once(&mut future);
    });
    assert_eq!((&*line, &*polled), ("2", "2"));
}

#[test]
fn root_of_a_future_is_seen_while_nobody_polls_it() {
    let _tracer = tracer();
    for (is_vip, expected) in [(false, "-1"), (true, "2")] {
        let (send, contexts) = channel();
        let mut future = Box::pin(traced_async("root", async move || {
            send.send(active_span().context().unwrap()).unwrap();
            if is_vip {
                active_span().set_tag("vip", "yes");
            }
            traced("child", || active_span().set_tag("vip", "of a child"));
            Yield::default().await;
        }));
        assert!(poll_once(&mut future).is_pending());
        assert_eq!(injected_elsewhere(&contexts.recv().unwrap()), expected);
        assert!(poll_once(&mut future).is_ready());
    }
}

#[test]
fn tags_that_a_future_starts_with_count() {
    let _tracer = tracer();
    let (send, contexts) = channel();
    let tagged = crate::macro_support::async_span(&TAGGED).tags(|tags| tags.tag("vip", 1));
    let mut future = Box::pin(tagged.run(async move {
        send.send(active_span().context().unwrap()).unwrap();
        Yield::default().await;
    }));
    assert!(poll_once(&mut future).is_pending());
    assert_eq!(injected_elsewhere(&contexts.recv().unwrap()), "2");
}

static TAGGED: CallSite = CallSite::named("tagged");

#[test]
fn root_under_a_received_context_is_seen() {
    let _tracer = tracer();
    let received = || extract(&HashMap::from([("x-datadog-trace-id".to_owned(), "77".to_owned())])).unwrap();
    let context = received();
    let _active = context.enter();
    traced("root", || {
        let context = active_span().context().unwrap();
        active_span().set_tag("vip", "yes");
        assert_eq!(injected_elsewhere(&context), "2");
    });
    let root = span("root").child_of(&received()).start();
    root.set_tag("vip", "yes");
    let child = span("child").child_of(&root.context()).start();
    assert_eq!(injected(&child), "2");
}

#[test]
fn tags_after_an_injection_change_nothing() {
    let _tracer = tracer();
    traced("root", || {
        active_span().set_tag("vip", "yes");
        assert_eq!(injected(&active_span()), "2");
        active_span().set_tag("plan", "free");
        assert_eq!(injected(&active_span()), "2");
        let why = active_span().why_sampled().unwrap();
        assert_eq!(why.to_string(), "kept by sampling rule 2 (rate 1), limiter at 1");
        active_span().reject();
        assert_eq!(injected(&active_span()), "-1", "but by hand");
        assert_eq!(active_span().why_sampled().unwrap().to_string(), "rejected by hand");
    });
}

#[test]
fn part_of_a_trace_is_decided_by_the_root_as_it_is_then() {
    let tracer = tracer_in_parts_of(3);
    traced("root", || {
        let root = active_span();
        for number in 0..3 {
            if number == 2 {
                root.set_tag("vip", "yes");
            }
            traced("child", nothing);
        }
        assert_eq!(tracer.finished().len(), 3);
        assert_eq!(root.why_sampled().unwrap().priority(), 2);
        root.set_tag("plan", "free");
        assert_eq!(injected(&root), "2");
    });
}

#[test]
fn nothing_is_told_of_a_trace_that_is_decided_about_or_by_the_service_alone() {
    let rules = json::trace_rules(r#"[{"service":"test","sample_rate":1}]"#).unwrap().rules;
    let _tracer = ScopedTracer::sampling(SamplingSettings { rules, ..SamplingSettings::default() }, 300);
    let root = span("root").start();
    root.set_tag("vip", "yes");
    let super::super::context::Place::Within { segment, .. } = root.context().place else { panic!("a span") };
    segment.facts.with_local_root(|told| assert!(told.is_none()));
}
