//! The span that a future holds, from its start to its end.
//!
//! Nothing here knows the future's type, so that a traced future costs its user little code.

use super::frame::Frame;
use super::process;
use super::setup::Setup;
use super::stack::{count_not_recorded, with_stack};
use crate::model::CallSite;

/// The span of a future, between polls.
#[derive(Debug)]
pub(crate) enum Holder {
    /// Not recorded, finished, or on the stack.
    None,
    /// Started.
    Owned(Box<Frame>),
    /// Not started yet.
    Site(&'static CallSite),
    /// Not started yet, and described already.
    Setup(Box<Setup>),
}

/// No span.
pub(super) const OUT: u64 = 0;

impl Holder {
    /// A span of this call site, started now under the active one.
    #[inline]
    pub(super) fn of_site(site: &'static CallSite) -> Self {
        if process::is_on() { Holder::started(site) } else { Holder::None }
    }

    /// The same, where it is known that a tracer is on.
    #[inline(never)]
    pub(super) fn started(site: &'static CallSite) -> Self {
        match with_stack(|stack| stack.start_polled(site)).flatten() {
            Some(frame) => Holder::Owned(frame),
            None => Holder::not_recorded(),
        }
    }

    /// Starts a span that has not started yet.
    #[cold]
    pub(super) fn start(&mut self) {
        *self = match std::mem::replace(self, Holder::None) {
            Holder::Site(site) => Holder::of_site(site),
            Holder::Setup(setup) => {
                let is_told = setup.place.is_some();
                let started = setup.start();
                if let Some(started) = &started {
                    started.span.began(!is_told);
                }
                let frame = started.and_then(|owned| with_stack(|stack| stack.polled(owned)));
                frame.map_or_else(Holder::not_recorded, Holder::Owned)
            }
            started => started,
        }
    }

    /// The id of a started span; else [`OUT`].
    #[inline]
    pub(super) fn span_id(&self) -> u64 {
        if let Holder::Owned(frame) = self { frame.span_id } else { OUT }
    }

    /// Puts a started span on the stack, where that can be reached.
    #[inline]
    pub(super) fn enter(&mut self) {
        with_stack(|stack| match std::mem::replace(self, Holder::None) {
            Holder::Owned(frame) => stack.enter_poll(frame),
            left => *self = left,
        });
    }

    /// Takes a span back that was on the stack.
    #[inline]
    pub(super) fn take_back(&mut self, frame: Box<Frame>) {
        let left = std::mem::replace(self, Holder::Owned(frame));
        if matches!(left, Holder::None) {
            // Not worth the call that looks for something to drop.
            std::mem::forget(left);
        }
    }

    #[cold]
    fn not_recorded() -> Self {
        count_not_recorded();
        Holder::None
    }
}
