//! A span with a record of its own: held by a future or a handle, free to cross threads.

use std::sync::Arc;

use super::error::ErrorInfo;
use super::segment::Segment;
use crate::clock;
use crate::model::{
    EntryKind, Flags, LeftOut, Record, SourceLine, SpanEvent, SpanLink, TagLog, TraceFacts, WriteTag,
};
use std::time::SystemTime;

/// An open span outside of any line.
#[derive(Debug)]
pub(crate) struct OwnedSpan {
    pub(crate) record: Record,
    pub(crate) tags: TagLog,
    pub(crate) segment: Arc<Segment>,
}

impl OwnedSpan {
    pub(crate) fn edit(&mut self) -> Edit<'_> {
        Edit { record: &mut self.record, tags: &mut self.tags }
    }

    /// Tells whoever looks for forgotten contexts and abandoned spans that the span of a function has started: `unasked`, where it was told of
    /// no place.
    #[inline]
    pub(crate) fn began(&self, unasked: bool) {
        if self.segment.core.is_inquisitive {
            self.tell_began(unasked);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_began(&self, unasked: bool) {
        let core = &self.segment.core;
        if unasked
            && self.record.parent_id == 0
            && core.settings.is_debug
            && self.segment.facts.upstream.is_none()
        {
            core.lost_contexts.root_began(self.record.site);
        }
        self.segment.list(&self.record, &self.tags, SourceLine::of_site(self.record.site));
    }

    /// The time at which the span ends; where open spans are listed, it is none of them any more.
    pub(crate) fn end_ticks(&self) -> u64 {
        self.segment.core.end_ticks(self.record.span_id)
    }

    /// Changes the span, and tells its trace.
    pub(crate) fn edit_told(&mut self, f: impl FnOnce(&mut Edit<'_>)) {
        let Self { record, tags, segment } = self;
        Edit { record, tags }.told(segment, f);
    }
}

/// An open record and the log its tags go to, wherever the two are.
#[derive(Debug)]
pub(crate) struct Edit<'a> {
    pub(crate) record: &'a mut Record,
    pub(crate) tags: &'a mut TagLog,
}

impl Edit<'_> {
    /// Changes the span, and tells its trace where it is a watched local root.
    #[inline]
    pub(crate) fn told(&mut self, segment: &Segment, f: impl FnOnce(&mut Self)) {
        if self.record.flags.has(Flags::WATCHED) {
            return self.watched(&segment.facts, f);
        }
        f(self);
    }

    /// Changes a watched local root.
    #[cold]
    #[inline(never)]
    pub(crate) fn watched(&mut self, facts: &TraceFacts, f: impl FnOnce(&mut Self)) {
        let before = self.record.tags;
        f(self);
        facts.tell_local_root(self.record, self.tags, before);
    }

    pub(crate) fn tag(&mut self, key: &str, value: &impl WriteTag) {
        self.record.tags = value.write(self.tags, self.record.tags, key);
    }

    pub(crate) fn meta(&mut self, key: &str, value: &str) {
        self.record.tags = self.tags.meta(self.record.tags, key, value);
    }

    /// Whether there is a tag of this key, of the span or of its call site.
    pub(crate) fn has(&self, key: &str) -> bool {
        if self.record.site.tags.iter().any(|(found, _)| *found == key) {
            return true;
        }
        let mut tags = self.tags.entries(self.record.tags);
        tags.any(|entry| matches!(entry.kind, EntryKind::Meta | EntryKind::Metric) && entry.key() == key)
    }

    /// Adds a link, where it leads to a span.
    pub(crate) fn link(&mut self, link: &SpanLink) {
        if !link.has_ids() {
            return;
        }
        match self.record.flags.with_link() {
            Some(flags) => {
                self.record.tags = self.tags.link(self.record.tags, link);
                self.record.flags = flags;
                self.left_out(LeftOut { attributes: link.attributes.left_out(), ..LeftOut::default() });
            }
            None => self.left_out(LeftOut { links: 1, ..LeftOut::default() }),
        }
    }

    /// Adds an event; one without a time of its own happened at `ticks`.
    pub(crate) fn event(&mut self, event: &SpanEvent, ticks: u64) {
        match self.record.flags.with_event() {
            Some(flags) => {
                self.record.tags = self.tags.event(self.record.tags, event, ticks);
                self.record.flags = flags;
                self.left_out(LeftOut { attributes: event.left_out_attributes(), ..LeftOut::default() });
            }
            None => self.left_out(LeftOut { events: 1, ..LeftOut::default() }),
        }
    }

    /// Sets a structured value, as MessagePack.
    pub(crate) fn structure(&mut self, key: &str, value: &[u8]) {
        self.record.tags = self.tags.structure(self.record.tags, key, value);
        self.flag(Flags::STRUCTS, true);
    }

    /// Forgets what later entries replaced and counts tags beyond the limit, of a span that has the log to itself.
    #[cold]
    pub(crate) fn compact(&mut self) {
        let (mut own, anchor, left_out) = self.tags.compacted(self.record.tags);
        self.record.service = own.copy_field(self.tags, self.record.service);
        self.record.tags = anchor;
        *self.tags = own;
        self.left_out(LeftOut { tags: left_out, ..LeftOut::default() });
    }

    /// Counts what the span has too much of.
    fn left_out(&mut self, more: LeftOut) {
        if more == LeftOut::default() {
            return;
        }
        self.record.tags = self.tags.left_out(self.record.tags, more);
        self.flag(Flags::LEFT_OUT, true);
    }

    pub(crate) fn unset(&mut self, key: &str) {
        self.record.tags = self.tags.unset(self.record.tags, key);
    }

    pub(crate) fn field(&mut self, kind: EntryKind, text: &str) {
        if kind == EntryKind::Service {
            self.record.service = self.tags.field(0, kind, text);
            return;
        }
        if text.is_empty() && kind == EntryKind::Name && self.record.site.name.is_empty() {
            return self.name_as_begun();
        }
        self.record.tags = self.tags.field(self.record.tags, kind, text);
        self.record.flags = self.record.flags.with(Flags::FIELDS);
    }

    /// The name of a span whose site has none.
    pub(crate) fn begin_named(&mut self, name: &str) {
        self.record.tags = self.tags.field(self.record.tags, EntryKind::Name, name);
        self.record.flags = self.record.flags.with(Flags::FIELDS);
    }

    /// Takes a later name back from a span whose site has none: it has the one that it began with.
    #[cold]
    fn name_as_begun(&mut self) {
        let names = self.tags.entries(self.record.tags).filter(|entry| entry.kind == EntryKind::Name);
        if let Some(first) = names.last().map(|first| first.field().to_owned()) {
            self.record.tags = self.tags.field(self.record.tags, EntryKind::Name, &first);
        }
    }

    pub(crate) fn flag(&mut self, flag: Flags, is_set: bool) {
        self.record.flags =
            if is_set { self.record.flags.with(flag) } else { self.record.flags.without(flag) };
    }

    /// Marks the span as failed or not, whatever its tags say.
    pub(crate) fn failed(&mut self, is_failed: bool) {
        self.flag(Flags::ERROR, is_failed);
        self.flag(Flags::NOT_FAILED, !is_failed);
    }

    /// Marks the span as not failed, and takes the description back.
    pub(crate) fn clear_error(&mut self) {
        self.failed(false);
        for key in ["error.type", "error.message", "error.stack"] {
            self.unset(key);
        }
    }

    /// Marks the span as failed and describes why (`error.type`, `error.message`, `error.stack`). A panic leaves the message that the span has.
    pub(crate) fn error(&mut self, error: &ErrorInfo) {
        self.failed(true);
        self.meta("error.type", &error.kind);
        if !(error.is_panic() && self.has("error.message")) {
            self.meta("error.message", &error.message);
        }
        if let Some(stack) = &error.stack {
            self.meta("error.stack", stack);
        }
    }

    pub(crate) fn start_at(&mut self, time: SystemTime) {
        self.record.start = clock::unix_ns(time);
        self.flag(Flags::START_GIVEN, true);
    }

    pub(crate) fn end(&mut self, ticks: u64, time: Option<SystemTime>) {
        self.record.end = ticks;
        if let Some(time) = time {
            self.record.end = clock::unix_ns(time);
            self.flag(Flags::END_GIVEN, true);
        }
        self.flag(Flags::FINISHED, true);
    }
}
