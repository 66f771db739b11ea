//! Formatters of events.

use std::fmt;

use tracing_core::field::Visit;
use tracing_core::{Event, Field, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::json;
use super::layer::Bridged;
use crate::diagnostics::MESSAGES;
use crate::log::correlation::{Correlation, correlation, is_reserved};
use crate::log::logs_injection;
use crate::log::prefix::{Announced, Bracketed, Depth};
use crate::worker;

/// A formatter of events, for the `fmt` subscriber and layer of `tracing-subscriber`, whose lines carry service, env, version and the ids
/// of the active span; those of its explicit parent for an event that names one, where [`SpanLayer`](super::SpanLayer) knows it and no filter of the lines
/// hides it.
///
/// Every option of the formatter inside stays as it was set. Where ids on log lines are switched off (see
/// [`set_logs_injection`](crate::set_logs_injection)), events pass as they are. In any case, of the library's own threads only its messages are written,
/// where they were asked for (`TracerBuilder::messages_to_log`): its HTTP client tells of each request.
///
/// ```
/// use dd_traced::CorrelatedFormat;
///
/// let subscriber = tracing_subscriber::fmt().with_target(false).map_event_format(CorrelatedFormat::text).finish();
/// # drop(subscriber);
/// ```
///
/// With JSON: `tracing_subscriber::fmt().json().flatten_event(true).map_event_format(CorrelatedFormat::json).init()`.
#[derive(Debug, Clone)]
pub struct CorrelatedFormat<E> {
    inner: E,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Json,
}

impl<E> CorrelatedFormat<E> {
    /// For a formatter that writes text: the line starts with `[dd.service=… dd.trace_id=… dd.span_id=…] `.
    pub fn text(inner: E) -> Self {
        Self { inner, form: Form::Text }
    }

    /// For a formatter that writes a JSON object: its last members are `dd.service`, `dd.env`, `dd.version`, `dd.trace_id` and `dd.span_id`,
    /// all strings. Where events are flattened, fields of these names that an event brings itself are left out, also where there is no span.
    pub fn json(inner: E) -> Self {
        Self { inner, form: Form::Json }
    }
}

impl<S, N, E> FormatEvent<S, N> for CorrelatedFormat<E>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // What sends spans has nothing to say in the user's log, unless its messages were asked for; they belong to no trace.
        if worker::is_worker_thread() {
            return if is_message(event) { self.inner.format_event(context, writer, event) } else { Ok(()) };
        }
        if !logs_injection() {
            return self.inner.format_event(context, writer, event);
        }
        let correlation = correlation_of(context, event);
        let _announced = Announced::enter();
        match self.form {
            Form::Text => {
                write!(writer, "{}", Bracketed(&correlation, Depth::here()))?;
                self.inner.format_event(context, writer, event)
            }
            Form::Json => {
                // Where events are flattened, a field is a member of the root.
                let may_have = event.metadata().fields().iter().any(|field| is_reserved(field.name()));
                json::insert(&correlation.fields(), may_have, &mut writer, |writer| {
                    self.inner.format_event(context, writer, event)
                })
            }
        }
    }
}

/// Whether the event is one of the library's own messages: by its target, or by that of the record of `log` that it was.
fn is_message(event: &Event<'_>) -> bool {
    let mut target = Target(event.metadata().target() == MESSAGES);
    if event.metadata().target() == "log" {
        event.record(&mut target);
    }
    target.0
}

/// Looks for what `tracing-log` says of a record. Source: tokio-rs/tracing `tracing-log/src/lib.rs` (`FIELD_NAMES`).
struct Target(bool);

impl Visit for Target {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 |= field.name() == "log.target" && value == MESSAGES;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The ids of the span that an event belongs to.
fn correlation_of<S, N>(context: &FmtContext<'_, S, N>, event: &Event<'_>) -> Correlation
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let active = correlation();
    if event.is_contextual() {
        return active;
    }
    if event.is_root() {
        return active.without_span();
    }
    let parent = event.parent().and_then(|id| context.span(id));
    let bridged = parent.and_then(|parent| parent.extensions().get::<Bridged>().cloned());
    bridged.map_or(active, |bridged| Correlation::of(bridged.span()))
}
