//! Attributes of links and events: values with types of their own, as bytes.
//!
//! ```text
//! | key (MessagePack str) | value (MessagePack str, bool, i64, f64, or array of one of them) | ...
//! ```
//!
//! Numbers have a fixed width, so that reading needs no table of types. What links and events become on the wire is known to the
//! encoder alone.
//!
//! Invariant: pairs are whole, at most [`MAX_ATTRIBUTES`], and within [`MAX_BYTES`] together.

use std::borrow::Cow;

use super::msgpack::{push_str, read_str};
use super::tags::{MAX_KEY, MAX_VALUE, cut};

/// Attributes of one link or event; further ones are left out. The limit of the OpenTelemetry specification ("Span Limits").
const MAX_ATTRIBUTES: u16 = 128;
/// Bytes of the attributes of one link or event.
const MAX_BYTES: usize = 256 << 10;
/// Values of one list.
const MAX_LIST: usize = 1_000;

/// A value that an attribute of a link or an event can have: text, `bool`, a number, or a list of one of them.
///
/// An integer above `i64::MAX` is written as text, a list longer than 1 000 values is cut.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an attribute",
    label = "not a string, number, bool, or list of them",
    note = "use `format!` to make a text of it"
)]
pub trait AttributeValue: sealed::WriteAttribute {}

pub(crate) mod sealed {
    /// Writes a value of a known type; runs no foreign code.
    pub trait WriteAttribute {
        #[doc(hidden)]
        fn write(&self, out: &mut Vec<u8>);
    }

    /// What a list may consist of.
    pub trait WriteScalar: WriteAttribute {}
}
use sealed::{WriteAttribute, WriteScalar};

/// Pairs of key and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    count: u16,
    left_out: u32,
    bytes: Vec<u8>,
}

impl Attributes {
    /// Adds a pair, or counts it where there are too many already.
    pub(crate) fn push(&mut self, key: &str, value: &impl AttributeValue) {
        let before = self.bytes.len();
        if self.count < MAX_ATTRIBUTES {
            push_str(&mut self.bytes, cut(key, MAX_KEY));
            value.write(&mut self.bytes);
            if self.bytes.len() <= MAX_BYTES {
                self.count += 1;
                return;
            }
            self.bytes.truncate(before);
        }
        self.left_out = self.left_out.saturating_add(1);
    }

    /// How many pairs were too many.
    pub(crate) fn left_out(&self) -> u32 {
        self.left_out
    }

    pub(crate) fn view(&self) -> AttributesView<'_> {
        AttributesView { count: self.count, bytes: &self.bytes }
    }
}

/// Pairs as they stand in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttributesView<'a> {
    pub(super) count: u16,
    pub(super) bytes: &'a [u8],
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Attribute<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
    List(List<'a>),
}

/// Values of one type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct List<'a> {
    left: u16,
    bytes: &'a [u8],
}

impl<'a> AttributesView<'a> {
    /// Key and value of each, the latest of a key alone, in the order of their first mention.
    pub(crate) fn latest(self) -> Vec<(&'a str, Attribute<'a>)> {
        let mut places = std::collections::HashMap::new();
        let mut latest: Vec<(&str, Attribute<'_>)> = Vec::with_capacity(usize::from(self.count));
        for (key, value) in self.iter() {
            let place = *places.entry(key).or_insert(latest.len());
            match latest.get_mut(place) {
                Some((_, earlier)) => *earlier = value,
                None => latest.push((key, value)),
            }
        }
        latest
    }

    /// All as text, the values of a list under `key.0`, `key.1` and so on; one of each key.
    pub(crate) fn texts(self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut texts = std::collections::BTreeMap::new();
        for (key, value) in self.latest() {
            if let Attribute::List(list) = value {
                let values = list
                    .values()
                    .enumerate()
                    .map(|(index, value)| (format!("{key}.{index}").into(), value.text()));
                texts.extend(values);
            } else {
                texts.insert(key.into(), value.text());
            }
        }
        texts.into_iter().collect()
    }

    fn iter(self) -> impl Iterator<Item = (&'a str, Attribute<'a>)> {
        let mut bytes = self.bytes;
        std::iter::from_fn(move || {
            let (key, len) = read_str(bytes)?;
            let (value, rest) = read(bytes.get(len..)?)?;
            bytes = rest;
            Some((key, value))
        })
    }
}

impl<'a> Attribute<'a> {
    /// As text; of a list, which holds no lists, none.
    fn text(self) -> Cow<'a, str> {
        match self {
            Attribute::Text(text) => text.into(),
            Attribute::Bool(value) => (if value { "true" } else { "false" }).into(),
            Attribute::Int(value) => value.to_string().into(),
            Attribute::Double(value) => value.to_string().into(),
            Attribute::List(_) => "".into(),
        }
    }
}

