//! The local view.

use super::*;

/// Counts what it is shown.
struct Counting(Arc<AtomicUsize>);

impl Viewer for Counting {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, chunk: &ViewChunk<'_>) {
        assert!(is_worker_thread() && chunk.why.is_kept() && chunk.is_last);
        assert_eq!((&*chunk.spans[0].name, chunk.spans[0].service), ("work", "shop"));
        self.0.fetch_add(chunk.spans.len(), Ordering::SeqCst);
    }
}

#[test]
fn local_view_without_an_address_sends_nothing_and_with_one_does_both() {
    for is_explicit in [false, true] {
        let agent = FakeAgent::start(|_, _| ok());
        let shown = Arc::new(AtomicUsize::new(0));
        let mut setup = Setup::new(AgentSettings { is_explicit, ..agent.settings() });
        setup.viewer = Some(Box::new(Counting(Arc::clone(&shown))));
        let running = setup.start();
        running.push(2, 3);
        assert!(running.handle.flush(LONG));
        assert_eq!((shown.load(Ordering::SeqCst), running.counters().acknowledged()), (6, 6));
        assert_eq!(agent.connections() > 0, is_explicit);
    }
}
