//! The active span is the latest one entered on this thread whose guard lives and which is still open. Whatever is done to
//! guards, handles, futures and threads: afterwards no span gets a wrong parent.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use dd_traced::testing::{FinishedSpan, ScopedTracer};
use dd_traced::{ActiveGuard, ActiveSpan, Span, SpanContext, SpanId, TraceFuture, active_span, span, traced};
use dd_traced_tests::{Dice, PATIENCE};

/// The id where there is no span.
const NONE: u64 = 0;

fn active() -> u64 {
    active_span().span_id().as_u64()
}

fn id(span: &Span) -> u64 {
    span.span_id().as_u64()
}

/// Fails where something is still active, or a new span is not the root of a new trace.
fn expect_healed() {
    assert!(!active_span().is_recording() && active_span().context().is_none(), "something is still active");
    let next = span("next").start();
    let guard = next.activate();
    assert_eq!(active(), id(&next));
    drop(guard);
    assert!(active_span().context().is_none());
}

fn find<'a>(spans: &'a [FinishedSpan], name: &str) -> &'a FinishedSpan {
    let mut found = spans.iter().filter(|span| span.name == name);
    let first = found.next().unwrap_or_else(|| panic!("no span is named {name}: {spans:#?}"));
    assert!(found.next().is_none(), "two spans are named {name}");
    first
}

#[traced(name = "leaf")]
fn leaf() {}

#[test]
fn guards_may_be_dropped_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let tracer = ScopedTracer::new();
        let spans: Vec<Span> = ["a", "b", "c"].map(|name| span(name).root().start()).into();
        let mut guards: Vec<Option<ActiveGuard>> = spans.iter().map(|span| Some(span.activate())).collect();
        for dropped in order {
            guards[dropped] = None;
            let expected = guards.iter().rposition(Option::is_some).map_or(NONE, |at| id(&spans[at]));
            assert_eq!(active(), expected, "after {dropped} of {order:?}");
        }
        expect_healed();
        drop(spans);
        assert_eq!(tracer.finished().len(), 4);
    }
}

#[test]
fn the_active_span_follows_its_rule_through_random_acts() {
    for (seed, part) in (1..=1_200).zip([2, 3, 5, 60, 300].into_iter().cycle()) {
        // Small parts meet what 300 spans meet once in a while.
        let tracer = ScopedTracer::with_parts_of(part);
        let mut model = Model { dice: Dice::new(seed), seed, ..Model::default() };
        (0..40).for_each(|_| model.act(0));
        let (parents, tags) = model.end();
        expect_healed();
        for span in tracer.finished() {
            let expected = tags.get(&span.span_id.as_u64()).cloned().unwrap_or_default();
            assert_eq!(span.meta, expected, "seed {seed}: the tags of {}", span.name);
        }
        let finished: BTreeMap<u64, (u128, u64)> = tracer
            .finished()
            .iter()
            .map(|span| (span.span_id.as_u64(), (span.trace_id.as_u128(), span.parent_id.as_u64())))
            .collect();
        assert_eq!(
            finished.len(),
            parents.len() + 1,
            "seed {seed}: each span once, and the one that shows it healed"
        );
        for (span_id, parent_id) in parents {
            let (trace_id, parent) = finished[&span_id];
            assert_eq!(parent, parent_id, "seed {seed}");
            assert!(
                parent == NONE || finished[&parent].0 == trace_id,
                "seed {seed}: a parent of another trace"
            );
        }
    }
}

/// The tags of each span.
type Tags = BTreeMap<u64, BTreeMap<String, String>>;

/// What the rule says, kept beside what the library does.
#[derive(Debug)]
struct Model {
    seed: u64,
    dice: Dice,
    spans: Vec<Span>,
    /// What was entered, in its order.
    entered: Vec<Entered>,
    /// Each span with the parent that it should have.
    parents: Vec<(u64, u64)>,
    /// Views of spans that were active once, to be tagged when others are.
    views: Vec<(u64, ActiveSpan)>,
    tags: Tags,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            seed: 0,
            dice: Dice::new(0),
            spans: Vec::new(),
            entered: Vec::new(),
            parents: Vec::new(),
            views: Vec::new(),
            tags: BTreeMap::new(),
        }
    }
}

