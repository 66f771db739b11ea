//! The tags that generated code gives a span: a chain of values, each of a type of its own.
//!
//! Foreign code runs while the chain is built; writing it to a span runs none.

use std::fmt::{Debug, Display};

use super::as_context::{AsContext, place};
use super::context::Place;
use super::error::text;
use super::owned::Edit;
use crate::model::{EntryKind, Is, ManualTag, SamplingPriority, SpanLink, WriteTag};

/// Tags of one span, as a chain of values.
pub trait TagSet {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>);

    /// What the tags decide about the trace of the span, if they do.
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate decides")]
    #[inline]
    fn manual(&self) -> Option<SamplingPriority> {
        None
    }

    /// Where the span belongs, if not under the active one.
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate places spans")]
    fn place(&self) -> Option<Place>
    where
        Self: Sized,
    {
        None
    }
}

/// The empty chain, which a tags closure starts from.
#[derive(Debug, Clone, Copy)]
pub struct NoTags;

impl TagSet for NoTags {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    #[inline]
    fn write(&self, _: &mut Edit<'_>) {}
}

/// A chain and one more.
#[derive(Debug)]
pub struct Tagged<C, V> {
    before: C,
    key: &'static str,
    value: V,
}

/// A chain and a field of the span.
#[derive(Debug)]
pub struct WithField<C, V> {
    before: C,
    kind: Field,
    value: V,
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Resource,
    Service,
    SpanType,
}

impl<C: TagSet, V: WriteTag> TagSet for Tagged<C, V> {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>) {
        self.before.write(edit);
        edit.tag(self.key, &self.value);
    }

    #[expect(private_interfaces, reason = "sealed: only this crate decides")]
    #[inline]
    fn manual(&self) -> Option<SamplingPriority> {
        self.before.manual()
    }
}

impl<C: TagSet, V: FieldText> TagSet for WithField<C, V> {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>) {
        self.before.write(edit);
        let kind = match self.kind {
            Field::Resource => EntryKind::Resource,
            Field::Service => EntryKind::Service,
            Field::SpanType => EntryKind::SpanType,
        };
        edit.field(kind, self.value.text());
    }

    #[expect(private_interfaces, reason = "sealed: only this crate decides")]
    #[inline]
    fn manual(&self) -> Option<SamplingPriority> {
        self.before.manual()
    }
}

/// A chain and one more under a key that may name more than a tag.
#[derive(Debug)]
pub struct Special<C, V>(Tagged<C, V>);

impl<C: TagSet, V: WriteTag> TagSet for Special<C, V> {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>) {
        let Tagged { before, key, value } = &self.0;
        before.write(edit);
        edit.special_tag(key, value);
    }
}

impl<C, V> Tagged<C, V> {
    /// Reads the tag before as one whose key may name more.
    #[inline]
    pub fn special(self) -> Special<C, V> {
        Special(self)
    }
}

/// A chain and a link to another span.
#[derive(Debug)]
pub struct Linked<C> {
    before: C,
    link: SpanLink,
}

impl<C: TagSet> TagSet for Linked<C> {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>) {
        self.before.write(edit);
        edit.link(&self.link);
    }

    #[expect(private_interfaces, reason = "sealed: only this crate decides")]
    #[inline]
    fn manual(&self) -> Option<SamplingPriority> {
        self.before.manual()
    }
}

/// A chain and a tag that decides about the trace instead of being sent.
#[derive(Debug)]
pub struct Decides<C> {
    before: C,
    priority: Option<SamplingPriority>,
}

impl<C: TagSet> TagSet for Decides<C> {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>) {
        self.before.write(edit);
    }

    #[expect(private_interfaces, reason = "sealed: only this crate decides")]
    fn manual(&self) -> Option<SamplingPriority> {
        // The later one wins.
        self.priority.or_else(|| self.before.manual())
    }
}

/// The end of a chain: where the span belongs.
#[derive(Debug)]
pub struct Placed<C> {
    before: C,
    place: Option<Place>,
}

impl<C: TagSet> TagSet for Placed<C> {
    #[expect(private_interfaces, reason = "sealed: only this crate writes tags")]
    fn write(&self, edit: &mut Edit<'_>) {
        self.before.write(edit);
    }

