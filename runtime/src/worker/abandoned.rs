//! Abandoned spans: open ones that are older than a limit, listed once a minute, and all that are open at the end.

mod names;

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::report::{counted, spans};
use super::run::Worker;
use super::telling::Quoted;
use crate::clock::Timeline;
use crate::diagnostics::{self, Level};
use crate::export::counters::Ledger;
use crate::model::{OpenSpan, OpenSpans};

pub(super) use self::names::AbandonedNames;

/// Between two looks. Source: `ddtrace/tracer/abandonedspans.go` of dd-trace-go.
pub(super) const PERIOD: Duration = Duration::from_secs(60);
/// Spans of one list; of the others it tells how many they are.
const MAX_LINES: usize = 100;

/// What looks for them.
#[derive(Debug)]
pub(crate) struct Abandoned {
    open: Arc<OpenSpans>,
    timeout: Duration,
    next: Instant,
    names: AbandonedNames,
}

/// Why a list is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Spans above the limit that were not listed before.
    Check,
    /// The end of the tracer: all that are open.
    Shutdown,
}

impl Abandoned {
    /// Looks at these spans, a minute from `now` on for the first time.
    pub(crate) fn new(open: Arc<OpenSpans>, timeout: Duration, now: Instant) -> Self {
        Self { open, timeout, next: now + PERIOD, names: AbandonedNames::default() }
    }

    /// How many there were so far, by their names.
    pub(super) fn names(&self) -> &AbandonedNames {
        &self.names
    }

    /// The lines of a list, the oldest span first; none where there is nothing to tell. Each span counts once as abandoned.
    pub(crate) fn lines(&mut self, occasion: Occasion, timeline: &Timeline, ledger: &Ledger) -> Vec<String> {
        let now = timeline.latest_ticks();
        let age = |started| Duration::from_nanos(timeline.duration_ns(started, now));
        let found = self.open.tell(|started, is_told| match occasion {
            Occasion::Check => !is_told && age(started) > self.timeout,
            Occasion::Shutdown => true,
        });
        if found.is_empty() {
            return Vec::new();
        }
        let mut abandoned = 0;
        for (span, _) in found.iter().filter(|(_, is_new)| is_new.0) {
            abandoned += 1;
            self.names.add(&span.name());
        }
        ledger.abandon(abandoned);
        let mut head = counted(found.len() as u64, "abandoned span");
        // Writing to a string does not fail.
        let _ = match occasion {
            Occasion::Check => write!(head, ": open for more than {:?}, the oldest first", self.timeout),
            Occasion::Shutdown => write!(head, ": open at the shutdown, the oldest first"),
        };
        match self.open.unlisted() {
            0 => {}
            unlisted => {
                let _ = write!(head, "; {} more were too many to look at", spans(unlisted));
            }
        }
        let listed = found.iter().take(MAX_LINES).map(|(span, _)| line(span, age(span.started)));
        let more = found
            .len()
            .checked_sub(MAX_LINES + 1)
            .map(|more| format!("and {} more abandoned spans", more + 1));
        [head].into_iter().chain(listed).chain(more).collect()
    }
}

/// `abandoned span: [name: "shop.pay", span_id: 7, trace_id: 0…, age: 601 sec, source: src/pay.rs:12]`.
fn line(span: &OpenSpan, age: Duration) -> String {
    format!(
        "abandoned span: [name: {}, span_id: {}, trace_id: {:032x}, age: {} sec, source: {}]",
        Quoted(&span.name()),
        span.span_id,
        span.trace_id,
        age.as_secs(),
        span.source
    )
}

