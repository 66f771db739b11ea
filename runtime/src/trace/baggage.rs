//! Baggage: what a user gives a span to be sent along with its calls.

use std::sync::Arc;

use super::active::ActiveSpan;
use super::context::{Place, SpanContext};
use super::handle::Span;
use super::stack::with_stack;
use crate::model::Baggage;

/// Writes what a type offers, which has `load_baggage` and `store_baggage`. Foreign code (`AsRef`) runs before anything is held.
macro_rules! baggage {
    ($type:ty, $self:ident, ($($own:tt)+), $changes:literal) => {
        impl $type {
            /// The value of an item of baggage. Keys are compared as they are.
            pub fn baggage(&self, key: impl AsRef<str>) -> Option<String> {
                self.load_baggage()?.get(key.as_ref()).map(str::to_owned)
            }

            /// Key and value of each item of baggage, in the order in which they were first set.
            pub fn all_baggage(&self) -> Vec<(String, String)> {
                let baggage = self.load_baggage();
                let items = baggage.iter().flat_map(|baggage| baggage.iter());
                items.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
            }

            /// Sets an item of baggage, which goes along to every service that is called from here.
            #[doc = $changes]
            ///
            /// A key without a character is left out. At most 64 items and 8 192 bytes of header are sent, in the order of the items;
            /// so are only items that have a value.
            pub fn set_baggage($($own)+, key: impl AsRef<str>, value: impl AsRef<str>) {
                let (key, value) = (key.as_ref(), value.as_ref());
                if key.is_empty() {
                    return;
                }
                let mut baggage = $self.load_baggage().unwrap_or_default();
                Arc::make_mut(&mut baggage).set(key, value);
                $self.store_baggage(baggage);
            }

            /// Takes an item of baggage back.
            #[doc = $changes]
            pub fn remove_baggage($($own)+, key: impl AsRef<str>) {
                let key = key.as_ref();
                let Some(mut baggage) = $self.load_baggage() else { return };
                if Arc::make_mut(&mut baggage).remove(key) {
                    $self.store_baggage(baggage);
                }
            }

            /// Takes all baggage back.
            #[doc = $changes]
            pub fn clear_baggage($($own)+) {
                if $self.load_baggage().is_some() {
                    $self.store_baggage(Arc::default());
                }
            }
        }
    };
}

baggage!(
    Span,
    self,
    (&self),
    "Children started from now on inherit the change; others, the parent and siblings keep what they have."
);
baggage!(
    ActiveSpan,
    self,
    (&self),
    "Children started from now on inherit the change; others, the parent and siblings keep what they have."
);
baggage!(
    SpanContext,
    self,
    (&mut self),
    "The change belongs to this context and to what is made from it, not to the span it was taken from."
);

impl Span {
    fn load_baggage(&self) -> Option<Arc<Baggage>> {
        self.cell()?.baggage()
    }

    fn store_baggage(&self, baggage: Arc<Baggage>) {
        if let Some(cell) = self.cell() {
            with_stack(|stack| stack.leave_baggage_of(cell));
            cell.set_baggage(baggage);
        }
    }
}

impl ActiveSpan {
    pub(super) fn load_baggage(&self) -> Option<Arc<Baggage>> {
        match (self.handle(), self.bearer()) {
            (Some(cell), _) => cell.baggage(),
            (None, Some(bearer)) => with_stack(|stack| stack.baggage(bearer)).flatten(),
            (None, None) => None,
        }
    }

    fn store_baggage(&self, baggage: Arc<Baggage>) {
        match (self.handle(), self.bearer()) {
            (Some(cell), _) => {
                with_stack(|stack| stack.leave_baggage_of(cell));
                cell.set_baggage(baggage);
            }
            (None, Some(bearer)) => {
                with_stack(|stack| stack.set_baggage(bearer, baggage));
            }
            (None, None) => {}
        }
    }
}

impl SpanContext {
    fn load_baggage(&self) -> Option<Arc<Baggage>> {
        match &self.place {
            Place::Root => None,
            Place::Within { baggage, .. } | Place::Remote { baggage, .. } => baggage.clone(),
        }
    }

    fn store_baggage(&mut self, new: Arc<Baggage>) {
        match &mut self.place {
            Place::Root => {}
            Place::Within { baggage, .. } | Place::Remote { baggage, .. } => *baggage = Some(new),
        }
    }
}
