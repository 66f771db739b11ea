//! What is told, by a clock that is held.

use super::*;
use crate::diagnostics::capture::Lines;
use crate::export::counters::{DropReason, Ledger};
use crate::export::statsd::settings::StatsdAddress;
use crate::worker::tally::Cause;
use std::net::UdpSocket;

const PERIOD: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);

/// A tracer's numbers.
#[derive(Default)]
struct World {
    ledger: Ledger,
    tally: Tally,
    statistics: StatsTally,
    abandoned: AbandonedNames,
}

impl World {
    fn tell(&self, metrics: &mut Metrics, now: Instant, is_ending: bool) -> bool {
        let counters = self.ledger.snapshot(0);
        metrics.tell(Facts { is_ending, ..self.facts(&counters) }, now)
    }

    fn facts<'a>(&'a self, counters: &'a Counters) -> Facts<'a> {
        let Self { tally, statistics, abandoned, .. } = self;
        Facts { counters, tally, statistics, abandoned: Some(abandoned), waiting_chunks: 2, is_ending: false }
    }
}

fn settings(address: StatsdAddress) -> StatsdSettings {
    StatsdSettings { has_health_metrics: true, address: Some(address), ..StatsdSettings::default() }
}

fn metrics(address: StatsdAddress, now: Instant) -> Metrics {
    let resolver = Resolver::new(|_| Err(std::io::Error::other("no such host")));
    Metrics::new(settings(address), &SpanDefaults::default(), resolver, MINUTE, now).unwrap()
}

/// Who takes metrics, and where.
fn receiver() -> (UdpSocket, StatsdAddress) {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, StatsdAddress::Udp { host: "127.0.0.1".into(), port })
}

/// What arrived, as `name:number`, without the beginning that all names share.
fn received(socket: &UdpSocket) -> Vec<String> {
    let mut buffer = [0; 2_000];
    let mut lines = Vec::new();
    while let Ok(len) = socket.recv(&mut buffer) {
        let text = std::str::from_utf8(&buffer[..len]).unwrap();
        let named = text.lines().map(|line| line.split('|').next().unwrap());
        lines.extend(named.map(|line| line.strip_prefix("datadog.tracer.").unwrap().to_owned()));
    }
    lines
}

#[test]
fn without_the_switch_there_is_nothing() {
    let (_, address) = receiver();
    let off = StatsdSettings { has_health_metrics: false, ..settings(address) };
    let resolver = || Resolver::new(|_| panic!("nobody asks"));
    for settings in [off, StatsdSettings { address: None, ..settings(receiver().1) }] {
        let metrics = Metrics::new(settings, &SpanDefaults::default(), resolver(), MINUTE, Instant::now());
        assert!(metrics.is_none());
    }
}

#[test]
fn what_is_told_is_what_came_since_the_last_time() {
    let ((socket, address), now) = (receiver(), Instant::now());
    let (mut world, mut metrics) = (World::default(), metrics(address, now));
    assert_eq!(metrics.next(), now + PERIOD);
    world.ledger.finish(5);
    world.ledger.drop_spans(DropReason::Net, 2);
    world.tally.began(Some(Cause::Size));
    assert!(world.tell(&mut metrics, now + PERIOD, false));
    assert_eq!(metrics.next(), now + 2 * PERIOD);
    let counts = ["spans_started:5", "spans_finished:5", "flush_triggered:1", "spans_dropped:2"];
    assert_eq!(received(&socket), [&["started:1"][..], &counts, &["queue.length:2"]].concat());
    world.ledger.finish(1);
    assert!(world.tell(&mut metrics, now + 2 * PERIOD, false));
    assert_eq!(received(&socket), ["spans_started:1", "spans_finished:1", "queue.length:2"]);
    assert!(world.tell(&mut metrics, now + 3 * PERIOD, true));
    assert_eq!(received(&socket), ["stopped:1", "queue.length:2"]);
}