impl<'a> List<'a> {
    pub(crate) fn values(mut self) -> impl Iterator<Item = Attribute<'a>> {
        std::iter::from_fn(move || self.take())
    }

    fn take(&mut self) -> Option<Attribute<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (value, rest) = read(self.bytes)?;
        self.bytes = rest;
        Some(value)
    }
}

const FALSE: u8 = 0xc2;
const TRUE: u8 = 0xc3;
const DOUBLE: u8 = 0xcb;
const INT: u8 = 0xd3;
const LIST: u8 = 0xdc;

/// A value and what follows it. A list is followed by nothing that a pair could begin with: its values are skipped.
fn read(bytes: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let number = || rest.split_first_chunk::<8>();
    Some(match *kind {
        FALSE | TRUE => (Attribute::Bool(*kind == TRUE), rest),
        INT => number().map(|(value, rest)| (Attribute::Int(i64::from_be_bytes(*value)), rest))?,
        DOUBLE => number().map(|(value, rest)| (Attribute::Double(f64::from_be_bytes(*value)), rest))?,
        LIST => {
            let (left, rest) = rest.split_first_chunk::<2>()?;
            let list = List { left: u16::from_be_bytes(*left), bytes: rest };
            let mut values = list;
            (0..list.left).try_for_each(|_| values.take().map(|_| ()))?;
            (Attribute::List(list), values.bytes)
        }
        _ => {
            let (text, len) = read_str(bytes)?;
            (Attribute::Text(text), bytes.get(len..)?)
        }
    })
}

macro_rules! values {
    ($(($($types:ty),*): |$value:ident, $out:ident| $write:expr),* $(,)?) => {$($(
        impl AttributeValue for $types {}
        impl WriteScalar for $types {}
        impl WriteAttribute for $types {
            fn write(&self, $out: &mut Vec<u8>) {
                let $value = self;
                $write
            }
        }
    )*)*};
}

values! {
    (str, String, Box<str>, std::sync::Arc<str>, std::rc::Rc<str>, Cow<'_, str>): |text, out| push_str(out, cut(text, MAX_VALUE)),
    (char): |value, out| push_str(out, value.encode_utf8(&mut [0; 4])),
    (bool): |value, out| out.push(if *value { TRUE } else { FALSE }),
    (i64): |value, out| int(out, *value),
    (u8, u16, u32, i8, i16, i32): |value, out| int(out, i64::from(*value)),
    (u64, u128, usize, i128, isize): |value, out| match i64::try_from(*value) {
        Ok(value) => int(out, value),
        Err(_) => push_str(out, &value.to_string()),
    },
    (f32): |value, out| double(out, f64::from(*value)),
    (f64): |value, out| double(out, *value),
}

fn int(out: &mut Vec<u8>, value: i64) {
    out.push(INT);
    out.extend_from_slice(&value.to_be_bytes());
}

fn double(out: &mut Vec<u8>, value: f64) {
    out.push(DOUBLE);
    out.extend_from_slice(&value.to_be_bytes());
}

impl<T: WriteScalar> AttributeValue for [T] {}
impl<T: WriteScalar> WriteAttribute for [T] {
    fn write(&self, out: &mut Vec<u8>) {
        let values = self.get(..MAX_LIST).unwrap_or(self);
        out.push(LIST);
        let len_at = out.len();
        out.extend_from_slice(&[0, 0]);
        let mut len: u16 = 0;
        // What comes after the limit of all attributes leaves the whole pair out.
        for value in values {
            if out.len() > MAX_BYTES {
                break;
            }
            value.write(out);
            len += 1;
        }
        if let Some(place) = out.get_mut(len_at..len_at + 2) {
            place.copy_from_slice(&len.to_be_bytes());
        }
    }
}

impl<T: WriteScalar> AttributeValue for Vec<T> {}
impl<T: WriteScalar> WriteAttribute for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_slice().write(out);
    }
}

