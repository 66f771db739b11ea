//! Describing an `Err` by what its type offers, for generated code.
//!
//! The compiler's search for a method chooses: a type below has the method where the error offers what that needs, and is a
//! pointer to the next one. So the most telling description is found first, and generated code needs no trait in scope. The methods
//! have names that no trait of the user's has.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

use super::error::ErrorInfo;

/// A returned value, for a description by what the type of its error offers. Without `is_recorded` there is nothing to describe.
#[inline]
pub const fn probe<R>(ret: &R, is_recorded: bool) -> ByError<'_, R> {
    ByError(ByTarget(ByReport(ByDisplay(ByDebug(ByType(NoError { ret, is_recorded }))))))
}

/// A returned value, for a description in the words that are asked for.
#[inline]
pub const fn worded<R>(ret: &R, is_recorded: bool) -> Worded<'_, R> {
    Worded(NoError { ret, is_recorded })
}

/// A type that points to the next one.
macro_rules! before {
    ($($(#[$what:meta])* $level:ident => $next:ident;)*) => {$(
        $(#[$what])*
        #[derive(Debug)]
        pub struct $level<'a, R>($next<'a, R>);

        impl<'a, R> Deref for $level<'a, R> {
            type Target = $next<'a, R>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )*};
}

before! {
    /// `Err` of an [`Error`]: message and sources.
    ByError => ByTarget;
    /// `Err` of a pointer to an [`Error`]: message and sources.
    ByTarget => ByReport;
    /// `Err` of something that has a message and a report.
    ByReport => ByDisplay;
    /// `Err` of something that has a message.
    ByDisplay => ByDebug;
    /// `Err` of something for programmers.
    ByDebug => ByType;
    /// `Err` of something mute: its type is its message.
    ByType => NoError;
    /// `Err` as it is asked for, whatever else it can do.
    Worded => NoError;
}

impl<T, E: Error> ByError<'_, Result<T, E>> {
    /// The description, `None` for a success.
    #[inline]
    pub fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        self.found(ErrorInfo::of)
    }
}

impl<T, E: Deref<Target: Error>> ByTarget<'_, Result<T, E>> {
    /// The description, `None` for a success.
    #[inline]
    pub fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        self.found(ErrorInfo::behind)
    }
}

impl<T, E: Display + Debug> ByReport<'_, Result<T, E>> {
    /// The description, `None` for a success.
    #[inline]
    pub fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        self.found(ErrorInfo::reported)
    }
}

impl<T, E: Display> ByDisplay<'_, Result<T, E>> {
    /// The description, `None` for a success.
    #[inline]
    pub fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        self.found(displayed)
    }
}

impl<T, E: Debug> ByDebug<'_, Result<T, E>> {
    /// The description, `None` for a success.
    #[inline]
    pub fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        self.found(debugged)
    }
}

impl<T, E> ByType<'_, Result<T, E>> {
    /// The description, `None` for a success.
    #[inline]
    pub fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        self.found(|_| ErrorInfo::described::<E>(format_args!("{}", std::any::type_name::<E>())))
    }
}

// The bounds stand on the methods, so that an error without such a text is an error at the argument that asks for it.
impl<T, E> Worded<'_, Result<T, E>> {
    /// An `Err` by its `Display` text.
    #[inline]
    pub fn __dd_display(&self) -> Option<Box<ErrorInfo>>
    where
        E: Display,
    {
        self.found(displayed)
    }

    /// An `Err` by its `Debug` text.
    #[inline]
    pub fn __dd_debug(&self) -> Option<Box<ErrorInfo>>
    where
        E: Debug,
    {
        self.found(debugged)
    }
}

/// What is no `Result` is no error.
#[derive(Debug)]
pub struct NoError<'a, R> {
    ret: &'a R,
    is_recorded: bool,
}

#[expect(clippy::unused_self, reason = "it is found by its receiver")]
impl<R> NoError<'_, R> {
    /// `None`.
    #[inline]
    pub const fn __dd_describe(&self) -> Option<Box<ErrorInfo>> {
        None
    }

    /// `None`.
    #[inline]
    pub const fn __dd_display(&self) -> Option<Box<ErrorInfo>> {
        None
    }

    /// `None`.
    #[inline]
    pub const fn __dd_debug(&self) -> Option<Box<ErrorInfo>> {
        None
    }
}

impl<T, E> NoError<'_, Result<T, E>> {
    /// The description of an `Err`. What it takes is compiled once for a type of errors, not into each function that may fail.
    #[inline]
    fn found(&self, describe: impl FnOnce(&E) -> ErrorInfo) -> Option<Box<ErrorInfo>> {
        match self.ret {
            Err(error) if self.is_recorded => Some(boxed(error, describe)),
            _ => None,
        }
    }
}

#[cold]
#[inline(never)]
fn boxed<E>(error: &E, describe: impl FnOnce(&E) -> ErrorInfo) -> Box<ErrorInfo> {
    Box::new(describe(error))
}

fn displayed<E: Display>(error: &E) -> ErrorInfo {
    ErrorInfo::described::<E>(format_args!("{error}"))
}

fn debugged<E: Debug>(error: &E) -> ErrorInfo {
    ErrorInfo::described::<E>(format_args!("{error:?}"))
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
        let by_error = probe(&Err::<(), _>(Refused), true).__dd_describe().unwrap();
        assert_eq!(by_error.message, "refused");
        assert_eq!(
            by_error.stack.as_deref(),
            Some("caused by: an error occurred when formatting an argument")
        );
        let boxed: Result<(), Box<dyn Error + Send>> = Err(Box::new(Refused));
        let by_target = probe(&boxed, true).__dd_describe().unwrap();
        assert_eq!((&*by_target.message, &by_target.stack), ("refused", &by_error.stack));
        assert_eq!(by_target.kind, "alloc::boxed::Box<dyn core::error::Error + core::marker::Send>");
        let report = probe(&Err::<(), _>(Report), true).__dd_describe().unwrap();
        assert_eq!(report.message, "outer");
        assert_eq!(report.stack.as_deref(), Some("outer\n\nCaused by:\n    inner"));
        let text = probe(&Err::<(), _>("a\ntext"), true).__dd_describe().unwrap();
        assert_eq!((&*text.message, text.stack), ("a\ntext", None));
        assert_eq!(probe(&Err::<(), _>(OnlyDebug), true).__dd_describe().unwrap().message, "OnlyDebug");
        assert!(probe(&Err::<(), _>(Mute), true).__dd_describe().unwrap().message.ends_with("Mute"));
        assert_eq!(probe(&Ok::<u8, Refused>(1), true).__dd_describe(), None);
        assert_eq!(probe(&Some(1), true).__dd_describe(), None);
    }

    #[test]
    fn an_error_is_described_as_it_is_asked_for() {
        let message = |found: Option<Box<ErrorInfo>>| found.map(|error| error.message.into_owned());
        let failed = Err::<(), _>(Refused);
        assert_eq!(message(worded(&failed, true).__dd_display()).as_deref(), Some("refused"));
        assert_eq!(message(worded(&failed, true).__dd_debug()).as_deref(), Some("Refused"));
        assert_eq!(worded(&Ok::<u8, Refused>(1), true).__dd_display(), None);
        assert_eq!((worded(&1, true).__dd_display(), worded(&Mute, true).__dd_debug()), (None, None));
    }

    struct Hostile;
    impl Display for Hostile {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            std::panic::resume_unwind(Box::new("display"))
        }
    }

    #[test]
    fn an_error_whose_message_panics_is_still_an_error() {
        assert!(probe(&Err::<(), _>(Hostile), true).__dd_describe().is_some());
    }
}
