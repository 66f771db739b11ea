//! What is handed over arrives.

use super::*;

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
fn span_above_the_largest_payload_is_counted() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    setup.writer.max_payload_bytes = 100;
    setup.writer.flush_from_bytes = 100;
    let running = setup.start();
    running.push(2, 3);
    running.handle.flush(LONG);
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
        assert!(!running.handle.flush(LONG), "not all was taken");
    }
    assert_eq!((running.counters().acknowledged(), agent.spans()), (100, 100));
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
    assert_eq!(running.rate("shop", "test"), Some(0.0));
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

/// An agent of many services answers with more than 64 KiB.
#[test]
fn rates_of_ten_thousand_services_are_learned() {
    let service = |number: usize| format!("{number:0>100}");
    let env = "e".repeat(200);
    let rates: Vec<String> = (0..10_000)
        .map(|number| format!("\"service:{},env:{env}\":0.00000012345678901234", service(number)))
        .collect();
    let body = format!("{{\"rate_by_service\":{{{}}}}}", rates.join(","));
    let agent = FakeAgent::start(move |_, _| Reply::Status(200, "", body.clone()));
    let running = Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }).start();
    running.push(1, 1);
    assert!(running.handle.flush(LONG));
    assert!([0, 9_999].iter().all(|number| running.rate(&service(*number), &env).is_some()));
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
    command.args(["--exact", "worker::tests::delivery::delivery_under_the_environment_given", "--ignored"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, &address);
    }
    let output = command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.connections(), 0);
}