impl<T: WriteScalar, const N: usize> AttributeValue for [T; N] {}
impl<T: WriteScalar, const N: usize> WriteAttribute for [T; N] {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_slice().write(out);
    }
}

impl<T: WriteScalar + ?Sized> WriteScalar for &T {}
impl<T: AttributeValue + ?Sized> AttributeValue for &T {}
impl<T: WriteAttribute + ?Sized> WriteAttribute for &T {
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(attributes: &Attributes) -> Vec<(&str, String)> {
        let show = |value: Attribute<'_>| match value {
            Attribute::List(list) => format!("{:?}", list.values().collect::<Vec<_>>()),
            value => format!("{value:?}"),
        };
        attributes.view().latest().into_iter().map(|(key, value)| (key, show(value))).collect()
    }

    #[test]
    fn values_keep_their_types() {
        let mut attributes = Attributes::default();
        attributes.push("text", &"a");
        attributes.push("yes", &true);
        attributes.push("int", &-3_i8);
        attributes.push("large", &u64::MAX);
        attributes.push("double", &0.5_f32);
        attributes.push("list", &vec!["x", "y"]);
        attributes.push("none", &[0_u8; 0]);
        attributes.push("text", &'é');
        let expected = [
            ("text", "Text(\"é\")"),
            ("yes", "Bool(true)"),
            ("int", "Int(-3)"),
            ("large", "Text(\"18446744073709551615\")"),
            ("double", "Double(0.5)"),
            ("list", "[Text(\"x\"), Text(\"y\")]"),
            ("none", "[]"),
        ];
        assert_eq!(pairs(&attributes), expected.map(|(key, value)| (key, value.to_owned())));
    }

    #[test]
    fn what_is_beyond_the_limits_is_left_out() {
        for (count, kept) in [(127, 127), (128, 128), (129, 128)] {
            let mut attributes = Attributes::default();
            (0..count).for_each(|index| attributes.push(&index.to_string(), &index));
            assert_eq!(
                (attributes.view().latest().len(), attributes.left_out()),
                (kept, (count - kept) as u32)
            );
        }
        for (len, kept) in [(999, 999), (1_000, 1_000), (1_001, 1_000)] {
            let mut attributes = Attributes::default();
            attributes.push("list", &vec![7_u8; len]);
            let Attribute::List(list) = attributes.view().latest()[0].1 else { panic!("no list") };
            assert_eq!(list.values().count(), kept);
        }
        for (key, value, kept) in
            [(199, 24_999, (199, 24_999)), (200, 25_000, (200, 25_000)), (201, 25_001, (200, 25_000))]
        {
            let mut attributes = Attributes::default();
            attributes.push(&"k".repeat(key), &"v".repeat(value));
            let (key, Attribute::Text(value)) = attributes.view().latest()[0] else { panic!("no text") };
            assert_eq!((key.len(), value.len()), kept);
        }
        let mut attributes = Attributes::default();
        attributes.push("small", &1);
        attributes.push("large", &vec!["v".repeat(25_000); 11]);
        attributes.push("after", &vec!["v".repeat(25_000); 10]);
        assert_eq!(pairs(&attributes).iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["small", "after"]);
        assert_eq!(attributes.left_out(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200), count: u16) {
            let view = AttributesView { count: count.min(50), bytes: &bytes };
            for (_, value) in view.latest() {
                if let Attribute::List(list) = value {
                    prop_assert!(list.values().count() <= bytes.len());
                }
            }
        }

        #[test]
        fn any_pairs_are_read_as_written(pairs in prop::collection::vec((".{0,40}", ".{0,300}", any::<i64>()), 0..20)) {
            let mut attributes = Attributes::default();
            let mut expected = std::collections::BTreeMap::new();
            for (index, (key, text, number)) in pairs.iter().enumerate() {
                let (text_key, number_key) = (format!("{index}{key}"), format!("{key}#{index}"));
                attributes.push(&text_key, text);
                attributes.push(&number_key, number);
                expected.insert(text_key, format!("{:?}", Attribute::Text(text)));
                expected.insert(number_key, format!("{:?}", Attribute::Int(*number)));
            }
            let found = attributes.view().latest();
            let found = found.into_iter().map(|(key, value)| (key.to_owned(), format!("{value:?}"))).collect();
            prop_assert_eq!(expected, found);
        }
    }
}
