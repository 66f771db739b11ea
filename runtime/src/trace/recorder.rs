//! What generated code calls: the start of a span at a call site, with its tags, around a body or a future.
//!
//! Everything generic here only forwards; recording lives in functions that are compiled once.

use std::future::Future;
use std::marker::PhantomData;

use super::context::Place;
use super::error::ErrorInfo;
use super::finding::Finding;
use super::handle::overrule;
use super::holder::Holder;
use super::polling::{After, Before, around};
use super::process;
use super::running::Running;
use super::stack::{Stack, count_not_recorded, with_records, with_stack};
use super::tag_set::{NoTags, TagSet};
use crate::model::{CallSite, NO_INDEX, SamplingPriority};

/// A span that is about to start on this thread.
#[must_use = "the span starts when it is entered"]
#[derive(Debug)]
pub struct Start<F = NoTags> {
    site: &'static CallSite,
    tags: F,
}

impl Start {
    /// A span of this call site.
    #[inline]
    pub const fn new(site: &'static CallSite) -> Self {
        Self { site, tags: NoTags }
    }

    /// The tags, evaluated before the span starts and only where a tracer is on.
    #[inline]
    pub fn tags<T: TagSet, F: FnOnce(NoTags) -> T>(self, tags: F) -> Start<Given<F>> {
        Start { site: self.site, tags: Given(tags) }
    }

    /// Starts the span; it ends when the guard is dropped.
    #[inline]
    pub fn enter(self) -> Entered {
        if process::is_on() { Entered::new(start(self.site)) } else { Entered::INERT }
    }
}

/// Tags that are not evaluated yet.
#[derive(Debug)]
pub struct Given<F>(F);

impl<T: TagSet, F: FnOnce(NoTags) -> T> Start<Given<F>> {
    /// Starts the span; it ends when the guard is dropped.
    #[inline]
    pub fn enter(self) -> Entered {
        if !process::is_on() {
            return Entered::INERT;
        }
        let tags = self.tags.0(NoTags);
        let entered = Entered::new(start_tagged(self.site, &tags));
        // Of tags that decide nothing this is nothing.
        if let Some(priority) = tags.manual() {
            entered.overrule(priority);
        }
        entered
    }
}

/// Runs a body that may leave by `?` and `return`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so the body is optimized once less often")]
pub fn in_scope<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// A span of a `#[traced]` function, open until this is dropped on the same thread.
#[must_use = "the span ends when this is dropped"]
#[derive(Debug)]
pub struct Entered {
    span_id: u64,
    /// The record's place, with [`WAS_PANICKING`]; [`NO_INDEX`] for nothing.
    index: u32,
    stays_on_its_thread: PhantomData<*const ()>,
}

/// Bit of a place: the thread was unwinding when the span started. No buffer has so many records.
const WAS_PANICKING: u32 = 1 << 31;

impl Entered {
    #[inline]
    fn new((index, span_id): (u32, u64)) -> Self {
        Self { span_id, index, stays_on_its_thread: PhantomData }
    }

    const INERT: Self = Self { span_id: 0, index: NO_INDEX, stays_on_its_thread: PhantomData };

    fn place(&self) -> u32 {
        self.index & !WAS_PANICKING
    }

    /// Whether somebody wants to know what is found in the returned value.
    #[inline]
    pub const fn is_recorded(&self) -> bool {
        self.index != NO_INDEX
    }

    /// Decides about the trace.
    #[cold]
    #[inline(never)]
    fn overrule(&self, priority: SamplingPriority) {
        if let Some(Place::Within { segment, .. }) =
            with_stack(|stack| stack.place_of(self.span_id)).flatten()
        {
            overrule(&segment, priority);
        }
    }

    /// Writes to the span what was found in the returned value.
    #[inline]
    pub fn found<S: Finding>(&self, finding: S) {
        if !finding.is_empty() {
            write(self, finding);
        }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        if self.is_recorded() {
            finish(self.index, self.span_id);
        }
    }
}

/// Place and id of the started record; [`NO_INDEX`] where none was.
#[inline(never)]
fn start(site: &'static CallSite) -> (u32, u64) {
    match with_records(|stack| stack.start_nested(site)) {
        Some(started) => marked(started),
        None => start_otherwise(site, None),
    }
}

