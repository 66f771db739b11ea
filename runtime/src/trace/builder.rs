//! Spans by hand: the builder.

use std::borrow::Cow;
use std::panic::Location;
use std::time::SystemTime;

use super::as_context::{AsContext, place};
use super::context::Place;
use super::handle::Span;
use super::process;
use super::setup::Setup;
use super::special::{Asked, is_special};
use super::stack::count_not_recorded;
use crate::model::{EntryKind, Flags, ManualTag, SourceLine, SpanLink, TagValue};

/// Begins a span by hand: a builder, whose [`start`](SpanBuilder::start) gives the [`Span`].
///
/// The name is the kind of work and should be low in cardinality, as in `web.request`; which instance of it goes into the resource. It is cut at
/// 100 bytes.
///
/// ```
/// let span = dd_traced::span("web.request").resource("GET /posts/{id}").span_type("web").tag("http.method", "GET").start();
/// span.set_tag("http.status_code", "200");
/// span.finish();
/// ```
pub fn span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    SpanBuilder { start: None, setup: process::is_on().then(|| Box::new(Setup::named(&name.into()))) }
}

/// What a span starts with. Every method does nothing where tracing is off.
#[must_use = "a span begins with `start`"]
#[derive(Debug)]
pub struct SpanBuilder {
    start: Option<SystemTime>,
    setup: Option<Box<Setup>>,
}

impl SpanBuilder {
    /// The service, instead of the parent's; of a span without a parent, instead of the tracer's. Cut at 100 bytes.
    pub fn service(self, service: impl AsRef<str>) -> Self {
        self.field(EntryKind::Service, service.as_ref())
    }

    /// The resource: which instance of the work this is, such as `GET /posts/{id}`. Defaults to the name; cut at 5 000 bytes.
    pub fn resource(self, resource: impl AsRef<str>) -> Self {
        self.field(EntryKind::Resource, resource.as_ref())
    }

    /// The span type, such as `web`, `sql`, `cache`, `worker`. None by default; cut at 100 bytes.
    pub fn span_type(self, span_type: impl AsRef<str>) -> Self {
        self.field(EntryKind::SpanType, span_type.as_ref())
    }

    /// Gives the span trace metrics of its own. Entry spans of a service have them anyway.
    pub fn measured(mut self) -> Self {
        if let Some(setup) = &mut self.setup {
            setup.edit().flag(Flags::MEASURED, true);
        }
        self
    }

    /// A tag, as [`Span::set_tag`] sets it. A later tag of the same key wins.
    pub fn tag(mut self, key: impl AsRef<str>, value: impl TagValue) -> Self {
        let key = key.as_ref();
        if is_special(key) {
            return self.ask(key, &value);
        }
        if let Some(setup) = &mut self.setup {
            match ManualTag::named(key) {
                None => setup.edit().tag(key, &value),
                Some(tag) => setup.decide(tag.decide(&value)),
            }
        }
        self
    }

    #[cold]
    fn ask(mut self, key: &str, value: &impl TagValue) -> Self {
        let Some(setup) = &mut self.setup else { return self };
        match Asked::of(key, value) {
            Asked::Service(service) => setup.edit().field(EntryKind::Service, &service),
            Asked::Change(change) => setup.edit().change(&change),
            Asked::Tag => setup.edit().tag(key, value),
        }
        self
    }

    /// A number tag.
    pub fn metric(self, key: impl AsRef<str>, value: f64) -> Self {
        self.tag(key, value)
    }

    /// A link to another span: whatever names one, or a [`SpanLink`] that says more. A span has at most 128; further ones are left out and
    /// counted.
    pub fn link(mut self, link: impl Into<SpanLink>) -> Self {
        if let Some(setup) = &mut self.setup {
            setup.edit().link(&link.into());
        }
        self
    }

    /// An item of baggage: sent along to every service that the span and its children call, beside what is inherited. The value
    /// of a key that is inherited is replaced for this span and its children. A key without a character is left out.
    ///
    /// ```
    /// let order = dd_traced::span("order.place").baggage("customer.tier", "gold").start();
    /// assert!(order.baggage("customer.tier").is_none_or(|tier| tier == "gold"));
    /// ```
    pub fn baggage(mut self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        if let Some(setup) = &mut self.setup {
            setup.baggage.get_or_insert_default().set(key.as_ref(), value.as_ref());
        }
        self
    }

    /// The parent, instead of the active span: a [`SpanContext`](crate::SpanContext), a [`Span`], [`active_span()`](crate::active_span), or an `Option` of one. `None` changes nothing,
    /// so that what [`extract`](crate::extract) gives can be handed on as it is.
    ///
    /// ```
    /// # let headers = std::collections::HashMap::<String, String>::new();
    /// let request = dd_traced::span("web.request").child_of(&dd_traced::extract(&headers)).start();
    /// let query = dd_traced::span("db.query").child_of(&request).start();
    /// ```
    pub fn child_of(mut self, parent: &impl AsContext) -> Self {
        if let Some(setup) = &mut self.setup {
            if let Some(place) = place(parent) {
                setup.place = Some(place);
            }
        }
        self
    }

    /// Begins a new trace, whatever is active.
    pub fn root(mut self) -> Self {
        if let Some(setup) = &mut self.setup {
            setup.place = Some(Place::Root);
        }
        self
    }

    /// The start time, instead of now. Times before 1970 count as 1970.
    pub fn start_at(mut self, time: SystemTime) -> Self {
        self.start = Some(time);
        self
    }

    /// Starts the span. It is not active until [`Span::activate`]. Where no tracer runs the span is inert: it records nothing, and its ids are 0.
    #[track_caller]
    pub fn start(self) -> Span {
        let at = Location::caller();
        self.start_at_line(|| SourceLine::of(at))
    }

    /// Starts the span, of this line of the program.
    pub(crate) fn start_at_line(self, source: impl FnOnce() -> SourceLine) -> Span {
        let Some(setup) = self.setup else { return Span::inert() };
        let Some(mut started) = setup.start() else {
            count_not_recorded();
            return Span::inert();
        };
        if let Some(time) = self.start {
            started.span.edit().start_at(time);
        }
        let span = Span::new(started);
        span.list(source);
        span
    }

    fn field(mut self, kind: EntryKind, text: &str) -> Self {
        if let Some(setup) = &mut self.setup {
            setup.edit().field(kind, text);
        }
        self
    }
}
