//! What the local view gets to see of a chunk before it is sent.

use super::ruling::DecidedChunk;
use crate::clock::Timeline;
use crate::export::v04::{Texts, times};
use crate::model::{EntryKind, Flags, Record, SpanBuffer, TraceId, is_other_service};
use crate::sampling::WhySampled;

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
    pub(crate) why: WhySampled,
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
    pub(crate) name: String,
    pub(crate) service: &'a str,
    pub(crate) resource: String,
    /// Nanoseconds since the Unix epoch.
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) is_error: bool,
    pub(crate) error_message: Option<&'a str>,
    pub(crate) is_local_root: bool,
    /// How many there are.
    pub(crate) links: usize,
    pub(crate) events: usize,
}

/// A chunk of a tracer with this service.
pub(super) fn view<'a>(chunk: &DecidedChunk<'a>, service: &'a str, timeline: &Timeline) -> ViewChunk<'a> {
    let DecidedChunk { head, buffer, decision, .. } = *chunk;
    let records = head.records(buffer);
    let spans = records.iter().map(|record| {
        let (start_ns, duration_ns) = times(record, timeline);
        let Texts { name, resource, .. } = Texts::of(record, &buffer.tags);
        let own_service = buffer.tags.text(record.service);
        ViewSpan {
            span_id: record.span_id,
            parent_id: record.parent_id,
            service: own_service.filter(|own| is_other_service(own.as_bytes(), service)).unwrap_or(service),
            name,
            resource,
            start_ns,
            duration_ns,
            is_error: record.flags.has(Flags::ERROR),
            error_message: error_message(record, buffer),
            is_local_root: record.span_id == head.local_root_id,
            links: if record.flags.has(Flags::LINKED) { buffer.tags.links(record.tags).len() } else { 0 },
            events: if record.flags.has(Flags::EVENTS) { buffer.tags.events(record.tags).len() } else { 0 },
        }
    });
    ViewChunk {
        trace_id: TraceId::new(head.trace_id),
        why: WhySampled::of(decision),
        is_last: head.is_last,
        spans: spans.collect(),
    }
}

/// The latest `error.message` of a span, unless it was taken back or is a number.
fn error_message<'a>(record: &Record, buffer: &'a SpanBuffer) -> Option<&'a str> {
    const KEY: &str = "error.message";
    let is_tag = |kind| matches!(kind, EntryKind::Meta | EntryKind::Metric | EntryKind::Unset);
    let mut tags = buffer.tags.entries(record.tags).filter(|entry| is_tag(entry.kind));
    match tags.find(|entry| entry.key() == KEY) {
        Some(latest) => latest.text().filter(|_| latest.kind == EntryKind::Meta),
        None => record.site.tags.iter().rev().find(|(key, _)| *key == KEY).map(|(_, text)| *text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::v04::SpanDefaults;
    use crate::export::v04::testing::{KEEP, encoded, head, record, timeline};
    use crate::model::{CallSite, ChunkHead, Decision, SamplingPriority};

    static SITE: CallSite = CallSite::function("shop", "pay").resource("POST /pay");

    #[test]
    fn chunk_is_shown_as_it_is_sent() {
        let mut buffer = SpanBuffer::new();
        let (mut root, mut child) = (record(&SITE, 1, 9), record(&SITE, 2, 1));
        root.flags = Flags::FINISHED.with(Flags::ERROR);
        root.tags = buffer.tags.meta(0, "error.message", "first");
        root.tags = buffer.tags.meta(root.tags, "error.message", "no funds");
        child.tags = buffer.tags.field(0, EntryKind::Name, "charge");
        child.tags = buffer.tags.field(child.tags, EntryKind::Resource, "ignored");
        child.tags = buffer.tags.field(child.tags, EntryKind::Resource, "");
        child.service = buffer.tags.field(0, EntryKind::Service, "bank");
        buffer.records.extend([child, root]);
        let head = ChunkHead { len: 2, ..head(5, 1, None) };
        let decision = Decision { priority: SamplingPriority::AUTO_REJECT, ..KEEP };
        let decided = DecidedChunk { head: &head, buffer: &buffer, decision, selected: &[], is_wanted: true };
        let chunk = view(&decided, "shop", &timeline());
        assert!(!chunk.why.is_kept() && chunk.is_last);
        let [child, root] = &chunk.spans[..] else { panic!("two spans") };
        assert_eq!((&*child.name, child.service, &*child.resource), ("charge", "bank", "POST /pay"));
        assert_eq!((&*root.name, root.service, &*root.resource), ("shop.pay", "shop", "POST /pay"));
        assert_eq!((root.is_local_root, child.is_local_root), (true, false));
        assert_eq!((root.error_message, child.error_message), (Some("no funds"), None));
        assert_eq!((root.is_error, root.duration_ns, root.parent_id), (true, 500, 9));
    }

    /// Empty texts are shown as they are sent.
    #[test]
    fn names_are_shown_as_they_are_sent() {
        static PLAIN: CallSite = CallSite::function("shop", "pay");
        static NAMED: CallSite = CallSite::named("pay").resource("pay");
        static BY_HAND: CallSite = CallSite::named("");
        let texts = [&[][..], &[""], &["a"], &["a", ""], &["", "b"]];
        let mut buffer = SpanBuffer::new();
        for site in [&SITE, &PLAIN, &NAMED, &BY_HAND] {
            for (names, resources) in texts.iter().flat_map(|names| texts.map(|resources| (names, resources)))
            {
                let mut record = record(site, 1 + buffer.records.len() as u64, 0);
                record.service = buffer.tags.field(0, EntryKind::Service, ["", "SHOP", "bank"][names.len()]);
                record.flags = record.flags.with(Flags::FIELDS);
                for name in *names {
                    record.tags = buffer.tags.field(record.tags, EntryKind::Name, name);
                }
                for resource in resources {
                    record.tags = buffer.tags.field(record.tags, EntryKind::Resource, resource);
                }
                buffer.records.push(record);
            }
        }
        let head = ChunkHead { len: buffer.records.len() as u32, ..head(5, 1, None) };
        let decided =
            DecidedChunk { head: &head, buffer: &buffer, decision: KEEP, selected: &[], is_wanted: true };
        let shown = view(&decided, "shop", &timeline()).spans;
        let defaults = SpanDefaults { service: "shop".into(), ..SpanDefaults::default() };
        let sent = encoded(&defaults, &head, &buffer.records, &buffer.tags, KEEP);
        assert_eq!(shown.len(), 100);
        for span in &shown {
            let sent = sent.iter().find(|sent| sent.int("span_id") == span.span_id).unwrap();
            let shown = [&span.name, span.service, &span.resource];
            assert_eq!(shown, [sent.text("name"), sent.text("service"), sent.text("resource")]);
        }
    }
}
