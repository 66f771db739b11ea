//! How the span of a future comes onto the stack for a poll or for the future's drop, and off it again.
//!
//! Nothing here knows the future's type, so that a traced future costs its user little code.

use super::error::ErrorInfo;
use super::finding::Finding;
use super::handle::overrule;
use super::holder::{Holder, OUT};
use super::stack::{with_records, with_stack};
use super::tag_set::TagSet;
use crate::model::{NO_INDEX, SamplingPriority};

/// The span between polls. It stands before its future: dropped first, it makes an unfinished span active for the future's drop.
#[derive(Debug)]
pub(super) struct Before(Holder);

/// What finishes the span of a future that was dropped unfinished. It stands after the future.
#[derive(Debug)]
pub(super) struct After {
    /// [`OUT`] before the start and after the end.
    span_id: u64,
}

/// What stands before and after a future with this span.
#[inline]
pub(super) fn around(holder: Holder) -> (Before, After) {
    let span_id = holder.span_id();
    (Before(holder), After { span_id })
}

impl Before {
    /// Gives a span its tags before the first poll.
    #[inline(never)]
    pub(super) fn describe(&mut self, tags: &dyn TagSet) {
        if let Holder::Owned(frame) = &mut self.0 {
            frame.describe(tags);
        }
    }
}

impl Before {
    /// Decides about the trace of the span.
    #[cold]
    pub(super) fn overrule(&self, priority: SamplingPriority) {
        if let Holder::Owned(frame) = &self.0 {
            frame.segment.iter().for_each(|segment| overrule(segment, priority));
        }
    }
}

impl After {
    #[inline]
    pub(super) fn is_started(&self) -> bool {
        self.span_id != OUT
    }
}

impl Drop for Before {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.0, Holder::None) {
            enter_for_drop(&mut self.0);
        }
    }
}

impl Drop for After {
    #[inline]
    fn drop(&mut self) {
        if self.is_started() {
            finish_dropped(self.span_id);
        }
    }
}

/// A span that has not started yet never starts: its future was not polled.
#[inline(never)]
fn enter_for_drop(holder: &mut Holder) {
    if let Holder::Owned(frame) = holder {
        frame.was_panicking = std::thread::panicking();
        holder.enter();
    }
}

#[inline(never)]
fn finish_dropped(span_id: u64) {
    with_stack(|stack| {
        let is_new = std::thread::panicking() && !stack.was_panicking(span_id);
        stack.finish_poll(span_id, is_new.then(ErrorInfo::panic).as_ref());
    });
}

/// A poll that is going on.
pub(super) struct Polling<'a> {
    before: &'a mut Before,
    after: &'a mut After,
    end: End,
}

/// How a poll ends.
enum End {
    /// The span is marked now, and finished when its future is dropped.
    Panic,
    /// What was active before is so again; the span goes on.
    Pause,
    Finish,
}

impl<'a> Polling<'a> {
    /// Makes the span active until this is dropped.
    #[inline]
    pub(super) fn begin(before: &'a mut Before, after: &'a mut After) -> Self {
        if !matches!(before.0, Holder::None) {
            enter(&mut before.0, after);
        }
        Self { before, after, end: End::Panic }
    }

    #[inline]
    pub(super) fn is_recorded(&self) -> bool {
        self.after.is_started()
    }

    /// The future goes on.
    #[inline]
    pub(super) fn pauses(&mut self) {
        self.end = End::Pause;
    }

    /// The future is ready.
    #[inline]
    pub(super) fn finishes(&mut self) {
        self.end = End::Finish;
    }

    /// Writes to the span what was found in the result.
    #[inline]
    pub(super) fn found<S: Finding>(&mut self, finding: S) {
        if !finding.is_empty() {
            self.write_owned(finding);
        }
    }

    #[cold]
    #[inline(never)]
    #[expect(clippy::needless_pass_by_value, reason = "it is dropped here, and not in each function")]
    fn write_owned<S: Finding>(&mut self, finding: S) {
        self.write(&finding);
    }

    #[cold]
    fn write(&mut self, finding: &dyn Finding) {
        if let Holder::Owned(frame) = &mut self.before.0 {
            // The stack cannot be reached.
            frame.edit_told(|edit| finding.write(edit));
        } else {
            with_stack(|stack| stack.edit(NO_INDEX, self.after.span_id, |edit| finding.write(edit)));
        }
    }

    #[cold]
    #[inline(never)]
    fn panicked(&mut self) {
        self.write(&Some(Box::new(ErrorInfo::panic())));
        leave(&mut self.before.0, self.after.span_id);
    }
}

impl Drop for Polling<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_recorded() {
            match self.end {
                End::Panic => self.panicked(),
                End::Pause => leave(&mut self.before.0, self.after.span_id),
                End::Finish => finish(&mut self.before.0, self.after),
            }
        }
    }
}

#[inline(never)]
fn enter(holder: &mut Holder, after: &mut After) {
    if !matches!(holder, Holder::Owned(_)) {
        holder.start();
        after.span_id = holder.span_id();
    }
    holder.enter();
}

/// Takes the span off the stack again.
#[inline(never)]
fn leave(holder: &mut Holder, span_id: u64) {
    if let Some(frame) = with_records(|stack| stack.leave_poll(span_id)) {
        holder.take_back(frame);
    }
}

#[inline(never)]
fn finish(holder: &mut Holder, after: &mut After) {
    let span_id = std::mem::replace(&mut after.span_id, OUT);
    if matches!(holder, Holder::None) {
        return finish_frame(span_id, None);
    }
    // Where the stack cannot be reached, the span finishes by being dropped.
    *holder = Holder::None;
}

/// Finishes a span that is on the stack.
pub(super) fn finish_frame(span_id: u64, error: Option<&ErrorInfo>) {
    with_stack(|stack| stack.finish_poll(span_id, error));
}