#[derive(Debug)]
enum Entered {
    Guard { span: u64, guard: ActiveGuard },
    Context { span: u64, guard: ActiveGuard },
    Function { span: u64 },
}

#[traced(name = "nested")]
fn nested(model: &mut Model, depth: u32) {
    let expected = model.active();
    let own = active();
    model.parents.push((own, expected));
    model.entered.push(Entered::Function { span: own });
    for _ in 0..model.dice.below(6) {
        model.act(depth);
    }
    model.entered.retain(|entered| !matches!(entered, Entered::Function { span } if *span == own));
}

impl Model {
    fn act(&mut self, depth: u32) {
        match self.dice.below(11) {
            0 | 1 => self.start(),
            2 => self.activate(),
            3 => self.enter_context(),
            4 | 5 => self.drop_guard(),
            6 => self.finish(),
            7 => self.look(),
            8 | 9 => self.tag(),
            _ if depth < 4 => nested(self, depth + 1),
            _ => {}
        }
        assert_eq!(active(), self.active(), "seed {}: {self:#?}", self.seed);
    }

    fn active(&self) -> u64 {
        let is_open = |wanted: u64| self.spans.iter().any(|span| id(span) == wanted && span.is_recording());
        let active = self.entered.iter().rev().find_map(|entered| match entered {
            Entered::Guard { span, .. } => is_open(*span).then_some(*span),
            // A context outlives its span.
            Entered::Context { span, .. } | Entered::Function { span } => Some(*span),
        });
        active.unwrap_or(NONE)
    }

    fn start(&mut self) {
        let parent = self.active();
        let span = span("by hand").start();
        self.parents.push((id(&span), parent));
        self.spans.push(span);
    }

    fn activate(&mut self) {
        if let Some(at) = self.dice.index(self.spans.len()) {
            let span = &self.spans[at];
            self.entered.push(Entered::Guard { span: id(span), guard: span.activate() });
        }
    }

    fn enter_context(&mut self) {
        if let Some(at) = self.dice.index(self.spans.len()) {
            let span = &self.spans[at];
            self.entered.push(Entered::Context { span: id(span), guard: span.context().enter() });
        }
    }

    fn drop_guard(&mut self) {
        let is_function = |entered: &Entered| matches!(entered, Entered::Function { .. });
        if let Some(at) = self.dice.index(self.entered.len()).filter(|at| !is_function(&self.entered[*at])) {
            if let Entered::Guard { guard, .. } | Entered::Context { guard, .. } = self.entered.remove(at) {
                drop(guard);
            }
        }
    }

    fn finish(&mut self) {
        if let Some(at) = self.dice.index(self.spans.len()) {
            self.spans[at].finish();
        }
    }

    fn look(&mut self) {
        let view = active_span();
        if view.is_recording() {
            self.views.push((self.active(), view));
        }
    }

    /// Tags a span that may be open below others by now, or finished.
    fn tag(&mut self) {
        let Some(at) = self.dice.index(self.views.len()) else { return };
        let (span, view) = &self.views[at];
        if view.is_recording() {
            let (key, value) = (format!("k{}", self.dice.below(3)), self.dice.below(1_000).to_string());
            view.set_tag(&key, &value);
            self.tags.entry(*span).or_default().insert(key, value);
        }
    }

    /// Ends all, the guards first.
    fn end(self) -> (Vec<(u64, u64)>, Tags) {
        drop(self.entered);
        (self.parents, self.tags)
    }
}

#[test]
fn a_guard_may_leave_the_function_whose_span_it_outlives() {
    let tracer = ScopedTracer::new();
    let (span, guard) = give_away();
    assert_eq!(active(), id(&span));
    leaf();
    drop(guard);
    expect_healed();
    span.finish();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "leaf").parent_id, find(&spans, "given").span_id);
    assert_eq!(find(&spans, "given").parent_id, find(&spans, "giver").span_id);
}

#[traced(name = "giver")]
fn give_away() -> (Span, ActiveGuard) {
    let span = span("given").start();
    let guard = span.activate();
    (span, guard)
}

