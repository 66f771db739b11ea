//! What the agent says about itself, and when it is asked.

use super::*;
use crate::model::AgentInfo;

/// Promised is a tenth of a second; without a bound a silent agent holds the worker for its whole timeout.
const BOUND: Duration = Duration::from_secs(5);

/// Waits until something is known that holds.
fn learned(running: &Running, holds: impl Fn(&AgentInfo) -> bool) -> Arc<AgentInfo> {
    let start = Instant::now();
    loop {
        match running.agent_info.get() {
            Some(info) if holds(&info) => return info,
            info => assert!(start.elapsed() < LONG, "{info:?}"),
        }
        std::thread::yield_now();
    }
}

#[test]
fn agent_is_asked_when_the_worker_starts() {
    let agent = FakeAgent::start(|_, _| ok());
    agent.says(r#"{"version":"7.79.0","client_drop_p0s":true}"#);
    let address = AgentAddress::parse(&format!("{}/base", agent.address)).unwrap();
    let running = Setup::new(AgentSettings { address, ..agent.settings() }).start();
    let info = learned(&running, |_| true);
    assert_eq!((&*info.version, info.client_drop_p0s), ("7.79.0", true));
    let asked = agent.asked();
    assert_eq!((asked.len(), asked[0].path.as_str(), asked[0].body.len()), (1, "/base/info", 0));
    assert_eq!(asked[0].header("datadog-meta-lang"), Some("rust"));
    for name in ["content-type", "datadog-rates-payload-version", "datadog-client-computed-top-level"] {
        assert_eq!(asked[0].header(name), None, "{name}");
    }
    running.push(1, 1);
    assert!(running.handle.flush(LONG));
    assert_eq!(agent.asked().len(), 1);
    assert_eq!(agent.received()[0].path, "/base/v0.4/traces");
}

#[test]
fn agent_without_a_description_is_an_old_one() {
    let agent = FakeAgent::start(|_, _| ok());
    let running = Setup::new(agent.settings()).start();
    assert_eq!(*learned(&running, |_| true), AgentInfo::default());
}

#[test]
fn description_that_cannot_be_read_is_none_and_delivery_goes_on() {
    let huge = format!("{{\"version\":\"x\"{}}}", " ".repeat((1 << 20) - 15));
    for (info, is_read) in [
        (Reply::Status(200, "", "{\"version\":7}".to_owned()), false),
        (status(500), false),
        (Reply::Close, false),
        (Reply::Status(200, "", huge[..huge.len() - 1].to_owned()), false),
        (Reply::Status(200, "", huge.clone()), true),
        (Reply::Status(200, "", huge + " "), false),
    ] {
        let agent = FakeAgent::start(|_, _| ok());
        agent.answers_info(info);
        let running = Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }).start();
        running.push(2, 2);
        assert!(running.handle.flush(LONG));
        if is_read {
            assert_eq!(&*learned(&running, |_| true).version, "x");
        }
        assert_eq!(running.agent_info.get().is_some(), is_read);
        assert_eq!(agent.spans(), 4);
    }
}

#[test]
fn silent_description_holds_nobody_up() {
    let agent = FakeAgent::start(|_, _| ok());
    agent.answers_info(Reply::Silence);
    let start = Instant::now();
    let running = Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }).start();
    running.push(2, 2);
    assert!(running.handle.flush(LONG) && running.handle.shutdown(LONG));
    assert!(start.elapsed() < BOUND);
    assert_eq!((agent.spans(), agent.asked().is_empty()), (4, false));
}

#[test]
fn question_without_an_answer_is_put_again() {
    let agent = FakeAgent::start(|_, _| ok());
    agent.answers_info(Reply::Close);
    let running = Setup::new(agent.settings()).start();
    assert!(agent.wait_for_questions(1, LONG));
    agent.says(r#"{"version":"7.28.0"}"#);
    learned(&running, |info| *info.version == *"7.28.0");
}

#[test]
fn another_hash_in_an_answer_is_asked_about() {
    let agent = FakeAgent::start(|_, _| Reply::Status(200, "Datadog-Agent-State: two\r\n", "{}".to_owned()));
    agent.answers_info(Reply::Status(200, "Datadog-Agent-State: one\r\n", r#"{"version":"1"}"#.to_owned()));
    let running = Setup::new(agent.settings()).start();
    learned(&running, |info| *info.version == *"1");
    agent.answers_info(Reply::Status(200, "Datadog-Agent-State: two\r\n", r#"{"version":"2"}"#.to_owned()));
    running.push(1, 1);
    assert!(running.handle.flush(LONG));
    learned(&running, |info| *info.version == *"2");
    let questions = agent.asked().len();
    running.push(1, 1);
    assert!(running.handle.flush(LONG));
    assert_eq!((questions, agent.asked().len()), (2, 2), "the hash is known");
}

#[test]
fn description_lasts_until_there_is_a_better_one() {
    let agent = FakeAgent::start(|_, _| status(404));
    agent.says(r#"{"version":"1"}"#);
    let running = Setup::new(agent.settings()).start();
    learned(&running, |info| *info.version == *"1");
    agent.says("broken");
    running.push(1, 1);
    assert!(!running.handle.flush(LONG), "the path was not found");
    assert_eq!(&*running.agent_info.get().unwrap().version, "1");
}

#[test]
fn payloads_keep_within_what_the_agent_takes() {
    for (bytes, is_bound) in [(20_000, true), (100_000_000, false)] {
        let agent = FakeAgent::start(|_, _| ok());
        agent.says(&format!("{{\"config\":{{\"max_request_bytes\":{bytes}}}}}"));
        let running = Setup::new(agent.settings()).start();
        learned(&running, |info| info.max_request_bytes == Some(bytes));
        // A flush that found the worker asking is answered before it has taken the answer over.
        assert!(running.handle.flush(LONG));
        running.push(3, 200);
        assert!(running.handle.flush(LONG));
        let largest = agent.received().iter().map(|request| request.body.len()).max();
        assert_eq!((agent.spans(), largest <= Some(20_000)), (600, is_bound));
    }
}
