//! A span that is described before it starts.

use super::context::Place;
use super::handle::overrule;
use super::owned::Edit;
use super::stack::{Started, with_stack};
use super::tag_set::TagSet;
use crate::model::{Baggage, CallSite, Record, SamplingPriority, TagLog};
use std::sync::Arc;

/// A record before it has ids and times.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Where the span belongs, if not under the active one.
    pub(crate) place: Option<Place>,
    record: Record,
    tags: TagLog,
    /// What it has beyond the baggage that it inherits.
    pub(crate) baggage: Option<Box<Baggage>>,
    /// What its tags decide about the trace.
    manual: Option<SamplingPriority>,
}

/// The call site of all spans by hand: their name is in the tag log.
static BY_HAND: CallSite = CallSite::named("");

impl Setup {
    /// Of a span by hand.
    pub(crate) fn named(name: &str) -> Self {
        let mut setup = Self::of(&BY_HAND, None);
        setup.edit().begin_named(name);
        setup
    }

    /// Of a span of a call site.
    pub(crate) fn tagged(site: &'static CallSite, place: Option<Place>, tags: &dyn TagSet) -> Self {
        let mut setup = Self::of(site, place);
        tags.write(&mut setup.edit());
        setup.decide(tags.manual());
        setup
    }

    fn of(site: &'static CallSite, place: Option<Place>) -> Self {
        let record = Record::open(site, 0, 0, 0);
        Self { place, record, tags: TagLog::of_one(), baggage: None, manual: None }
    }

    /// What the span is to begin with.
    pub(crate) fn edit(&mut self) -> Edit<'_> {
        Edit { record: &mut self.record, tags: &mut self.tags }
    }

    /// Has the span decide about its trace as it starts, unless it leaves that open.
    pub(crate) fn decide(&mut self, manual: Option<SamplingPriority>) {
        self.manual = manual.or(self.manual);
    }

    /// Starts the span; `None` where that is not possible.
    pub(crate) fn start(self) -> Option<Started> {
        let Self { place, record, tags, baggage, manual } = self;
        let given = tags.text(record.service).or(record.site.service);
        let started = with_stack(|stack| stack.start_owned(record.site, place.as_ref(), given)).flatten()?;
        let mut started = started.described(tags, &record);
        if let Some(items) = baggage {
            let baggage = Arc::make_mut(started.baggage.get_or_insert_default());
            for (key, value) in items.iter() {
                baggage.set(key, value);
            }
        }
        if let Some(priority) = manual {
            overrule(&started.span.segment, priority);
        }
        Some(started)
    }
}
