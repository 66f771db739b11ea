//! A span's life: started on this thread's stack, finished by moving its record out, shipped with its segment.
//!
//! ```text
//! thread-local Stack ── frames ──┬─ line: open and finished records of #[traced] functions, beside their tag bytes
//!                                ├─ polled: the owned span of a future, here for the length of one poll
//!                                └─ entered: a handle or a context activated by hand
//!      │ a line that nothing escaped from: its records go to the queue as they are, as one chunk
//!      └ anything else: joins its Segment, which ships when the last open span closed, or at 300 finished ones
//! ```
//!
//! Nothing here does I/O, waits, or runs foreign code while the stack is borrowed. Invariants: the active span is the latest
//! started one that is still open; a finished record is never changed; a span is in exactly one place.

mod active;
mod as_context;
mod baggage;
mod builder;
mod carry;
mod context;
mod describe;
#[cfg(feature = "tracing")]
mod driven;
mod error;
mod finding;
mod frame;
mod frame_baggage;
mod future;
mod handle;
mod holder;
mod ids;
mod in_context;
mod line_identity;
mod lost;
mod open_limit;
mod owned;
mod owned_start;
mod polling;
mod process;
mod propagate;
mod recorder;
mod running;
#[cfg(feature = "testing")]
mod scope;
mod segment;
mod setters;
mod setup;
mod special;
mod stack;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "enable")]
mod structure;
mod tag_set;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

pub use active::{ActiveSpan, active_span};
pub use as_context::AsContext;
pub use builder::{SpanBuilder, span};
pub use carry::{Carried, carry, carry_fn, carry_mut};
pub use context::{ActiveGuard, SpanContext};
pub use describe::{probe, worded};
pub use error::ErrorInfo;
pub use finding::{Finding, ReturnText, shown};
pub use future::{TraceFuture, Traced};
pub use handle::Span;
pub use in_context::InContext;
pub use owned_start::{EnteredOwned, OwnedStart};
pub use propagate::{extract, inject};
pub use recorder::{AsyncSite, AsyncStart, Entered, Start, in_scope};
pub use running::Running;
#[cfg(feature = "stream")]
pub use stream::{TraceStream, TracedStream};
pub use tag_set::{FieldText, Linked, NoTags, Placed, TagSet, Tagged};

#[cfg(feature = "tracing")]
pub(crate) use error::text;
pub(crate) use line_identity::{LineOwner, WrittenIdentity};
pub(crate) use process::{
    Core, Home, correlates_logs, install, not_recorded, set_correlates_logs, uninstall,
};
#[cfg(feature = "testing")]
pub(crate) use scope::Scope;
pub(crate) use stack::active_identity;
