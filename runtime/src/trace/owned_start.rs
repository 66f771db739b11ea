//! Spans of `#[traced]` functions that do not begin in a line: those of futures that a function returns, and those with a
//! place of their own in a trace.

use std::future::Future;
use std::marker::PhantomData;

use super::context::Place;
use super::error::ErrorInfo;
use super::finding::Finding;
use super::holder::{Holder, OUT};
use super::polling::finish_frame;
use super::process;
use super::recorder::AsyncStart;
use super::running::Running;
use super::setup::Setup;
use super::stack::with_stack;
use super::tag_set::{NoTags, TagSet};
use crate::model::{CallSite, NO_INDEX};

/// A span that starts when it is entered, or when its future is first polled.
#[must_use = "the span starts when it is entered, or when it is given a future to run"]
#[derive(Debug)]
pub struct OwnedStart {
    holder: Holder,
    site: &'static CallSite,
}

impl OwnedStart {
    /// A span of this call site.
    #[inline]
    pub const fn new(site: &'static CallSite) -> Self {
        Self { holder: Holder::Site(site), site }
    }

    /// The tags and the place, evaluated now, so that a future may take the arguments, and only where a tracer is on.
    #[inline]
    pub fn tags<T: TagSet>(mut self, tags: impl FnOnce(NoTags) -> T) -> Self {
        self.holder = if process::is_on() {
            let tags = tags(NoTags);
            prepared(self.site, tags.place(), &tags)
        } else {
            Holder::None
        };
        self
    }

    /// Starts the span; it ends when the guard is dropped.
    #[inline]
    pub fn enter(self) -> EnteredOwned {
        enter(self.holder)
    }

    /// The future under this span.
    #[inline]
    pub fn run<F: Future>(self, future: F) -> Running<F> {
        AsyncStart::of(self.holder).run(future)
    }

    /// The future that a function makes now, under this span.
    #[inline]
    pub fn run_fn<F: Future>(self, make: impl FnOnce() -> F) -> Running<F> {
        self.run(make())
    }
}

#[inline(never)]
fn prepared(site: &'static CallSite, place: Option<Place>, tags: &dyn TagSet) -> Holder {
    Holder::Setup(Box::new(Setup::tagged(site, place, tags)))
}

#[inline(never)]
fn enter(mut holder: Holder) -> EnteredOwned {
    let was_panicking = std::thread::panicking();
    holder.start();
    let span_id = holder.span_id();
    holder.enter();
    EnteredOwned { span_id, was_panicking, stays_on_its_thread: PhantomData }
}

/// The span of a function, on the stack like that of a future for the length of one poll.
#[must_use = "the span ends when this is dropped"]
#[derive(Debug)]
pub struct EnteredOwned {
    /// [`OUT`] where it is not recorded.
    span_id: u64,
    was_panicking: bool,
    stays_on_its_thread: PhantomData<*const ()>,
}

impl EnteredOwned {
    /// Whether somebody wants to know what is found in the returned value.
    #[inline]
    pub const fn is_recorded(&self) -> bool {
        self.span_id != OUT
    }

    /// Writes to the span what was found in the returned value.
    #[inline]
    pub fn found<S: Finding>(&self, finding: S) {
        if !finding.is_empty() {
            write(self.span_id, finding);
        }
    }
}

impl Drop for EnteredOwned {
    fn drop(&mut self) {
        if !self.is_recorded() {
            return;
        }
        let panic = (!self.was_panicking && std::thread::panicking()).then(ErrorInfo::panic);
        finish_frame(self.span_id, panic.as_ref());
    }
}

#[cold]
#[expect(clippy::needless_pass_by_value, reason = "it is dropped here, and not in each function")]
fn write<S: Finding>(span_id: u64, finding: S) {
    with_stack(|stack| stack.edit(NO_INDEX, span_id, |edit| finding.write(edit)));
}
