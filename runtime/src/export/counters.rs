//! The books: what became of every span.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::model::{LeftOut, tag_memory};

/// Why a span was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum DropReason {
    /// The spans waiting to be sent took the whole queue.
    QueueFull,
    /// A single span above the size of a payload.
    TooLarge,
    /// A span that could not be written as MessagePack.
    Encode,
    /// The agent could not be reached, after all retries.
    Net,
    /// The agent did not answer in time, after all retries.
    Timeout,
    /// The agent refused the payload with a status of 4xx (or answered with a redirect).
    Http4xx,
    /// The agent failed with a status of 5xx, after all retries.
    Http5xx,
    /// The agent was overloaded (429), after all retries.
    Overload,
    /// Still waiting when the deadline of the shutdown passed.
    ShutdownDeadline,
    /// Finished after the shutdown, before a tracer was started, or started where a thread could not record it any more.
    AfterShutdown,
    /// Not recorded, since 500 000 spans were open in the process, or their tags held 63 MiB of memory: as if it were not there, what was active stays active. A thread may be up to
    /// 64 spans late to see the limit.
    OpenLimit,
    /// There was no worker thread to send it.
    NoThread,
    /// Handed over in a forked child that started no tracer of its own.
    Forked,
    /// Of a trace that is not kept: counted in the statistics, and not sent on purpose.
    P0,
    /// Of a trace that the agent does not want, by its own filters.
    TraceFilter,
}

impl DropReason {
    /// All reasons, in the order of their declaration.
    pub const ALL: [DropReason; 15] = [
        DropReason::QueueFull,
        DropReason::TooLarge,
        DropReason::Encode,
        DropReason::Net,
        DropReason::Timeout,
        DropReason::Http4xx,
        DropReason::Http5xx,
        DropReason::Overload,
        DropReason::ShutdownDeadline,
        DropReason::AfterShutdown,
        DropReason::OpenLimit,
        DropReason::NoThread,
        DropReason::Forked,
        DropReason::P0,
        DropReason::TraceFilter,
    ];

    /// The reason as it is written in logs and health metrics, such as `queue_full`.
    pub fn as_str(self) -> &'static str {
        match self {
            DropReason::QueueFull => "queue_full",
            DropReason::TooLarge => "too_large",
            DropReason::Encode => "encode",
            DropReason::Net => "net",
            DropReason::Timeout => "timeout",
            DropReason::Http4xx => "http_4xx",
            DropReason::Http5xx => "http_5xx",
            DropReason::Overload => "overload",
            DropReason::ShutdownDeadline => "shutdown_deadline",
            DropReason::AfterShutdown => "after_shutdown",
            DropReason::OpenLimit => "open_limit",
            DropReason::NoThread => "no_thread",
            DropReason::Forked => "forked",
            DropReason::P0 => "p0",
            DropReason::TraceFilter => "trace_filter",
        }
    }

    /// Whether a span was left out because nobody wants it, which is no loss.
    pub fn is_intended(self) -> bool {
        matches!(self, DropReason::P0 | DropReason::TraceFilter)
    }
}

/// How many spans finished, arrived, were lost and why, since the tracer was started (since the process began, for those that met no tracer).
///
/// `finished() == acknowledged() + dropped_total() + waiting()` at every moment; after a shutdown nothing is waiting.
///
/// ```
/// # #[cfg(feature = "enable")] {
/// use dd_traced::DropReason;
///
/// let counters = dd_traced::counters();
/// let lost = DropReason::ALL.into_iter().filter(|reason| !reason.is_intended() && counters.dropped(*reason) > 0);
/// for reason in lost {
///     println!("{} spans lost: {}", counters.dropped(reason), reason.as_str());
/// }
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub(crate) open: u64,
    pub(crate) finished: u64,
    pub(crate) acknowledged: u64,
    pub(crate) dropped: [u64; DropReason::ALL.len()],
    pub(crate) dropped_chunks: [u64; DropReason::ALL.len()],
    pub(crate) left_out_links: u64,
    pub(crate) left_out_events: u64,
    pub(crate) left_out_attributes: u64,
    pub(crate) left_out_tags: u64,
    pub(crate) lost_statistics: u64,
    pub(crate) abandoned: u64,
}

