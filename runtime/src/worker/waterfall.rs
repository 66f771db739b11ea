//! Printing each finished trace, whole, as a tree with bars.
//!
//! ```text
//! show ─► waiting traces ── settle: finished, and nothing of them on its way ──► tree ──► drawing ──► one write
//!                        └─ finish, or too much is waiting: whatever is there, marked incomplete ──┘
//! ```
//!
//! Here the chunks of a trace are brought together; `tree` finds who is whose parent, `drawing` makes the text. Two parts of
//! one trace may live in this process (a client and the server it calls, a request and the job it left to another thread)
//! and their chunks come in any order, so a finished trace is printed when the worker [settles](Waterfall::settle).
//! Invariant: what waits stays below [`MAX_WAITING_BYTES`] and [`MAX_WAITING_TRACES`]. A write that fails loses that
//! trace's drawing and nothing else.

mod drawing;
mod entry;
mod scale;
mod span;
mod text;
mod tree;

use std::fmt;
use std::io::{IsTerminal, Write};

use self::drawing::{Drawing, Sheet};
use self::span::ShownSpan;
use super::view::{ViewChunk, Viewer};
use crate::sampling::{SamplingStep, WhySampled};

/// The local view `waterfall`: collects view chunks and prints the traces they make.
pub(crate) struct Waterfall {
    out: Box<dyn Write + Send>,
    sheet: Sheet,
    /// In the order of their first chunk.
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
}

impl Waterfall {
    /// Prints on stderr: as wide as the terminal, with its colours if they are wanted, or 100 columns wide without.
    pub(crate) fn on_stderr(has_colours: bool) -> Self {
        let stderr = std::io::stderr();
        let has_colours = has_colours && stderr.is_terminal();
        let width = rustix::termios::tcgetwinsize(&stderr).map_or(0, |size| usize::from(size.ws_col));
        Self::new(Box::new(stderr), if width > 0 { width } else { PLAIN_WIDTH }, has_colours)
    }

    /// Prints on `out` in lines of `width` columns (40 to 500, clamped), with terminal colours or without.
    pub(crate) fn new(out: Box<dyn Write + Send>, width: usize, colours: bool) -> Self {
        Self { out, sheet: Sheet::new(width, colours), waiting: Vec::new(), waiting_bytes: 0 }
    }

    /// Chunks come thread by thread; people read by time.
    fn print_all(&mut self, mut traces: Vec<Waiting>) {
        traces.sort_by_key(Waiting::start_ns);
        for trace in &traces {
            self.print(trace);
        }
    }

    fn print(&mut self, trace: &Waiting) {
        if trace.spans.is_empty() {
            return;
        }
        self.waiting_bytes = self.waiting_bytes.saturating_sub(trace.bytes());
        let drawing = Drawing {
            trace_id: trace.trace_id,
            why: trace.why,
            is_complete: trace.progress != Progress::Open,
            spans: &trace.spans,
        };
        // Nobody to tell: this is the place where things are told.
        let _ = self.out.write_all(self.sheet.draw(&drawing).as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Viewer for Waterfall {
    /// Takes a chunk. Prints only what must make room for it.
    fn show(&mut self, chunk: &ViewChunk<'_>) {
        let trace = Waiting::of(chunk);
        self.waiting_bytes += trace.bytes();
        match self.waiting.iter_mut().rev().find(|other| other.trace_id == trace.trace_id) {
            Some(other) => other.add(trace),
            None => self.waiting.push(trace),
        }
        while self.waiting_bytes > MAX_WAITING_BYTES || self.waiting.len() > MAX_WAITING_TRACES {
            let oldest = self.waiting.remove(0);
            self.print(&oldest);
        }
    }

    /// Prints the finished traces.
    ///
    /// A finished trace whose parent spans are not all here is given one more round, since the caller may be in this
    /// process and just about to finish.
    fn settle(&mut self) {
        self.waiting.iter_mut().for_each(Waiting::settle);
        let (settled, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|trace| trace.progress == Progress::Settled);
        self.waiting = waiting;
        self.print_all(settled);
    }

    /// Prints everything that is left, what is unfinished marked so.
    fn finish(&mut self) {
        let left = std::mem::take(&mut self.waiting);
        self.print_all(left);
    }
}

impl fmt::Debug for Waterfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waterfall")
            .field("sheet", &self.sheet)
            .field("waiting", &self.waiting.len())
            .field("waiting_bytes", &self.waiting_bytes)
            .finish_non_exhaustive()
    }
}

/// Columns where stderr is no terminal.
const PLAIN_WIDTH: usize = 100;

/// A trace that is not printed yet.
#[derive(Debug)]
struct Waiting {
    trace_id: u128,
    why: WhySampled,
    progress: Progress,
    spans: Vec<ShownSpan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The last chunk did not come yet.
    Open,
    /// The last chunk of a part came since the previous round.
    Finished,
    /// As before, and a round passed.
    WaitsForParent,
    /// To be printed.
    Settled,
}

impl Waiting {
    fn of(chunk: &ViewChunk<'_>) -> Self {
        Self {
            trace_id: chunk.trace_id.as_u128(),
            why: chunk.why,
            progress: if chunk.is_last { Progress::Finished } else { Progress::Open },
            spans: chunk.spans.iter().map(ShownSpan::of).collect(),
        }
    }

