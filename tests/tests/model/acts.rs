//! What is done below one poll or at the top of a thread: calls, tags, handles and their activations.

use std::sync::Arc;

use dd_traced::{ActiveGuard, ActiveSpan, AsContext, Span, active_span, span, traced};
use dd_traced_tests::Dice;

use crate::tasks::{new_task, poll_at_top};
use crate::world::{World, active, may_fall};

/// Calls below each other, at most.
const DEEPEST: u32 = 5;

/// Someone who acts on one thread, and whom it calls.
pub(crate) struct Actor<'a> {
    world: &'a Arc<World>,
    dice: &'a mut Dice,
    depth: u32,
    /// Spans that were active once, the latest last, to be tagged when others are.
    views: Vec<(u64, ActiveSpan)>,
}

#[traced(name = "leaf")]
fn leaf(world: &World, parent: u64) {
    world.born(active(), parent, &[]);
}

#[traced(name = "tagged leaf", tags(literal = "first", own = value))]
fn tagged_leaf(world: &World, parent: u64, value: &str) {
    world.born(active(), parent, &[("literal", "first"), ("own", value)]);
}

#[traced(name = "nested", tags(literal = "first"))]
fn nested(actor: &mut Actor<'_>, parent: u64) {
    actor.world.called(active(), parent, &[("literal", "first")]);
    actor.act_inside();
}

#[traced(name = "rooted", root, tags(literal = "first", own = "r".repeat(30)))]
fn rooted(actor: &mut Actor<'_>) {
    actor.world.called(active(), 0, &[("literal", "first"), ("own", &"r".repeat(30))]);
    actor.act_inside();
}

#[traced(name = "placed", parent = context, tags(literal = "first"))]
fn placed(context: &impl AsContext, parent: u64, actor: &mut Actor<'_>) {
    actor.world.called(active(), parent, &[("literal", "first")]);
    actor.act_inside();
}

impl<'a> Actor<'a> {
    pub(crate) fn new(world: &'a Arc<World>, dice: &'a mut Dice, depth: u32) -> Self {
        Self { world, dice, depth, views: Vec::new() }
    }

    /// Does something, if the world has not had enough.
    pub(crate) fn act(&mut self) {
        if !self.world.may_act() {
            return;
        }
        let before = active();
        match self.dice.below(14) {
            0..=2 => self.call_leaves(before),
            3..=5 => self.change_a_span(),
            6 | 7 => self.call(|actor| nested(actor, before)),
            8 => self.call(rooted),
            9 => self.call_below_another(),
            10 => self.use_a_handle(before),
            11 => self.poll_or_drop_a_task(),
            12 => self.start_a_task(),
            _ => self.finish_a_handle(),
        }
        assert_eq!(active(), before, "active after an act");
    }

    fn act_often(&mut self, limit: u64) {
        for _ in 0..self.dice.below(limit) {
            self.act();
        }
    }

    /// Keeps a view of the actor's own span, which is active; 0 where no tracer is.
    pub(crate) fn look(&mut self, own: u64) {
        if own != 0 {
            let view = active_span();
            assert_eq!(view.span_id().as_u64(), own, "active where it was made so");
            assert!(view.is_recording(), "a span is open until its end");
            self.views.push((own, view));
        }
    }

    /// The inside of a function, which may panic.
    fn act_inside(&mut self) {
        let own = active();
        self.look(own);
        self.act_often(6);
        assert_eq!(active(), own, "active at the end of a function");
        if self.dice.below(40) == 0 {
            self.world.fall(own);
        }
    }

    /// Calls one level down. Views from there are not kept.
    fn call(&mut self, function: impl FnOnce(&mut Self)) {
        if self.depth >= DEEPEST {
            return;
        }
        let views = self.views.len();
        self.depth += 1;
        may_fall(|| function(self));
        self.depth -= 1;
        self.views.truncate(views);
    }

