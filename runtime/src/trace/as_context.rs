//! What an argument of `#[traced]` may name another span by.

use super::context::{Place, SpanContext};
use super::handle::Span;
use crate::model::Link;

/// Names another span: as the parent, or to be linked to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a span",
    label = "not a context or span",
    note = "use a `SpanContext` or a `Span`, perhaps in an `Option`"
)]
pub trait AsContext {
    /// `None` where there is no such span.
    #[doc(hidden)]
    fn as_context(&self) -> Option<SpanContext>;
}

impl AsContext for SpanContext {
    fn as_context(&self) -> Option<SpanContext> {
        Some(self.clone())
    }
}

impl AsContext for Span {
    fn as_context(&self) -> Option<SpanContext> {
        Some(self.context())
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
}

/// Where a child of the named span belongs.
pub(super) fn place(parent: &impl AsContext) -> Option<Place> {
    parent.as_context().map(|context| context.place)
}

/// A link to the named span; none to a context without one, as there is where tracing was off.
pub(super) fn link(to: &impl AsContext) -> Option<Link> {
    let context = to.as_context()?;
    let (trace_id, span_id) = (context.trace_id().as_u128(), context.span_id().as_u64());
    let is_kept = context.sampling_priority().map(|priority| priority > 0);
    (trace_id != 0 && span_id != 0).then(|| Link::new(trace_id, span_id, is_kept))
}
