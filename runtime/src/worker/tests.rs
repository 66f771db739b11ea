use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::handle::{WorkerParts, start_on};
use super::settings::WriterSettings;
use super::*;
use crate::clock::Clock;
use crate::diagnostics::capture::Lines;
use crate::export::counters::{Counters, DropReason};
use crate::export::fake_agent::{FakeAgent, Received, Reply, ok, status};
use crate::export::queue::{Outbox, Queue};
use crate::export::settings::{AgentAddress, AgentSettings};
use crate::export::v04::SpanDefaults;
use crate::export::v04::testing::batch;
use crate::model::CallSite;
use crate::sampling::AgentRates;

static SITE: CallSite = CallSite::named("work");
const LONG: Duration = Duration::from_secs(10);

/// A worker with its queue.
struct Setup {
    writer: WriterSettings,
    agent: AgentSettings,
    viewer: Option<Box<dyn Viewer>>,
    spawn: fn(Box<dyn FnOnce() + Send>) -> io::Result<()>,
}

struct Running {
    queue: Arc<Queue>,
    outbox: Arc<Outbox>,
    rates: Arc<Mutex<AgentRates>>,
    handle: WorkerHandle,
}

impl Setup {
    fn new(agent: AgentSettings) -> Self {
        // Nothing is sent but at a flush, a shutdown, or enough bytes.
        let writer = WriterSettings { interval: Duration::from_secs(600), ..WriterSettings::default() };
        Self { writer, agent, viewer: None, spawn: |body| std::thread::Builder::new().spawn(body).map(drop) }
    }

    fn start(self) -> Running {
        let signal = Arc::new(Signal::new());
        let ringing = Arc::clone(&signal);
        let WriterSettings { buffer_bytes, flush_from_bytes, .. } = self.writer;
        let queue = Arc::new(Queue::new(buffer_bytes, flush_from_bytes, Box::new(move || ringing.ring())));
        let rates = Arc::default();
        let clock = Clock::system();
        let parts = WorkerParts {
            writer: self.writer,
            agent: self.agent,
            defaults: SpanDefaults {
                service: "shop".into(),
                env: Some("test".into()),
                ..SpanDefaults::default()
            },
            first_anchor: clock.anchor(),
            clock,
            queue: Arc::clone(&queue),
            rates: Arc::clone(&rates),
            viewer: self.viewer,
        };
        let outbox = queue.outbox();
        Running { outbox, rates, handle: start_on(parts, signal, self.spawn), queue }
    }
}

impl Running {
    /// Hands over so many chunks of so many spans.
    fn push(&self, chunks: u64, spans: u64) {
        for _ in 0..chunks {
            let batch = batch(&SITE, 1, spans);
            self.queue.push(&self.outbox, batch.heads[0].clone(), &batch.spans, 0, 0);
        }
    }

    fn counters(&self) -> Counters {
        let counters = self.queue.counters();
        assert_eq!(
            counters.finished(),
            counters.acknowledged() + counters.dropped_total() + counters.waiting()
        );
        counters
    }
}

/// An address nobody listens on.
fn nobody() -> AgentSettings {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    AgentSettings {
        address: AgentAddress::http("127.0.0.1", port),
        is_explicit: true,
        ..AgentSettings::default()
    }
}

/// Collects what the worker says, from its first chunk on.
struct Listening(Lines);

impl Viewer for Listening {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, _: &super::view::ViewChunk<'_>) {
        std::mem::forget(self.0.collect_here());
    }
}

/// What is lost when one flush of 3 chunks with 2 spans meets an agent that always replies so.
fn lost_to(reply: Reply) -> (Counters, usize) {
    let agent = FakeAgent::start(move |_, _| reply.clone());
    let running =
        Setup::new(AgentSettings { timeout: Duration::from_millis(50), ..agent.settings() }).start();
    running.push(3, 2);
    assert!(!running.handle.flush(LONG));
    (running.counters(), agent.received().len())
}

