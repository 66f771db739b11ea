//! A worker that does not come to its books in time: whoever shuts down does them.

use super::*;
use proptest::prelude::*;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Holds the worker up at each chunk, until it is let go.
struct Busy {
    came: Sender<()>,
    held: Receiver<()>,
}

impl Viewer for Busy {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, _: &ViewChunk<'_>) {
        let _ = self.came.send(());
        let _ = self.held.recv();
    }
}

/// They were in no reason of the books for as long as the worker took: waiting, after a shutdown.
#[test]
fn shutdown_of_a_busy_worker_leaves_nothing_waiting() {
    for is_explicit in [true, false] {
        let agent = FakeAgent::start(|_, _| ok());
        let mut setup = Setup::new(AgentSettings { is_explicit, ..agent.settings() });
        let ((came, coming), (go, held)) = (channel(), channel());
        setup.viewer = Some(Box::new(Busy { came, held }));
        let running = setup.start();
        running.push(2, 3);
        std::thread::scope(|scope| {
            scope.spawn(|| running.handle.flush(Duration::ZERO));
            coming.recv().unwrap();
        });
        running.push(1, 4);
        assert!(!running.handle.shutdown(Duration::ZERO));
        running.push(1, 5);
        let given_up = running.counters();
        assert_eq!((given_up.dropped(DropReason::ShutdownDeadline), given_up.waiting()), (10, 0));
        assert_eq!(given_up.dropped_chunks(DropReason::ShutdownDeadline), 3);
        assert_eq!(given_up.dropped(DropReason::AfterShutdown), 5);
        drop(go);
        // Answered when the worker has ended.
        assert!(!running.handle.flush(LONG));
        assert_eq!(running.counters(), given_up, "what the worker books later counts for nothing");
        assert_eq!(running.queue.reserved(), 0);
    }
}

/// A thread that is gone without a word, as after a panic that nobody caught.
#[test]
fn shutdown_without_an_answer_leaves_nothing_waiting() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.spawn = |body| {
        drop(body);
        Ok(())
    };
    let running = setup.start_unheard();
    running.push(2, 3);
    assert!(!running.handle.shutdown(Duration::ZERO));
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::ShutdownDeadline), counters.waiting()), (6, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, max_shrink_iters: 20, ..ProptestConfig::default() })]

    /// Whatever the agent does, and whoever goes on meanwhile.
    #[test]
    fn nothing_waits_after_any_shutdown(
        before in proptest::collection::vec((1..6_u64, 1..40_u64), 0..6),
        during in prop_oneof![Just(0), 1..200_u64],
        replies in proptest::collection::vec(0..5_u8, 1..5),
        limits in proptest::collection::vec(proptest::sample::select(vec![0_u64, 1, 5, 50]), 1..4),
    ) {
        let agent = FakeAgent::start(move |number, _| match replies[number % replies.len()] {
            0 => Reply::Silence,
            1 => Reply::Close,
            2 => status(503),
            _ => ok(),
        });
        let running = Setup::new(agent.settings()).start();
        let mut finished = 0;
        for (chunks, spans) in before {
            running.push(chunks, spans);
            finished += chunks * spans;
        }
        std::thread::scope(|scope| {
            scope.spawn(|| (0..during).for_each(|_| running.push(1, 2)));
            let running = &running;
            for limit in limits {
                let shutdown = move || {
                    running.handle.shutdown(Duration::from_millis(limit));
                    // One that is refused meanwhile may be seen half way.
                    assert!(during > 0 || running.counters().waiting() == 0);
                };
                scope.spawn(shutdown);
            }
        });
        let counters = running.counters();
        prop_assert_eq!((counters.finished(), counters.waiting()), (finished + 2 * during, 0));
        // One that was on its way when the time ended may have arrived.
        prop_assert!(counters.acknowledged() <= agent.spans() as u64);
    }
}
