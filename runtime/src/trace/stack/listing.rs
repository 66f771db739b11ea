//! Open spans as a list, where a tracer keeps one, and their starts in the debug log: what is started and finished then takes no short way.
//!
//! A start that would have to be listed is refused before it has changed anything, and made again between
//! [`Stack::begin_listing`] and [`Stack::list_latest`]; so whoever lists nothing does not ask.

use super::Stack;
use crate::clock::Clock;
use crate::model::{OpenSpan, SourceLine};

impl Stack {
    /// Has the next start be one that is listed afterwards; false where nobody looks at starts, or that start came to nothing.
    pub(crate) fn begin_listing(&mut self) -> bool {
        let lists = self.port.as_ref().is_some_and(|port| port.core.is_inquisitive);
        self.is_listing = lists && !self.is_listing;
        self.is_listing
    }

    /// Lists the record that was just started.
    pub(crate) fn list_latest(&mut self) {
        self.is_listing = false;
        let place = (&self.port, self.frames.last(), self.spans.records.last());
        let (Some(port), Some(frame), Some(record)) = place else { return };
        port.core.tell_start(frame.trace_id, record, &self.spans.tags);
        if let Some(open) = &port.core.open_spans {
            let (now, source) = (port.clock.ticks(), SourceLine::of_site(record.site));
            open.start(OpenSpan::new(frame.trace_id, record, &self.spans.tags, now, source));
        }
    }

    /// The time for a span that starts here; `None` without a tracer, and where the span has to be listed.
    #[inline]
    pub(super) fn start_ticks(&mut self) -> Option<u64> {
        if self.has_short_way { Some(Clock::Counter.ticks()) } else { self.other_start_ticks() }
    }

    #[cold]
    fn other_start_ticks(&mut self) -> Option<u64> {
        self.look_at_limit();
        let port = self.port.as_ref()?;
        (self.is_listing || !port.core.is_inquisitive).then(|| port.clock.ticks())
    }

    /// The time for a span that ends here, which is listed no more; `None` without a tracer.
    #[inline]
    pub(super) fn end_ticks(&self, span_id: u64) -> Option<u64> {
        if self.has_short_way { Some(Clock::Counter.ticks()) } else { self.other_end_ticks(span_id) }
    }

    #[cold]
    fn other_end_ticks(&self, span_id: u64) -> Option<u64> {
        let port = self.port.as_ref()?;
        // The span may be of a tracer below the present one.
        let aside = self.frames.iter().filter_map(|frame| frame.outer.port.as_deref());
        for open in aside.chain([port]).filter_map(|port| port.core.open_spans.as_ref()) {
            open.finish(span_id);
        }
        Some(port.clock.ticks())
    }
}
