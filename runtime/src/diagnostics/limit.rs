//! Messages that would repeat: one a period, saying how many were left out.

use super::{Level, is_shown, warn};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The place in the code a repeated message comes from; a `static` beside the call.
#[derive(Debug)]
pub(crate) struct Site {
    /// Nanoseconds of the caller's clock from which the next message may be shown; zero before the first.
    open_from_ns: AtomicU64,
    skipped: AtomicU64,
}

impl Site {
    pub(crate) const fn new() -> Self {
        Self { open_from_ns: AtomicU64::new(0), skipped: AtomicU64::new(0) }
    }
}

/// Warns at most once a `period` for each site, adding the number of messages left out since the last one shown.
///
/// `now` is the time since any fixed moment, of a clock that does not step back. Relaxed atomics: of several threads at the
/// border of a period exactly one wins the exchange, and the count is a plain sum.
pub(crate) fn warn_every(site: &Site, period: Duration, now: Duration, message: fmt::Arguments<'_>) {
    if !is_shown(Level::Warn) {
        return;
    }
    let now_ns = nanoseconds(now);
    let open_from_ns = site.open_from_ns.load(Ordering::Relaxed);
    let next_ns = now_ns.saturating_add(nanoseconds(period)).max(1);
    let is_closed = open_from_ns != 0 && now_ns < open_from_ns;
    let exchange =
        || site.open_from_ns.compare_exchange(open_from_ns, next_ns, Ordering::Relaxed, Ordering::Relaxed);
    if is_closed || exchange().is_err() {
        site.skipped.fetch_add(1, Ordering::Relaxed);
        return;
    }
    match site.skipped.swap(0, Ordering::Relaxed) {
        0 => warn(message),
        skipped => warn(format_args!("{message}, {skipped} additional messages skipped")),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::capture::Lines;
    use super::*;

    #[test]
    fn repeated_warning_is_shown_once_a_period_with_the_count_of_the_rest() {
        let site = Site::new();
        let lines = Lines::default();
        let _collecting = lines.collect_here();
        for second in [0, 1, 59, 60, 61, 200] {
            warn_every(
                &site,
                Duration::from_secs(60),
                Duration::from_secs(second),
                format_args!("at {second}"),
            );
        }
        assert_eq!(
            lines.take(),
            [
                "dd-traced WARN: at 0",
                "dd-traced WARN: at 60, 2 additional messages skipped",
                "dd-traced WARN: at 200, 1 additional messages skipped",
            ]
        );
    }

    #[test]
    fn period_of_any_length_is_accepted() {
        let site = Site::new();
        let lines = Lines::default();
        let _collecting = lines.collect_here();
        warn_every(&site, Duration::MAX, Duration::MAX, format_args!("first"));
        warn_every(&site, Duration::MAX, Duration::ZERO, format_args!("second"));
        assert_eq!(lines.take(), ["dd-traced WARN: first"]);
    }
}