    /// Takes in a later part of the same trace. Of a part that a caller decided about, the caller knows more, who may be in this
    /// process.
    fn add(&mut self, later: Self) {
        if later.why.step() != SamplingStep::Inherited {
            self.why = later.why;
        }
        self.progress = later.progress;
        self.spans.extend(later.spans);
    }

    fn settle(&mut self) {
        self.progress = match self.progress {
            Progress::Open => Progress::Open,
            Progress::Finished if !tree::has_all_parents(&self.spans) => Progress::WaitsForParent,
            Progress::Finished | Progress::WaitsForParent | Progress::Settled => Progress::Settled,
        };
    }

    fn start_ns(&self) -> Option<u64> {
        self.spans.iter().map(|span| span.start_ns).min()
    }

    fn bytes(&self) -> usize {
        self.spans.iter().map(ShownSpan::bytes).sum()
    }
}

/// Texts and structs of all spans waiting; the traces that wait longest are printed as they are beyond it.
const MAX_WAITING_BYTES: usize = 16 << 20;
const MAX_WAITING_TRACES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::super::view::ViewSpan;
    use super::*;
    use crate::model::{Decision, SamplingPriority, TraceId};
    use std::io;
    use std::sync::{Arc, Mutex};

    /// What was written, one text for each write.
    #[derive(Debug, Clone, Default)]
    struct Writes(Arc<Mutex<Vec<String>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Writes {
        /// For each trace printed since the last call: its header after the id, and the names of its spans in order.
        fn take(&self) -> Vec<String> {
            let writes = std::mem::take(&mut *self.0.lock().unwrap());
            writes.iter().map(|text| outline(text)).collect()
        }
    }

    fn outline(text: &str) -> String {
        let mut lines = text.lines();
        let header = lines.next().unwrap().trim_start_matches("trace 0");
        let names = lines.filter_map(|line| line.split_once("  ")).map(|(label, _)| label);
        let is_incomplete = if header.ends_with("incomplete") { " incomplete" } else { "" };
        let id = header.split(' ').next().unwrap().trim_start_matches('0');
        format!("{id}{is_incomplete}: {}", names.collect::<Vec<_>>().join(" "))
    }

    fn waterfall() -> (Waterfall, Writes) {
        let writes = Writes::default();
        (Waterfall::new(Box::new(writes.clone()), 200, false), writes)
    }

    /// A chunk of spans given as id and parent; they start in the order of their ids.
    fn chunk(trace_id: u128, is_last: bool, spans: &[(u64, u64)]) -> ViewChunk<'static> {
        let span = |&(span_id, parent_id): &(u64, u64)| ViewSpan {
            span_id,
            parent_id,
            name: format!("s{span_id}"),
            service: "shop",
            resource: String::new(),
            start_ns: span_id,
            duration_ns: 10,
            is_error: false,
            error_message: None,
            is_local_root: parent_id == 0,
            links: 0,
            events: 0,
        };
        ViewChunk {
            trace_id: TraceId::new(trace_id),
            why: WhySampled::of(Decision::inherited(SamplingPriority::AUTO_KEEP)),
            is_last,
            spans: spans.iter().map(span).collect(),
        }
    }

