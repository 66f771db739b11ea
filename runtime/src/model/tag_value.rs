//! Which values can be a tag, and as what they are written.

use std::borrow::Cow;

use super::tags::TagLog;

/// A value that can be a tag: text and `bool` become string tags, numbers become metrics. A list becomes a tag for each of its values (the
/// first 1 000), `key.0`, `key.1`, and so on.
///
/// Implemented for the types that need no formatting, and for an `Option` of one: `None` is no tag. Anything else is written with `?value` (`Debug`) or `%value`
/// (`Display`) in `#[traced(tags(..))]`, or formatted by the caller.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tag",
    label = "not a string, number or bool",
    note = "in `tags(..)`, use `?value` for its `Debug` text or `%value` for its `Display` text",
    note = "elsewhere, use `format!` to make a text of it"
)]
pub trait TagValue: sealed::WriteTag<Itself = Self> {}

pub(crate) mod sealed {
    use crate::model::TagLog;

    /// The same type by another name.
    pub trait Is<T: ?Sized> {
        #[doc(hidden)]
        fn from(value: T) -> Self
        where
            T: Sized,
            Self: Sized;
    }

    impl<T: ?Sized> Is<T> for T {
        #[inline]
        fn from(value: T) -> T
        where
            T: Sized,
        {
            value
        }
    }

    /// Writes a value of a known type; runs no foreign code.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be a tag",
        label = "not a string, number or bool",
        note = "in `tags(..)`, use `?value` for its `Debug` text or `%value` for its `Display` text",
        note = "elsewhere, use `format!` to make a text of it"
    )]
    pub trait WriteTag {
        /// The type, known only where it can be a tag: of anything else the type of a chain of tags stays open, and the bound of
        /// the method is all that fails.
        #[doc(hidden)]
        type Itself: WriteTag + Is<Self> + ?Sized;

        #[doc(hidden)]
        #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
        fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32;
    }
}

macro_rules! text_values {
    ($($type:ty => $text:expr),* $(,)?) => {$(
        impl TagValue for $type {}
        impl sealed::WriteTag for $type {
            type Itself = Self;

            #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
            fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
                let text: for<'a> fn(&'a $type) -> &'a str = $text;
                log.meta(anchor, key, text(self))
            }
        }
    )*};
}

text_values! {
    str => |text| text,
    String => |text| text,
    Box<str> => |text| text,
    std::sync::Arc<str> => |text| text,
    std::rc::Rc<str> => |text| text,
    Cow<'_, str> => |text| text,
    bool => |value| if *value { "true" } else { "false" },
}

macro_rules! number_values {
    ($convert:expr => $($type:ty),*) => {$(
        impl TagValue for $type {}
        impl sealed::WriteTag for $type {
            type Itself = Self;

            #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
            fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
                let convert: fn($type) -> f64 = $convert;
                log.metric(anchor, key, convert(*self))
            }
        }
    )*};
}

number_values!(f64::from => u8, u16, u32, i8, i16, i32, f32, f64);
// A metric is a 64-bit float on the wire: integers beyond 2^53 are rounded.
number_values!(|value| value as f64 => u64, u128, usize, i64, i128, isize);

impl TagValue for char {}
impl sealed::WriteTag for char {
    type Itself = Self;

    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
        log.meta(anchor, key, self.encode_utf8(&mut [0; 4]))
    }
}

impl<T: TagValue> TagValue for Option<T> {}
impl<T: TagValue> sealed::WriteTag for Option<T> {
    type Itself = Option<T::Itself>;

    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
        self.as_ref().map_or(anchor, |value| value.write(log, anchor, key))
    }
}

/// Values of a list that are written.
const MAX_LIST: usize = 1_000;

macro_rules! lists {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> TagValue for $type {}
        impl<$($generics)*> sealed::WriteTag for $type {
            type Itself = Self;

            #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
            fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
                let values = self.iter().take(MAX_LIST).enumerate();
                values.fold(anchor, |anchor, (index, value)| value.write(log, anchor, &format!("{key}.{index}")))
            }
        }
    )*};
}

// One tag for each value, its place behind the key: `key.0`, `key.1`.
lists!([T: TagValue] [T], [T: TagValue] Vec<T>, [T: TagValue, const N: usize] [T; N]);

impl<T: TagValue + ?Sized> TagValue for &T {}
impl<'a, T: TagValue + ?Sized> sealed::WriteTag for &'a T {
    type Itself = &'a T::Itself;

    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
        (**self).write(log, anchor, key)
    }
}

impl<T: TagValue + ?Sized> TagValue for &mut T {}
impl<'a, T: TagValue + ?Sized> sealed::WriteTag for &'a mut T {
    type Itself = &'a mut T::Itself;

    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, log: &mut TagLog, anchor: u32, key: &str) -> u32 {
        (**self).write(log, anchor, key)
    }
}
