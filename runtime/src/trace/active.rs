//! The active span, from anywhere on its thread.

use std::error::Error;
use std::marker::PhantomData;
use std::sync::Arc;

use super::context::{Place, SpanContext};
use super::error::ErrorInfo;
use super::handle::{SpanCell, overrule};
use super::owned::Edit;
use super::special::{Asked, is_special};
use super::stack::{Active, Bearer, Stack, with_stack};
use crate::model::{
    EntryKind, Flags, ManualTag, NO_INDEX, SamplingPriority, SpanEvent, SpanId, SpanLink, TagValue,
};
use crate::sampling::WhySampled;

/// The span that is active on this thread now; without one, something on which every method does nothing.
///
/// ```
/// dd_traced::active_span().set_tag("customer.tier", "gold");
/// ```
pub fn active_span() -> ActiveSpan {
    let target = match with_stack(Stack::active).flatten() {
        None => Target::None,
        Some(Active::Record { index, span_id }) => Target::Here { index, span_id },
        Some(Active::Polled { span_id }) => Target::Here { index: NO_INDEX, span_id },
        Some(Active::Handle(cell)) => Target::Handle(cell),
        Some(Active::Context { span_id, token }) => Target::Context { span_id, token },
    };
    ActiveSpan { target, stays_on_its_thread: PhantomData }
}

/// A view of the span that was active when [`active_span`] was called. It stays on its thread.
///
/// Every setter works until that span is finished, and does nothing afterwards.
#[derive(Debug)]
pub struct ActiveSpan {
    target: Target,
    stays_on_its_thread: PhantomData<*const ()>,
}

#[derive(Debug)]
enum Target {
    None,
    /// A record of this thread's lines, or the span of a future that it polls.
    Here {
        index: u32,
        span_id: u64,
    },
    Handle(Arc<SpanCell>),
    /// A context from elsewhere: it has ids, but no span here to change.
    Context {
        span_id: u64,
        /// Of its activation.
        token: u64,
    },
}

impl ActiveSpan {
    /// Whether there is a span here that can still be changed.
    pub fn is_recording(&self) -> bool {
        match &self.target {
            Target::None | Target::Context { .. } => false,
            Target::Here { .. } => {
                let mut is_open = false;
                self.edit(|_| is_open = true);
                is_open
            }
            Target::Handle(cell) => !cell.is_finished(),
        }
    }

    /// Changes the service, for this span and for children started later.
    pub fn set_service(&self, service: impl AsRef<str>) {
        let service = service.as_ref();
        match &self.target {
            Target::Handle(cell) => cell.set_service(service),
            Target::Here { index, span_id } => {
                with_stack(|stack| stack.set_service(*index, *span_id, service));
            }
            Target::None | Target::Context { .. } => {}
        }
    }

    /// The span's context: to inject it, or to be the parent of spans elsewhere. `None` without an active span.
    pub fn context(&self) -> Option<SpanContext> {
        let place = match &self.target {
            Target::None => None,
            Target::Handle(cell) => Some(cell.place()),
            Target::Here { span_id, .. } | Target::Context { span_id, .. } => {
                with_stack(|stack| stack.place_of(*span_id)).flatten()
            }
        };
        place.map(|mut place| {
            if let (Target::Context { .. }, Place::Within { baggage, .. }) = (&self.target, &mut place) {
                *baggage = self.load_baggage();
            }
            SpanContext { place }
        })
    }

    /// Why the trace is kept or not; `None` where that is not decided yet, as until an injection or the end of the trace, and without an
    /// active span. Asking decides nothing, and does not change what will be decided.
    ///
    /// ```
    /// match dd_traced::active_span().why_sampled() {
    ///     Some(why) => println!("this trace is {why}"), // kept by sampling rule 2 (rate 0.25), limiter at 1
    ///     None => println!("not decided yet"),
    /// }
    /// ```
    pub fn why_sampled(&self) -> Option<WhySampled> {
        let decision = match &self.target {
            Target::None => None,
            Target::Handle(cell) => cell.decision(),
            Target::Here { span_id, .. } | Target::Context { span_id, .. } => {
                with_stack(|stack| stack.decision_of(*span_id)).flatten()
            }
        };
        decision.map(WhySampled::of)
    }

    /// The span id, 0 without an active span.
    pub fn span_id(&self) -> SpanId {
        SpanId::new(match &self.target {
            Target::None => 0,
            Target::Here { span_id, .. } | Target::Context { span_id, .. } => *span_id,
            Target::Handle(cell) => cell.span_id(),
        })
    }

    /// The handle that is active.
    pub(super) fn handle(&self) -> Option<&Arc<SpanCell>> {
        if let Target::Handle(cell) = &self.target { Some(cell) } else { None }
    }

    /// Who has baggage here, reached through this thread's stack.
    pub(super) fn bearer(&self) -> Option<Bearer> {
        match &self.target {
            Target::Here { span_id, .. } => Some(Bearer::Span(*span_id)),
            Target::Context { token, .. } => Some(Bearer::Activation(*token)),
            Target::None | Target::Handle(_) => None,
        }
    }

    /// The time on the span's clock.
    fn ticks(&self) -> Option<u64> {
        match &self.target {
            Target::None | Target::Context { .. } => None,
            Target::Here { .. } => with_stack(|stack| stack.ticks()).flatten(),
            Target::Handle(cell) => Some(cell.ticks()),
        }
    }

    fn edit(&self, f: impl FnOnce(&mut Edit<'_>)) {
        match &self.target {
            Target::None | Target::Context { .. } => {}
            Target::Here { index, span_id } => {
                with_stack(|stack| stack.edit(*index, *span_id, f));
            }
            Target::Handle(cell) => cell.edit(f),
        }
    }

    fn overrule(&self, priority: SamplingPriority) {
        if let Some(SpanContext { place: Place::Within { segment, .. } }) = self.context() {
            overrule(&segment, priority);
        }
    }
}

super::setters::setters!(ActiveSpan);
