//! dd-traced
mod clock;
mod config;
mod diagnostics;
mod export;
mod log;
#[doc(hidden)]
pub mod macro_support;
mod model;
mod propagation;
mod sampling;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod worker;

pub use crate::log::{Correlation, CorrelationId, correlation};
#[cfg(feature = "log")]
pub use dd_traced_macros::dd_log;
pub use dd_traced_macros::traced;
pub use export::{Counters, DropReason};
pub use model::{SpanId, TraceId};
pub use propagation::{Extract, Inject};
pub use trace::{
    ActiveGuard, ActiveSpan, Span, SpanBuilder, SpanContext, TraceFuture, Traced, active_span, extract,
    inject, span,
};
