//! Collects the errors of one macro call, so that all of them are reported at once.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far, each with the place it is reported at.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    /// Reports `message` at `place`.
    pub(crate) fn error(&mut self, place: Span, message: impl Into<String>) {
        self.errors.push(syn::Error::new(place, message.into()));
    }

    /// Reports `message` at all of `syntax`, from its first token to its last.
    pub(crate) fn error_on(&mut self, syntax: &impl ToTokens, message: impl Into<String>) {
        self.errors.push(syn::Error::new_spanned(syntax, message.into()));
    }

    /// Takes over an error that the expression parser found.
    pub(crate) fn foreign(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// One `compile_error!` for each error, usable where items stand and where statements stand.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.into_iter().map(syn::Error::into_compile_error).collect()
    }
}
