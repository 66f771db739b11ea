//! Baggage goes along with a trace: from a span to its children and to the services that they call. What is changed later, others
//! do not see.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use dd_traced::testing::ScopedTracer;
use dd_traced::{ActiveSpan, SpanContext, TraceFuture, active_span, extract, inject, span, traced};
use dd_traced_tests::Dice;

type Headers = HashMap<String, String>;

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What a call from here carries; empty where there is no header.
fn sent() -> String {
    let mut headers = Headers::new();
    inject(&active_span(), &mut headers);
    let header = headers.get("baggage").cloned();
    assert_ne!(header.as_deref(), Some(""));
    let own =
        active_span().all_baggage().iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let context = active_span().context().map(|context| context.all_baggage()).unwrap_or_default();
    assert_eq!((own.join(","), context), (header.clone().unwrap_or_default(), active_span().all_baggage()));
    header.unwrap_or_default()
}

#[traced(name = "call")]
fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

#[traced(name = "task")]
async fn task<R>(body: impl FnOnce() -> R) -> R {
    yields().await;
    let result = body();
    yields().await;
    result
}

/// Pending once.
async fn yields() {
    let mut is_ready = false;
    poll_fn(|_| if std::mem::replace(&mut is_ready, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

#[test]
fn functions_inherit_what_their_caller_has() {
    let _tracer = ScopedTracer::new();
    call(|| {
        assert_eq!(sent(), "");
        active_span().set_baggage("b", "1");
        active_span().set_baggage("a", "2");
        call(|| {
            assert_eq!(sent(), "b=1,a=2");
            active_span().set_baggage("b", "own");
            active_span().remove_baggage("a");
            active_span().set_baggage("c", "3");
            call(|| assert_eq!(sent(), "b=own,c=3"));
            assert_eq!(
                (active_span().baggage("b").as_deref(), active_span().baggage("a")),
                (Some("own"), None)
            );
        });
        call(|| {
            assert_eq!(sent(), "b=1,a=2", "a sibling is not changed");
            active_span().clear_baggage();
            call(|| assert_eq!(sent(), ""));
        });
        assert_eq!(sent(), "b=1,a=2", "nor is the parent");
    });
    call(|| assert_eq!(sent(), "", "the next trace has nothing of it"));
}

#[test]
fn change_of_a_caller_is_not_for_those_it_called_before() {
    let _tracer = ScopedTracer::new();
    call(|| {
        let outer = active_span();
        outer.set_baggage("k", "1");
        call(|| {
            let middle = active_span();
            call(|| {
                outer.set_baggage("k", "2");
                assert_eq!(sent(), "k=1");
                middle.set_baggage("m", "1");
                assert_eq!(sent(), "k=1");
                assert_eq!(middle.all_baggage().len(), 2);
                call(|| assert_eq!(sent(), "k=1"));
            });
            call(|| assert_eq!(sent(), "k=1,m=1"));
        });
        call(|| assert_eq!(sent(), "k=2"));
    });
}

#[test]
fn spans_by_hand_hold_it_and_hand_it_down() {
    let _tracer = ScopedTracer::new();
    let order = span("order").baggage("tier", "gold").baggage("", "no key").start();
    let early = order.context();
    order.set_baggage("user", "Zoë");
    let child = span("child").baggage("tier", "silver").child_of(&order.context()).start();
    assert_eq!(
        (child.baggage("tier").as_deref(), child.baggage("user").as_deref()),
        (Some("silver"), Some("Zoë"))
    );
    assert_eq!((order.baggage("tier").as_deref(), early.baggage("user")), (Some("gold"), None));
    let guard = order.activate();
    assert_eq!(active_span().all_baggage().len(), 2);
    call(|| {
        order.set_baggage("late", "1");
        assert_eq!(active_span().all_baggage().len(), 2, "it was started before");
        active_span().set_baggage("own", "1");
        let below = span("below").start();
        assert_eq!(below.all_baggage().len(), 3);
    });
    active_span().remove_baggage("tier");
    assert_eq!(order.all_baggage(), [("user".into(), "Zoë".into()), ("late".into(), "1".into())]);
    call(|| assert_eq!(active_span().all_baggage(), order.all_baggage()));
    drop(guard);
    order.finish();
    order.set_baggage("after", "1");
    assert_eq!(order.baggage("after"), None, "a finished span is not changed");
    let root = span("root").root().start();
    assert_eq!(root.all_baggage(), []);
}

#[test]
fn context_carries_a_copy_of_its_own() {
    let _tracer = ScopedTracer::new();
    let order = span("order").baggage("a", "1").start();
    let mut context = order.context();
    context.set_baggage("b", "2");
    context.remove_baggage("a");
    assert_eq!((order.all_baggage().len(), context.baggage("b").as_deref()), (1, Some("2")));
    let elsewhere = context.clone();
    thread::spawn(move || {
        let _entered = elsewhere.enter();
        assert_eq!(sent(), "b=2");
        call(|| assert_eq!(sent(), "b=2"));
        active_span().set_baggage("c", "3");
        call(|| assert_eq!(sent(), "b=2,c=3"));
        assert_eq!(block_on(task(sent)), "b=2,c=3");
    })
    .join()
    .unwrap();
    context.clear_baggage();
    assert_eq!((context.all_baggage(), context.baggage("b")), (vec![], None));
    let mut out = Headers::new();
    inject(&context, &mut out);
    assert!(out.contains_key("traceparent") && !out.contains_key("baggage"));
}

/// A span that is open, what it should have, and the one below it.
struct Level<'a> {
    span: ActiveSpan,
    items: RefCell<Vec<(String, String)>>,
    below: Option<&'a Level<'a>>,
}

impl Level<'_> {
    fn check(&self) {
        assert_eq!(self.span.all_baggage(), *self.items.borrow());
        if let Some(below) = self.below {
            below.check();
        }
    }

    /// Changes it, or one below.
    fn change(&self, dice: &mut Dice) {
        if let (0, Some(below)) = (dice.below(3), self.below) {
            return below.change(dice);
        }
        let (key, value) = (["a", "b", "c"][dice.below(3) as usize], dice.below(100).to_string());
        let mut items = self.items.borrow_mut();
        match dice.below(6) {
            0 => {
                self.span.clear_baggage();
                items.clear();
            }
            1 => {
                self.span.remove_baggage(key);
                items.retain(|(found, _)| found != key);
            }
            _ => {
                self.span.set_baggage(key, &value);
                match items.iter_mut().find(|(found, _)| found == key) {
                    Some((_, old)) => *old = value,
                    None => items.push((key.to_owned(), value)),
                }
            }
        }
    }
}

/// Spans of all sorts within each other, which change their own baggage and that of their callers.
fn wander(dice: &mut Dice, below: Option<&Level<'_>>, depth: u32) {
    let inherited = below.map(|below| below.items.borrow().clone()).unwrap_or_default();
    let level = Level { span: active_span(), items: RefCell::new(inherited), below };
    level.check();
    for _ in 0..dice.below(6) {
        let kind = dice.below(if depth > 6 { 3 } else { 8 });
        let mut deeper = || wander(dice, Some(&level), depth + 1);
        match kind {
            3 => call(deeper),
            4 => block_on(task(deeper)),
            5 => {
                let by_hand = span("by hand").start();
                let _active = by_hand.activate();
                deeper();
            }
            6 => block_on(async { deeper() }.traced(span("traced").start())),
            7 => {
                let context = active_span().context();
                let _entered = context.map(|context| context.enter());
                deeper();
            }
            _ => level.change(dice),
        }
        level.check();
    }
}

#[test]
fn random_spans_have_what_their_callers_had() {
    let _tracer = ScopedTracer::new();
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        call(|| wander(&mut dice, None, 0));
        block_on(task(|| wander(&mut dice, None, 0)));
        call(|| assert_eq!(sent(), ""));
    }
}

