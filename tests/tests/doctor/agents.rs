//! What it finds of agents: good ones, none, and those with faults.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use dd_traced_tests::{Address, Answer, FakeAgent, Received, TestAgent, with_agent, with_agent_at};

use crate::installed::{Examined, examine};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
const INFO: &str = r#"{"version":"7.79.0","endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true,
    "span_events":true,"peer_tags":["db.name"],"config":{"default_env":"none","statsd_port":9125}}"#;

/// What `dd-traced-doctor agent` finds of a fake agent that was prepared.
fn examined(prepare: impl FnOnce(&FakeAgent)) -> (Examined, Received) {
    let mut examined = None;
    let received = with_agent(|agent| {
        prepare(agent);
        examined = Some(examine(&["agent"], &[("DD_TRACE_AGENT_URL", &agent.url()), ("DD_SERVICE", "shop")]));
    });
    (examined.expect("it was examined"), received)
}

fn verdicts_of(prepare: impl FnOnce(&FakeAgent)) -> (Option<i32>, Vec<String>) {
    let (examined, _) = examined(prepare);
    (examined.code(), examined.verdicts())
}

#[test]
fn a_good_agent_is_described_and_takes_the_test_trace() {
    let (examined, received) = examined(|agent| {
        agent.answers_info(Answer::ok().with_body(INFO).dated(0));
        agent.answers(Answer::rates(&[("service:,env:", 1.0), ("service:shop,env:", 0.25)]));
    });
    assert_eq!(examined.code(), Some(0), "{examined:#?}");
    assert_eq!(examined.verdicts(), ["agent ok", "clock ok", "trace ok"]);
    assert_eq!(examined.detail("agent", "version"), "7.79.0");
    assert_eq!(examined.detail("agent", "endpoints"), &serde_json::json!(["/v0.4/traces", "/v0.6/stats"]));
    assert_eq!(examined.detail("agent", "features"), &serde_json::json!(["client_drop_p0s", "span_events"]));
    assert_eq!(examined.detail("agent", "statsd_port"), 9125);
    assert_eq!(examined.detail("agent", "dogstatsd_address"), "127.0.0.1:9125");
    let rates = serde_json::json!([
        { "service": "", "env": "", "rate": 1.0 },
        { "service": "shop", "env": "", "rate": 0.25 }
    ]);
    assert_eq!(examined.detail("trace", "rates"), &rates);

    let span = received.span("dd_traced.doctor");
    assert_eq!((span.service.as_str(), span.resource.as_str()), ("shop", "test trace"));
    assert_eq!(
        span.metrics.get("_sampling_priority_v1"),
        Some(&2.0),
        "a trace that is not kept is not found"
    );
    let sent = received.chunks().next().and_then(dd_traced_tests::trace_id);
    let id = examined.detail("trace", "trace_id").as_str().expect("an id");
    assert_eq!(sent.map(|id| format!("{id:032x}")).as_deref(), Some(id));
    let link = examined.detail("trace", "link").as_str().expect("a link");
    assert_eq!(link, format!("https://app.datadoghq.com/apm/trace/{id}"));
    assert_eq!(received.tree().to_string().lines().count(), 2);
}

/// It was said to be taken, when nothing but an empty payload was sent.
#[test]
fn a_test_trace_that_is_lost_here_is_a_problem() {
    for (info, variable, code, said) in [
        (
            "{}",
            "DD_TRACE_WRITER_BUFFER_SIZE_BYTES=1",
            3,
            "queue_full, with DD_TRACE_WRITER_BUFFER_SIZE_BYTES=1",
        ),
        (
            "{}",
            "DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES=9",
            3,
            "too_large, DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES=9",
        ),
        (
            r#"{"config":{"max_request_bytes":100}}"#,
            "DD_ENV=test",
            5,
            "too_large, the agent says that it takes 100 bytes",
        ),
    ] {
        let received = with_agent(|agent| {
            agent.answers_info(Answer::ok().with_body(info));
            let url = agent.url();
            let variable = variable.split_once('=').expect("a value");
            let examined = examine(&["agent"], &[("DD_TRACE_AGENT_URL", &url), variable]);
            assert_eq!((examined.code(), examined.verdicts()[2].as_str()), (Some(code), "trace problem"));
            assert!(examined.words("trace").contains(said), "{}", examined.words("trace"));
        });
        assert_eq!(received.requests.len(), 1, "nobody is asked but about itself: {received:#?}");
    }
}

