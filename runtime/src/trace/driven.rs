//! Spans that somebody else drives: another library says when they are entered, left and finished.

use super::handle::Span;
use super::stack::with_stack;

impl Span {
    /// Makes the span the active one of this thread until [`Span::leave_here`]. Whoever drives it keeps no guard: that would have to stay on
    /// this thread, and what drives spans may be anywhere.
    pub(crate) fn enter_here(&self) {
        // The activation ends by its span, or with it.
        std::mem::forget(self.activate());
    }

    /// Ends the latest activation of the span on this thread; nothing where there is none.
    pub(crate) fn leave_here(&self) {
        with_stack(|stack| stack.leave_latest(self.span_id().as_u64()));
    }
}
