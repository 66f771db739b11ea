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

/// Texts of foreign errors are cut here before they are kept.
const MAX_TEXT: usize = 25_000;
/// Sources of an error that are followed.
const MAX_SOURCES: usize = 32;

impl ErrorInfo {
    /// The panic that is unwinding.
    pub(crate) fn panic() -> Self {
        Self { kind: Cow::Borrowed("panic"), message: Cow::Borrowed("the function panicked"), stack: None }
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

/// Describing an `Err` by what its type offers, for generated code.
///
/// The macro calls `(&&&&&&&Probe(ret)).__dd_describe()`: method lookup tries the least borrowed receiver first, so that the most telling
/// of the traits below answers. The methods have names that no trait of the user's has.
pub mod describe {
    use super::{Debug, Deref, Display, Error, ErrorInfo};

    /// All traits, without names that could meet the user's.
    pub mod traits {
        pub use super::{
            ByDebug as _, ByDisplay as _, ByError as _, ByReport as _, ByTarget as _, ByType as _,
            NoError as _,
        };
    }

    /// A returned value that is looked at.
    #[derive(Debug)]
    pub struct Probe<'a, T: ?Sized>(pub &'a T);

    /// As it is asked for: of a `Result` these are found before those of [`NoError`], whatever the error can do.
    impl<T, E> Probe<'_, Result<T, E>> {
        /// An `Err` by its `Display` text.
        pub fn __dd_display(&self) -> Option<Box<ErrorInfo>>
        where
            E: Display,
        {
            found(self.0, |error| ErrorInfo::described::<E>(format_args!("{error}")))
        }

        /// An `Err` by its `Debug` text.
        pub fn __dd_debug(&self) -> Option<Box<ErrorInfo>>
        where
            E: Debug,
        {
            found(self.0, |error| ErrorInfo::described::<E>(format_args!("{error:?}")))
        }
    }

    /// `Err` of an [`Error`]: message and sources.
    pub trait ByError {
        /// The description, `None` for a success.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>>;
    }

