//! Unsafe functions.

#![expect(unsafe_code, reason = "unsafe functions are among the shapes")]

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

/// # Safety
/// Everybody may call it.
#[traced]
unsafe fn plain(x: u8) -> u8 {
    x
}

/// # Safety
/// Everybody may call it.
#[traced]
unsafe fn fallible(x: u8) -> Result<u8, Failed> {
    x.checked_sub(1).ok_or(Failed("zero"))
}

/// # Safety
/// `x` is not null and points to a byte.
#[traced]
unsafe fn pointer(x: *const u8) -> u8 {
    // SAFETY: as the function asks for.
    unsafe { *x }
}

/// # Safety
/// `x` is not null and points to a byte.
#[traced]
unsafe fn fallible_pointer(x: *const u8) -> Result<u8, Failed> {
    // SAFETY: as the function asks for.
    let value = unsafe { *x };
    value.checked_sub(1).ok_or(Failed("zero"))
}

/// # Safety
/// Everybody may call it.
#[traced]
unsafe extern "C" fn foreign_abi(x: i32) -> i32 {
    x
}

/// # Safety
/// Everybody may call it.
#[traced]
async unsafe fn asynchronous(x: u8) -> Result<u8, Failed> {
    pause().await;
    x.checked_sub(1).ok_or(Failed("zero"))
}

#[traced]
#[unsafe(no_mangle)]
extern "C" fn dd_traced_shapes_exported(x: i32) -> i32 {
    x
}

struct Shop(u8);

#[traced]
impl Shop {
    /// # Safety
    /// Everybody may call it.
    unsafe fn method(&self) -> u8 {
        self.0
    }
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        // SAFETY: all of them are called as they ask for.
        unsafe {
            assert_eq!(plain(1), 1);
            assert_eq!(fallible(1), Ok(0));
            assert_eq!((pointer(&1), fallible_pointer(&1)), (1, Ok(0)));
            assert_eq!(foreign_abi(1), 1);
            assert_eq!(ready(asynchronous(1)), Ok(0));
            assert_eq!(Shop(1).method(), 1);
        }
        assert_eq!(dd_traced_shapes_exported(1), 1);
    });
    assert_eq!(spans, 8);
}
