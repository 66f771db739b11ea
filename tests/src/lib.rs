//! What the tests of dd-traced stand on: a fake agent that decodes what it receives, span trees as text, the APM test agent of
//! Datadog, and child processes with an environment of their own.
//!
//! The tests themselves are in `tests/`, one file per promise, and use the public face of the library only. The programs that
//! they run as child processes are in `src/bin/`.

#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking, and this crate is only for tests"
)]

mod agent;
#[cfg(unix)]
mod bounded;
mod child;
mod date;
mod dice;
mod flood;
mod http;
mod loggers;
mod partner;
mod patience;
mod place;
mod planted;
mod process;
mod ready;
mod report;
mod service;
mod source;
mod statistics;
mod statsd;
mod stream;
mod test_agent;
mod tree;
mod wire;
mod written;

/// The examples of the page, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/context.md")]
mod context_page {}

pub use agent::{Answer, FakeAgent, Received, Request, with_agent, with_agent_at};
#[cfg(unix)]
pub use bounded::{Bounded, set_mode};
pub use child::{Ended, Running, command, run};
pub use dice::Dice;
pub use flood::flooded;
pub use http::{Response, get, send};
pub use loggers::{Line, Loggers};
pub use partner::Partner;
pub use patience::PATIENCE;
pub use place::Place;
pub use planted::{PLANTED, SECRET, SECRET_SETTINGS};
pub use process::{program, with_tracer, with_tracer_of};
pub use ready::{ready, span_of};
pub use report::{Books, Report};
pub use service::{HeaderLines, serve};
pub use source::{repository, rust_files, tokens};
pub use statistics::{StatisticsBucket, StatisticsGroup, StatisticsPayload, decode_statistics};
pub use statsd::{Metric, Statsd};
pub use stream::Address;
pub use test_agent::{TestAgent, python};
pub use tree::SpanTree;
pub use wire::{Blob, SpanEvent, SpanLink, WireSpan, decode_v04, trace_id};
pub use written::Written;
