//! A small shop, traced: the code to look at before tracing a service of one's own.
//!
//! ```text
//!            ┌── shop ──────────────┐  HTTP, headers   ┌── payments ──┐
//! visitor ──►│ GET /items           │ ───────────────► │ POST /charge │
//!            │ POST /orders         │                  └──────────────┘
//!            │ GET /health          │  channel, SpanContext   ┌── shipping ──┐
//!            └──────────────────────┘ ──────────────────────► │ own thread   │
//!                                                             └──────────────┘
//! ```
//!
//! - [`web`]: the glue for HTTP, to be copied: a span for each request a server takes, headers for each request a client
//!   makes.
//! - [`shop`]: handlers, `#[traced]` functions with tags, errors that mark their spans, log lines with ids.
//! - [`payments`]: a second service, reached over HTTP, in the same trace.
//! - [`shipping`]: work that another thread does later, in the same trace.
//! - [`town`]: all of them on free ports, and a visitor.
//!
//! `cargo run -p dd-traced-examples --bin shop` starts the town, sends the visitor through it and shows the traces.
#![forbid(unsafe_code)]

pub mod logger;
pub mod payments;
pub mod shipping;
pub mod shop;
pub mod town;
pub mod web;
