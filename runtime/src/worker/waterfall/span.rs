//! A span as it is kept until its trace is drawn.

use super::super::view::ViewSpan;

/// A finished span with texts of its own: the worker reuses the buffer it was seen in.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ShownSpan {
    pub(super) span_id: u64,
    /// 0 without a parent.
    pub(super) parent_id: u64,
    pub(super) name: String,
    pub(super) service: String,
    pub(super) resource: String,
    /// Nanoseconds since the Unix epoch.
    pub(super) start_ns: u64,
    pub(super) duration_ns: u64,
    /// The message of a failed span, empty if there is none.
    pub(super) error: Option<String>,
    pub(super) is_local_root: bool,
    /// How many there are.
    pub(super) links: usize,
    pub(super) events: usize,
}

impl ShownSpan {
    pub(super) fn of(seen: &ViewSpan<'_>) -> Self {
        Self {
            span_id: seen.span_id,
            parent_id: seen.parent_id,
            name: seen.name.clone(),
            service: seen.service.to_owned(),
            resource: seen.resource.clone(),
            start_ns: seen.start_ns,
            duration_ns: seen.duration_ns,
            error: seen.is_error.then(|| seen.error_message.unwrap_or_default().to_owned()),
            is_local_root: seen.is_local_root,
            links: seen.links,
            events: seen.events,
        }
    }

    pub(super) fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.duration_ns)
    }

    /// Memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let error = self.error.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.name.len() + self.service.len() + self.resource.len() + error
    }
}