    #[expect(private_interfaces, reason = "sealed: only this crate places spans")]
    fn place(&self) -> Option<Place> {
        self.place.clone()
    }

    #[expect(private_interfaces, reason = "sealed: only this crate decides")]
    #[inline]
    fn manual(&self) -> Option<SamplingPriority> {
        self.before.manual()
    }
}

/// A text of a known type, so that reading it runs no foreign code while the stack is held.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no text",
    label = "must be a string",
    note = "write `format!(..)` to make one"
)]
pub trait FieldText {
    /// The type, known only where it is a text: of anything else the type of the chain stays open, and the bound of the method is all
    /// that fails.
    type Itself: FieldText + Is<Self> + ?Sized;

    #[doc(hidden)]
    fn text(&self) -> &str;
}

macro_rules! field_texts {
    ($($type:ty),*) => {$(
        impl FieldText for $type {
            type Itself = Self;

            fn text(&self) -> &str {
                self
            }
        }
    )*};
}

field_texts!(str, String, Box<str>, std::sync::Arc<str>, std::rc::Rc<str>, std::borrow::Cow<'_, str>);

impl<'a, T: FieldText<Itself = T> + ?Sized> FieldText for &'a T {
    type Itself = &'a T::Itself;

    fn text(&self) -> &str {
        (**self).text()
    }
}

/// How a chain grows. Foreign `Display` and `Debug` code runs here, before the stack is touched.
macro_rules! chain {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> $type {
            /// One tag.
            #[inline]
            pub fn tag<T: WriteTag<Itself: Sized>>(self, key: &'static str, value: T) -> Tagged<Self, T::Itself> {
                Tagged { before: self, key, value: Is::from(value) }
            }

            /// One tag by its `Debug` text.
            #[inline]
            pub fn debug<T: Debug>(self, key: &'static str, value: T) -> Tagged<Self, String> {
                Tagged { before: self, key, value: text(format_args!("{value:?}")) }
            }

            /// One tag by its `Display` text.
            #[inline]
            pub fn display<T: Display>(self, key: &'static str, value: T) -> Tagged<Self, String> {
                Tagged { before: self, key, value: text(format_args!("{value}")) }
            }

            /// A tag that decides about the trace: `manual.keep`, `manual.drop` or `sampling.priority`.
            #[inline]
            pub fn decide<T: WriteTag<Itself: Sized>>(self, key: &'static str, value: T) -> Decides<Self> {
                let value: T::Itself = Is::from(value);
                let priority = ManualTag::named(key).and_then(|tag| tag.decide(&value));
                Decides { before: self, priority }
            }

            /// A link.
            #[inline]
            pub fn link(self, to: impl AsContext) -> Linked<Self> {
                Linked { before: self, link: SpanLink::to(to) }
            }

            /// The parent, instead of the active span.
            #[inline]
            pub fn parent(self, parent: impl AsContext) -> Placed<Self> {
                Placed { before: self, place: place(&parent) }
            }

            /// The start of a new trace.
            #[inline]
            pub fn root(self) -> Placed<Self> {
                Placed { before: self, place: Some(Place::Root) }
            }

            /// The resource.
            #[inline]
            pub fn resource<T: FieldText<Itself: Sized>>(self, value: T) -> WithField<Self, T::Itself> {
                WithField { before: self, kind: Field::Resource, value: Is::from(value) }
            }

            /// The service.
            #[inline]
            pub fn service<T: FieldText<Itself: Sized>>(self, value: T) -> WithField<Self, T::Itself> {
                WithField { before: self, kind: Field::Service, value: Is::from(value) }
            }

            /// The span type.
            #[inline]
            pub fn span_type<T: FieldText<Itself: Sized>>(self, value: T) -> WithField<Self, T::Itself> {
                WithField { before: self, kind: Field::SpanType, value: Is::from(value) }
            }
        }
    };
}

chain!([] NoTags);
chain!([C, V] Tagged<C, V>);
chain!([C, V] Special<C, V>);
chain!([C, V] WithField<C, V>);
chain!([C] Linked<C>);
chain!([C] Decides<C>);
