//! Lines of `tracing` with ids that somebody else brings.

use std::fmt::{self, Write};

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// A formatter of events behind ids, which a function writes.
pub(super) struct Prefixed<E, I> {
    inner: E,
    ids: I,
    /// Whether the ids are the first members of the object that the formatter writes.
    is_json: bool,
}

impl<E, I: Fn(&mut Writer<'_>) -> fmt::Result> Prefixed<E, I> {
    pub(super) fn text(inner: E, ids: I) -> Self {
        Self { inner, ids, is_json: false }
    }

    pub(super) fn json(inner: E, ids: I) -> Self {
        Self { inner, ids, is_json: true }
    }
}

impl<S, N, E, I> FormatEvent<S, N> for Prefixed<E, I>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N>,
    I: Fn(&mut Writer<'_>) -> fmt::Result,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        (self.ids)(&mut writer)?;
        if !self.is_json {
            return self.inner.format_event(context, writer, event);
        }
        let mut rest = WithoutFirst { writer, is_begun: false };
        self.inner.format_event(context, Writer::new(&mut rest), event)
    }
}

/// Leaves the first character out, which is the brace of an object that was opened before.
struct WithoutFirst<'a> {
    writer: Writer<'a>,
    is_begun: bool,
}

impl Write for WithoutFirst<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let from = usize::from(!std::mem::replace(&mut self.is_begun, true));
        self.writer.write_str(&text[from..])
    }
}