#[test]
fn a_guard_may_be_dropped_inside_a_function_called_below_it() {
    let tracer = ScopedTracer::new();
    let outer = span("outer").start();
    take(outer.activate());
    expect_healed();
    outer.finish();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "leaf").parent_id, find(&spans, "taker").span_id);
    assert_eq!(find(&spans, "taker").parent_id, find(&spans, "outer").span_id);
}

#[traced(name = "taker")]
fn take(guard: ActiveGuard) {
    drop(guard);
    leaf();
}

#[test]
fn a_leaked_guard_is_forgotten_when_its_span_finishes() {
    let tracer = ScopedTracer::new();
    let leaking = span("leaking").start();
    std::mem::forget(leaking.activate());
    leaf();
    leaking.finish();
    expect_healed();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "leaf").parent_id, find(&spans, "leaking").span_id);
    assert_eq!(find(&spans, "next").parent_id.as_u64(), NONE);
}

#[test]
fn a_guard_leaked_inside_a_function_is_forgotten_when_the_function_ends() {
    let tracer = ScopedTracer::new();
    let kept = leak_inside();
    leaf();
    kept.finish();
    expect_healed();
    drop(kept);
    assert_eq!(tracer.finished().len(), 4);
}

#[traced(name = "leaker")]
fn leak_inside() -> Span {
    let span = span("kept").start();
    std::mem::forget(span.activate());
    span
}

#[test]
fn a_span_may_be_finished_on_another_thread_while_it_is_active_here() {
    let tracer = ScopedTracer::new();
    let outer = span("outer").start();
    let outer_guard = outer.activate();
    let sent = span("sent").start();
    let guard = sent.activate();
    thread::spawn(move || sent.finish()).join().unwrap();
    assert_eq!(active(), id(&outer), "what is finished is not active");
    leaf();
    drop(guard);
    assert_eq!(active(), id(&outer));
    drop(outer_guard);
    expect_healed();
    outer.finish();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "leaf").parent_id, find(&spans, "outer").span_id);
}

#[test]
fn finishing_twice_and_tagging_afterwards_change_nothing() {
    let tracer = ScopedTracer::new();
    let once = span("once").tag("before", 1).start();
    once.finish();
    once.set_tag("after", 1);
    once.set_name("other");
    once.finish();
    drop(once);
    let spans = tracer.finished();
    let found = find(&spans, "once");
    assert_eq!(spans.len(), 1);
    assert!(found.metrics.contains_key("before") && !found.metrics.contains_key("after"));
}

#[test]
fn a_panic_ends_the_spans_that_it_passes() {
    let tracer = ScopedTracer::new();
    let outer = span("outer").start();
    let guard = outer.activate();
    let panic = catch_unwind(|| falling(3));
    assert!(panic.is_err());
    assert_eq!(active(), id(&outer));
    drop(guard);
    expect_healed();
    outer.finish();
    let tree = tracer.tree().replace(" !", "");
    assert_eq!(tree, "outer\n  falling\n    falling\n      falling\n        falling\nnext\n");
}

#[traced(name = "falling")]
fn falling(left: u32) {
    assert!(left > 0, "the bottom");
    falling(left - 1);
}

#[test]
fn a_value_may_trace_while_it_is_dropped_by_a_panic() {
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            leaf();
            span("in drop").start().finish();
        }
    }
    #[traced(name = "noisy")]
    fn noisy() {
        let _noisy = Noisy;
        panic!("passes a value that traces");
    }
    let tracer = ScopedTracer::new();
    assert!(catch_unwind(noisy).is_err());
    expect_healed();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "leaf").parent_id, find(&spans, "noisy").span_id);
    assert_eq!(find(&spans, "in drop").parent_id, find(&spans, "noisy").span_id);
}

