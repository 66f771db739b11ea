//! A span that is described before it starts.

use super::context::Place;
use super::owned::{Edit, OwnedSpan};
use super::stack::with_stack;
use super::tag_set::TagSet;
use crate::model::{CallSite, EntryKind, Flags, Record, TagLog};

/// A record before it has ids and times.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Where the span belongs, if not under the active one.
    pub(crate) place: Option<Place>,
    record: Record,
    tags: TagLog,
}

/// The call site of all spans by hand: their name is in the tag log.
static BY_HAND: CallSite = CallSite::named("");

impl Setup {
    /// Of a span by hand.
    pub(crate) fn named(name: &str) -> Self {
        let mut setup = Self::of(&BY_HAND, None);
        setup.edit().field(EntryKind::Name, name);
        setup
    }

    /// Of a span of a call site.
    pub(crate) fn tagged(site: &'static CallSite, place: Option<Place>, tags: &dyn TagSet) -> Self {
        let mut setup = Self::of(site, place);
        tags.write(&mut setup.edit());
        setup
    }

    fn of(site: &'static CallSite, place: Option<Place>) -> Self {
        Self { place, record: Record::open(site, 0, 0, 0), tags: TagLog::new() }
    }

    /// What the span is to begin with.
    pub(crate) fn edit(&mut self) -> Edit<'_> {
        Edit { record: &mut self.record, tags: &mut self.tags }
    }

    /// Starts the span; `None` where that is not possible.
    pub(crate) fn start(self) -> Option<OwnedSpan> {
        let Self { place, record, tags } = self;
        let given = tags.text(record.service).or(record.site.service);
        let mut owned =
            with_stack(|stack| stack.start_owned(record.site, place.as_ref(), given)).flatten()?;
        let inherited = std::mem::replace(&mut owned.tags, tags);
        owned.record.tags = record.tags;
        owned.record.service = owned.tags.copy_field(&inherited, owned.record.service);
        owned.record.flags = owned.record.flags.with(record.flags);
        if owned.record.flags.has(Flags::WATCHED) {
            owned.segment.facts.tell_local_root(&owned.record, &owned.tags, 0);
        }
        Some(owned)
    }
}