impl Worker {
    /// When the next look is due.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.abandoned.as_ref().map(|abandoned| abandoned.next)
    }

    /// Lists what was abandoned, once a minute.
    pub(super) fn look_for_abandoned(&mut self) {
        let now = Instant::now();
        if let Some(abandoned) = self.abandoned.as_mut().filter(|abandoned| now >= abandoned.next) {
            abandoned.next = now + PERIOD;
            self.tell_abandoned(Occasion::Check);
        }
    }

    /// Tells of abandoned spans, whatever the level: they have a switch of their own.
    pub(super) fn tell_abandoned(&mut self, occasion: Occasion) {
        let timeline = self.timeline();
        let Some(abandoned) = &mut self.abandoned else { return };
        for line in abandoned.lines(occasion, &timeline, self.queue.ledger()) {
            diagnostics::tell(Level::Warn, format_args!("{line}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::model::{CallSite, EntryKind, Record, SourceLine, TagLog};
    use std::sync::atomic::AtomicU64;

    static SITE: CallSite = CallSite::named("work");
    const SECOND: u64 = 1_000_000_000;

    /// A list at `seconds` of the spans that started at these seconds, with what looks for those above ten.
    fn abandoned(starts: impl IntoIterator<Item = u64>) -> Abandoned {
        let open = Arc::new(OpenSpans::default());
        for (index, start) in starts.into_iter().enumerate() {
            let record = Record::open(&SITE, index as u64 + 1, 0, 0);
            let source = SourceLine { file: "src/work.rs", line: 7 };
            open.start(OpenSpan::new(0xab, &record, &TagLog::new(), start * SECOND, source));
        }
        Abandoned::new(open, Duration::from_secs(10), Instant::now())
    }

    fn at(seconds: u64) -> Timeline {
        let anchor = Clock::Held(Arc::new(AtomicU64::new(seconds * SECOND))).anchor();
        Timeline::new(&Clock::Held(Arc::default()), anchor, anchor)
    }

    #[test]
    fn what_passed_the_limit_is_listed_once_and_all_at_the_end() {
        let (mut abandoned, ledger) = (abandoned([5, 3, 20]), Ledger::default());
        let mut lines = |occasion, seconds| abandoned.lines(occasion, &at(seconds), &ledger);
        let none: [&str; 0] = [];
        assert_eq!(lines(Occasion::Check, 13), none, "not above the limit");
        let span = |id, age| {
            format!(
                "abandoned span: [name: \"work\", span_id: {id}, trace_id: {:032x}, age: {age} sec, source: src/work.rs:7]",
                0xab
            )
        };
        let head = "1 abandoned span: open for more than 10s, the oldest first".to_owned();
        assert_eq!(lines(Occasion::Check, 15), [head, span(2, 12)]);
        let head = "1 abandoned span: open for more than 10s, the oldest first".to_owned();
        assert_eq!(lines(Occasion::Check, 16), [head, span(1, 11)]);
        assert_eq!(lines(Occasion::Check, 17), none);
        assert_eq!(ledger.snapshot(0).abandoned_spans(), 2);
        let head = "3 abandoned spans: open at the shutdown, the oldest first".to_owned();
        assert_eq!(lines(Occasion::Shutdown, 21), [head, span(2, 18), span(1, 16), span(3, 1)]);
        assert_eq!(ledger.snapshot(0).abandoned_spans(), 3, "each counts once");
        let sum: u64 = abandoned.names().counts().map(|(_, count)| count).sum();
        assert_eq!(sum, 3, "by its name as well");
    }

    #[test]
    fn list_is_bounded() {
        for (count, expected) in [(100, 101), (101, 102), (1_000, 102)] {
            let lines = abandoned(0..count).lines(Occasion::Shutdown, &at(2_000), &Ledger::default());
            assert_eq!(lines.len(), expected);
            assert!(lines[1].contains("span_id: 1,") && lines[100].contains("span_id: 100,"), "{lines:#?}");
            let more = lines.get(101).map(String::as_str);
            let expected = format!("and {} more abandoned spans", count - 100);
            assert_eq!(more, (count > 100).then_some(&*expected));
        }
    }

    #[test]
    fn name_can_not_look_like_the_next_field() {
        let mut abandoned = abandoned([]);
        let (mut record, mut tags) = (Record::open(&SITE, 1, 0, 0), TagLog::new());
        record.tags = tags.field(0, EntryKind::Name, "a\", span_id: 9\nb\u{1b}");
        abandoned.open.start(OpenSpan::new(1, &record, &tags, 0, SourceLine::of_site(&SITE)));
        let lines = abandoned.lines(Occasion::Shutdown, &at(1), &Ledger::default());
        assert!(lines[1].contains(r#"name: "a\", span_id: 9\nb\u{1b}", span_id: 1,"#), "{}", lines[1]);
    }
}