    impl<T, E: Error> ByError for &&&&&&Probe<'_, Result<T, E>> {
        #[inline]
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            found(self.0, |error| ErrorInfo::of(error))
        }
    }

    /// `Err` of a pointer to an [`Error`]: message and sources.
    pub trait ByTarget {
        /// The description, `None` for a success.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>>;
    }

    impl<T, E: Deref<Target: Error>> ByTarget for &&&&&Probe<'_, Result<T, E>> {
        #[inline]
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            found(self.0, ErrorInfo::behind)
        }
    }

    /// `Err` of something that has a message and a report.
    pub trait ByReport {
        /// The description, `None` for a success.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>>;
    }

    impl<T, E: Display + Debug> ByReport for &&&&Probe<'_, Result<T, E>> {
        #[inline]
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            found(self.0, ErrorInfo::reported)
        }
    }

    /// `Err` of something that has a message.
    pub trait ByDisplay {
        /// The description, `None` for a success.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>>;
    }

    impl<T, E: Display> ByDisplay for &&&Probe<'_, Result<T, E>> {
        #[inline]
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            found(self.0, |error| ErrorInfo::described::<E>(format_args!("{error}")))
        }
    }

    /// `Err` of something for programmers.
    pub trait ByDebug {
        /// The description, `None` for a success.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>>;
    }

    impl<T, E: Debug> ByDebug for &&Probe<'_, Result<T, E>> {
        #[inline]
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            found(self.0, |error| ErrorInfo::described::<E>(format_args!("{error:?}")))
        }
    }

    /// `Err` of something mute: its type is its message.
    pub trait ByType {
        /// The description, `None` for a success.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>>;
    }

    impl<T, E> ByType for &Probe<'_, Result<T, E>> {
        #[inline]
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            found(self.0, |_| ErrorInfo::described::<E>(format_args!("{}", std::any::type_name::<E>())))
        }
    }

    /// What is no `Result` is no error.
    pub trait NoError {
        /// `None`.
        fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
            None
        }

        /// `None`.
        fn __dd_display(&self) -> Option<Box<ErrorInfo>> {
            None
        }

        /// `None`.
        fn __dd_debug(&self) -> Option<Box<ErrorInfo>> {
            None
        }
    }

    impl<T: ?Sized> NoError for Probe<'_, T> {}

    /// The description of an `Err`. What it takes is compiled once for a type of errors, not into each function that may fail.
    #[inline]
    fn found<T, E>(ret: &Result<T, E>, describe: impl FnOnce(&E) -> ErrorInfo) -> Option<Box<ErrorInfo>> {
        match ret {
            Ok(_) => None,
            Err(error) => Some(boxed(error, describe)),
        }
    }

    #[cold]
    #[inline(never)]
    fn boxed<E>(error: &E, describe: impl FnOnce(&E) -> ErrorInfo) -> Box<ErrorInfo> {
        Box::new(describe(error))
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

    #[derive(Debug)]
    struct Refused;
    impl Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("refused")
        }
    }
    impl Error for Refused {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&std::fmt::Error)
        }
    }

    /// As errors are that hold any other.
    struct Report;
    impl Display for Report {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }
    impl Debug for Report {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer\n\nCaused by:\n    inner")
        }
    }

    #[derive(Debug)]
    struct OnlyDebug;
    struct Mute;

    #[test]
    fn the_most_telling_trait_of_an_error_describes_it() {
        let by_error = crate::macro_support::error_of!(&Err::<(), _>(Refused)).unwrap();
        assert_eq!(by_error.message, "refused");
        assert_eq!(
            by_error.stack.as_deref(),
            Some("caused by: an error occurred when formatting an argument")
        );
        let boxed: Result<(), Box<dyn Error + Send>> = Err(Box::new(Refused));
        let by_target = crate::macro_support::error_of!(&boxed).unwrap();
        assert_eq!((&*by_target.message, &by_target.stack), ("refused", &by_error.stack));
        assert_eq!(by_target.kind, "alloc::boxed::Box<dyn core::error::Error + core::marker::Send>");
        let report = crate::macro_support::error_of!(&Err::<(), _>(Report)).unwrap();
        assert_eq!(report.message, "outer");
        assert_eq!(report.stack.as_deref(), Some("outer\n\nCaused by:\n    inner"));
        let text = crate::macro_support::error_of!(&Err::<(), _>("a\ntext")).unwrap();
        assert_eq!((&*text.message, text.stack), ("a\ntext", None));
        assert_eq!(crate::macro_support::error_of!(&Err::<(), _>(OnlyDebug)).unwrap().message, "OnlyDebug");
        assert!(crate::macro_support::error_of!(&Err::<(), _>(Mute)).unwrap().message.ends_with("Mute"));
        assert_eq!(crate::macro_support::error_of!(&Ok::<u8, Refused>(1)), None);
        assert_eq!(crate::macro_support::error_of!(&Some(1)), None);
    }

    #[test]
    fn an_error_is_described_as_it_is_asked_for() {
        use describe::{NoError as _, Probe};
        let message = |found: Option<Box<ErrorInfo>>| found.map(|error| error.message.into_owned());
        let failed = Err::<(), _>(Refused);
        assert_eq!(message(Probe(&failed).__dd_display()).as_deref(), Some("refused"));
        assert_eq!(message(Probe(&failed).__dd_debug()).as_deref(), Some("Refused"));
        assert_eq!(Probe(&Ok::<u8, Refused>(1)).__dd_display(), None);
        assert_eq!((Probe(&1).__dd_display(), Probe(&Mute).__dd_debug()), (None, None));
    }

    #[test]
    fn endless_texts_are_cut_between_characters() {
        let long = "é".repeat(20_000);
        let cut = text(format_args!("x{long}"));
        assert_eq!(cut.len(), 24_999);
    }

    struct Hostile;
    impl Display for Hostile {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            std::panic::resume_unwind(Box::new("display"))
        }
    }

    #[test]
    fn an_error_whose_message_panics_is_still_an_error() {
        assert!(crate::macro_support::error_of!(&Err::<(), _>(Hostile)).is_some());
    }
}