/// Used to be a way to lose spans in other tracers: thread-locals are dropped in an order that nobody promises.
#[test]
fn thread_locals_may_trace_while_their_thread_ends() {
    struct Late(Option<SpanContext>);
    impl Drop for Late {
        fn drop(&mut self) {
            let mut late = span("late");
            if let Some(context) = &self.0 {
                late = late.child_of(context);
            }
            let late = late.start();
            let _active = late.activate();
            leaf();
            active_span().set_tag("late", true);
        }
    }
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    for traces_first in [true, false] {
        let tracer = ScopedTracer::new();
        let root = span("root").start();
        let context = root.context();
        thread::spawn(move || {
            let early = |context: &SpanContext| {
                let _active = context.enter();
                leaf();
            };
            // Whichever is used first is dropped last, or the other way round: both have to do.
            if traces_first {
                early(&context);
            }
            LATE.with_borrow_mut(|late| *late = Some(Late(Some(context.clone()))));
            if !traces_first {
                early(&context);
            }
        })
        .join()
        .expect("the thread ends without a panic");
        root.finish();
        // The late span is in the trace where the thread's stack was still there, and whole; else it is nowhere.
        let trees = ["root\n  leaf\n", "root\n  leaf\n  late\n    leaf\n"];
        assert!(trees.contains(&&*tracer.tree()), "{}", tracer.tree());
        assert_eq!(tracer.counters().waiting(), 0);
    }
}

/// A future that is pending once each time it is told to wait.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn pause() -> Yield {
    Yield(false)
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[traced(name = "step")]
async fn step(task: usize, depth: usize) {
    active_span().set_tag("task", task);
    leaf();
    pause().await;
    if depth > 0 {
        Box::pin(step(task, depth - 1)).await;
    }
    pause().await;
    leaf();
}

fn task(number: usize) -> impl Future<Output = ()> + Send {
    let span = span("task").root().tag("task", number).start();
    async move {
        step(number, 2).await;
        pause().await;
        step(number, 0).await;
    }
    .traced(span)
}

/// The tree of one [`task`].
const TASK: &str = "\
task
  step
    leaf
    step
      leaf
      step
        leaf
        leaf
      leaf
    leaf
  step
    leaf
    leaf
";

/// Fails where the spans are not `tasks` trees of [`TASK`], each of one task only.
fn expect_tasks(tracer: &ScopedTracer, tasks: usize) {
    let spans = tracer.finished();
    let by_id: BTreeMap<SpanId, &FinishedSpan> = spans.iter().map(|span| (span.span_id, span)).collect();
    for span in spans.iter().filter(|span| span.name == "step") {
        let parent = by_id[&span.parent_id];
        let [own, others] = [span, parent].map(|span| span.metrics["task"] as u64);
        assert_eq!(own, others, "a step of one task below another's");
        assert_eq!(span.trace_id, parent.trace_id);
    }
    for root in spans.iter().filter(|span| span.name == "task") {
        assert_eq!(root.parent_id.as_u64(), NONE);
        let of_trace = spans.iter().filter(|span| span.trace_id == root.trace_id).count();
        assert_eq!(of_trace, TASK.lines().count());
    }
    assert_eq!(tracer.tree(), TASK.repeat(tasks));
}

#[test]
fn futures_polled_in_turns_on_one_thread_do_not_mix() {
    for seed in 1..=20 {
        let tracer = ScopedTracer::new();
        let mut dice = Dice::new(seed);
        let mut tasks: Vec<_> = (0..5).map(|number| Box::pin(task(number))).collect();
        while let Some(at) = dice.index(tasks.len()) {
            if poll(tasks[at].as_mut()).is_ready() {
                drop(tasks.remove(at));
            }
            assert!(active_span().context().is_none(), "nothing is active between polls");
        }
        expect_tasks(&tracer, 5);
    }
}

#[test]
fn futures_may_wander_between_threads() {
    type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
    let tracer = ScopedTracer::new();
    let tasks: Vec<Task> = (0..6).map(|number| Box::pin(task(number)) as Task).collect();
    let (done, ended) = mpsc::channel();
    // Each thread polls what it is handed once, and hands it to the next one.
    let mut channels: Vec<_> = (0..3).map(|_| mpsc::channel::<Task>()).collect();
    let senders: Vec<_> = channels.iter().map(|(send, _)| send.clone()).collect();
    for (at, task) in tasks.into_iter().enumerate() {
        senders[at % 3].send(task).unwrap();
    }
    for (at, (_, inbox)) in channels.drain(..).enumerate() {
        let next = senders[(at + 1) % 3].clone();
        let done = done.clone();
        thread::spawn(move || {
            // Ends when a send fails: the others hold the senders as long as they run.
            for mut task in inbox {
                if poll(task.as_mut()).is_ready() {
                    drop(task);
                    let _ = done.send(active_span().context().is_none());
                } else if next.send(task).is_err() {
                    return;
                }
            }
        });
    }
    drop(senders);
    for _ in 0..6 {
        assert!(
            ended.recv_timeout(PATIENCE).expect("all tasks end"),
            "something is still active on a thread"
        );
    }
    expect_tasks(&tracer, 6);
    expect_healed();
}