#[test]
fn futures_inherit_from_functions_futures_and_handles() {
    let _tracer = ScopedTracer::new();
    block_on(task_of_tasks());
    call(|| {
        active_span().set_baggage("k", "1");
        let made = task(sent);
        let other = async { sent() }.traced(span("by hand").start());
        active_span().set_baggage("k", "2");
        // Where a future starts decides, and a function that returns one starts none.
        assert_eq!((block_on(other), block_on(made)), ("k=1".to_owned(), "k=2".to_owned()));
    });
}

#[traced]
async fn task_of_tasks() {
    assert_eq!(task(sent).await, "");
    active_span().set_baggage("k", "1");
    yields().await;
    assert_eq!(task(sent).await, "k=1");
    let set = || {
        active_span().set_baggage("own", "2");
        sent()
    };
    for _ in 0..40 {
        // Frames are used again, and hold nothing of the span before.
        assert_eq!(task(set).await, "k=1,own=2");
        assert_eq!(task(sent).await, "k=1");
        assert_eq!(task(|| call(sent)).await, "k=1");
    }
    active_span().clear_baggage();
    assert_eq!(task(sent).await, "");
    call(|| assert_eq!(sent(), ""));
}

#[test]
fn frames_of_futures_are_used_again_without_the_baggage_of_others() {
    let _tracer = ScopedTracer::new();
    for round in 0..50 {
        let (with, without) = (
            async || {
                active_span().set_baggage("round", "x");
                task(sent).await
            },
            async || task(sent).await,
        );
        assert_eq!(block_on(with().traced(span("with").start())), "round=x", "{round}");
        assert_eq!(block_on(without().traced(span("without").start())), "", "{round}");
        let parent = async {
            let first = task(|| {
                active_span().set_baggage("first", "1");
                sent()
            });
            assert_eq!(first.await, "first=1");
            assert_eq!(task(sent).await, "");
        };
        block_on(parent.traced(span("parent").start()));
    }
}