/// It is sent all the same, since the way is looked at; but nobody is to look for it in Datadog.
#[test]
fn a_test_trace_that_the_agent_filters_out_is_told() {
    let info = r#"{"endpoints":["/v0.4/traces"],"filter_tags":{"require":["team:basket"]}}"#;
    let (examined, received) = examined(|agent| agent.answers_info(Answer::ok().with_body(info)));
    assert_eq!((examined.code(), examined.verdicts()[2].as_str()), (Some(0), "trace warn"));
    assert!(examined.words("trace").ends_with("its filters leave this trace out"), "{:#}", examined.report);
    assert!(examined.detail("trace", "link").is_null());
    assert_eq!(received.span_count(), 2);
}

#[test]
fn the_service_is_that_which_is_sent() {
    let received = with_agent(|agent| {
        let url = agent.url();
        let variables = [
            ("DD_TRACE_AGENT_URL", url.as_str()),
            ("DD_SERVICE", "shop"),
            ("DD_SERVICE_MAPPING", "shop:basket"),
        ];
        let examined = examine(&["agent"], &variables);
        assert_eq!(examined.detail("trace", "service"), "basket");
        assert_eq!(examined.detail("trace", "search"), "service:basket operation_name:dd_traced.doctor");
        assert_eq!(examine(&["sample"], &variables).detail("sample", "service"), "basket");
        // The agent does not leave a name as it is.
        let examined =
            examine(&["agent"], &[("DD_TRACE_AGENT_URL", &url), ("DD_SERVICE", "My Shop: 2 (EU)")]);
        assert_eq!(
            examined.detail("trace", "search"),
            "service:my_shop:_2_eu operation_name:dd_traced.doctor"
        );
    });
    let services: Vec<&str> =
        received.chunks().filter_map(|chunk| Some(chunk.first()?.service.as_str())).collect();
    assert_eq!(services, ["basket", "My Shop: 2 (EU)"]);
}

#[test]
fn the_test_trace_is_not_sent_where_it_is_not_wanted() {
    let received = with_agent(|agent| {
        let url = agent.url();
        let url = ("DD_TRACE_AGENT_URL", url.as_str());
        let examined = [
            examine(&["agent", "--no-trace"], &[url]),
            examine(&["agent"], &[url, ("DD_TRACE_ENABLED", "false")]),
        ];
        for examined in examined {
            assert_eq!((examined.code(), examined.verdicts()[2].as_str()), (Some(0), "trace skipped"));
        }
    });
    assert_eq!(received.requests.len(), 2, "each asked for /info alone: {received:#?}");
    // What is there instead of an agent that nobody asks for is no problem.
    with_agent(|agent| {
        agent.answers_all(Answer::status(500));
        let examined =
            examine(&["agent"], &[("DD_TRACE_AGENT_URL", &agent.url()), ("DD_TRACE_ENABLED", "false")]);
        assert_eq!((examined.code(), examined.verdicts()[0].as_str()), (Some(0), "agent warn"));
    });
}

#[test]
fn an_agent_at_a_socket_is_found() {
    let path = Path::new(SCRATCH).join(format!("doctor-{}.socket", std::process::id()));
    let received = with_agent_at(&Address::socket(&path), |agent| {
        let examined = examine(&["agent"], &[("DD_TRACE_AGENT_URL", &agent.url())]);
        assert_eq!((examined.code(), examined.verdicts()[0].as_str()), (Some(0), "agent ok"));
    });
    assert_eq!(received.span_count(), 2);
}

#[test]
fn without_an_agent_nothing_is_reached() {
    let nobody = Address::unused().expect("a free port").to_string();
    let examined = examine(&["agent"], &[("DD_TRACE_AGENT_URL", &nobody)]);
    assert_eq!(examined.code(), Some(4));
    assert_eq!(examined.verdicts(), ["agent problem", "clock skipped", "trace skipped"]);
    assert!(examined.words("agent").contains(&nobody) && examined.words("agent").contains("refused"));
}

