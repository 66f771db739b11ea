//! Health metrics of a worker at work.

use super::statistics::started;
use super::*;
use crate::export::statsd::settings::StatsdAddress;
use std::collections::BTreeMap;
use std::net::UdpSocket;

/// Who takes metrics.
pub(super) struct Receiver(UdpSocket);

impl Receiver {
    /// One that a worker is told of; it tells metrics once in each period.
    pub(super) fn of(setup: &mut Setup, period: Duration) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let port = socket.local_addr().unwrap().port();
        setup.metrics = StatsdSettings {
            has_health_metrics: true,
            address: Some(StatsdAddress::Udp { host: "127.0.0.1".into(), port }),
            period,
            ..StatsdSettings::default()
        };
        Self(socket)
    }

    /// The lines of the next datagram: the name, with tags of its own, and the number.
    fn next(&self) -> Vec<(String, f64)> {
        let mut buffer = [0; 2_000];
        let len = self.0.recv(&mut buffer).unwrap();
        std::str::from_utf8(&buffer[..len]).unwrap().lines().map(read).collect()
    }

    /// Sums by name and tags, up to the end of the tracer.
    pub(super) fn sums(&self) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        while !sums.contains_key("stopped") {
            for (name, number) in self.next() {
                *sums.entry(name).or_default() += number;
            }
        }
        self.0.set_nonblocking(true).unwrap();
        let mut buffer = [0; 2_000];
        while let Ok(len) = self.0.recv(&mut buffer) {
            for (name, number) in std::str::from_utf8(&buffer[..len]).unwrap().lines().map(read) {
                *sums.entry(name).or_default() += number;
            }
        }
        sums
    }
}

fn read(line: &str) -> (String, f64) {
    let (metric, tags) = line.split_once("|#").unwrap();
    let (name, number) = metric.split('|').next().unwrap().split_once(':').unwrap();
    let own = tags.split("service:").next().unwrap().trim_end_matches(',');
    let name = name.strip_prefix("datadog.tracer.").unwrap();
    let separator = if own.is_empty() { "" } else { " " };
    (format!("{name}{separator}{own}"), number.parse().unwrap())
}

#[test]
fn statistics_and_what_stays_away_are_counted() {
    let agent = FakeAgent::start(|_, _| ok());
    agent.says(r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true}"#);
    let mut setup = Setup::new(agent.settings());
    let receiver = Receiver::of(&mut setup, LONG * 360);
    let running = started(setup);
    for is_kept in [true, true, false] {
        running.push_trace(4, is_kept, |_| ());
    }
    assert!(running.handle.shutdown(LONG));
    let sums = receiver.sums();
    for (name, expected) in [
        ("spans_finished integration:manual", 12.0),
        ("dropped_p0_spans", 4.0),
        ("dropped_p0_traces partial:false", 1.0),
        ("stats.spans_in", 3.0),
        ("stats.flush_buckets", 1.0),
        ("stats.flush_payloads", 1.0),
        ("flush_traces", 2.0),
    ] {
        assert_eq!(sums.get(name), Some(&expected), "{name}: {sums:?}");
    }
    assert!(!sums.keys().any(|name| name.starts_with("api.errors") || name.starts_with("spans_dropped")));
}

/// What is lost on the way into the queue is counted by the chunk too.
#[test]
fn refused_chunks_are_traces() {
    let agent = FakeAgent::start(|_, _| ok());
    let mut setup = Setup::new(agent.settings());
    (setup.writer.buffer_bytes, setup.writer.flush_from_bytes) = (1_000, 1_000);
    let receiver = Receiver::of(&mut setup, LONG * 360);
    let running = setup.start();
    running.push(3, 100);
    assert!(!running.handle.shutdown(LONG));
    let sums = receiver.sums();
    assert_eq!(sums.get("spans_dropped reason:queue_full"), Some(&300.0), "{sums:?}");
    assert_eq!(sums.get("traces_dropped reason:queue_full"), Some(&3.0), "{sums:?}");
}

/// That is when they are wanted most.
#[test]
fn metrics_are_told_while_the_agent_is_waited_for() {
    let agent = FakeAgent::start(|_, _| Reply::Status(503, "Retry-After: 30\r\n", String::new()));
    let mut setup = Setup::new(agent.settings());
    setup.writer.interval = Duration::from_millis(1);
    let receiver = Receiver::of(&mut setup, Duration::from_millis(20));
    let running = setup.start();
    let mut seen: BTreeMap<String, f64> = BTreeMap::new();
    // The first payload is lost; the second one waits for half a minute.
    running.push(1, 2);
    let error = "api.errors reason:server_response_503,endpoint:/v0.4/traces";
    while !seen.contains_key(error) {
        seen.extend(receiver.next());
    }
    assert_eq!((seen[error], seen["traces_dropped reason:send_failed"]), (1.0, 1.0), "{seen:?}");
    running.push(1, 3);
    let start = Instant::now();
    for _ in 0..3 {
        while !receiver.next().contains(&("queue.length".to_owned(), 1.0)) {}
    }
    assert!(start.elapsed() < LONG);
    assert!(!running.handle.shutdown(Duration::from_millis(10)));
}