#[test]
fn items_arrive_beside_a_trace_and_are_sent_on() {
    let tracer = ScopedTracer::new();
    let caller = extract(&headers(&[
        ("x-datadog-trace-id", "77"),
        ("X-Datadog-Parent-Id", "5"),
        ("Baggage", "user.id=Zo%C3%AB,cart=1"),
    ]))
    .unwrap();
    assert_eq!(caller.baggage("user.id").as_deref(), Some("Zoë"));
    let request = span("request").child_of(&caller).tag("kept", "1").start();
    {
        let _active = request.activate();
        call(|| assert_eq!(active_span().all_baggage().len(), 2));
        request.set_baggage("session.id", "set here");
    }
    let mut out = Headers::new();
    inject(&request, &mut out);
    assert_eq!(out["baggage"], "user.id=Zo%C3%AB,cart=1,session.id=set%20here");
    request.finish();
    let spans = tracer.finished();
    let of = |name: &str| &spans.iter().find(|span| span.name == name).unwrap().meta;
    assert_eq!(of("request").get("baggage.user.id").map(String::as_str), Some("Zoë"));
    for (span, key) in
        [("request", "baggage.cart"), ("request", "baggage.session.id"), ("call", "baggage.user.id")]
    {
        assert_eq!(of(span).get(key), None, "{span} {key}");
    }
}

