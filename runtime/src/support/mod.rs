//! What helps a user to see what the tracer does: the startup line.
//!
//! Nothing here touches the path of spans. Invariant: no secret is shown; an address is shown without its user info.

mod json;
mod startup;

#[cfg(feature = "doctor")]
pub(crate) use json::on_one_line;
pub(crate) use startup::{log_settings, startup_line};
