//! What is carried from where a span is active to where it goes on: closures, and any value with the context that it came from.

use super::active::active_span;
use super::as_context::AsContext;
use super::context::{ActiveGuard, SpanContext};

/// A closure that runs, on whatever thread, under the span that is active here and now.
///
/// For all that is called once and elsewhere: `std::thread::spawn` and scopes, `spawn_blocking`, `rayon::spawn` and `join`, a pool of one's
/// own. It is `Send` whenever `work` is and, like it, may borrow. Where nothing is active it is `work` as it is: it is made where the span is
/// active, and so not inside of what `rayon::scope` is given, which runs on the pool.
///
/// ```
/// use dd_traced::{carry, span};
///
/// let import = span("batch.import").start();
/// let _active = import.activate();
/// let lines = std::thread::spawn(carry(|| {
///     // spans started here are children of `batch.import`
///     42
/// }));
/// assert_eq!(lines.join().ok(), Some(42));
/// ```
#[must_use = "the closure runs where it is called"]
pub fn carry<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let carried = Carried::new(work);
    move || carried.run(|work| work())
}

/// As [`carry`], for a closure that is called any number of times, with an argument: a call-back, the step of a parallel iterator.
///
/// ```
/// use dd_traced::carry_fn;
///
/// let double = carry_fn(|number: u32| number * 2);
/// assert_eq!([1, 2].map(&double), [2, 4]);
/// ```
#[must_use = "the closure runs where it is called"]
pub fn carry_fn<A, R>(work: impl Fn(A) -> R) -> impl Fn(A) -> R {
    let carried = Carried::new(work);
    move |argument| {
        let _active = carried.enter();
        (carried.value)(argument)
    }
}

/// As [`carry_fn`], for a closure that changes what it holds.
///
/// ```
/// use dd_traced::carry_mut;
///
/// let mut sum = 0;
/// [1, 2].into_iter().for_each(carry_mut(|number: u32| sum += number));
/// assert_eq!(sum, 3);
/// ```
#[must_use = "the closure runs where it is called"]
pub fn carry_mut<A, R>(work: impl FnMut(A) -> R) -> impl FnMut(A) -> R {
    let mut carried = Carried::new(work);
    move |argument| {
        let _active = carried.enter();
        (carried.value)(argument)
    }
}

/// A value with the context that it came from: a message in a channel, a job in a queue.
///
/// It is `Send` and `Sync` as the value is. A context that waits with it holds no memory of the span's but its service and baggage, and
/// keeps no span open.
///
/// ```
/// use dd_traced::{Carried, span};
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let consumer = std::thread::spawn(move || {
///     for order in receiver {
///         let order: Carried<u32> = order;
///         order.run(|order| println!("order {order}, under the span that sent it"));
///     }
/// });
/// let request = span("web.request").start();
/// let active = request.activate();
/// let _ = sender.send(Carried::new(7));
/// # drop((active, sender));
/// # assert!(consumer.join().is_ok());
/// ```
#[must_use = "the context is carried to where this is entered, run or taken apart"]
#[derive(Debug, Clone)]
pub struct Carried<T> {
    value: T,
    context: Option<SpanContext>,
}

impl<T> Carried<T> {
    /// The value with the context that is active here and now, if there is one.
    pub fn new(value: T) -> Self {
        Self { value, context: active_span().context() }
    }

    /// The value with a given context, or with none.
    pub fn with_context(value: T, context: impl AsContext) -> Self {
        Self { value, context: context.as_context() }
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The context; `None` where nothing was active.
    pub fn context(&self) -> Option<&SpanContext> {
        self.context.as_ref()
    }

    /// Makes the context the active one of this thread until the guard is dropped, as [`SpanContext::enter`] does. Without a context
    /// what is active here stays so.
    pub fn enter(&self) -> ActiveGuard {
        self.context.as_ref().map_or_else(ActiveGuard::inert, SpanContext::enter)
    }

    /// Hands the value to `work` while the context is active.
    pub fn run<R>(self, work: impl FnOnce(T) -> R) -> R {
        let _active = self.enter();
        work(self.value)
    }

    /// Another value with the same context. `change` runs under what is active here.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Carried<U> {
        Carried { value: change(self.value), context: self.context }
    }

    /// The value and the context, such as for [`TraceFuture::in_context`](crate::TraceFuture::in_context).
    pub fn into_parts(self) -> (T, Option<SpanContext>) {
        (self.value, self.context)
    }
}
