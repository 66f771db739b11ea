use super::super::fake_agent::{FakeAgent, Reply, ok, status};
use super::super::parcel::MAX_RATES;
use super::*;
use std::io;

const BODY: [u8; 5] = [0xdd, 0, 0, 0, 0];
/// Far above what an attempt of these tests takes that does as it should, on a machine with other things to do.
const LIMIT: Duration = Duration::from_secs(5);

fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().unwrap().block_on(future)
}

fn traces(chunks: u32) -> Content {
    Content::Traces { body: BODY.to_vec().into(), chunks, told: None }
}

type Outcome = Result<Vec<u8>, Failure>;

#[expect(clippy::unnecessary_wraps, reason = "an outcome to compare with")]
fn accepted(answer: &str) -> Outcome {
    Ok(answer.into())
}

/// The outcomes of one attempt after the other on one client.
fn outcomes(agent: &FakeAgent, attempts: usize, limit: Duration) -> Vec<Outcome> {
    let mut client = AgentClient::new(&agent.settings()).unwrap();
    run(async {
        let mut outcomes = Vec::new();
        for _ in 0..attempts {
            let parcel = client.parcel(traces(3));
            outcomes.push(client.attempt(&parcel, limit).await);
        }
        outcomes
    })
}

#[test]
fn request_carries_the_headers_of_the_protocol() {
    let agent = FakeAgent::start(|_, _| ok());
    assert_eq!(outcomes(&agent, 1, LIMIT), [accepted("{}")]);
    let received = agent.received();
    let request = &received[0];
    assert_eq!((request.path.as_str(), request.body.as_slice()), ("/v0.4/traces", &BODY[..]));
    for (name, value) in [
        ("content-type", "application/msgpack"),
        ("content-length", "5"),
        ("x-datadog-trace-count", "3"),
        ("datadog-meta-lang", "rust"),
        ("datadog-meta-tracer-version", env!("CARGO_PKG_VERSION")),
        ("datadog-send-real-http-status", "1"),
        ("datadog-client-computed-top-level", "yes"),
        ("datadog-rates-payload-version", "0"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("transfer-encoding"), None);
}

#[test]
fn body_is_let_go_once_the_agent_has_answered() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut client = AgentClient::new(&agent.settings()).unwrap();
    let body = bytes::Bytes::from(vec![7; 1 << 20]);
    let parcel = client.parcel(Content::Traces { body: body.clone(), chunks: 1, told: None });
    assert_eq!(run(client.attempt(&parcel, LIMIT)), accepted("{}"));
    assert!(!body.is_unique());
    drop(parcel);
    assert!(body.is_unique());
}

#[test]
fn connection_is_kept_between_payloads() {
    let agent = FakeAgent::start(|_, _| ok());
    assert_eq!(outcomes(&agent, 3, LIMIT).len(), 3);
    assert_eq!((agent.received().len(), agent.connections()), (3, 1));
}

#[test]
fn version_of_the_rates_is_echoed() {
    let agent =
        FakeAgent::start(|_, _| Reply::Status(200, "Datadog-Rates-Payload-Version: ab12\r\n", "{}".into()));
    outcomes(&agent, 2, LIMIT);
    let versions: Vec<_> = agent
        .received()
        .iter()
        .map(|r| r.header("datadog-rates-payload-version").unwrap().to_owned())
        .collect();
    assert_eq!(versions, ["0", "ab12"]);
}

#[test]
fn statuses_are_told_with_their_text_and_wait() {
    let agent = FakeAgent::start(|number, _| match number {
        0 => Reply::Status(429, "Retry-After: 7\r\n", "busy".into()),
        1 => Reply::Status(503, "Retry-After: 99999999999999999999\r\n", "x".repeat(3_000)),
        2 => Reply::Status(302, "Location: /elsewhere\r\n", String::new()),
        _ => Reply::Status(204, "", String::new()),
    });
    let outcomes = outcomes(&agent, 4, LIMIT);
    let refused = |status, retry_after, text: &str| {
        Err(Failure::Refused { status, retry_after, text: text.to_owned() })
    };
    assert_eq!(outcomes[0], refused(429, Some(Duration::from_secs(7)), "busy"));
    assert_eq!(outcomes[1], refused(503, None, &"x".repeat(1_000)));
    assert_eq!(outcomes[2], refused(302, None, ""));
    assert_eq!(outcomes[3], accepted(""));
    assert_eq!(agent.received().len(), 4, "a redirect is not followed");
}

#[test]
fn closed_idle_connection_is_replaced_without_a_failure() {
    let agent = FakeAgent::start(|number, _| if number == 1 { Reply::Close } else { ok() });
    assert_eq!(outcomes(&agent, 2, LIMIT), [accepted("{}"), accepted("{}")]);
    assert_eq!((agent.received().len(), agent.connections()), (3, 2));
}

#[test]
fn connection_closed_twice_is_a_failure() {
    let agent = FakeAgent::start(|number, _| if number == 0 { ok() } else { Reply::Close });
    let outcomes = outcomes(&agent, 2, LIMIT);
    assert!(matches!(&outcomes[1], Err(Failure::Unreachable(_))), "{outcomes:?}");
    assert_eq!(agent.received().len(), 3);
}

