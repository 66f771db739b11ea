//! What is done to finished spans before anything looks at them: what follows from their tags and from the settings becomes part of them.
//!
//! Invariant: a batch is prepared once, when it is taken from the queue; view, sampling, statistics and encoder see the same spans.

mod peer;
mod status;

use crate::export::queue::Queue;
use crate::model::{ChunkBatch, EntryKind, Flags, LeftOut, Record, TagLog, is_other_service};
use crate::worker::rules::SpanRules;

/// What a batch is prepared by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preparation {
    /// The tracer's own service.
    pub(crate) service: Box<str>,
    pub(crate) rules: SpanRules,
}

impl Preparation {
    /// Prepares a batch that was taken from the queue.
    pub(crate) fn prepare(&self, batch: &mut ChunkBatch, queue: &Queue) {
        let mut left_out = LeftOut::default();
        let looks_at_all = self.rules.names_peers;
        batch.each_chunk(|records, tags| {
            for record in records.iter_mut() {
                if record.flags.has(Flags::LEFT_OUT) {
                    left_out = left_out + tags.all_left_out(record.tags);
                }
                if record.flags.has(Flags::TELLING) || looks_at_all {
                    self.conclude(record, tags);
                }
            }
            if !self.rules.service_mapping.is_empty() {
                self.map_services(records, tags);
            }
        });
        if left_out != LeftOut::default() {
            queue.ledger().leave_out(left_out);
        }
    }

    /// Adds what follows from a span's tags.
    #[cold]
    fn conclude(&self, record: &mut Record, tags: &mut TagLog) {
        status::mark(&self.rules, record, tags);
        peer::name(&self.rules, record, tags);
    }

    /// Gives spans the services that theirs are mapped to. Those of a chunk share the entries.
    #[cold]
    fn map_services(&self, records: &mut [Record], tags: &mut TagLog) {
        let mut known: Vec<(Box<str>, u32)> = Vec::new();
        for record in records {
            let own = &*self.service;
            let service =
                tags.text(record.service).filter(|service| is_other_service(service.as_bytes(), own));
            let Some(to) = self.rules.service_mapping.get(service.unwrap_or(own)) else { continue };
            let shared = known.iter().find(|(service, _)| **service == *to).map(|(_, anchor)| *anchor);
            let anchor = shared.unwrap_or_else(|| {
                let anchor = tags.field(0, EntryKind::Service, to);
                known.push((to.into(), anchor));
                anchor
            });
            record.service = anchor;
            if is_other_service(to.as_bytes(), own) {
                // `internal/ext` of DataDog/dd-trace-go.
                record.tags = tags.meta(record.tags, "_dd.svc_src", "opt.mapping");
            }
        }
    }
}

/// The text of a tag: the span's own, else that of its call site.
fn text<'a>(record: &Record, tags: &'a TagLog, key: &str) -> Option<&'a str> {
    let is_tag = |kind| matches!(kind, EntryKind::Meta | EntryKind::Metric | EntryKind::Unset);
    let mut own = tags.entries(record.tags).filter(|entry| is_tag(entry.kind));
    match own.find(|entry| entry.key() == key) {
        Some(latest) => latest.text().filter(|_| latest.kind == EntryKind::Meta),
        None => record.site.tags.iter().rev().find(|(found, _)| *found == key).map(|(_, text)| *text),
    }
}

#[cfg(test)]
mod tests;
