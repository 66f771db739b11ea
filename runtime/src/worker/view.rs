//! What the local view gets to see of a chunk before it is sent.

use std::borrow::Cow;

use crate::clock::Timeline;
use crate::export::v04::times;
use crate::model::{ChunkHead, Decision, EntryKind, Flags, Record, SamplingPriority, SpanBuffer, TraceId};

/// Shows chunks as they pass by; called on the worker's thread.
pub(crate) trait Viewer: Send {
    /// Takes one chunk.
    fn show(&mut self, chunk: &ViewChunk<'_>);

    /// Shows what is whole. Called when all chunks that were waiting have been taken.
    fn settle(&mut self);

    /// Shows everything that is left. Called before somebody who waits for it is answered.
    fn finish(&mut self);
}

/// A chunk in plain values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewChunk<'a> {
    pub(crate) trace_id: TraceId,
    /// What was decided about the trace.
    pub(crate) priority: SamplingPriority,
    /// Whether no span of the trace is left open in this process.
    pub(crate) is_last: bool,
    /// In the order they finished.
    pub(crate) spans: Vec<ViewSpan<'a>>,
}

/// A finished span in plain values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewSpan<'a> {
    pub(crate) span_id: u64,
    /// 0 without a parent; it may be in another process.
    pub(crate) parent_id: u64,
    pub(crate) name: Cow<'a, str>,
    pub(crate) service: &'a str,
    pub(crate) resource: Cow<'a, str>,
    /// Nanoseconds since the Unix epoch.
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) is_error: bool,
    pub(crate) error_message: Option<&'a str>,
    pub(crate) is_local_root: bool,
}

/// The chunk of a head in its buffer, of a tracer with this service.
pub(super) fn view<'a>(
    head: &ChunkHead,
    buffer: &'a SpanBuffer,
    service: &'a str,
    timeline: &Timeline,
    decision: Decision,
) -> ViewChunk<'a> {
    let records = head.records(buffer);
    let spans = records.iter().map(|record| {
        let (start_ns, duration_ns) = times(record, timeline);
        let texts = Texts::of(record, buffer);
        let name = texts.name.map_or_else(|| Cow::Owned(site_name(record)), Cow::Borrowed);
        let resource = texts.resource.or(record.site.resource).filter(|resource| !resource.is_empty());
        ViewSpan {
            span_id: record.span_id,
            parent_id: record.parent_id,
            service: buffer.tags.text(record.service).unwrap_or(service),
            resource: resource.map_or_else(|| name.clone(), Cow::Borrowed),
            name,
            start_ns,
            duration_ns,
            is_error: record.flags.has(Flags::ERROR),
            error_message: texts.error_message,
            is_local_root: record.span_id == head.local_root_id,
        }
    });
    ViewChunk {
        trace_id: TraceId::new(head.trace_id),
        priority: decision.priority,
        is_last: head.is_last,
        spans: spans.collect(),
    }
}

fn site_name(record: &Record) -> String {
    let mut name = String::new();
    record.site.name.write_to(&mut name);
    name
}

/// What a span's log says that is shown.
#[derive(Default)]
struct Texts<'a> {
    name: Option<&'a str>,
    resource: Option<&'a str>,
    error_message: Option<&'a str>,
}

impl<'a> Texts<'a> {
    fn of(record: &Record, buffer: &'a SpanBuffer) -> Self {
        let of_site = record.site.tags.iter().rev().find(|(key, _)| *key == "error.message");
        let mut texts = Self { error_message: of_site.map(|(_, text)| *text), ..Self::default() };
        let mut is_message_known = false;
        // The latest entry comes first, and wins.
        for entry in buffer.tags.entries(record.tags) {
            match entry.kind {
                EntryKind::Name => {
                    texts.name = texts.name.or(Some(entry.field()).filter(|name| !name.is_empty()));
                }
                EntryKind::Resource => texts.resource = texts.resource.or(Some(entry.field())),
                EntryKind::Meta | EntryKind::Unset if !is_message_known && entry.key() == "error.message" => {
                    is_message_known = true;
                    texts.error_message = entry.text().filter(|_| entry.kind == EntryKind::Meta);
                }
                _ => {}
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::v04::testing::{KEEP, head, record, timeline};
    use crate::model::CallSite;

    static SITE: CallSite = CallSite::function("shop", "pay").resource("POST /pay");

    #[test]
    fn chunk_is_shown_as_it_is_sent() {
        let mut buffer = SpanBuffer::new();
        let (mut root, mut child) = (record(&SITE, 1, 9), record(&SITE, 2, 1));
        root.flags = Flags::FINISHED.with(Flags::ERROR);
        root.tags = buffer.tags.meta(0, "error.message", "first");
        root.tags = buffer.tags.meta(root.tags, "error.message", "no funds");
        child.tags = buffer.tags.field(0, EntryKind::Name, "charge");
        child.tags = buffer.tags.field(child.tags, EntryKind::Resource, "");
        child.service = buffer.tags.field(0, EntryKind::Service, "bank");
        buffer.records.extend([child, root]);
        let head = ChunkHead { len: 2, ..head(5, 1, None) };
        let rejected = Decision { priority: SamplingPriority::AUTO_REJECT, ..KEEP };
        let chunk = view(&head, &buffer, "shop", &timeline(), rejected);
        assert!(!chunk.priority.is_keep() && chunk.is_last);
        let [child, root] = &chunk.spans[..] else { panic!("two spans") };
        assert_eq!((&*child.name, child.service, &*child.resource), ("charge", "bank", "charge"));
        assert_eq!((&*root.name, root.service, &*root.resource), ("shop.pay", "shop", "POST /pay"));
        assert_eq!((root.is_local_root, child.is_local_root), (true, false));
        assert_eq!((root.error_message, child.error_message), (Some("no funds"), None));
        assert_eq!((root.is_error, root.duration_ns, root.parent_id), (true, 500, 9));
    }
}
