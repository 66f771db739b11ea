//! What an event of the level `ERROR` says of the failure of its span.

use std::error::Error;
use std::fmt::Debug;

use tracing_core::field::Visit;
use tracing_core::{Event, Field};

use super::fields::{describe, name};
use crate::log::prefix::Announced;
use crate::trace::{ErrorInfo, text};

/// The failure that an event tells of: its field `error`, else its message. `None` where it has neither.
pub(super) fn failure(event: &Event<'_>) -> Option<ErrorInfo> {
    let mut found = Found::default();
    // A message of `dd_log!` is taken without its prefix: the span knows its ids.
    let announced = Announced::enter();
    event.record(&mut found);
    drop(announced);
    let told = found.error_text.or(found.message).map(|message| ErrorInfo::told("error event", &message));
    found.error.or(told)
}

#[derive(Debug, Default)]
struct Found {
    error: Option<ErrorInfo>,
    error_text: Option<String>,
    message: Option<String>,
}

impl Found {
    fn text(&mut self, field: &Field, value: String) {
        match name(field) {
            "error" | "err" => self.error_text = Some(value),
            "message" => self.message = Some(value),
            _ => {}
        }
    }
}

impl Visit for Found {
    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        self.error = Some(describe(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(name(field), "error" | "err" | "message") {
            self.text(field, text(format_args!("{value:?}")));
        }
    }
}
