//! A span that is described before it starts.

use super::context::Place;
use super::owned::{Edit, OwnedSpan};
use super::stack::with_stack;
use super::tag_set::TagSet;
use crate::model::{CallSite, EntryKind, Flags, Record, TagLog};

/// A record before it has ids and times.
#[derive(Debug)]
pub(crate) struct Setup {
    site: &'static CallSite,
    /// Where the span belongs, if not under the active one.
    pub(crate) place: Option<Place>,
    pub(crate) tags: TagLog,
    pub(crate) anchor: u32,
    pub(crate) flags: Flags,
    pub(crate) service: Option<String>,
}

/// The call site of all spans by hand: their name is in the tag log.
static BY_HAND: CallSite = CallSite::named("");

impl Setup {
    /// Of a span by hand.
    pub(crate) fn named(name: &str) -> Self {
        let mut tags = TagLog::new();
        let anchor = tags.field(0, EntryKind::Name, name);
        Self { site: &BY_HAND, place: None, tags, anchor, flags: Flags::FIELDS, service: None }
    }

    /// Of a span of a call site.
    pub(crate) fn tagged(site: &'static CallSite, place: Option<Place>, tags: &dyn TagSet) -> Self {
        let (mut record, mut log) = (Record::open(site, 0, 0, 0), TagLog::new());
        tags.write(&mut Edit { record: &mut record, tags: &mut log });
        Self {
            site,
            place,
            anchor: record.tags,
            flags: record.flags,
            service: log.text(record.service).map(str::to_owned),
            tags: log,
        }
    }

    /// Starts the span; `None` where that is not possible.
    pub(crate) fn start(self) -> Option<OwnedSpan> {
        let given = self.service.as_deref().or(self.site.service);
        let mut owned =
            with_stack(|stack| stack.start_owned(self.site, self.place.as_ref(), given)).flatten()?;
        let inherited = std::mem::replace(&mut owned.tags, self.tags);
        owned.record.tags = self.anchor;
        owned.record.service = owned.tags.copy_field(&inherited, owned.record.service);
        owned.record.flags = owned.record.flags.with(self.flags);
        if owned.record.flags.has(Flags::WATCHED) {
            owned.segment.facts.tell_local_root(&owned.record, &owned.tags, 0);
        }
        Some(owned)
    }
}