impl Counters {
    /// Spans that were started: those that [finished](Self::finished), and those that are [open](Self::open).
    pub fn started(&self) -> u64 {
        self.finished + self.open
    }

    /// Spans that are open in handles and futures, to within 64 a thread. Calls of `#[traced]` functions, and what finished in a trace that is not handed
    /// over yet, are not among them: those are counted when they are [handed over](Self::finished).
    ///
    /// Handles of an earlier tracer, or of the parent of a forked child, come off here too when they are dropped: it is too low by as many then, and 0
    /// at the least.
    pub fn open(&self) -> u64 {
        self.open
    }

    /// Spans handed over by the threads that finished them.
    pub fn finished(&self) -> u64 {
        self.finished
    }

    /// Spans in payloads that the agent answered with a status of 2xx, or that the local view printed where no agent is set.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Spans not delivered for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Spans not delivered for any reason, also those that were [left out on purpose](DropReason::is_intended).
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Traces, and parts of traces that leave by themselves, of which no span was delivered for this reason; for [`DropReason::TooLarge`] those
    /// that lack a span.
    pub(crate) fn dropped_chunks(&self, reason: DropReason) -> u64 {
        self.dropped_chunks[reason as usize]
    }

    /// Links that finished spans had beyond the 128 that a span may have. The spans themselves are sent.
    pub fn left_out_links(&self) -> u64 {
        self.left_out_links
    }

    /// Events that finished spans had beyond the 128 that a span may have, or beyond the 25 000 bytes of the tag `events` that an agent gets
    /// which does not know events as such. The spans themselves are sent.
    pub fn left_out_events(&self) -> u64 {
        self.left_out_events
    }

    /// Attributes that links and events of finished spans had beyond the 128, and the 256 KiB in all, that each may have.
    pub fn left_out_attributes(&self) -> u64 {
        self.left_out_attributes
    }

    /// Payloads of statistics that the agent did not take: refused, tried three times, or too many that waited. The spans that they counted
    /// are told of by [`dropped`](Self::dropped) alone.
    pub fn lost_statistics(&self) -> u64 {
        self.lost_statistics
    }

