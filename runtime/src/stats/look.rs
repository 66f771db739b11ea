//! What one span has under the tags that statistics look at: its own, else those of its site and of the tracer.

use super::grpc;
use super::profile::Profile;
use super::tags::{Found, SINGLE, Slot, Value};
use crate::model::{Flags, Record};

/// A look at a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) record: &'a Record,
    pub(super) found: Found<'a>,
    pub(super) profile: &'a Profile,
}

impl<'a> Look<'a> {
    /// The text of a single tag.
    pub(super) fn text(&self, slot: usize) -> Option<&'a str> {
        match self.found.get(slot).copied().flatten() {
            Some(value) => value.text(),
            None => self.profile.single.get(slot).and_then(Option::as_deref),
        }
    }

    /// The text of a single tag, empty without one.
    pub(super) fn bytes(&self, slot: Slot) -> &'a [u8] {
        self.text(slot as usize).unwrap_or_default().as_bytes()
    }

    fn number(&self, slot: usize) -> Option<f64> {
        self.found.get(slot).copied().flatten().and_then(Value::number)
    }

    fn is_one(&self, slot: Slot) -> bool {
        self.number(slot as usize).is_some_and(|number| (number - 1.0).abs() < f64::EPSILON)
    }

    /// Whether the span is the first of its service.
    pub(super) fn is_top_level(&self) -> bool {
        self.record.flags.has(Flags::TOP_LEVEL)
            || self.is_one(Slot::TopLevel)
            || self.is_one(Slot::OtherTopLevel)
    }

    /// Whether somebody wants it measured.
    pub(super) fn is_measured(&self) -> bool {
        self.record.flags.has(Flags::MEASURED) || self.is_one(Slot::Measured)
    }

    /// Whether it is a picture of a span that goes on, which will be counted when it ends.
    pub(super) fn is_partial(&self) -> bool {
        self.number(Slot::PartialVersion as usize).is_some_and(|version| version >= 0.0)
    }

    /// Whether it may be sent alone.
    pub(super) fn is_analysed(&self) -> bool {
        self.found[Slot::Analytics as usize].is_some()
    }

    /// The status of HTTP, 0 without one.
    pub(super) fn http_status(&self) -> u32 {
        let slot = Slot::Status as usize;
        match self.number(slot) {
            Some(status) => status as u32,
            None => self.text(slot).and_then(|status| status.parse().ok()).unwrap_or_default(),
        }
    }

    /// The endpoint of HTTP, else the route.
    pub(super) fn http_endpoint(&self) -> &'a [u8] {
        let endpoint = self.text(Slot::Endpoint as usize).or_else(|| self.text(Slot::Route as usize));
        endpoint.unwrap_or_default().as_bytes()
    }

    /// The status of gRPC, from the first tag that is there.
    pub(super) fn grpc_status(&self) -> Option<u32> {
        let first = (Slot::Grpc as usize..SINGLE).find_map(|slot| match self.number(slot) {
            Some(code) => Some(Ok(code as u32)),
            None => self.text(slot).map(Err),
        });
        first.and_then(|status| status.map_or_else(grpc::code, Some))
    }
}
