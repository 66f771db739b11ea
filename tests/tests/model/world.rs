//! The world that the actors share, and its books: what each span should be.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dd_traced::{Span, active_span};
use dd_traced_tests::Dice;

use crate::tasks::Task;

/// The service of the tracer.
pub(crate) const SERVICE: &str = "shop";

/// Tags by their keys.
pub(crate) type Tags = BTreeMap<String, String>;

/// What a span should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) parent: u64,
    pub(crate) service: String,
    pub(crate) tags: Tags,
    pub(crate) is_error: bool,
    /// Whether it may be given another service. A context of a handle goes on with the one that it was taken with.
    takes_service: bool,
}

/// Tasks and handles for whoever takes them, and the books.
pub(crate) struct World {
    spans: Mutex<HashMap<u64, Expected>>,
    tasks: Mutex<Vec<Task>>,
    handles: Mutex<Vec<Arc<Span>>>,
    acts_left: AtomicI64,
    /// Whether some tags are so long that they are not simply copied along.
    has_long_tags: bool,
}

impl World {
    pub(crate) fn new(seed: u64, acts: i64) -> Arc<Self> {
        Arc::new(Self {
            spans: Mutex::default(),
            tasks: Mutex::default(),
            handles: Mutex::default(),
            acts_left: AtomicI64::new(acts),
            has_long_tags: seed % 3 == 0,
        })
    }

    /// Whether there is one more act to do.
    pub(crate) fn may_act(&self) -> bool {
        self.acts_left.fetch_sub(1, Ordering::Relaxed) > 0
    }

    /// The books, at the end.
    pub(crate) fn spans(&self) -> HashMap<u64, Expected> {
        lock(&self.spans).clone()
    }

    /// Books a new span. Where no tracer is, there is none.
    pub(crate) fn born(&self, id: u64, parent: u64, tags: &[(&str, &str)]) {
        if id == 0 {
            return;
        }
        let mut spans = lock(&self.spans);
        let service = spans.get(&parent).map_or(SERVICE.to_owned(), |parent| parent.service.clone());
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let before = spans.insert(id, Expected { parent, service, tags, ..Expected::default() });
        assert!(before.is_none(), "two spans with the same id");
    }

    /// Books a new span of a function, which may be given another service.
    pub(crate) fn called(&self, id: u64, parent: u64, tags: &[(&str, &str)]) {
        self.born(id, parent, tags);
        self.edit(id, |span| span.takes_service = true);
    }

    pub(crate) fn set_tag(&self, id: u64, key: &str, value: &str) {
        self.edit(id, |span| drop(span.tags.insert(key.to_owned(), value.to_owned())));
    }

    pub(crate) fn unset_tag(&self, id: u64, key: &str) {
        self.edit(id, |span| drop(span.tags.remove(key)));
    }

    pub(crate) fn set_service(&self, id: u64, service: &str) {
        self.edit(id, |span| service.clone_into(&mut span.service));
    }

    pub(crate) fn takes_service(&self, id: u64) -> bool {
        lock(&self.spans).get(&id).is_some_and(|span| span.takes_service)
    }

    /// Panics, as the span's function is meant to.
    pub(crate) fn fall(&self, id: u64) -> ! {
        self.edit(id, |span| span.is_error = true);
        resume_unwind(Box::new(Fall))
    }

    fn edit(&self, id: u64, edit: impl FnOnce(&mut Expected)) {
        if let Some(span) = lock(&self.spans).get_mut(&id) {
            edit(span);
        }
    }

    /// A value for a tag: mostly short.
    pub(crate) fn value(&self, dice: &mut Dice) -> String {
        let length = match dice.below(12) {
            0 => 40,
            1 => 300,
            2 if self.has_long_tags => 5_000,
            _ => 3,
        };
        let letter = ["a", "m", "z"][dice.below(3) as usize];
        format!("{}{}", letter.repeat(length), dice.below(1_000))
    }

    /// Leaves a task to whoever takes it.
    pub(crate) fn give(&self, task: Task) {
        lock(&self.tasks).push(task);
    }

    /// As [`World::give`], but it is taken last.
    pub(crate) fn give_to_the_last(&self, task: Task) {
        lock(&self.tasks).insert(0, task);
    }

    pub(crate) fn take_latest(&self) -> Option<Task> {
        lock(&self.tasks).pop()
    }

    pub(crate) fn take_any(&self, dice: &mut Dice) -> Option<Task> {
        let mut tasks = lock(&self.tasks);
        dice.index(tasks.len()).map(|at| tasks.swap_remove(at))
    }

    /// Leaves a handle to whoever finishes it.
    pub(crate) fn give_handle(&self, handle: &Arc<Span>) {
        lock(&self.handles).push(Arc::clone(handle));
    }

    pub(crate) fn take_handle(&self) -> Option<Arc<Span>> {
        lock(&self.handles).pop()
    }

    pub(crate) fn drop_handles(&self) {
        lock(&self.handles).clear();
    }
}

/// The span that is active here, 0 if none is.
pub(crate) fn active() -> u64 {
    active_span().span_id().as_u64()
}

/// A lock that does not hide the panic that poisoned it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is thrown by a panic that is part of the play.
struct Fall;

/// Goes on after [`World::fall`], with `None`, but not after a panic that nobody meant.
pub(crate) fn may_fall<R>(call: impl FnOnce() -> R) -> Option<R> {
    let is_meant = |panic: &Box<dyn Any + Send>| panic.is::<Fall>();
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => Some(result),
        Err(panic) if is_meant(&panic) => None,
        Err(panic) => resume_unwind(panic),
    }
}