#[test]
fn silent_agent_ends_with_the_attempt() {
    let agent = FakeAgent::start(|_, _| Reply::Silence);
    let start = std::time::Instant::now();
    assert_eq!(outcomes(&agent, 1, Duration::from_millis(100)), [Err(Failure::TimedOut)]);
    assert!(start.elapsed() < LIMIT);
}

#[test]
fn agent_that_answers_for_ever_is_cut() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let limit = Duration::from_millis(300);
    for (reply, expected) in [
        (Reply::Raw(half), accepted("")),
        (Reply::Endless(interim), Err(Failure::TimedOut)),
        (Reply::Raw([chunk, b"zz\r\n".to_vec()].concat()), accepted("")),
    ] {
        let agent = FakeAgent::start(move |_, _| reply.clone());
        let start = std::time::Instant::now();
        assert_eq!(outcomes(&agent, 1, limit), [expected]);
        assert!(start.elapsed() < LIMIT);
    }
}

#[test]
fn huge_answer_is_cut_and_the_next_request_is_clean() {
    for (len, is_read) in [(MAX_RATES - 1, true), (MAX_RATES, true), (MAX_RATES + 1, false)] {
        let agent = FakeAgent::start(move |number, _| match number {
            0 => Reply::Status(200, "Datadog-Rates-Payload-Version: v\r\n", "x".repeat(len)),
            _ => ok(),
        });
        let outcomes = outcomes(&agent, 2, LIMIT);
        let Ok(answer) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!(answer.len(), if is_read { len } else { 0 });
        assert_eq!(outcomes[1], accepted("{}"));
        let version = if is_read { "v" } else { "0" };
        assert_eq!(agent.received()[1].header("datadog-rates-payload-version"), Some(version));
    }
}

#[test]
fn garbage_is_no_answer() {
    for garbage in
        [&b"\0\0\0\0\r\n\r\n"[..], b"HTTP/1.1 999999 OK\r\n\r\n", b"HTTP/1.1", b"SSH-2.0-OpenSSH\r\n", b""]
    {
        let agent = FakeAgent::start(move |_, _| Reply::Raw(garbage.to_vec()));
        let outcomes = outcomes(&agent, 2, LIMIT);
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(Failure::Unreachable(_)))),
            "{outcomes:?}"
        );
    }
}

#[test]
fn refused_connection_is_named() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let settings =
        AgentSettings { address: AgentAddress::http("127.0.0.1", port), ..AgentSettings::default() };
    let mut client = AgentClient::new(&settings).unwrap();
    let parcel = client.parcel(traces(0));
    let outcome = run(client.attempt(&parcel, LIMIT));
    assert!(
        matches!(&outcome, Err(Failure::Unreachable(reason)) if reason.contains("Connection refused")),
        "{outcome:?}"
    );
}

#[test]
fn name_without_address_is_a_failure_and_a_slow_one_ends_with_the_attempt() {
    type LookUp = fn(&str) -> io::Result<Vec<std::net::SocketAddr>>;
    let settings =
        AgentSettings { address: AgentAddress::http("agent.example", 1), ..AgentSettings::default() };
    let cases: [(LookUp, Outcome); 2] = [
        (|_| Err(io::Error::other("no such name")), Err(Failure::Unreachable("no such name".into()))),
        (
            |_| {
                std::thread::sleep(Duration::from_secs(2));
                Ok(Vec::new())
            },
            Err(Failure::TimedOut),
        ),
    ];
    for (look_up, expected) in cases {
        let mut client = AgentClient::with_resolver(&settings, Resolver::new(look_up)).unwrap();
        let parcel = client.parcel(traces(0));
        assert_eq!(run(client.attempt(&parcel, Duration::from_millis(100))), expected);
    }
}

#[cfg(unix)]
#[test]
fn unix_socket_is_spoken_to() {
    let path = std::env::temp_dir().join(format!("dd-traced-client-{}.socket", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let agent = FakeAgent::on_socket(&path, |_, _| ok());
    assert_eq!(outcomes(&agent, 2, LIMIT), [accepted("{}"), accepted("{}")]);
    assert_eq!((agent.received().len(), agent.connections()), (2, 1));
    let settings = agent.settings();
    let _ = std::fs::remove_file(&path);
    let mut client = AgentClient::new(&settings).unwrap();
    let parcel = client.parcel(traces(0));
    let outcome = run(client.attempt(&parcel, LIMIT));
    assert!(
        matches!(&outcome, Err(Failure::Unreachable(reason)) if reason.contains("No such file")),
        "{outcome:?}"
    );
}

#[test]
fn password_becomes_authorization_and_stays_out_of_errors() {
    let agent = FakeAgent::start(|_, _| status(401));
    let address = agent.address.to_string().replace("http://", "http://me:s3cret@");
    let settings = AgentSettings { address: AgentAddress::parse(&address).unwrap(), ..agent.settings() };
    let mut client = AgentClient::new(&settings).unwrap();
    let parcel = client.parcel(traces(0));
    let outcome = format!("{:?}", run(client.attempt(&parcel, LIMIT)));
    assert!(!outcome.contains("s3cret"), "{outcome}");
    assert_eq!(agent.received()[0].header("authorization"), Some("Basic bWU6czNjcmV0"));
}
