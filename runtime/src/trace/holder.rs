//! The span that a future holds: how it comes onto the stack for a poll, and off it again.
//!
//! Nothing here knows the future's type, so that a traced future costs its user little code.

use std::mem::ManuallyDrop;

use super::context::ActiveGuard;
use super::error::ErrorInfo;
use super::finding::Finding;
use super::frame::Frame;
use super::handle::Span;
use super::process;
use super::setup::Setup;
use super::stack::{with_records, with_stack};
use crate::model::{CallSite, NO_INDEX};

/// The span of a future, between polls.
#[derive(Debug)]
pub(crate) enum Holder {
    /// Not recorded, or finished.
    None,
    /// The macro's; empty while it is on the stack.
    Owned(Option<Box<Frame>>),
    /// The user's.
    Handle(Span),
    /// Not started yet.
    Site(&'static CallSite),
    /// Not started yet, and described already.
    Setup(Box<Setup>),
}

impl Holder {
    /// Starts a span that has not started yet.
    #[cold]
    pub(super) fn start(&mut self) {
        *self = match std::mem::replace(self, Holder::None) {
            Holder::Site(site) => Holder::of_site(site),
            Holder::Setup(setup) => {
                let frame = setup.start().and_then(|owned| with_stack(|stack| stack.polled(owned)));
                frame.map_or_else(Holder::not_recorded, |frame| Holder::Owned(Some(frame)))
            }
            started => started,
        }
    }

    /// A span of this call site, started now under the active one.
    #[inline]
    pub(super) fn of_site(site: &'static CallSite) -> Self {
        if process::is_on() { start_frame(site) } else { Holder::None }
    }

    #[cold]
    fn not_recorded() -> Self {
        process::count_not_recorded();
        Holder::None
    }

    /// A future that was never polled has no span.
    pub(super) fn give_up_start(&mut self) {
        if matches!(self, Holder::Site(_) | Holder::Setup(_)) {
            *self = Holder::None;
        }
    }
}

#[inline(never)]
fn start_frame(site: &'static CallSite) -> Holder {
    match with_stack(|stack| stack.start_polled(site)).flatten() {
        Some(frame) => Holder::Owned(Some(frame)),
        None => Holder::not_recorded(),
    }
}

/// A poll that is going on, or the dropping of a future. It is dropped only by a panic inside.
pub(super) struct Polling<'a> {
    holder: &'a mut Holder,
    /// What was entered for it; [`OUT`] where the span is not on the stack.
    token: u64,
}

/// No token: the span is not recorded, or the stack cannot be reached.
pub(super) const OUT: u64 = 0;

impl<'a> Polling<'a> {
    /// Makes the span active.
    #[inline]
    pub(super) fn begin(holder: &'a mut Holder) -> Self {
        let token = match holder {
            Holder::Owned(frame) => enter_frame(frame),
            Holder::None => OUT,
            _ => enter_other(holder),
        };
        Self { holder, token }
    }

    #[inline]
    pub(super) fn is_recorded(&self) -> bool {
        !matches!(self.holder, Holder::None)
    }

    /// Writes to the span, wherever it is.
    #[cold]
    pub(super) fn write(&mut self, finding: &dyn Finding) {
        write(self.holder, self.token, finding);
    }

    /// Makes active what was so before; the span goes on.
    #[inline]
    pub(super) fn pause(self) {
        let this = &mut *ManuallyDrop::new(self);
        match &mut this.holder {
            _ if this.token == OUT => {}
            Holder::Owned(place) => *place = leave_frame(this.token),
            _ => leave_other(this.token),
        }
    }

    /// Ends the span for good.
    #[inline]
    pub(super) fn finish(self) {
        let this = &mut *ManuallyDrop::new(self);
        if this.is_recorded() {
            finish(this.holder, this.token);
        }
    }
}

impl Drop for Polling<'_> {
    /// The span is marked now, and finished when its future is dropped.
    #[cold]
    fn drop(&mut self) {
        write(self.holder, self.token, &Some(Box::new(ErrorInfo::panic())));
        Polling { holder: self.holder, token: self.token }.pause();
    }
}

#[inline(never)]
fn enter_other(holder: &mut Holder) -> u64 {
    match holder {
        Holder::Handle(span) => span.activate().into_token(),
        Holder::Owned(frame) => enter_frame(frame),
        Holder::None => OUT,
        Holder::Site(_) | Holder::Setup(_) => {
            holder.start();
            enter_other(holder)
        }
    }
}

/// Takes an owned span off the stack again.
#[inline(never)]
fn leave_frame(span_id: u64) -> Option<Box<Frame>> {
    with_records(|stack| stack.leave_poll(span_id))
}

#[inline(never)]
fn leave_other(token: u64) {
    drop(ActiveGuard::of_token(token));
}

#[inline(never)]
fn finish(holder: &mut Holder, token: u64) {
    match std::mem::replace(holder, Holder::None) {
        // On a thread whose stack it never entered or cannot reach, an owned span finishes by being dropped.
        Holder::Owned(_) if token != OUT => finish_frame(token, None),
        Holder::Handle(span) => {
            drop(ActiveGuard::of_token(token));
            span.finish();
        }
        _ => {}
    }
}

#[cold]
fn write(holder: &mut Holder, token: u64, finding: &dyn Finding) {
    match holder {
        Holder::Owned(Some(frame)) => {
            if let Some(mut edit) = frame.edit() {
                finding.write(&mut edit);
            }
        }
        Holder::Owned(None) => {
            with_stack(|stack| stack.edit(NO_INDEX, token, |edit| finding.write(edit)));
        }
        Holder::Handle(span) => span.edit(|edit| finding.write(edit)),
        Holder::None | Holder::Site(_) | Holder::Setup(_) => {}
    }
}

/// Puts an owned span on the stack; gives its id, or [`OUT`] where the stack cannot be reached.
#[inline(never)]
pub(super) fn enter_frame(frame: &mut Option<Box<Frame>>) -> u64 {
    let entered = with_stack(|stack| {
        let frame = frame.take()?;
        let span_id = frame.span_id;
        stack.enter_poll(frame);
        Some(span_id)
    });
    entered.flatten().unwrap_or(OUT)
}

/// Finishes a span that is on the stack.
pub(super) fn finish_frame(span_id: u64, error: Option<&ErrorInfo>) {
    with_stack(|stack| stack.finish_poll(span_id, error));
}
