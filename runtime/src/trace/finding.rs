//! What generated code finds in a returned value: an error, or a text for the tag `return`.

use std::fmt::{Arguments, Debug, Display};
use std::ops::Deref;

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

/// A returned value that is to be shown, where the span is recorded.
#[inline]
pub const fn shown<R>(ret: &R, is_recorded: bool) -> Shown<'_, R> {
    Shown(Plain { ret, is_recorded })
}

/// A returned value that is to be shown. Of a `Result` the `Ok` is: its methods are found before those of [`Plain`].
#[derive(Debug)]
pub struct Shown<'a, R>(Plain<'a, R>);

/// A returned value that is no `Result`.
#[derive(Debug)]
pub struct Plain<'a, R> {
    ret: &'a R,
    is_recorded: bool,
}

impl<'a, R> Deref for Shown<'a, R> {
    type Target = Plain<'a, R>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

// The bounds stand on the methods, so that a value without such a text is an error about its type.
impl<T, E> Shown<'_, Result<T, E>> {
    /// The `Display` text of an `Ok`.
    pub fn __dd_display(&self) -> ReturnText
    where
        T: Display,
    {
        self.ret.as_ref().map_or(ReturnText(None), |value| self.text(format_args!("{value}")))
    }

    /// The `Debug` text of an `Ok`.
    pub fn __dd_debug(&self) -> ReturnText
    where
        T: Debug,
    {
        self.ret.as_ref().map_or(ReturnText(None), |value| self.text(format_args!("{value:?}")))
    }
}

impl<R> Plain<'_, R> {
    /// The `Display` text.
    pub fn __dd_display(&self) -> ReturnText
    where
        R: Display,
    {
        self.text(format_args!("{}", self.ret))
    }

    /// The `Debug` text.
    pub fn __dd_debug(&self) -> ReturnText
    where
        R: Debug,
    {
        self.text(format_args!("{:?}", self.ret))
    }

    fn text(&self, value: Arguments<'_>) -> ReturnText {
        ReturnText(self.is_recorded.then(|| text(value)))
    }
}