/// `start the agent` was all that was said, also where one was running.
#[test]
fn the_advice_is_for_what_happened() {
    let stale = Path::new(SCRATCH).join(format!("doctor-stale-{}.socket", std::process::id()));
    drop(UnixListener::bind(&stale).expect("a socket"));
    let stale = format!("unix://{}", stale.display());
    let nobody = Address::unused().expect("a free port").to_string();
    for (variable, value, expected) in [
        ("DD_TRACE_AGENT_URL", stale.as_str(), "the file may be that of an agent that has ended"),
        (
            "DD_TRACE_AGENT_URL",
            "unix:///nowhere/apm.socket",
            "mount the directory of the agent's socket here",
        ),
        ("DD_TRACE_AGENT_URL", &nobody, "inside of a container, localhost is the container"),
    ] {
        let examined = examine(&["agent"], &[(variable, value)]);
        assert_eq!(examined.code(), Some(4));
        assert!(examined.advice("agent").contains(expected), "{value}: {}", examined.advice("agent"));
    }
    let (silent, _) = examined(|agent| agent.answers_all(Answer::never()));
    assert!(silent.advice("agent").contains("firewall"), "{}", silent.advice("agent"));
    for status in [302, 404] {
        let (another, _) = examined(|agent| agent.answers_all(Answer::status(status)));
        assert!(another.advice("trace").contains("another program than the agent"), "{:#}", another.report);
    }
}

/// Else nobody sees that the address is not the one that is set.
#[test]
fn settings_that_are_not_as_they_may_be_meant_stand_above_the_agent() {
    with_agent(|agent| {
        let url = agent.url();
        let socket = ("DD_TRACE_AGENT_URL", "unix://var/run/datadog/apm.socket");
        let examined = examine(&["agent"], &[socket, ("DD_TRACE_AGENT_TIMEOUT", "0.1")]);
        assert_eq!((examined.code(), examined.verdicts()[0].as_str()), (Some(3), "settings problem"));
        let examined = examine(&["agent"], &[("DD_TRACE_AGENT_URL", &url), ("DD_AGENT_PORT", "8126")]);
        assert_eq!(examined.verdicts(), ["settings warn", "agent ok", "clock skipped", "trace ok"]);
    });
}

/// A socket that is named and not there, while an agent listens at the port that is set too.
#[test]
fn an_agent_elsewhere_is_named() {
    let received = with_agent(|agent| {
        let Address::Tcp(port) = *agent.address() else { panic!("not a port") };
        let port = port.to_string();
        let socket = ("DD_TRACE_AGENT_URL", "unix:///nowhere/apm.socket");
        let tcp = [("DD_AGENT_HOST", "127.0.0.1"), ("DD_TRACE_AGENT_PORT", port.as_str())];
        let examined = examine(&["agent"], &[socket, tcp[0], tcp[1]]);
        assert_eq!(examined.code(), Some(4));
        assert!(examined.words("agent").contains("unix:///nowhere/apm.socket"));
        let expected = format!("set DD_TRACE_AGENT_URL={}", agent.url());
        assert!(examined.advice("agent").ends_with(&expected), "{}", examined.advice("agent"));
    });
    assert_eq!(received.span_count(), 0, "a program would not reach it");
}

/// However long the settings would have a program wait.
#[test]
fn a_silent_agent_is_waited_for_some_seconds() {
    with_agent(|agent| {
        agent.answers_all(Answer::never());
        let url = agent.url();
        let variables = [("DD_TRACE_AGENT_URL", url.as_str()), ("DD_TRACE_AGENT_TIMEOUT", "60")];
        let examined = examine(&[], &variables);
        assert_eq!(examined.code(), Some(4));
        assert!(examined.words("agent").contains("did not answer"), "{}", examined.words("agent"));
        assert!(examined.ended.took < Duration::from_secs(15), "{:?}", examined.ended.took);
    });
    with_agent(|agent| {
        agent.answers(Answer::never());
        let examined = examine(&["agent"], &[("DD_TRACE_AGENT_URL", &agent.url())]);
        assert_eq!((examined.code(), examined.verdicts()[2].as_str()), (Some(4), "trace problem"));
    });
}

