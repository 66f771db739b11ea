//! What generated code finds in a returned value.

use super::error::ErrorInfo;
use super::owned::Edit;

/// What was found in a returned value.
pub trait Finding {
    #[doc(hidden)]
    fn is_empty(&self) -> bool;

    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate writes to spans")]
    fn write(&self, edit: &mut Edit<'_>);
}

impl Finding for Option<ErrorInfo> {
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
