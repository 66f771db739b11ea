//! How a failure is described on its span.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{Debug, Display, Write};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::SpanEvent;

/// What is known of a failure: the tags `error.type`, `error.message` and `error.stack`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInfo {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
    pub(crate) stack: Option<String>,
}

/// The `error.type` of a panic; that of an error is the path of a type.
const PANIC: &str = "panic";
/// Texts of foreign errors are cut here before they are kept.
const MAX_TEXT: usize = 25_000;
/// Sources of an error that are followed.
const MAX_SOURCES: usize = 32;

impl ErrorInfo {
    /// The panic that is unwinding.
    pub(crate) fn panic() -> Self {
        Self { kind: Cow::Borrowed(PANIC), message: Cow::Borrowed("the function panicked"), stack: None }
    }

    /// Whether it is a panic, of which nothing is known here: its message is the panic hook's alone.
    pub(crate) fn is_panic(&self) -> bool {
        self.kind == PANIC
    }

    /// An error and the chain of its sources; where it has none, its report.
    pub(crate) fn of<E: Error + ?Sized>(error: &E) -> Self {
        let source = catch_unwind(AssertUnwindSafe(|| error.source())).ok().flatten();
        Self {
            // An error that was found by reference is called as itself.
            kind: Cow::Borrowed(std::any::type_name::<E>().trim_start_matches('&')),
            message: Cow::Owned(text(format_args!("{error}"))),
            stack: sources(source).or_else(|| report(format_args!("{error:?}"))),
        }
    }

    /// An error behind a pointer that is none itself, such as `Box<dyn Error>`.
    pub(crate) fn behind<E: Deref<Target: Error>>(error: &E) -> Self {
        Self { kind: Cow::Borrowed(std::any::type_name::<E>()), ..Self::of::<E::Target>(error) }
    }

    /// An error with a message and a report that is no [`Error`], as those are that any error can be put into.
    pub(crate) fn reported<E: Display + Debug>(error: &E) -> Self {
        Self { stack: report(format_args!("{error:?}")), ..Self::described::<E>(format_args!("{error}")) }
    }

    /// A failure that a log line or a field tells of.
    #[cfg(feature = "tracing")]
    pub(crate) fn told(kind: &'static str, message: &str) -> Self {
        Self { kind: Cow::Borrowed(kind), message: Cow::Owned(message.to_owned()), stack: None }
    }

    /// The same with another type of error.
    #[cfg(feature = "tracing")]
    pub(crate) fn with_kind(self, kind: String) -> Self {
        Self { kind: Cow::Owned(kind), ..self }
    }

    /// The event that tells of it.
    ///
    /// Source: `record_exception` in `ddtrace/_trace/span.py` of DataDog/dd-trace-py.
    pub(crate) fn into_event(self) -> SpanEvent {
        let event = SpanEvent::new("exception");
        let event = event.attribute("exception.type", self.kind).attribute("exception.message", self.message);
        match self.stack {
            Some(stack) => event.attribute("exception.stacktrace", stack),
            None => event,
        }
    }

    /// An error by a text of its own choice.
    pub(crate) fn described<E>(message: std::fmt::Arguments<'_>) -> Self {
        Self {
            kind: Cow::Borrowed(std::any::type_name::<E>()),
            message: Cow::Owned(text(message)),
            stack: None,
        }
    }
}

/// A text of foreign making, cut; what it wrote before it failed or grew too long is kept.
pub(crate) fn text(arguments: std::fmt::Arguments<'_>) -> String {
    let mut cut = Cut(String::new());
    // An error here means "long enough", or a `Display` that gave up; one that panics must not take its host along.
    let _ = catch_unwind(AssertUnwindSafe(|| cut.write_fmt(arguments)));
    cut.0
}

fn sources(source: Option<&(dyn Error + 'static)>) -> Option<String> {
    source?;
    let mut chain = Cut(String::new());
    let _ = catch_unwind(AssertUnwindSafe(|| follow(source, &mut chain)));
    Some(chain.0)
}

/// The `Debug` text of an error where it tells more than its message: some print a chain or a backtrace, over several lines.
fn report(debug: std::fmt::Arguments<'_>) -> Option<String> {
    Some(text(debug)).filter(|report| report.contains('\n'))
}

fn follow(mut source: Option<&(dyn Error + 'static)>, chain: &mut Cut) {
    for _ in 0..MAX_SOURCES {
        let Some(error) = source else { break };
        if write!(chain, "{}caused by: {error}", if chain.0.is_empty() { "" } else { "\n" }).is_err() {
            break;
        }
        source = error.source();
    }
}

struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut end = MAX_TEXT.saturating_sub(self.0.len()).min(text.len());
        let is_whole = end == text.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push_str(text.get(..end).unwrap_or_default());
        if is_whole { Ok(()) } else { Err(std::fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_texts_are_cut_between_characters() {
        let long = "é".repeat(20_000);
        let cut = text(format_args!("x{long}"));
        assert_eq!(cut.len(), 24_999);
    }
}