#[test]
fn flush_delivers_what_was_handed_over() {
    let agent = FakeAgent::start(|_, _| ok());
    let running = Setup::new(agent.settings()).start();
    assert!(running.handle.flush(LONG), "nothing is delivered at once");
    running.push(10, 3);
    assert!(running.handle.flush(LONG));
    assert_eq!((agent.spans(), running.counters().acknowledged()), (30, 30));
    assert_eq!(agent.received()[0].header("x-datadog-trace-count"), Some("10"));
    running.push(1, 1);
    assert!(running.handle.shutdown(LONG));
    assert_eq!((agent.spans(), running.counters().waiting()), (31, 0));
}

#[test]
fn enough_bytes_are_sent_without_asking() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.writer.flush_from_bytes = 20_000;
    let running = setup.start();
    running.push(200, 1);
    assert!(agent.wait_for(1, LONG));
}

#[test]
fn interval_sends_without_asking() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.writer.interval = Duration::from_millis(20);
    let running = setup.start();
    running.push(1, 1);
    assert!(agent.wait_for(1, LONG));
}

#[test]
fn each_refusal_is_counted_under_its_reason() {
    for (code, reason, attempts) in [
        (302, DropReason::Http4xx, 1),
        (400, DropReason::Http4xx, 1),
        (401, DropReason::Http4xx, 1),
        (403, DropReason::Http4xx, 1),
        (404, DropReason::Http4xx, 1),
        (405, DropReason::Http4xx, 1),
        (408, DropReason::Http4xx, 4),
        (411, DropReason::Http4xx, 1),
        (415, DropReason::Http4xx, 1),
        (429, DropReason::Overload, 4),
        (500, DropReason::Http5xx, 4),
        (503, DropReason::Http5xx, 4),
    ] {
        let (counters, received) = lost_to(status(code));
        assert_eq!(
            (counters.dropped(reason), counters.dropped_total(), received),
            (6, 6, attempts),
            "{code}"
        );
    }
}

#[test]
fn silence_and_broken_connections_are_counted_under_their_reasons() {
    let (counters, received) = lost_to(Reply::Silence);
    assert_eq!((counters.dropped(DropReason::Timeout), counters.dropped_total(), received), (6, 6, 4));
    let (counters, received) = lost_to(Reply::Close);
    assert_eq!((counters.dropped(DropReason::Net), counters.dropped_total(), received), (6, 6, 4));
    let (counters, _) = lost_to(Reply::Raw(b"garbage\r\n\r\n".to_vec()));
    assert_eq!((counters.dropped(DropReason::Net), counters.dropped_total()), (6, 6));
}

#[test]
fn unreachable_agent_is_told_once_with_the_reason() {
    let lines = Lines::default();
    let mut setup = Setup::new(nobody());
    setup.viewer = Some(Box::new(Listening(lines.clone())));
    let running = setup.start();
    running.push(2, 2);
    assert!(!running.handle.flush(LONG));
    running.push(1, 2);
    assert!(!running.handle.flush(LONG));
    assert_eq!((running.counters().dropped(DropReason::Net), running.counters().waiting()), (6, 0));
    let lines = lines.take();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for part in
        ["WARN: Agent not reachable at http://127.0.0.1:", "Connection refused", "lost 4 spans: net 4"]
    {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn payload_is_delivered_when_the_agent_recovers_in_time() {
    let agent = FakeAgent::start(|number, _| if number < 3 { status(503) } else { ok() });
    let running = Setup::new(agent.settings()).start();
    running.push(3, 2);
    assert!(running.handle.flush(LONG));
    assert_eq!((running.counters().acknowledged(), agent.received().len()), (6, 4));
}

#[test]
fn payload_found_too_large_is_split_and_arrives_complete() {
    let agent = FakeAgent::start(|_, request| if request.body.len() > 3_000 { status(413) } else { ok() });
    let running = Setup::new(agent.settings()).start();
    running.push(20, 5);
    running.push(1, 100);
    assert!(running.handle.flush(LONG));
    assert_eq!(running.counters().acknowledged(), 200);
    let received = agent.received();
    let arrived: usize = received.iter().filter(|r| r.body.len() <= 3_000).map(Received::spans).sum();
    assert_eq!(arrived, 200);
    let mut refused: Vec<usize> = received.iter().map(|r| r.body.len()).filter(|len| *len > 3_000).collect();
    let count = refused.len();
    refused.dedup();
    assert_eq!(refused.len(), count, "the same body is not sent again");
}

#[test]
fn span_refused_alone_is_given_up() {
    let (counters, _) = lost_to(status(413));
    assert_eq!((counters.dropped(DropReason::Http4xx), counters.dropped_total()), (6, 6));
}

#[test]
fn span_above_the_largest_payload_is_counted() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.writer.max_payload_bytes = 100;
    setup.writer.flush_from_bytes = 100;
    let running = setup.start();
    running.push(2, 3);
    assert!(!running.handle.flush(LONG));
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::TooLarge), counters.dropped_total()), (6, 6));
    assert!(agent.received().is_empty());
}

