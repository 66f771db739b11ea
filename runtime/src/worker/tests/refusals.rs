//! An agent that refuses, fails, recovers.

use super::*;

/// What is lost when one flush of 3 chunks with 2 spans meets an agent that always replies so.
fn lost_to(reply: Reply) -> (Counters, usize) {
    // A machine that is busy must not make a refusal look like silence.
    let timeout = if matches!(reply, Reply::Silence) { Duration::from_millis(50) } else { LONG };
    let agent = FakeAgent::start(move |_, _| reply.clone());
    let running = Setup::new(AgentSettings { timeout, ..agent.settings() }).start();
    running.push(3, 2);
    running.handle.flush(LONG);
    (running.counters(), agent.received().len())
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
    // The first goes out on the connection of the question before, and is replaced at once.
    let (counters, received) = lost_to(Reply::Close);
    assert_eq!((counters.dropped(DropReason::Net), counters.dropped_total(), received), (6, 6, 5));
    let (counters, _) = lost_to(Reply::Raw(b"garbage\r\n\r\n".to_vec()));
    assert_eq!((counters.dropped(DropReason::Net), counters.dropped_total()), (6, 6));
}

#[test]
fn unreachable_agent_is_told_once_and_at_the_end() {
    let lines = Lines::default();
    let mut setup = Setup::new(nobody());
    setup.viewer = Some(Box::new(Listening(lines.clone())));
    let running = setup.start();
    running.push(2, 2);
    running.handle.flush(LONG);
    running.push(1, 2);
    running.handle.flush(LONG);
    assert_eq!((running.counters().dropped(DropReason::Net), running.counters().waiting()), (6, 0));
    let first = lines.take();
    let [line] = &first[..] else { panic!("{first:?}") };
    for part in [
        "WARN: Agent not reachable at http://127.0.0.1:",
        "Connection refused",
        "lost 2 traces, 4 spans: net 4",
    ] {
        assert!(line.contains(part), "{line}");
    }
    running.handle.shutdown(LONG);
    let rest = lines.take();
    let [line] = &rest[..] else { panic!("{rest:?}") };
    assert!(
        line.contains("Connection refused")
            && line.contains("lost 1 trace, 2 spans: net 2; ")
            && line.contains(" left out since "),
        "{line}"
    );
}

#[test]
fn silent_agent_is_told_before_anything_is_lost() {
    let lines = Lines::default();
    let agent = FakeAgent::start(|_, _| Reply::Silence);
    let mut setup = Setup::new(AgentSettings { timeout: Duration::from_millis(1_100), ..agent.settings() });
    setup.viewer = Some(Box::new(Listening(lines.clone())));
    let running = setup.start();
    running.push(1, 2);
    assert!(!running.handle.flush(Duration::from_millis(100)));
    let start = Instant::now();
    let mut told = Vec::new();
    while told.is_empty() && start.elapsed() < LONG {
        std::thread::yield_now();
        told = lines.take();
    }
    let address = agent.address.to_string();
    let [line] = &told[..] else { panic!("{told:?}") };
    assert!(line.contains(&address) && line.contains("no answer within 1.1s"), "{line}");
    assert_eq!(running.counters().dropped_total(), 0);
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
    let mut refused: Vec<_> = received.iter().map(|r| &r.body).filter(|body| body.len() > 3_000).collect();
    let count = refused.len();
    refused.sort();
    refused.dedup();
    assert_eq!(refused.len(), count, "the same body is not sent again");
}

#[test]
fn span_refused_alone_is_given_up() {
    let (counters, _) = lost_to(status(413));
    assert_eq!((counters.dropped(DropReason::Http4xx), counters.dropped_total()), (6, 6));
}

#[test]
fn agent_that_lost_payloads_is_given_time_and_gets_what_waits_when_it_recovers() {
    let (arrived, arrivals) = std::sync::mpsc::channel();
    let arrived = Mutex::new(arrived);
    let agent = FakeAgent::start(move |number, _| {
        let _ = arrived.lock().unwrap().send(Instant::now());
        if number < 2 { status(401) } else { ok() }
    });
    let mut setup = Setup::new(agent.settings());
    setup.writer.interval = Duration::from_millis(1);
    let running = setup.start();
    running.push(1, 1);
    let first = arrivals.recv_timeout(LONG).unwrap();
    running.push(1, 1);
    // `health` has the pauses; on a busy machine the first request takes some of this one.
    assert!(arrivals.recv_timeout(LONG).unwrap() - first >= Duration::from_millis(100));
    running.push(1, 7);
    assert!(agent.wait_for(3, LONG) && !running.handle.flush(LONG) && running.handle.flush(LONG));
    assert_eq!((running.counters().acknowledged(), running.counters().dropped(DropReason::Http4xx)), (7, 2));
}
