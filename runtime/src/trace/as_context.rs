//! What a span is named by: in an argument of `#[traced]`, or for the headers of a call.

use std::sync::Arc;

use super::active::ActiveSpan;
use super::context::{Place, SpanContext};
use super::handle::Span;
use super::segment::Segment;
use crate::model::{Baggage, SpanLink, Upstream};

/// Names a span: as the parent, to be linked to, or for the headers of a call. A [`SpanContext`], a [`Span`], the active span, or an
/// `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a span",
    label = "not a context or span",
    note = "use a `SpanContext`, a `Span` or `active_span()`, perhaps in an `Option`"
)]
pub trait AsContext {
    /// `None` where there is no such span.
    #[doc(hidden)]
    fn as_context(&self) -> Option<SpanContext>;

    /// Looks at the span, where there is one, without a share in it.
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate looks at spans")]
    fn look(&self, f: &mut dyn FnMut(Seen<'_>)) {
        if let Some(context) = self.as_context() {
            context.look(f);
        }
    }
}

/// A span that is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// Of this process.
    Own { segment: &'a Arc<Segment>, span_id: u64, baggage: Option<&'a Baggage> },
    /// Of another process.
    Remote { upstream: &'a Upstream, baggage: Option<&'a Baggage> },
}

impl AsContext for SpanContext {
    fn as_context(&self) -> Option<SpanContext> {
        Some(self.clone())
    }

    #[expect(private_interfaces, reason = "sealed: only this crate looks at spans")]
    fn look(&self, f: &mut dyn FnMut(Seen<'_>)) {
        match &self.place {
            Place::Root => {}
            Place::Within { segment, span_id, baggage, .. } => {
                f(Seen::Own { segment, span_id: *span_id, baggage: baggage.as_deref() });
            }
            Place::Remote { upstream, baggage } => f(Seen::Remote { upstream, baggage: baggage.as_deref() }),
        }
    }
}

impl AsContext for ActiveSpan {
    fn as_context(&self) -> Option<SpanContext> {
        self.context()
    }

    #[expect(private_interfaces, reason = "sealed: only this crate looks at spans")]
    fn look(&self, f: &mut dyn FnMut(Seen<'_>)) {
        match self.handle() {
            Some(cell) => cell.look(f),
            None => {
                if let Some(context) = self.context() {
                    context.look(f);
                }
            }
        }
    }
}

impl AsContext for Span {
    fn as_context(&self) -> Option<SpanContext> {
        Some(self.context())
    }

    #[expect(private_interfaces, reason = "sealed: only this crate looks at spans")]
    fn look(&self, f: &mut dyn FnMut(Seen<'_>)) {
        if let Some(cell) = self.cell() {
            cell.look(f);
        }
    }
}

impl<T: AsContext> AsContext for Option<T> {
    fn as_context(&self) -> Option<SpanContext> {
        self.as_ref().and_then(AsContext::as_context)
    }
}

impl<T: AsContext + ?Sized> AsContext for &T {
    fn as_context(&self) -> Option<SpanContext> {
        (**self).as_context()
    }

    #[expect(private_interfaces, reason = "sealed: only this crate looks at spans")]
    fn look(&self, f: &mut dyn FnMut(Seen<'_>)) {
        (**self).look(f);
    }
}

/// Where a child of the named span belongs.
pub(super) fn place(parent: &impl AsContext) -> Option<Place> {
    parent.as_context().map(|context| context.place)
}

/// A link to the named span; one without ids, which is added to nothing, to a context without a span, as there is where tracing was off.
impl<T: AsContext> From<T> for SpanLink {
    fn from(to: T) -> Self {
        let Some(context) = to.as_context() else { return Self::new(0, 0) };
        let is_kept = context.sampling_priority().map(|priority| priority > 0);
        let link = Self::new(context.trace_id().as_u128(), context.span_id().as_u64()).kept(is_kept);
        let upstream = match &context.place {
            Place::Root => None,
            Place::Within { segment, span_id, .. } => segment.remote(*span_id),
            Place::Remote { upstream, .. } => Some(&**upstream),
        };
        match upstream {
            // What came with the headers besides our own member.
            Some(upstream) => link.tracestate(upstream.tracestate_of_others()),
            None => link,
        }
    }
}

impl SpanLink {
    /// A link to the named span: of this process, or one whose context came with headers.
    pub fn to(context: impl AsContext) -> Self {
        Self::from(context)
    }
}
