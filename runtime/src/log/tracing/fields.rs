//! What the fields of a `tracing` span say of ours.

use std::error::Error;
use std::fmt::Debug;

use tracing_core::Field;
use tracing_core::field::Visit;

use crate::trace::{ErrorInfo, Span, text};

/// The service that a span begins with, which decides whether it is the entry span of one.
#[derive(Debug, Default)]
pub(super) struct Service(pub(super) Option<String>);

impl Visit for Service {
    fn record_str(&mut self, field: &Field, value: &str) {
        if name(field) == "service" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if name(field) == "service" {
            self.0 = Some(text(format_args!("{value:?}")));
        }
    }
}

/// Writes fields to a span: numbers become number tags, the rest string tags, and a few names are those of the span itself, as
/// [`SpanLayer`](super::SpanLayer) says.
#[derive(Debug)]
pub(super) struct Tagging<'a> {
    span: &'a Span,
    /// Whether the fields say how the work went.
    pub(super) status: Option<Status>,
}

/// How the work of a span went.
#[derive(Debug)]
pub(super) enum Status {
    Ok,
    Error,
    /// With what is known of the failure.
    Failed(ErrorInfo),
}

impl<'a> Tagging<'a> {
    pub(super) fn new(span: &'a Span) -> Self {
        Self { span, status: None }
    }

    fn went(&mut self, status: Status) {
        if !matches!(self.status, Some(Status::Ok)) {
            self.status = Some(status);
        }
    }

    fn text(&mut self, key: &str, value: &str) {
        match key {
            "service" => self.span.set_service(value),
            "resource" | "otel.name" => self.span.set_resource(value),
            "span.type" => self.span.set_span_type(value),
            "otel.kind" => self.span.set_tag("span.kind", value.to_ascii_lowercase()),
            "otel.status_code" => {
                if value.eq_ignore_ascii_case("ok") {
                    self.went(Status::Ok);
                } else if value.eq_ignore_ascii_case("error") {
                    self.went(Status::Error);
                }
            }
            "otel.status_description" | "otel.status_message" => self.span.set_tag("error.message", value),
            "error" => self.went(Status::Failed(ErrorInfo::told("error", value))),
            _ => self.span.set_tag(key, value),
        }
    }
}

impl Visit for Tagging<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.span.set_tag(name(field), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.span.set_tag(name(field), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.span.set_tag(name(field), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.span.set_tag(name(field), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.span.set_tag(name(field), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match name(field) {
            "error" if value => self.went(Status::Error),
            "error" => {}
            key => self.span.set_tag(key, value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(name(field), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        match name(field) {
            "error" => self.went(Status::Failed(describe(value))),
            key => self.span.set_tag(key, text(format_args!("{value}"))),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(name(field), &text(format_args!("{value:?}")));
    }
}

/// An error whose type is not known here: its `Debug` text mostly begins with it.
pub(super) fn describe(error: &(dyn Error + 'static)) -> ErrorInfo {
    let debug = text(format_args!("{error:?}"));
    let end = debug.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(debug.len());
    let kind = debug.get(..end).filter(|kind| kind.starts_with(char::is_uppercase)).unwrap_or("error");
    ErrorInfo::of(error).with_kind(kind.to_owned())
}

/// `r#type` is spelt so for the compiler alone.
pub(super) fn name(field: &Field) -> &'static str {
    field.name().trim_start_matches("r#")
}