#[test]
fn full_queue_refuses_and_is_empty_again_after_a_flush() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    (setup.writer.buffer_bytes, setup.writer.flush_from_bytes) = (10_000, 10_000);
    let running = setup.start();
    for _ in 0..5 {
        let before = running.counters();
        // 250 estimated bytes a span: no more than 40 fit.
        running.push(1, 60);
        running.push(1, 20);
        let after = running.counters();
        assert_eq!(after.dropped(DropReason::QueueFull) - before.dropped(DropReason::QueueFull), 60);
        assert!(running.handle.flush(LONG));
    }
    assert_eq!((running.counters().acknowledged(), agent.spans()), (100, 100));
}

#[test]
fn shutdown_ends_at_its_deadline_and_counts_what_is_left() {
    let agent = FakeAgent::start(|_, _| Reply::Silence);
    let running = Setup::new(agent.settings()).start();
    running.push(3, 2);
    let start = Instant::now();
    assert!(!running.handle.shutdown(Duration::from_millis(100)));
    assert!(start.elapsed() < Duration::from_secs(1));
    running.push(1, 4);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::ShutdownDeadline), counters.waiting()), (6, 0));
    assert_eq!((counters.dropped(DropReason::AfterShutdown), counters.dropped_total()), (4, 10));
    assert!(running.handle.flush(LONG) && running.handle.shutdown(LONG), "nothing is left to do");
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
    assert!(!flush.join().unwrap());
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(running.counters().dropped(DropReason::ShutdownDeadline), 6);
}

#[test]
fn shutdown_during_a_flush_delivers_what_came_meanwhile() {
    let agent = FakeAgent::start(|_, _| {
        std::thread::sleep(Duration::from_millis(100));
        ok()
    });
    let running = Arc::new(Setup::new(agent.settings()).start());
    running.push(1, 2);
    let flushing = Arc::clone(&running);
    let flush = std::thread::spawn(move || flushing.handle.flush(LONG));
    assert!(agent.wait_for(1, LONG));
    running.push(1, 3);
    assert!(running.handle.shutdown(LONG) && flush.join().unwrap());
    assert_eq!((agent.spans(), running.counters().waiting()), (5, 0));
}

#[test]
fn flush_returns_at_its_deadline_and_the_worker_goes_on() {
    let agent = FakeAgent::start(|number, _| if number == 0 { Reply::Silence } else { ok() });
    let running =
        Setup::new(AgentSettings { timeout: Duration::from_millis(300), ..agent.settings() }).start();
    running.push(3, 2);
    let start = Instant::now();
    assert!(!running.handle.flush(Duration::from_millis(20)));
    assert!(start.elapsed() < Duration::from_millis(5 * 120));
    assert!(running.handle.flush(LONG));
    assert_eq!(running.counters().acknowledged(), 6);
}

