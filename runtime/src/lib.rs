//! A native Datadog tracer: annotate a function with `#[traced]` and it is a span.
//!
//! ```
//! use dd_traced::{dd_log, traced};
//!
//! #[traced(resource = "POST /orders", tags(order.items = items.len()))]
//! fn place_order(items: &[u32]) -> Result<u64, std::num::TryFromIntError> {
//!     dd_log!(info, "placing an order of {} items", items.len());
//!     let total = add_up(items);
//!     u8::try_from(total)?; // an `Err` marks the span as failed
//!     Ok(total)
//! }
//!
//! #[traced(name = "order.sum", measured)]
//! fn add_up(items: &[u32]) -> u64 {
//!     items.iter().copied().map(u64::from).sum()
//! }
//!
//! let _tracer = dd_traced::init(); // `DD_*` settings; flushes within its deadline when dropped
//! let _ = place_order(&[30, 12]);
//! ```
//!
//! # Spans by annotation
//!
//! [`#[traced]`](macro@traced) works on functions and methods, sync and async, on `impl` blocks and traits. An `Err` or a panic marks the span; nothing else
//! is recorded unless asked.
//!
//! # Spans by hand
//!
//! [`span`] begins one, [`Span::activate`] makes it the active one of its thread, [`TraceFuture::traced`] that of a future.
//! [`active_span`] reaches the active span from anywhere.
//!
//! # Across threads, tasks and processes
//!
//! [`carry`] takes the active context along with a closure, [`TraceFuture::carried`] with a future (`TraceStream::carried` with a stream), [`Carried`] with a message; a [`SpanContext`]
//! is captured in one place and entered in another. [`inject`] writes it into headers, [`extract`] reads it back.
//! [Baggage](ActiveSpan::set_baggage) goes along to every service that is called.
//!
//! # Log lines
//!
//! `dd_log!` writes a line through the `log` crate that carries the ids of the active span; [`dd_format!`] gives its text and
//! [`correlation`] the ids alone to any other logger. Wrappers put them on every line: `CorrelatedLogger` for `log`, `CorrelatedFormat` for
//! `tracing-subscriber`, `CorrelatedDrain` for `slog`. `SpanLayer` makes the spans of `tracing` spans of ours.
//!
//! # Which traces are kept
//!
//! The agent's rates decide, or rules and rates of one's own ([`TracerBuilder::sampling_rules`], `DD_TRACE_SAMPLING_RULES`), or
//! [`keep`](Span::keep) and [`reject`](Span::reject). [`why_sampled`](Span::why_sampled) says which.
//!
//! # Look at it here
//!
//! `DD_TRACE_LOCAL_VIEW=waterfall` prints each trace in the terminal, without an agent.
//!
//! # Settings
//!
//! `DD_*` variables, the configuration files of Datadog, [`Tracer::builder`]; [`settings`] tells what holds, and who said so.
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `enable` | yes | spans are recorded. Without it `#[traced]` gives back the plain function, what is written by hand does nothing, and no client is in the graph: what a library should depend on. What starts, ends and asks a tracer (`init`, `Tracer`, `flush`, `shutdown`, `counters`, `settings`), and `set_struct`, are there with it alone |
//! | `log` | yes | `dd_log!` through the `log` crate, `CorrelatedLogger` |
//! | `tracing` | | `CorrelatedFormat` and `SpanLayer` for `tracing-subscriber` |
//! | `slog` | | `CorrelatedDrain` for `slog` |
//! | `serde` | | [`Correlation`] serializes as a map |
//! | `http` | | [`Inject`] and [`Extract`] for `http::HeaderMap` |
//! | `https` | | an `https` agent address |
//! | `stream` | | `TraceStream`: a span for a `Stream` of `futures-core` |
//! | `testing` | | a scoped in-memory tracer for tests of instrumented code |
//! | `doctor` | | the program `dd-traced-doctor`, which looks for the reason when nothing arrives; for `cargo install` |
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without `enable` nothing starts a tracer, so that most of what records is compiled and never reached.
#![cfg_attr(not(feature = "enable"), allow(dead_code, unused_imports))]

mod clock;
mod config;
mod diagnostics;
#[cfg(feature = "doctor")]
#[doc(hidden)]
pub mod doctor;
mod export;
#[cfg(all(feature = "enable", any(fuzzing, test)))]
#[doc(hidden)]
pub mod foreign;
#[cfg(feature = "enable")]
mod global;
mod log;
#[doc(hidden)]
pub mod macro_support;
mod model;
mod propagation;
mod sampling;
mod stats;
#[cfg(feature = "enable")]
mod support;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod worker;

#[cfg(feature = "log")]
pub use dd_traced_macros::dd_log;
pub use dd_traced_macros::{dd_format, traced};

#[cfg(feature = "slog")]
pub use crate::log::CorrelatedDrain;
#[cfg(feature = "log")]
pub use crate::log::CorrelatedLogger;
#[cfg(feature = "tracing")]
pub use crate::log::{CorrelatedFormat, SpanLayer};
pub use crate::log::{
    Correlation, CorrelationFields, CorrelationId, correlation, logs_injection, set_logs_injection,
};
pub use config::{Origin, Setting, SettingValue, SettingsTable};
pub use diagnostics::{Level as LogLevel, MessageLogger};
pub use export::{Counters, DropReason};
#[cfg(feature = "enable")]
pub use global::{StartError, Tracer, TracerBuilder, TracerGuard, counters, flush, init, settings, shutdown};
pub use model::{AttributeValue, SpanEvent, SpanId, SpanLink, TagValue, TraceId};
pub use propagation::{Extract, Inject};
pub use sampling::{SamplingStep, WhySampled};
pub use trace::{
    ActiveGuard, ActiveSpan, AsContext, Carried, InContext, Span, SpanBuilder, SpanContext, TraceFuture,
    Traced, active_span, carry, carry_fn, carry_mut, extract, inject, span,
};
#[cfg(feature = "stream")]
pub use trace::{TraceStream, TracedStream};
pub use worker::settings::LocalView;