    /// What was left out of spans that were sent, by kind.
    pub(crate) fn left_out(&self) -> [(&'static str, u64); 4] {
        [
            ("links", self.left_out_links),
            ("events", self.left_out_events),
            ("attributes", self.left_out_attributes),
            ("tags", self.left_out_tags),
        ]
    }

    /// Spans that somebody wanted and that did not arrive.
    pub(crate) fn lost(&self) -> u64 {
        let lost = DropReason::ALL.into_iter().filter(|reason| !reason.is_intended());
        lost.map(|reason| self.dropped(reason)).sum()
    }

    /// Tags that spans had beyond the 1 000, and the 1 MiB in all, that a span may have of its own; those stay whose keys came
    /// first. Counted when their payload is settled. Also what an open span was not given (tags, links, events, its resource or type), since the tags
    /// of all open ones in the process held 64 MiB: counted at once, by the tracer whose books are looked at next. The spans themselves are
    /// sent.
    pub fn left_out_tags(&self) -> u64 {
        self.left_out_tags
    }

    /// Spans that were open for longer than the limit of abandoned ones, or at the shutdown; 0 unless they are
    /// [looked for](crate::TracerBuilder::debug_abandoned_spans). Each counts once, also if it finishes later.
    pub fn abandoned_spans(&self) -> u64 {
        self.abandoned
    }

    /// The same books with more spans that finished and were lost for this reason.
    pub(crate) fn with_refused(mut self, reason: DropReason, spans: u64) -> Self {
        self.finished += spans;
        self.dropped[reason as usize] += spans;
        self
    }

    /// Spans that are neither delivered nor lost yet.
    pub fn waiting(&self) -> u64 {
        self.finished.saturating_sub(self.acknowledged).saturating_sub(self.dropped_total())
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut books = f.debug_struct("Counters");
        books
            .field("open", &self.open)
            .field("finished", &self.finished)
            .field("acknowledged", &self.acknowledged);
        for reason in DropReason::ALL {
            if self.dropped(reason) > 0 {
                books.field(reason.as_str(), &self.dropped(reason));
            }
        }
        for (name, count) in [
            ("left_out_links", self.left_out_links),
            ("left_out_events", self.left_out_events),
            ("left_out_attributes", self.left_out_attributes),
            ("left_out_tags", self.left_out_tags),
            ("lost_statistics", self.lost_statistics),
            ("abandoned_spans", self.abandoned),
        ] {
            if count > 0 {
                books.field(name, &count);
            }
        }
        // Reasons for which nothing was lost are not shown.
        books.field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

/// The books as they are written: by the queue, the worker, and threads that come too late.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Below zero for a moment where a thread tells of ends before another one does of starts.
    open: AtomicI64,
    finished: AtomicU64,
    acknowledged: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    dropped_chunks: [AtomicU64; DropReason::ALL.len()],
    left_out_links: AtomicU64,
    left_out_events: AtomicU64,
    left_out_attributes: AtomicU64,
    left_out_tags: AtomicU64,
    lost_statistics: AtomicU64,
    abandoned: AtomicU64,
}

// Relaxed throughout: each counter stands alone. A snapshot reads what was lost or delivered before what was finished, so
// that a span on its way is counted as waiting and never twice.
impl Ledger {
    /// Counts spans that are open from here on, or with a minus are not any more.
    pub(crate) fn open(&self, spans: i32) {
        self.open.fetch_add(spans.into(), Ordering::Relaxed);
    }

    pub(crate) fn finish(&self, spans: usize) {
        self.finished.fetch_add(spans as u64, Ordering::Relaxed);
    }

    pub(crate) fn acknowledge(&self, spans: usize) {
        self.acknowledged.fetch_add(spans as u64, Ordering::Relaxed);
    }

    pub(crate) fn drop_spans(&self, reason: DropReason, spans: usize) {
        self.dropped[reason as usize].fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// Counts the chunks that dropped spans were of.
    pub(crate) fn drop_chunks(&self, reason: DropReason, chunks: usize) {
        self.dropped_chunks[reason as usize].fetch_add(chunks as u64, Ordering::Relaxed);
    }

    /// Counts what spans have too much of.
    pub(crate) fn leave_out(&self, LeftOut { links, events, attributes, tags }: LeftOut) {
        self.left_out_links.fetch_add(links.into(), Ordering::Relaxed);
        self.left_out_events.fetch_add(events.into(), Ordering::Relaxed);
        self.left_out_attributes.fetch_add(attributes.into(), Ordering::Relaxed);
        self.left_out_tags.fetch_add(tags.into(), Ordering::Relaxed);
    }

    /// Counts tags and events that there was no room for when spans were written.
    pub(crate) fn leave_out_unwritten(&self, tags: u64, events: u64) {
        if tags | events > 0 {
            self.left_out_tags.fetch_add(tags, Ordering::Relaxed);
            self.left_out_events.fetch_add(events, Ordering::Relaxed);
        }
    }

    /// Counts payloads of statistics that were not taken.
    pub(crate) fn lose_statistics(&self, payloads: u64) {
        self.lost_statistics.fetch_add(payloads, Ordering::Relaxed);
    }

    /// Counts spans that were found open for too long.
    pub(crate) fn abandon(&self, spans: usize) {
        self.abandoned.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// A snapshot, with `queued` spans that are handed over but not in the books yet.
    pub(crate) fn snapshot(&self, queued: u64) -> Counters {
        let read = |cells: &[AtomicU64; DropReason::ALL.len()]| {
            cells.each_ref().map(|cell| cell.load(Ordering::Relaxed))
        };
        let (dropped, dropped_chunks) = (read(&self.dropped), read(&self.dropped_chunks));
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        let finished = self.finished.load(Ordering::Relaxed) + queued;
        let left_out_tags = tag_memory::take_left_out();
        Counters {
            open: u64::try_from(self.open.load(Ordering::Relaxed)).unwrap_or(0),
            finished,
            acknowledged,
            dropped,
            dropped_chunks,
            left_out_links: self.left_out_links.load(Ordering::Relaxed),
            left_out_events: self.left_out_events.load(Ordering::Relaxed),
            left_out_attributes: self.left_out_attributes.load(Ordering::Relaxed),
            left_out_tags: self.left_out_tags.fetch_add(left_out_tags, Ordering::Relaxed) + left_out_tags,
            lost_statistics: self.lost_statistics.load(Ordering::Relaxed),
            abandoned: self.abandoned.load(Ordering::Relaxed),
        }
    }
}