#[test]
fn sick_agent_is_left_alone_and_waiting_spans_arrive_when_it_recovers() {
    let agent = FakeAgent::start(|number, _| if number < 5 { status(401) } else { ok() });
    let mut setup = Setup::new(agent.settings());
    setup.writer.interval = Duration::from_millis(1);
    let running = setup.start();
    let start = Instant::now();
    for count in 1..=5 {
        running.push(1, 1);
        assert!(agent.wait_for(count, LONG));
    }
    // The first is not held up, the others come twice a second.
    assert!(start.elapsed() >= Duration::from_millis(1_950));
    running.push(1, 7);
    assert!(agent.wait_for(6, LONG) && running.handle.flush(LONG));
    assert_eq!((running.counters().acknowledged(), running.counters().dropped(DropReason::Http4xx)), (7, 5));
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
fn rates_of_the_answer_are_used_for_the_next_traces() {
    let body = r#"{"rate_by_service":{"service:shop,env:test":0.0}}"#;
    let agent = FakeAgent::start(|_, _| Reply::Status(200, "", body.to_owned()));
    let running = Setup::new(agent.settings()).start();
    for _ in 0..2 {
        running.push(1, 2);
        assert!(running.handle.flush(LONG));
    }
    assert_eq!(running.rates.lock().unwrap().rate("shop", "test"), Some(0.0));
    let roots: Vec<_> = agent.received().iter().map(|request| request.chunks()[0][0].clone()).collect();
    assert_eq!(
        (roots[0].meta("_dd.p.dm"), roots[0].metric("_sampling_priority_v1")),
        (Some("-0"), Some(1.0))
    );
    assert_eq!(
        (roots[1].meta("_dd.p.dm"), roots[1].metric("_sampling_priority_v1")),
        (Some("-1"), Some(0.0))
    );
    assert_eq!(roots[1].metric("_dd.agent_psr"), Some(0.0));
}

/// Counts what it is shown.
struct Counting(Arc<AtomicUsize>);

impl Viewer for Counting {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, chunk: &super::view::ViewChunk<'_>) {
        assert!(is_worker_thread() && chunk.priority.is_keep() && chunk.is_last);
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
        assert_eq!(agent.connections(), usize::from(is_explicit));
    }
}

/// Panics over the first chunks.
struct Panicking(usize);

impl Viewer for Panicking {
    fn settle(&mut self) {}
    fn finish(&mut self) {}

    fn show(&mut self, _: &super::view::ViewChunk<'_>) {
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
    assert!(running.handle.flush(LONG));
    assert_eq!((running.counters().dropped(DropReason::Encode), agent.spans()), (4, 3));
}

#[test]
fn worker_is_given_up_after_six_panics() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.viewer = Some(Box::new(Panicking(usize::MAX)));
    let running = setup.start();
    for _ in 0..6 {
        running.push(1, 1);
        assert!(!running.handle.flush(LONG));
    }
    // The sixth flush may be answered before the worker has closed the queue.
    while !running.handle.flush(LONG) {}
    running.push(1, 5);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::Encode), counters.dropped(DropReason::NoThread)), (6, 5));
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
    assert!(!running.handle.shutdown(LONG));
    assert_eq!((running.counters().dropped(DropReason::NoThread), running.counters().waiting()), (6, 0));
    let lines = lines.take();
    assert!(lines.len() == 1 && lines[0].contains("out of threads"), "{lines:?}");
}

#[cfg(unix)]
#[test]
fn unix_socket_is_delivered_to() {
    let path = std::env::temp_dir().join(format!("dd-traced-worker-{}.socket", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let agent = FakeAgent::on_socket(&path, |_, _| ok());
    let running = Setup::new(agent.settings()).start();
    running.push(2, 2);
    assert!(running.handle.shutdown(LONG));
    let _ = std::fs::remove_file(&path);
    assert_eq!(agent.spans(), 4);
}

/// Run by the test below in a process of its own.
#[test]
#[ignore = "needs the environment of a process of its own"]
fn delivery_under_the_environment_given() {
    flush_delivers_what_was_handed_over();
}

#[test]
fn proxy_of_the_environment_is_not_used() {
    let proxy = FakeAgent::start(|_, _| ok());
    let address = proxy.address.to_string();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "worker::tests::delivery_under_the_environment_given", "--ignored"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, &address);
    }
    let output = command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.connections(), 0);
}