    /// Mostly a few; at times more than a part of a trace.
    fn call_leaves(&mut self, parent: u64) {
        let leaves = match self.dice.below(30) {
            0 => 320,
            1..=4 => 70,
            _ => 3,
        };
        for _ in 0..leaves {
            if self.dice.below(3) == 0 {
                let value = self.world.value(self.dice);
                tagged_leaf(self.world, parent, &value);
            } else {
                leaf(self.world, parent);
            }
        }
    }

    /// Tags a span, or gives it a service, while others may be active.
    fn change_a_span(&mut self) {
        let Some(at) = self.dice.index(self.views.len()) else { return };
        let (id, view) = &self.views[at];
        if !view.is_recording() {
            return;
        }
        let key = ["literal", "k0", "k1", "k2"][self.dice.below(4) as usize];
        match self.dice.below(5) {
            0 if self.world.takes_service(*id) => {
                let service =
                    ["shop", "bank", "post", &"z".repeat(90)][self.dice.below(4) as usize].to_owned();
                view.set_service(&service);
                self.world.set_service(*id, &service);
            }
            1 => {
                view.unset_tag(key);
                self.world.unset_tag(*id, key);
            }
            _ => {
                let value = self.world.value(self.dice);
                view.set_tag(key, &value);
                self.world.set_tag(*id, key, &value);
            }
        }
    }

    /// Calls a function whose parent is not what is active.
    fn call_below_another(&mut self) {
        let Some(at) = self.dice.index(self.views.len()) else { return };
        let (id, view) = &self.views[at];
        if view.is_recording() {
            let (id, context) = (*id, view.context());
            self.call(|actor| placed(&context, id, actor));
        }
    }

    fn use_a_handle(&mut self, parent: u64) {
        let handle = Arc::new(span("handle").tag("literal", "first").start());
        let id = handle.span_id().as_u64();
        self.world.born(id, parent, &[("literal", "first")]);
        let guard = handle.activate();
        self.call(|actor| {
            actor.look(id);
            actor.act_often(4);
            actor.leave_a_handle(&handle, guard, parent);
        });
    }

    /// Leaves the activation of a handle, in one of the ways there are.
    fn leave_a_handle(&mut self, handle: &Arc<Span>, guard: ActiveGuard, parent: u64) {
        match self.dice.below(5) {
            0 => {
                handle.finish();
                self.expect_below_finished(parent);
                drop(guard);
            }
            1 => {
                std::mem::forget(guard);
                handle.finish();
                self.expect_below_finished(parent);
            }
            2 => self.leave_below_a_context(handle, guard),
            3 => {
                drop(guard);
                self.world.give_handle(handle);
            }
            _ => drop(guard),
        }
    }

    /// What is finished is not active, whatever became of its guard.
    fn expect_below_finished(&mut self, parent: u64) {
        assert_eq!(active(), parent, "active after the end of what was");
        leaf(self.world, parent);
    }

    /// Leaves a handle first that was entered first.
    fn leave_below_a_context(&mut self, handle: &Span, guard: ActiveGuard) {
        let context = handle.context().enter();
        drop(guard);
        assert_eq!(active(), handle.span_id().as_u64(), "a context is active until it is left");
        self.act_often(3);
        drop(context);
    }

    /// Finishes a handle that someone left, maybe on another thread.
    fn finish_a_handle(&mut self) {
        if let Some(handle) = self.world.take_handle() {
            handle.finish();
        }
    }

    fn start_a_task(&mut self) {
        let task = new_task(self.world, self.dice, self.depth);
        self.world.give(task);
    }

    /// Polls or drops a task that is no part of what is active.
    fn poll_or_drop_a_task(&mut self) {
        let Some(mut task) = self.world.take_latest() else { return };
        if self.dice.below(3) > 0 && !poll_at_top(&mut task) {
            self.world.give_to_the_last(task);
        }
    }
}
