//! Clocks and medians.

use std::time::{Duration, Instant};

/// How long a child measures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// Five repetitions of at least 50 ms.
    Full,
    /// Three repetitions of at least 10 ms: whether it works, not what it costs.
    Quick,
}

impl Length {
    fn repetitions(self) -> usize {
        match self {
            Self::Full => 5,
            Self::Quick => 3,
        }
    }

    fn measured(self) -> Duration {
        match self {
            Self::Full => Duration::from_millis(50),
            Self::Quick => Duration::from_millis(10),
        }
    }

    /// The end of a repetition whose tracer is slow to settle: what was measured until then must do.
    fn patience(self) -> Duration {
        match self {
            Self::Full => Duration::from_millis(500),
            Self::Quick => Duration::from_millis(200),
        }
    }
}

/// Nanoseconds of this thread's CPU time per item of `batch`, which does `items` of them: the median of some repetitions,
/// each of many batches. `settle` runs before each batch and is not timed, so that queues are empty when a batch starts.
pub(crate) fn per_item(length: Length, items: u32, mut settle: impl FnMut(), mut batch: impl FnMut()) -> f64 {
    let mut repetition = || {
        let begin = Instant::now();
        let (mut spent, mut batches) = (Duration::ZERO, 0_u32);
        while spent < length.measured() && (batches < 3 || begin.elapsed() < length.patience()) {
            settle();
            let start = thread_cpu();
            batch();
            spent += thread_cpu().saturating_sub(start);
            batches += 1;
        }
        spent.as_nanos() as f64 / (f64::from(batches) * f64::from(items))
    };
    repetition();
    let mut figures: Vec<f64> = (0..length.repetitions()).map(|_| repetition()).collect();
    median(&mut figures)
}

/// As [`per_item`], but of a fixed number of batches: threads that wait for each other in `settle` do the same number.
pub(crate) fn per_item_in_step(
    length: Length,
    items: u32,
    mut settle: impl FnMut(),
    mut batch: impl FnMut(),
) -> f64 {
    let batches = match length {
        Length::Full => 100,
        Length::Quick => 15,
    };
    let mut repetition = || {
        let mut spent = Duration::ZERO;
        for _ in 0..batches {
            settle();
            let start = thread_cpu();
            batch();
            spent += thread_cpu().saturating_sub(start);
        }
        spent.as_nanos() as f64 / (f64::from(batches) * f64::from(items))
    };
    repetition();
    let mut figures: Vec<f64> = (0..length.repetitions()).map(|_| repetition()).collect();
    median(&mut figures)
}

/// The middle one, or the mean of the two in the middle; of none it is not a number.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => figures[count / 2],
        count => f64::midpoint(figures[count / 2 - 1], figures[count / 2]),
    }
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(
        unsafe_code,
        reason = "the standard library has no clock of a thread; the call fills the one struct it is given"
    )]
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the clock of a thread is part of Linux");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// CPU time of all threads of this process, those that ended included.
pub(crate) fn process_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(
        unsafe_code,
        reason = "the standard library has no clock of a process; the call fills the one struct it is given"
    )]
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the clock of a process is part of Linux");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The most memory this process ever had resident, in MiB.
pub(crate) fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn median_is_the_middle_one() {
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&mut []).is_nan());
    }
}
