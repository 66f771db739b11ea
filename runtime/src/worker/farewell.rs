//! The line at the end: what became of all spans, and what that cost.

use std::fmt::{self, Display};
use std::time::Duration;

use super::report::span_of_time;
use super::run::Worker;
use super::tally::{Cause, Tally};
use crate::diagnostics::{self, Level};
use crate::export::counters::{Counters, DropReason};

impl Worker {
    /// Tells the line.
    pub(super) fn bid_farewell(&self) {
        if diagnostics::is_shown(Level::Info) {
            let counters = self.queue.counters();
            let farewell = Farewell {
                counters: &counters,
                tally: &self.tally,
                ran: self.started.elapsed(),
                cpu: cpu_time(),
            };
            diagnostics::log(Level::Info, format_args!("{farewell}"));
        }
    }
}

/// What there is to say at the end.
struct Farewell<'a> {
    counters: &'a Counters,
    tally: &'a Tally,
    ran: Duration,
    /// Time of a processor that the present thread took since it began; `None` where the system does not tell.
    cpu: Option<Duration>,
}

impl Display for Farewell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counters, tally, ran, cpu } = self;
        write!(f, "tracer ended after {}: spans_started={}", span_of_time(*ran), counters.started())?;
        write!(f, " spans_finished={}", counters.finished())?;
        write!(f, " spans_sent={} spans_dropped={}", counters.acknowledged(), counters.dropped_total())?;
        let dropped = DropReason::ALL.map(|reason| (reason.as_str(), counters.dropped(reason)));
        list(f, &dropped)?;
        write!(f, " payloads={} bytes={}", tally.payloads, tally.bytes)?;
        let rounds = Cause::ALL.map(|cause| (cause.name(), tally.rounds(cause)));
        write!(f, " flushes={}", rounds.iter().map(|(_, count)| count).sum::<u64>())?;
        list(f, &rounds)?;
        let errors: u64 = tally.errors().map(|(_, _, count)| count).sum();
        write!(f, " requests={} errors={errors} most_bytes_waiting={}", tally.requests, tally.most_waiting)?;
        match cpu {
            Some(cpu) => write!(f, " worker_cpu_ms={:.1}", cpu.as_secs_f64() * 1e3),
            None => Ok(()),
        }
    }
}

/// ` {one: 1, two: 2}`, without what is 0.
fn list(f: &mut fmt::Formatter<'_>, counts: &[(&str, u64)]) -> fmt::Result {
    let mut mark = " {";
    for (name, count) in counts.iter().filter(|(_, count)| *count > 0) {
        write!(f, "{mark}{name}: {count}")?;
        mark = ", ";
    }
    f.write_str(if mark == ", " { "}" } else { "" })
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd"))]
fn cpu_time() -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd")))]
fn cpu_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::counters::Ledger;

    #[test]
    fn line_tells_what_became_of_all_spans() {
        let (ledger, mut tally) = (Ledger::default(), Tally::default());
        ledger.finish(10);
        ledger.open(2);
        ledger.acknowledge(7);
        ledger.drop_spans(DropReason::Net, 2);
        ledger.drop_spans(DropReason::QueueFull, 1);
        tally.sent(1_000, 3, Duration::from_millis(5));
        tally.began(Some(Cause::Invoked));
        tally.began(Some(Cause::Shutdown));
        tally.requests = 2;
        tally.failed("/v0.4/traces", &crate::export::client::Failure::TimedOut);
        tally.most_waiting = 4_096;
        let line = |cpu| {
            let ran = Duration::from_millis(92_450);
            Farewell { counters: &ledger.snapshot(0), tally: &tally, ran, cpu }.to_string()
        };
        let expected = "tracer ended after 92.5s: spans_started=12 spans_finished=10 spans_sent=7 spans_dropped=3 {queue_full: 1, net: 2} payloads=1 \
                        bytes=1000 flushes=2 {invoked: 1, shutdown: 1} requests=2 errors=1 most_bytes_waiting=4096";
        assert_eq!(line(None), expected);
        let whole = line(Some(Duration::from_micros(8_500)));
        assert_eq!(whole, format!("{expected} worker_cpu_ms=8.5"));
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).unwrap();
        assert!(
            page.contains(&format!("\ndd-traced INFO: {whole}\n")),
            "docs/metrics.md shows another line than\n{whole}"
        );
    }

    /// Where the system tells, it counts.
    #[test]
    fn time_of_the_processor_goes_on_with_work() {
        let Some(before) = cpu_time() else { return };
        let sum = (0..2_000_000u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        assert!(cpu_time().unwrap() > before, "{sum}");
    }
}