/// A span that is open, ends and is handed over later is one that started.
#[test]
fn each_span_that_starts_is_told_once() {
    let ((socket, address), now) = (receiver(), Instant::now());
    let (world, mut metrics) = (World::default(), metrics(address, now));
    let mut told = |open, finished| {
        world.ledger.open(open);
        world.ledger.finish(finished);
        assert!(world.tell(&mut metrics, now, false));
        let lines = received(&socket);
        let line = lines.iter().find_map(|line| line.strip_prefix("spans_started:").map(str::to_owned));
        line.map_or(0, |number| number.parse::<u32>().unwrap())
    };
    let started = [told(3, 0), told(-2, 0), told(1, 0), told(0, 2), told(-2, 3), told(-9, 0), told(9, 1)];
    assert_eq!(started, [3, 0, 0, 1, 1, 0, 1]);
}

#[test]
fn what_has_no_connection_waits_and_is_told_once_a_minute() {
    let lines = Lines::default();
    let _collecting = lines.collect_here();
    let (now, world) = (Instant::now(), World::default());
    let mut metrics = metrics(StatsdAddress::Unix("/nowhere/dsd.socket".into()), now);
    for second in [0, 10, 20, 59, 60, 119] {
        world.ledger.finish(1);
        assert!(!world.tell(&mut metrics, now + Duration::from_secs(second), false));
    }
    let told = lines.take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().all(|line| line.contains("not reachable at unix:///nowhere/dsd.socket: No such file")),
        "{told:?}"
    );
    let (socket, address) = receiver();
    metrics.client = StatsdClient::new(address, Resolver::system());
    assert!(world.tell(&mut metrics, now + 2 * MINUTE, false));
    assert_eq!(received(&socket)[..2], ["started:1", "spans_started:6"]);
}

#[test]
fn each_kind_of_failure_has_its_own_minute() {
    let mut warnings = Warnings { period: MINUTE, latest: [None; 2] };
    let (now, gone) = (Instant::now(), StatsdFailure::Unreachable("gone".into()));
    let mut due = |failure, second| warnings.is_due(failure, now + Duration::from_secs(second));
    let full = &StatsdFailure::Full;
    assert_eq!([due(&gone, 0), due(full, 1), due(&gone, 59), due(full, 60)], [true, true, false, false]);
    assert_eq!([due(&gone, 60), due(full, 61), due(full, 62)], [true, true, false]);
}

/// Else all of them would be left out, without a word.
#[test]
fn metrics_fit_into_datagrams_whatever_the_tracer_is_called() {
    let ((socket, address), now) = (receiver(), Instant::now());
    let long = || "é|".repeat(5_000);
    let defaults = SpanDefaults {
        service: long().into(),
        env: Some(long().into()),
        version: Some(long().into()),
        ..SpanDefaults::default()
    };
    let settings = StatsdSettings { entity_id: Some(long().into()), ..settings(address) };
    let mut metrics = Metrics::new(settings, &defaults, Resolver::system(), MINUTE, now).unwrap();
    let mut world = World::default();
    world.tally.failed("/v0.4/traces", &crate::export::client::Failure::TimedOut);
    world.abandoned.add(&long());
    assert!(world.tell(&mut metrics, now, true));
    let expected =
        ["started:1", "stopped:1", "http.errors:1", "api.errors:1", "abandoned_spans:1", "queue.length:2"];
    assert_eq!(received(&socket), expected);
}

/// The page lists what is told, and nothing else.
#[test]
fn names_are_those_of_the_page() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    let mut documented: Vec<(String, String)> = rows
        .flat_map(|(names, rest)| {
            let kind = rest.split([' ', ',']).next().unwrap_or_default().to_owned();
            names.split(", ").map(move |name| (name.trim_matches('`').to_owned(), kind.clone()))
        })
        .collect();
    documented.sort();
    let mut world = World::default();
    world.tally.failed("/info", &crate::export::client::Failure::TimedOut);
    let counters = world.ledger.snapshot(0);
    let told = sums(world.facts(&counters)).into_iter().map(|Sum { name, kind, .. }| (name, kind));
    let others = [(sums::QUEUE_LENGTH, Kind::Gauge), (sums::FLUSH_DURATION, Kind::Timing)];
    let called = |kind| match kind {
        Kind::Count => "count",
        Kind::Gauge => "gauge",
        Kind::Distribution => "distribution",
        Kind::Timing => "timing",
    };
    let all = told.chain(others).map(|(name, kind)| {
        (name.strip_prefix("datadog.tracer.").unwrap().to_owned(), called(kind).to_owned())
    });
    let mut told: Vec<(String, String)> = all.collect();
    told.sort();
    told.dedup();
    assert_eq!(told, documented);
}