#[test]
fn a_future_dropped_half_way_ends_its_spans() {
    // How many spans of a whole task were started after so many polls.
    for (polls, started) in [1, 3, 5, 7, 7, 8, 9].into_iter().enumerate() {
        let tracer = ScopedTracer::new();
        let mut half = Box::pin(task(polls));
        for _ in 0..polls {
            let _ = poll(half.as_mut());
        }
        drop(half);
        let expected: String = TASK.split_inclusive('\n').take(started).collect();
        assert_eq!(tracer.tree(), expected, "after {polls} polls");
        expect_healed();
    }
}

#[test]
fn a_future_that_panics_leaves_nothing_active() {
    async fn falls() {
        step(0, 0).await;
        panic!("inside of a poll");
    }
    let tracer = ScopedTracer::new();
    {
        let mut falling = pin!(falls().traced(span("falls").start()));
        while let Ok(Poll::Pending) = catch_unwind(AssertUnwindSafe(|| poll(falling.as_mut()))) {}
        assert!(active_span().context().is_none());
    }
    expect_healed();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "step").parent_id, find(&spans, "falls").span_id);
}

#[test]
fn a_guard_held_over_an_await_heals_when_it_is_dropped() {
    #[expect(clippy::await_holding_invalid_type, reason = "what happens then is tested here")]
    async fn holds() {
        let held = span("held").start();
        let _wrong = held.activate();
        pause().await;
        leaf();
    }
    let tracer = ScopedTracer::new();
    let mut first = Box::pin(holds().traced(span("first").root().start()));
    let mut second = Box::pin(holds().traced(span("second").root().start()));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    assert!(poll(first.as_mut()).is_ready() && poll(second.as_mut()).is_ready());
    drop((first, second));
    expect_healed();
    assert_eq!(tracer.tree(), "first\n  held\n  leaf\nsecond\n  held\n  leaf\nnext\n");
}

#[test]
fn a_context_entered_elsewhere_ends_with_its_guard() {
    let tracer = ScopedTracer::new();
    let root = span("root").start();
    let context = root.context();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let context = context.clone();
            thread::spawn(move || {
                for _ in 0..50 {
                    let guard = context.enter();
                    leaf();
                    drop(guard);
                    assert!(active_span().context().is_none());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    root.finish();
    let spans = tracer.finished();
    let root = find(&spans, "root");
    let leaves: Vec<_> = spans.iter().filter(|span| span.name == "leaf").collect();
    assert_eq!(leaves.len(), 400);
    assert!(leaves.iter().all(|leaf| leaf.parent_id == root.span_id && leaf.trace_id == root.trace_id));
}

/// Children of a finished span's context have the span's service.
#[test]
fn a_context_taken_after_the_end_knows_the_service() {
    let tracer = ScopedTracer::new();
    for finished_first in [true, false] {
        let parent = span("parent").root().service("bank").start();
        parent.set_service("vault");
        let early = parent.context();
        parent.finish();
        let context = if finished_first { parent.context() } else { early };
        parent.set_service("too late");
        span("child").child_of(&context).start().finish();
    }
    let spans = tracer.finished();
    assert_eq!(spans.len(), 4);
    assert!(spans.iter().all(|span| span.service.as_deref() == Some("vault")), "{spans:#?}");
}

#[test]
fn a_child_may_start_and_end_after_its_parent() {
    let tracer = ScopedTracer::new();
    let parent = span("parent").start();
    let context = parent.context();
    parent.finish();
    let child = span("child").child_of(&context).start();
    let grandchild = span("grandchild").child_of(&child.context()).start();
    child.finish();
    grandchild.finish();
    let spans = tracer.finished();
    assert_eq!(find(&spans, "child").parent_id, find(&spans, "parent").span_id);
    assert_eq!(find(&spans, "grandchild").parent_id, find(&spans, "child").span_id);
    assert!(spans.iter().all(|span| span.trace_id == context.trace_id()));
}
