//! Flush and shutdown, and their deadlines.

use super::*;

/// Promised are at most 200 ms here; without a deadline all retries of a silent agent take longer than this.
const BOUND: Duration = Duration::from_secs(5);

#[test]
fn shutdown_ends_at_its_deadline_and_counts_what_is_left() {
    let agent = FakeAgent::start(|_, _| Reply::Silence);
    let running = Setup::new(agent.settings()).start();
    running.push(3, 2);
    let start = Instant::now();
    assert!(!running.handle.shutdown(Duration::from_millis(100)));
    assert!(start.elapsed() < BOUND);
    // An ended worker has nothing left to do, but spans were lost. One without a processor is waited for.
    assert!(!running.handle.flush(LONG) && !running.handle.shutdown(LONG), "spans were lost");
    running.push(1, 4);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::ShutdownDeadline), counters.waiting()), (6, 0));
    assert_eq!((counters.dropped(DropReason::AfterShutdown), counters.dropped_total()), (4, 10));
}

#[test]
fn orders_after_the_end_say_what_became_of_the_spans() {
    let agent = FakeAgent::start(|_, _| ok());
    let running = Setup::new(agent.settings()).start();
    running.push(1, 2);
    assert!(running.handle.shutdown(LONG));
    assert!(running.handle.flush(LONG) && running.handle.shutdown(LONG), "everything was delivered");
    running.push(1, 1);
    assert!(!running.handle.flush(LONG), "what came too late was not");
}

#[test]
fn loss_is_told_to_one_flush_wherever_it_happened() {
    let agent = FakeAgent::start(|number, _| if number == 0 { status(400) } else { ok() });
    let mut setup = Setup::new(agent.settings());
    (setup.writer.buffer_bytes, setup.writer.flush_from_bytes) = (10_000, 10_000);
    setup.writer.interval = Duration::from_millis(1);
    let running = setup.start();
    running.push(1, 2);
    assert!(agent.wait_for(1, LONG));
    // Nobody was waiting when the payload was refused.
    assert!(!running.handle.flush(LONG), "a payload was refused");
    assert!(running.handle.flush(LONG), "which was told");
    running.push(1, 60);
    assert!(!running.handle.flush(LONG), "the queue was full");
    running.push(1, 3);
    assert!(running.handle.flush(LONG) && running.handle.shutdown(LONG));
    assert!(running.handle.flush(LONG), "the losses were told before the end");
}

#[test]
fn shutdown_during_a_flush_ends_both() {
    let agent = FakeAgent::start(|_, _| Reply::Silence);
    let running = Arc::new(Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }).start());
    running.push(3, 2);
    let flushing = Arc::clone(&running);
    let flush = std::thread::spawn(move || flushing.handle.flush(LONG));
    assert!(agent.wait_for(1, LONG));
    let start = Instant::now();
    assert!(!running.handle.shutdown(Duration::from_millis(100)));
    assert!(!flush.join().unwrap() && !running.handle.flush(LONG));
    assert!(start.elapsed() < BOUND);
    assert_eq!(running.counters().dropped(DropReason::ShutdownDeadline), 6);
}

#[test]
fn shutdown_during_a_flush_delivers_what_came_meanwhile() {
    let (go, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let agent = FakeAgent::start(move |number, _| {
        if number == 0 {
            let _ = held.lock().unwrap().recv_timeout(LONG);
        }
        ok()
    });
    let running = Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }).start();
    running.push(1, 2);
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| running.handle.flush(LONG));
        assert!(agent.wait_for(1, LONG));
        running.push(1, 3);
        let shutdown = scope.spawn(|| running.handle.shutdown(LONG));
        go.send(()).unwrap();
        assert!(shutdown.join().unwrap() && flush.join().unwrap());
    });
    assert_eq!((agent.spans(), running.counters().waiting()), (5, 0));
}

#[test]
fn flush_during_a_shutdown_counts_what_came_too_late() {
    let (go, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let agent = FakeAgent::start(move |_, _| {
        let _ = held.lock().unwrap().recv_timeout(LONG);
        ok()
    });
    let running = Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }).start();
    running.push(1, 2);
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| running.handle.shutdown(LONG));
        assert!(agent.wait_for(1, LONG));
        running.push(1, 1);
        let flush = scope.spawn(|| running.handle.flush(LONG));
        go.send(()).unwrap();
        assert!(shutdown.join().unwrap(), "what came before was delivered");
        assert!(!flush.join().unwrap(), "a span was refused");
    });
    assert_eq!(
        (running.counters().acknowledged(), running.counters().dropped(DropReason::AfterShutdown)),
        (2, 1)
    );
}

#[test]
fn what_rings_during_a_delivery_does_not_wait_for_the_interval() {
    let (go, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let agent = FakeAgent::start(move |number, _| {
        if number == 0 {
            let _ = held.lock().unwrap().recv_timeout(LONG);
        }
        ok()
    });
    let mut setup = Setup::new(agent.settings());
    setup.writer.flush_from_bytes = 10_000;
    let running = setup.start();
    running.push(1, 100);
    assert!(agent.wait_for(1, LONG));
    running.push(1, 100);
    go.send(()).unwrap();
    assert!(agent.wait_for(2, LONG), "enough was waiting, and nobody looked");
    assert_eq!(agent.spans(), 200);
}

#[test]
fn flush_returns_at_its_deadline_and_the_worker_goes_on() {
    let agent = FakeAgent::start(|number, _| if number == 0 { Reply::Silence } else { ok() });
    let running =
        Setup::new(AgentSettings { timeout: Duration::from_millis(300), ..agent.settings() }).start();
    running.push(3, 2);
    let start = Instant::now();
    assert!(!running.handle.flush(Duration::from_millis(20)));
    assert!(start.elapsed() < BOUND);
    assert!(running.handle.flush(LONG));
    assert_eq!(running.counters().acknowledged(), 6);
}

#[test]
fn orders_work_inside_of_a_runtime_and_are_refused_on_the_workers_thread() {
    let agent = FakeAgent::start(|_, _| ok());
    let running = Setup::new(agent.settings()).start();
    running.push(1, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(async { running.handle.flush(LONG) }));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(!is_worker_thread());
            mark_thread();
            assert!(is_worker_thread() && !running.handle.flush(LONG) && !running.handle.shutdown(LONG));
        });
    });
    assert!(running.handle.shutdown(LONG));
}

#[test]
fn without_a_thread_nothing_hangs_and_everything_is_counted() {
    let lines = Lines::default();
    let _collecting = lines.collect_here();
    let mut setup = Setup::new(nobody());
    setup.spawn = |_| Err(io::Error::other("out of threads"));
    let running = setup.start();
    running.push(2, 3);
    assert!(!running.handle.flush(LONG));
    assert_eq!(running.counters().waiting(), 6);
    assert!(!running.handle.shutdown(LONG) && !running.handle.flush(LONG));
    assert_eq!((running.counters().dropped(DropReason::NoThread), running.counters().waiting()), (6, 0));
    let lines = lines.take();
    assert!(lines.len() == 1 && lines[0].contains("out of threads"), "{lines:?}");
}