#[test]
fn an_agent_that_refuses_is_a_problem_of_its_own() {
    let expected = ["agent problem", "clock skipped", "trace problem"].map(str::to_owned).to_vec();
    assert_eq!(verdicts_of(|agent| agent.answers_all(Answer::status(500))), (Some(5), expected));
    let expected = ["agent ok", "clock skipped", "trace problem"].map(str::to_owned).to_vec();
    assert_eq!(verdicts_of(|agent| agent.answers(Answer::status(403))), (Some(5), expected));
    let (examined, _) = examined(|agent| agent.answers(Answer::status(429).with_body("slow down")));
    assert!(examined.words("trace").ends_with("status 429: slow down"), "{}", examined.words("trace"));
}

#[test]
fn another_server_is_not_taken_for_an_agent() {
    let verdict = |answer: Answer| {
        let (code, verdicts) = verdicts_of(|agent| agent.answers_info(answer));
        // It answers everything with success.
        let took = if verdicts[0] == "agent problem" { "trace warn" } else { "trace ok" };
        assert_eq!(verdicts[2], took);
        (code, verdicts[0].clone())
    };
    assert_eq!(verdict(Answer::ok().with_body("<html>")), (Some(5), "agent problem".to_owned()));
    assert_eq!(verdict(Answer::status(302)), (Some(5), "agent problem".to_owned()));
    assert_eq!(verdict(Answer::status(404)), (Some(0), "agent warn".to_owned()), "an old one says nothing");
    assert_eq!(verdict(Answer::ok()), (Some(0), "agent warn".to_owned()), "an object that says nothing");
}

#[test]
fn what_speaks_no_http_is_no_agent() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", server.local_addr().expect("an address"));
    // It ends with the test's process.
    std::thread::spawn(move || {
        for mut connection in server.incoming().flatten() {
            let _ = connection.read(&mut [0; 8 << 10]);
            let _ = connection.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
        }
    });
    let examined = examine(&["agent"], &[("DD_TRACE_AGENT_URL", &address)]);
    assert_eq!((examined.code(), examined.verdicts()[0].as_str()), (Some(5), "agent problem"));
    assert!(examined.advice("agent").contains("another program than the agent"), "{:#}", examined.report);
}

#[test]
fn clocks_that_are_apart_are_told() {
    let clock = |answer: Answer| {
        let (examined, _) = examined(|agent| agent.answers_info(answer.with_body(INFO)));
        (examined.code(), examined.verdicts()[1].clone(), examined.words("clock").to_owned())
    };
    for (ahead, expected) in [(600, "s behind the agent's"), (-600, "s ahead of the agent's")] {
        let (code, verdict, words) = clock(Answer::ok().dated(ahead));
        assert_eq!((code, verdict.as_str()), (Some(6), "clock problem"));
        assert!(words.ends_with(expected), "{words}");
    }
    assert_eq!(clock(Answer::ok().dated(20)).1, "clock warn");
    assert_eq!(clock(Answer::ok().with_header("Date", "yesterday")).1, "clock skipped");
    assert_eq!(clock(Answer::ok()).1, "clock skipped");
}

fn expect_well(agent: &TestAgent) {
    let examined = examine(&[], &[("DD_TRACE_AGENT_URL", &agent.url()), ("DD_SERVICE", "shop")]);
    assert_eq!(examined.code(), Some(0), "{examined:#?}");
    for check in ["agent ok", "clock ok", "trace ok"] {
        assert!(examined.verdicts().iter().any(|verdict| verdict == check), "{:#}", examined.report);
    }
    agent.expect_checks_passed();
    let traces = agent.traces();
    assert_eq!(traces.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    assert_eq!(traces[0][0].resource, "test trace");
}

#[test]
fn the_test_agent_of_datadog_is_well() {
    if let Some(agent) = TestAgent::on_port(SCRATCH) {
        expect_well(&agent);
    }
    if let Some(agent) = TestAgent::on_socket(SCRATCH) {
        expect_well(&agent);
    }
}