#[test]
fn tags_of_the_span_itself_win_over_those_of_baggage() {
    let tracer = ScopedTracer::new();
    let caller = extract(&headers(&[
        ("x-datadog-trace-id", "77"),
        ("baggage", "user.id=1,account.id=a%0Ab,session.id=s"),
    ]));
    let caller = caller.unwrap();
    span("builder").child_of(&caller).tag("baggage.user.id", "own").service("other").start().finish();
    {
        let _entered = caller.enter();
        tagged();
        call(|| call(|| ()));
        block_on(task(|| ()));
    }
    let spans = tracer.finished();
    let tags = |name: &str| -> Vec<(&str, Option<&str>)> {
        let spans = spans.iter().filter(|span| span.name == name);
        spans
            .flat_map(|span| {
                ["baggage.user.id", "baggage.account.id"]
                    .map(|key| (key, span.meta.get(key).map(String::as_str)))
            })
            .collect()
    };
    let own = [("baggage.user.id", Some("own")), ("baggage.account.id", Some("a_b"))];
    let from_baggage = [("baggage.user.id", Some("1")), ("baggage.account.id", Some("a_b"))];
    let nothing = [("baggage.user.id", None), ("baggage.account.id", None)];
    assert_eq!((tags("builder"), tags("tagged")), (own.to_vec(), own.to_vec()));
    assert_eq!(tags("task"), from_baggage);
    let mut calls = tags("call");
    calls.sort();
    let mut expected = [from_baggage, nothing].concat();
    expected.sort();
    assert_eq!(calls, expected);
}

#[traced(name = "tagged", tags(baggage.user.id = "own"))]
fn tagged() {}

#[test]
fn items_alone_go_to_new_traces() {
    let tracer = ScopedTracer::new();
    let caller = extract(&headers(&[("baggage", "user.id=42,tier=gold")])).unwrap();
    assert_eq!((caller.trace_id().as_u128(), caller.span_id().as_u64()), (0, 0));
    let mut passed_on = Headers::new();
    inject(&caller, &mut passed_on);
    assert_eq!(passed_on, headers(&[("baggage", "user.id=42,tier=gold")]));
    for name in ["first", "second"] {
        let request = span(name).child_of(&caller).start();
        let _active = request.activate();
        assert_eq!(sent(), "user.id=42,tier=gold");
    }
    {
        let _entered = caller.enter();
        call(|| assert_eq!(sent(), "user.id=42,tier=gold"));
    }
    let spans = tracer.finished();
    assert_eq!(spans.len(), 3);
    for span in &spans {
        assert_eq!((span.parent_id.as_u64(), span.links.len()), (0, 0), "{}", span.name);
        assert!(span.trace_id.high_u64() != 0, "a new id, not one that is zero");
        assert_eq!(span.meta.get("baggage.user.id").map(String::as_str), Some("42"));
    }
    assert_ne!(spans[0].trace_id, spans[1].trace_id);
}

#[test]
fn context_that_was_extracted_is_passed_on_without_a_span() {
    let _tracer = ScopedTracer::new();
    let received = [
        ("x-datadog-trace-id", "4214133525480169601"),
        ("x-datadog-parent-id", "8875836681422449212"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-origin", "rum"),
        ("x-datadog-tags", "_dd.p.tid=6a5c1f4000000000,_dd.p.dm=-4"),
        ("traceparent", "00-6a5c1f40000000003a7b9c1d2e4f6081-7b2d4e6f80912a3c-01"),
        ("tracestate", "dd=s:2;o:rum;t.dm:-4,acme=k1"),
        ("baggage", "a=1"),
    ];
    let caller = extract(&headers(&received)).unwrap();
    let mut out = Headers::new();
    inject(&caller, &mut out);
    assert_eq!(out, headers(&received));
    let mut changed: SpanContext = caller;
    changed.set_baggage("b", "2");
    inject(&changed, &mut out);
    assert_eq!(out["baggage"], "a=1,b=2");
}

#[test]
fn nothing_is_held_where_tracing_is_off() {
    let order = span("order").baggage("a", "1").start();
    order.set_baggage("b", "2");
    let mut context = order.context();
    context.set_baggage("c", "3");
    active_span().set_baggage("d", "4");
    assert_eq!(
        (order.all_baggage(), context.all_baggage(), active_span().all_baggage()),
        (vec![], vec![], vec![])
    );
}
