//! `tracing`: its events carry ids ([`CorrelatedFormat`]), and its spans become spans of ours ([`SpanLayer`]).

mod event;
mod fields;
mod format;
mod json;
mod layer;
mod members;

pub use format::CorrelatedFormat;
pub use layer::SpanLayer;