    #[test]
    fn finished_trace_is_one_write() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, true, &[(1, 0), (2, 1), (3, 1)]));
        waterfall.show(&chunk(2, true, &[(4, 0)]));
        waterfall.settle();
        assert_eq!(writes.take(), ["1: s1 ├─ s2 └─ s3", "2: s4"]);
    }

    #[test]
    fn traces_are_printed_by_their_start() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, true, &[(9, 0)]));
        waterfall.show(&chunk(2, true, &[(4, 0), (5, 4)]));
        waterfall.settle();
        assert_eq!(writes.take(), ["2: s4 └─ s5", "1: s9"]);
    }

    #[test]
    fn chunks_of_a_partial_flush_are_brought_together() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, false, &[(2, 1), (3, 1)]));
        waterfall.settle();
        waterfall.settle();
        assert!(writes.take().is_empty());
        waterfall.show(&chunk(1, true, &[(1, 0)]));
        waterfall.settle();
        assert_eq!(writes.take(), ["1: s1 ├─ s2 └─ s3"]);
    }

    #[test]
    fn called_service_in_this_process_waits_for_its_caller() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, true, &[(2, 1)]));
        waterfall.settle();
        assert!(writes.take().is_empty());
        waterfall.show(&chunk(1, true, &[(1, 0)]));
        waterfall.settle();
        assert_eq!(writes.take(), ["1: s1 └─ s2"]);
    }

    #[test]
    fn caller_elsewhere_is_waited_for_one_round() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, true, &[(2, 1)]));
        waterfall.settle();
        waterfall.settle();
        assert_eq!(writes.take(), ["1: ↳ s2"]);
        waterfall.settle();
        assert!(writes.take().is_empty());
    }

    #[test]
    fn rest_is_printed_at_the_end_and_marked() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, false, &[(2, 1)]));
        waterfall.show(&chunk(2, true, &[(4, 3)]));
        waterfall.finish();
        assert_eq!(writes.take(), ["1 incomplete: ↳ s2", "2: ↳ s4"]);
        waterfall.finish();
        assert!(writes.take().is_empty());
    }

    #[test]
    fn too_many_traces_push_out_the_oldest() {
        let (mut waterfall, writes) = waterfall();
        for trace_id in 1..=MAX_WAITING_TRACES as u128 {
            waterfall.show(&chunk(trace_id, false, &[(2, 1)]));
        }
        assert!(writes.take().is_empty());
        waterfall.show(&chunk(0xffff, false, &[(2, 1)]));
        assert_eq!(writes.take(), ["1 incomplete: ↳ s2"]);
        assert_eq!(waterfall.waiting.len(), MAX_WAITING_TRACES);
    }

    #[test]
    fn too_many_bytes_push_out_the_oldest() {
        let (mut waterfall, writes) = waterfall();
        let of_bytes = |trace_id, bytes: usize| {
            let mut chunk = chunk(trace_id, false, &[(2, 1)]);
            let rest = bytes - Waiting::of(&chunk).bytes();
            chunk.spans[0].resource = "x".repeat(rest);
            chunk
        };
        waterfall.show(&of_bytes(1, MAX_WAITING_BYTES / 2));
        waterfall.show(&of_bytes(2, MAX_WAITING_BYTES / 2));
        assert!(writes.take().is_empty());
        waterfall.show(&of_bytes(3, 1000));
        assert_eq!(writes.take().len(), 1);
        assert_eq!(waterfall.waiting_bytes, MAX_WAITING_BYTES / 2 + 1000);
        waterfall.show(&of_bytes(4, MAX_WAITING_BYTES + 1));
        assert_eq!(writes.take().len(), 3);
        assert_eq!(waterfall.waiting_bytes, 0);
    }

    #[test]
    fn nothing_is_printed_for_an_empty_chunk() {
        let (mut waterfall, writes) = waterfall();
        waterfall.show(&chunk(1, true, &[]));
        waterfall.settle();
        waterfall.finish();
        assert!(writes.take().is_empty());
    }

    #[test]
    fn closed_stderr_is_no_failure() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut waterfall = Waterfall::new(Box::new(Closed), 100, true);
        waterfall.show(&chunk(1, true, &[(1, 0)]));
        waterfall.settle();
        assert!(waterfall.waiting.is_empty() && waterfall.waiting_bytes == 0);
    }
}
