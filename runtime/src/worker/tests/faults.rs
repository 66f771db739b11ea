//! Panics on the worker's thread.

use super::*;

/// Panics over the first chunks.
struct Panicking(usize);

impl Viewer for Panicking {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, _: &ViewChunk<'_>) {
        if self.0 > 0 {
            self.0 -= 1;
            panic!("for the test");
        }
    }
}

#[test]
fn worker_goes_on_after_a_panic_and_counts_what_it_held() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.viewer = Some(Box::new(Panicking(1)));
    let running = setup.start();
    running.push(1, 4);
    assert!(!running.handle.flush(LONG));
    running.push(1, 3);
    assert!(!running.handle.flush(LONG), "the first answer was lost with the loop");
    running.push(1, 3);
    assert!(running.handle.flush(LONG));
    assert_eq!((running.counters().dropped(DropReason::Encode), agent.spans()), (4, 6));
}

/// The metrics that only a fault of the worker brings about.
#[test]
fn what_a_panic_lost_is_told() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.viewer = Some(Box::new(Panicking(1)));
    let receiver = super::metrics::Receiver::of(&mut setup, LONG * 360);
    let running = setup.start();
    running.push(1, 4);
    assert!(!running.handle.flush(LONG));
    assert!(!running.handle.shutdown(LONG));
    let sums = receiver.sums();
    assert_eq!(sums.get("traces_dropped reason:encoding_error"), Some(&1.0), "{sums:?}");
    assert_eq!(sums.get("spans_dropped reason:encode"), Some(&4.0), "{sums:?}");
}

#[test]
fn worker_is_given_up_after_six_panics_in_an_hour() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.viewer = Some(Box::new(Panicking(usize::MAX)));
    let running = setup.start();
    for _ in 0..6 {
        running.push(1, 1);
        assert!(!running.handle.flush(LONG));
    }
    // The sixth flush may be answered before the worker has closed the queue.
    assert!(!running.handle.flush(LONG));
    running.push(1, 5);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::Encode), counters.dropped(DropReason::NoThread)), (6, 5));
    // Nothing waits for it any more, but not by success.
    assert!(!running.handle.flush(LONG) && !running.handle.shutdown(LONG));
}
