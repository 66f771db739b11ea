//! What arrived, held against the books.

use std::collections::HashMap;

use dd_traced::testing::FinishedSpan;
use dd_traced_tests::WireSpan;

use crate::world::{Expected, SERVICE, Tags};

/// The keys that are tagged here. The tracer has tags of its own.
const KEYS: [&str; 5] = ["literal", "own", "k0", "k1", "k2"];

/// A span that arrived.
#[derive(Debug)]
pub(crate) struct Seen {
    id: u64,
    parent: u64,
    /// The low half is enough to tell two traces apart.
    trace: u64,
    service: String,
    tags: Tags,
    is_error: bool,
}

impl Seen {
    pub(crate) fn in_memory(span: &FinishedSpan) -> Self {
        Self {
            id: span.span_id.as_u64(),
            parent: span.parent_id.as_u64(),
            trace: span.trace_id.as_u128() as u64,
            service: span.service.clone().unwrap_or(SERVICE.to_owned()),
            tags: known(&span.meta),
            is_error: span.is_error,
        }
    }

    pub(crate) fn on_the_wire(span: &WireSpan) -> Self {
        Self {
            id: span.span_id,
            parent: span.parent_id,
            trace: span.trace_id,
            service: span.service.clone(),
            tags: known(&span.meta),
            is_error: span.error != 0,
        }
    }
}

fn known(tags: &Tags) -> Tags {
    let known = tags.iter().filter(|(key, _)| KEYS.contains(&key.as_str()));
    known.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Fails unless each span of the books was seen once, as it should be, and no other.
pub(crate) fn expect_all(books: &HashMap<u64, Expected>, seen: impl Iterator<Item = Seen>) {
    let mut by_id = HashMap::new();
    for span in seen {
        let before = by_id.insert(span.id, span);
        assert!(before.is_none(), "seen twice: {before:?}");
    }
    let missing = books.keys().filter(|id| !by_id.contains_key(id)).count();
    let unknown = by_id.keys().filter(|id| !books.contains_key(id)).count();
    assert_eq!((missing, unknown), (0, 0), "missing and unknown spans, beside {}", by_id.len());
    for (id, expected) in books {
        let span = &by_id[id];
        expect_as_booked(span, expected);
        let is_in_its_trace = by_id.get(&expected.parent).is_none_or(|parent| parent.trace == span.trace);
        assert!(is_in_its_trace, "another trace than the parent's: {span:?}");
    }
}

fn expect_as_booked(span: &Seen, expected: &Expected) {
    assert_eq!(span.parent, expected.parent, "the parent of {span:?}");
    assert_eq!(span.service, expected.service, "the service of {span:?}");
    assert_eq!(span.tags, expected.tags, "the tags of {span:?}");
    assert_eq!(span.is_error, expected.is_error, "whether it failed: {span:?}");
}
