//! What generated code finds in a returned value: an error, or a text for the tag `return`.

use std::fmt::{Debug, Display};

use super::error::{ErrorInfo, text};
use super::owned::Edit;

/// What was found in a returned value.
pub trait Finding {
    #[doc(hidden)]
    fn is_empty(&self) -> bool;

    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate writes to spans")]
    fn write(&self, edit: &mut Edit<'_>);
}

impl Finding for Option<Box<ErrorInfo>> {
    #[inline]
    fn is_empty(&self) -> bool {
        self.is_none()
    }

    #[expect(private_interfaces, reason = "sealed: only this crate writes to spans")]
    fn write(&self, edit: &mut Edit<'_>) {
        if let Some(error) = self {
            edit.error(error);
        }
    }
}

/// The text of a returned value; none for an `Err`.
#[derive(Debug)]
pub struct ReturnText(Option<String>);

impl Finding for ReturnText {
    #[inline]
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[expect(private_interfaces, reason = "sealed: only this crate writes to spans")]
    fn write(&self, edit: &mut Edit<'_>) {
        if let Some(text) = &self.0 {
            edit.meta("return", text);
        }
    }
}

impl<A: Finding, B: Finding> Finding for (A, B) {
    fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    #[expect(private_interfaces, reason = "sealed: only this crate writes to spans")]
    fn write(&self, edit: &mut Edit<'_>) {
        self.0.write(edit);
        self.1.write(edit);
    }
}

/// A returned value that is to be shown. Of a `Result` the `Ok` is shown: methods of the type itself are found before
/// those of [`Plain`].
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

impl<T, E> Shown<'_, Result<T, E>> {
    /// The `Display` text of an `Ok`.
    pub fn __dd_display(&self) -> ReturnText
    where
        T: Display,
    {
        ReturnText(self.0.as_ref().ok().map(|value| text(format_args!("{value}"))))
    }

    /// The `Debug` text of an `Ok`.
    pub fn __dd_debug(&self) -> ReturnText
    where
        T: Debug,
    {
        ReturnText(self.0.as_ref().ok().map(|value| text(format_args!("{value:?}"))))
    }
}

/// A returned value that is no `Result`.
pub trait Plain {
    /// Its type. Bounds stand on the methods, so that a value that cannot be shown is an error about its type.
    type Value: ?Sized;

    /// The `Display` text.
    fn __dd_display(&self) -> ReturnText
    where
        Self::Value: Display;

    /// The `Debug` text.
    fn __dd_debug(&self) -> ReturnText
    where
        Self::Value: Debug;
}

impl<T: ?Sized> Plain for Shown<'_, T> {
    type Value = T;

    fn __dd_display(&self) -> ReturnText
    where
        T: Display,
    {
        ReturnText(Some(text(format_args!("{}", self.0))))
    }

    fn __dd_debug(&self) -> ReturnText
    where
        T: Debug,
    {
        ReturnText(Some(text(format_args!("{:?}", self.0))))
    }
}