#[inline(never)]
fn start_tagged(site: &'static CallSite, tags: &dyn TagSet) -> (u32, u64) {
    let nested = with_records(|stack| {
        let started = stack.start_nested(site)?;
        stack.tag_latest(tags);
        Some(started)
    });
    match nested {
        Some(started) => marked(started),
        None => start_otherwise(site, Some(tags)),
    }
}

/// As [`start`], with everything that may have to be done.
#[inline(never)]
fn start_otherwise(site: &'static CallSite, tags: Option<&dyn TagSet>) -> (u32, u64) {
    match with_stack(|stack| stack.start(site, tags)).flatten() {
        Some(started) => marked(started),
        None => start_listed(site, tags),
    }
}

#[inline]
fn marked((index, span_id): (u32, u64)) -> (u32, u64) {
    (if std::thread::panicking() { index | WAS_PANICKING } else { index }, span_id)
}

/// The start of a span that is listed as an open one, or that can not be recorded.
#[cold]
#[inline(never)]
fn start_listed(site: &'static CallSite, tags: Option<&dyn TagSet>) -> (u32, u64) {
    if !with_stack(Stack::begin_listing).unwrap_or(false) {
        count_not_recorded();
        return (NO_INDEX, 0);
    }
    let started = start_otherwise(site, tags);
    if started.0 != NO_INDEX {
        with_stack(Stack::list_latest);
    }
    started
}

#[inline(never)]
fn finish(index: u32, span_id: u64) {
    let place = index & !WAS_PANICKING;
    if index == place && std::thread::panicking() {
        return finish_panicking(place, span_id);
    }
    if with_records(|stack| stack.finish_nested(place, span_id)).is_none() {
        finish_otherwise(place, span_id);
    }
}

#[inline(never)]
fn finish_otherwise(place: u32, span_id: u64) {
    with_stack(|stack| stack.finish(place, span_id));
}

#[cold]
fn finish_panicking(place: u32, span_id: u64) {
    let panic = ErrorInfo::panic();
    with_stack(|stack| stack.finish_failed(place, span_id, &panic));
}

#[cold]
#[inline(never)]
#[expect(clippy::needless_pass_by_value, reason = "it is dropped here, and not in each function")]
fn write<S: Finding>(entered: &Entered, finding: S) {
    with_stack(|stack| stack.edit(entered.place(), entered.span_id, |edit| finding.write(edit)));
}

/// A span that is about to start for a future.
#[must_use = "the span starts when it is given a future to run"]
#[derive(Debug)]
pub struct AsyncSite {
    site: &'static CallSite,
}

impl AsyncSite {
    /// A span of this call site, under the active one.
    #[inline]
    pub const fn new(site: &'static CallSite) -> Self {
        Self { site }
    }

    /// Starts the span with tags, which are evaluated now, so that the future may take the arguments, and only where a tracer is on.
    #[inline]
    pub fn tags<T: TagSet>(self, tags: impl FnOnce(NoTags) -> T) -> AsyncStart {
        if !process::is_on() {
            return AsyncStart::of(Holder::None);
        }
        // Foreign code runs first: where it panics, there is no span.
        let tags = tags(NoTags);
        let mut start = AsyncStart::of(Holder::started(self.site));
        start.before.describe(&tags);
        if let Some(priority) = tags.manual() {
            start.before.overrule(priority);
        }
        start
    }

    /// The future under this span, which starts now.
    #[inline]
    pub fn run<F: Future>(self, future: F) -> Running<F> {
        let (before, after) = around(Holder::of_site(self.site));
        Running::new(before, future, after)
    }
}

/// A span that has started for a future, or will at its first poll.
#[must_use = "it is the span of a future"]
#[derive(Debug)]
pub struct AsyncStart {
    before: Before,
    after: After,
}

impl AsyncStart {
    #[inline]
    pub(super) fn of(holder: Holder) -> Self {
        let (before, after) = around(holder);
        Self { before, after }
    }

    /// The future under this span.
    #[inline]
    pub fn run<F: Future>(self, future: F) -> Running<F> {
        Running::new(self.before, future, self.after)
    }
}
