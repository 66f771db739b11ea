//! The spans of `tracing` as spans of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracing_core::field::Visit;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::event::failure;
use super::fields::{Service, Status, Tagging};
use crate::model::SourceLine;
use crate::trace::{ErrorInfo, Span, SpanBuilder, active_span, span};
use crate::worker;

/// A layer of `tracing-subscriber` that makes the spans of `tracing` spans of ours.
///
/// Code full of `#[instrument]` then shows up as it is, mixed with `#[traced]`: whichever span was entered last on a thread is the parent of
/// the next, of either kind, also across `.instrument` and `.await`. Fields become tags, typed; some set more than a tag:
///
/// | field | becomes |
/// |---|---|
/// | `service` | the service |
/// | `resource`, `otel.name` | the resource: both name the instance of the work |
/// | `span.type` | the span type |
/// | `otel.kind` | the tag `span.kind`, in lower case |
/// | `otel.status_code` | `error` marks the span as failed, `ok` as not, for good |
/// | `otel.status_description`, `otel.status_message` | the tag `error.message` |
/// | `error` | marks the span as failed, by an error or a text |
///
/// An event of the level `ERROR` marks the active span as failed, by its field `error` or its message; other events leave no trace. A panic
/// marks the spans that it leaves. `follows_from` becomes a link. A span finishes when `tracing` closes it: with its last handle,
/// and not before those under it.
///
/// Install the subscriber for the whole process (`init()`, `set_global_default`). A span that is closed on a thread with another subscriber, or none, does
/// not let go of its parent, which then stays open until its own subscriber is dropped: the registry finds itself through the thread's default.
/// Source: tokio-rs/tracing `tracing-subscriber/src/registry/sharded.rs` (`DataInner`, `clear`).
///
/// Levels are the business of filters, as with any layer; without one the spans of all levels count, those of libraries too. A span that is filtered
/// out is none here either, and those under it belong to the next one above. Without a tracer that runs, the layer does nothing.
///
/// ```
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::{Layer, layer::SubscriberExt, registry};
///
/// let subscriber = registry().with(dd_traced::SpanLayer::new().with_filter(LevelFilter::INFO));
/// # drop(subscriber);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanLayer(());

impl SpanLayer {
    /// The layer.
    pub fn new() -> Self {
        Self(())
    }
}

/// What a span of `tracing` keeps: ours.
#[derive(Debug, Clone)]
pub(super) struct Bridged(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    span: Span,
    /// `otel.status_code` was `ok`: errors do not count any more.
    is_ok: AtomicBool,
    /// Whether the thread was unwinding when the span was last entered.
    was_panicking: AtomicBool,
}

impl Bridged {
    pub(super) fn span(&self) -> &Span {
        &self.0.span
    }

    /// Sets tags and what else fields say. They are not read for a span that is not recorded.
    fn record(&self, visit: impl FnOnce(&mut dyn Visit)) {
        if !self.span().is_recording() {
            return;
        }
        let mut tagging = Tagging::new(self.span());
        visit(&mut tagging);
        match tagging.status {
            Some(Status::Ok) => {
                // Relaxed: of one span, mostly by one thread.
                self.0.is_ok.store(true, Ordering::Relaxed);
                self.span().set_failed(false);
            }
            Some(Status::Error) if !self.is_ok() => self.span().set_failed(true),
            Some(Status::Failed(error)) => self.fail(|| Some(error)),
            _ => {}
        }
    }

    fn fail(&self, error: impl FnOnce() -> Option<ErrorInfo>) {
        if self.span().is_recording() && !self.is_ok() {
            // Without words, those of an earlier failure stay.
            error().map_or_else(|| self.span().set_failed(true), |error| self.span().fail(&error));
        }
    }

    fn is_ok(&self) -> bool {
        self.0.is_ok.load(Ordering::Relaxed)
    }
}

/// Where a span belongs: under the active one, unless it names another parent, or none.
fn placed<S>(
    builder: SpanBuilder,
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) -> SpanBuilder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if attributes.is_contextual() {
        return builder;
    }
    // As `tracing` sees it: the nearest one that is not filtered out.
    let parent = context.span(id).and_then(|span| span.parent()?.extensions().get::<Bridged>().cloned());
    match parent {
        Some(parent) => builder.child_of(&parent.span().context()),
        None => builder.root(),
    }
}

/// Where the span was written down.
fn source(metadata: &Metadata<'static>) -> SourceLine {
    SourceLine { file: metadata.file().unwrap_or("?"), line: metadata.line().unwrap_or(0) }
}

/// Ours, without a lock on the span of `tracing`: what is done with it may run foreign code.
fn bridged<S>(id: &Id, context: &Context<'_, S>) -> Option<Bridged>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    context.span(id)?.extensions().get::<Bridged>().cloned()
}

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // What sends spans is not traced itself.
        if worker::is_worker_thread() {
            return;
        }
        let mut service = Service::default();
        attributes.record(&mut service);
        let mut builder = span(attributes.metadata().name());
        if let Some(service) = service.0 {
            builder = builder.service(service);
        }
        let span = placed(builder, attributes, id, &context).start_at_line(|| source(attributes.metadata()));
        let inside = Inside { span, is_ok: AtomicBool::new(false), was_panicking: AtomicBool::new(false) };
        let made = Bridged(Arc::new(inside));
        made.record(|visit| attributes.record(visit));
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(made);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(bridged) = bridged(id, &context) {
            bridged.record(|visit| values.record(visit));
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        if let (Some(span), Some(followed)) = (bridged(id, &context), bridged(follows, &context)) {
            span.span().add_link(followed.span());
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR || worker::is_worker_thread() {
            return;
        }
        let named = context.event_span(event).and_then(|span| span.extensions().get::<Bridged>().cloned());
        let active = active_span();
        match named {
            Some(bridged) if !event.is_contextual() || bridged.span().span_id() == active.span_id() => {
                bridged.fail(|| failure(event));
            }
            // The active span is one of `#[traced]`, or by hand.
            _ if event.is_contextual() && active.is_recording() => {
                failure(event).map_or_else(|| active.set_failed(true), |error| active.fail(&error));
            }
            _ => {}
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(bridged) = bridged(id, &context) {
            bridged.0.was_panicking.store(thread::panicking(), Ordering::Relaxed);
            bridged.span().enter_here();
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some(bridged) = bridged(id, &context) {
            if thread::panicking() && !bridged.0.was_panicking.load(Ordering::Relaxed) {
                bridged.span().fail(&ErrorInfo::panic());
            }
            bridged.span().leave_here();
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        // It stays with the closed span, for layers that write a last line of it.
        if let Some(bridged) = bridged(&id, &context) {
            bridged.span().finish();
        }
    }
}
