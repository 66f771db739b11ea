//! The tracer tells DogStatsD about itself, where it is asked to: names and tags of the other tracers, the numbers of the books.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dd_traced::span;
use dd_traced_tests::{
    Answer, Books, Ended, FakeAgent, Metric, PATIENCE, Place, Report, Request, Statsd, program, run,
    with_agent, with_tracer_of,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

/// Work of a tracer that tells `statsd` about itself; what it told, and the books.
fn told(statsd: &Statsd, test: impl FnOnce(&FakeAgent)) -> (Vec<Metric>, Books) {
    let (_, books) = with_tracer_of(
        // Nothing is sent but where somebody asks.
        |_, tracer| tracer.health_metrics(true).dogstatsd_url(statsd.url()).flush_interval(HOUR),
        |agent, _| test(agent),
    );
    (statsd.metrics(), books)
}

/// The sum of all of this name with this tag; those without a tag have the empty one.
fn sum(metrics: &[Metric], name: &str, tag: (&str, &str)) -> u64 {
    let named = metrics.iter().filter(|metric| metric.name == format!("datadog.tracer.{name}"));
    let tagged =
        named.filter(|metric| tag.0.is_empty() || metric.tags.get(tag.0).is_some_and(|value| value == tag.1));
    tagged.map(|metric| metric.number as u64).sum()
}

const HOUR: Duration = Duration::from_secs(3600);
const ANY: (&str, &str) = ("", "");

fn work(spans: usize) {
    for _ in 0..spans {
        span("work").start().finish();
    }
}

#[test]
fn the_numbers_are_those_of_the_books() {
    let statsd = Statsd::udp();
    let (metrics, books) = told(&statsd, |agent| {
        work(30);
        assert!(dd_traced::flush(Duration::from_secs(10)));
        agent.answers(Answer::status(403));
        work(12);
    });
    assert_eq!((books.acknowledged, books.dropped("http_4xx")), (30, 12), "{books:?}");
    assert_eq!(sum(&metrics, "spans_finished", ANY), books.finished);
    let reasons = metrics.iter().filter(|metric| metric.name == "datadog.tracer.spans_dropped");
    let dropped: BTreeMap<String, u64> =
        reasons.map(|metric| (metric.tags["reason"].clone(), metric.number as u64)).collect();
    assert_eq!(dropped, books.dropped);
    for (name, tag, expected) in [
        ("started", ANY, 1),
        ("stopped", ANY, 1),
        ("queue.enqueued.traces", ANY, 42),
        ("queue.length", ANY, 0),
        ("flush_traces", ANY, 30),
        ("traces_dropped", ("reason", "send_failed"), 12),
        ("api.errors", ("reason", "server_response_403"), 1),
        ("api.errors", ("endpoint", "/v0.4/traces"), 1),
        ("flush_triggered", ("reason", "invoked"), 1),
        ("flush_triggered", ("reason", "shutdown"), 1),
    ] {
        assert_eq!(sum(&metrics, name, tag), expected, "{name} {tag:?}: {metrics:#?}");
    }
    let durations = metrics.iter().filter(|metric| metric.name == "datadog.tracer.flush_duration");
    assert!(
        durations.clone().count() >= 2
            && durations.clone().all(|metric| metric.kind == "ms" && metric.number > 0.0)
    );
    assert!(
        sum(&metrics, "flush_bytes", ANY) > 30 * 50 && sum(&metrics, "http.dropped.bytes", ANY) > 12 * 50
    );
}

#[test]
fn each_metric_says_whose_it_is() {
    let statsd = Statsd::udp();
    let (received, _) = with_tracer_of(
        |_, tracer| {
            let tracer = tracer.service("a|b#c,d\ndatadog.tracer.forged:1|c");
            tracer.health_metrics(true).dogstatsd_url(statsd.url())
        },
        |_, _| work(1),
    );
    assert_eq!(received.span_count(), 1);
    let metrics = statsd.metrics();
    assert!(metrics.len() > 5, "{metrics:#?}");
    for Metric { name, tags, .. } in metrics {
        assert!(name.starts_with("datadog.tracer.") && name != "datadog.tracer.forged", "{name}");
        let known = ["service", "env", "version", "lang", "tracer_version"].map(|key| tags[key].as_str());
        let service = "a_b_c_d_datadog.tracer.forged:1_c";
        assert_eq!(known, [service, "test", "1.2.3", "rust", env!("CARGO_PKG_VERSION")]);
        assert!(tags.contains_key("lang_version") && tags.contains_key("lang_interpreter"), "{tags:?}");
    }
}

#[test]
fn kinds_are_those_of_the_names() {
    let statsd = Statsd::udp();
    let (metrics, _) = told(&statsd, |_| work(1));
    for Metric { name, kind, .. } in &metrics {
        let expected = match name.strip_prefix("datadog.tracer.").unwrap() {
            "queue.length" => "g",
            "flush_duration" => "ms",
            name if name.starts_with("http.") => "d",
            _ => "c",
        };
        assert_eq!(kind, expected, "{name}");
    }
}

#[test]
fn a_unix_socket_takes_metrics_too() {
    let place = Place::new();
    let statsd = Statsd::unix(&place.directory().join("socket"));
    let (metrics, books) = told(&statsd, |_| work(3));
    assert_eq!((sum(&metrics, "spans_finished", ANY), books.acknowledged), (3, 3));
}

/// The program beside an agent, with these variables.
fn worked(variables: &[(&str, &str)]) -> Ended {
    let mut ended = None;
    with_agent(|agent| {
        let mut program = program(PROGRAM, "work", 2);
        program.env("DD_TRACE_AGENT_URL", agent.url()).envs(variables.iter().copied());
        ended = Some(run(&mut program).expect_success());
    });
    ended.unwrap()
}

#[test]
fn nothing_is_told_unless_asked() {
    let statsd = Statsd::udp();
    for variables in [
        &[][..],
        &[("DD_TRACE_HEALTH_METRICS_ENABLED", "false")],
        &[("DD_TRACE_HEALTH_METRICS_ENABLED", "true"), ("DD_DOGSTATSD_DISABLE", "true")],
        &[("DD_TRACE_HEALTH_METRICS_ENABLED", "true"), ("DD_TRACE_ENABLED", "false")],
    ] {
        worked(&[&[("DD_DOGSTATSD_URL", statsd.url())], variables].concat());
        assert!(statsd.datagrams().is_empty(), "{variables:?}");
    }
}

#[test]
fn variables_turn_it_on_and_the_startup_line_says_so() {
    let statsd = Statsd::udp();
    let (port, address) = (statsd.port().to_string(), format!("127.0.0.1:{}", statsd.port()));
    let by_host = [("DD_DOGSTATSD_HOST", "127.0.0.1"), ("DD_DOGSTATSD_PORT", port.as_str())];
    for (switch, place) in [
        ("DD_TRACE_HEALTH_METRICS_ENABLED", &[("DD_DOGSTATSD_URL", address.as_str())][..]),
        ("DD_TRACE_INTERNAL_METRICS_ENABLED", &by_host),
        // The host is the agent's.
        ("DD_TRACE_HEALTH_METRICS_ENABLED", &by_host[1..]),
    ] {
        let ended = worked(&[&[(switch, "1"), ("DD_ENTITY_ID", "en-1")], place].concat());
        let metrics = statsd.metrics();
        assert_eq!(sum(&metrics, "spans_finished", ANY), 4, "{place:?}");
        let is_entity =
            |metric: &Metric| metric.tags["dd.internal.entity_id"] == "en-1" && metric.container.is_none();
        assert!(metrics.iter().all(is_entity), "{metrics:#?}");
        let line = ended.stderr_lines_with("DATADOG TRACER CONFIGURATION").next().unwrap();
        let line: serde_json::Value = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
        assert_eq!(
            (&line["health_metrics_enabled"], &line["dogstatsd_address"]),
            (&true.into(), &address.as_str().into())
        );
    }
}

#[test]
fn a_port_that_the_agent_names_is_used_where_nobody_else_names_one() {
    let statsd = Statsd::udp();
    let info = format!(r#"{{"config":{{"statsd_port":{}}}}}"#, statsd.port());
    with_tracer_of(
        |agent, tracer| {
            agent.answers_info(Answer::ok().with_body(info));
            tracer.health_metrics(true).flush_interval(HOUR)
        },
        |agent, tracer| {
            let is_asked = |request: &Request| request.path == "/info" && request.answered.is_some();
            let start = Instant::now();
            while !agent.received().requests.iter().any(is_asked) && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(1));
            }
            // The answer comes before whoever flushes is served.
            work(4);
            assert!(tracer.flush(PATIENCE));
        },
    );
    assert_eq!(sum(&statsd.metrics(), "spans_finished", ANY), 4);
}

#[test]
fn nobody_who_takes_metrics_is_one_warning_and_harms_nothing() {
    let place = Place::new();
    let nowhere = format!("unix://{}", place.path("nobody"));
    for (url, reason) in [(nowhere.as_str(), "No such file or directory"), ("no-such-host.invalid:1", "")] {
        let ended = worked(&[("DD_TRACE_HEALTH_METRICS_ENABLED", "1"), ("DD_DOGSTATSD_URL", url)]);
        let report = Report::of(&ended);
        report.books.expect_settled(4);
        assert_eq!(report.books.acknowledged, 4, "{ended:#?}");
        let warnings: Vec<_> = ended.stderr_lines_with("WARN").collect();
        // A name server that does not answer is not waited for, and not told of.
        assert!(warnings.len() <= 1 && (reason.is_empty() || warnings.len() == 1), "{warnings:?}");
        assert!(
            warnings.iter().all(|line| line.contains("DogStatsD not reachable at ") && line.contains(reason))
        );
        assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    }
}

#[test]
fn a_line_at_the_end_sums_up() {
    for (variables, count) in
        [(&[][..], 0), (&[("DD_TRACE_LOG_LEVEL", "info")], 1), (&[("DD_TRACE_DEBUG", "1")], 1)]
    {
        let ended = worked(variables);
        let lines: Vec<_> = ended.stderr_lines_with("INFO: tracer ended after ").collect();
        assert_eq!(lines.len(), count, "{variables:?}: {}", ended.stderr);
        let books = Report::of(&ended).books;
        for line in lines {
            let number = |key: &str| -> f64 {
                let (_, rest) =
                    line.split_once(&format!(" {key}=")).unwrap_or_else(|| panic!("{key}: {line}"));
                rest.split(' ').next().unwrap().parse().unwrap()
            };
            assert_eq!(
                ["spans_finished", "spans_sent", "spans_dropped"].map(|key| number(key) as u64),
                [books.finished, books.acknowledged, books.dropped_total()]
            );
            assert!(number("payloads") >= 1.0 && number("bytes") > 4.0 * 50.0, "{line}");
            assert!(number("requests") > number("payloads"), "the question counts: {line}");
            assert!(number("most_bytes_waiting") > 0.0 && number("worker_cpu_ms") > 0.0, "{line}");
        }
    }
}

/// The spans that stayed open, by name, of a tracer that looks for them; those that are not told apart have the empty name.
fn abandoned(statsd: &Statsd, names: impl IntoIterator<Item = String>) -> BTreeMap<String, u64> {
    let mut open = Vec::new();
    let (_, books) = with_tracer_of(
        |_, tracer| tracer.health_metrics(true).dogstatsd_url(statsd.url()).debug_abandoned_spans(true),
        |_, _| open.extend(names.into_iter().map(|name| span(name).start())),
    );
    let metrics = statsd.metrics();
    let abandoned = metrics.iter().filter(|metric| metric.name == "datadog.tracer.abandoned_spans");
    let by_name: BTreeMap<String, u64> = abandoned
        .map(|metric| {
            assert_eq!(metric.tags["integration"], "manual");
            (metric.tags.get("name").cloned().unwrap_or_default(), metric.number as u64)
        })
        .collect();
    assert_eq!(by_name.values().sum::<u64>(), books.abandoned);
    by_name
}

#[test]
fn spans_that_stay_open_are_counted_by_name_where_they_are_looked_for() {
    let names = ["forgotten", "lost", "forgotten", "a|b,c:d"].map(str::to_owned);
    let expected = [("a_b_c:d", 1), ("forgotten", 2), ("lost", 1)];
    assert_eq!(
        abandoned(&Statsd::udp(), names),
        expected.map(|(name, count)| (name.to_owned(), count)).into()
    );
}

/// Many lines, in datagrams of both sizes.
#[test]
fn a_hundred_names_of_spans_that_stay_open_are_told_apart() {
    let place = Place::new();
    for (names, others) in [(99, None), (100, None), (101, Some(1)), (250, Some(150))] {
        let socket = place.directory().join(names.to_string());
        for statsd in [Statsd::udp(), Statsd::unix(&socket)] {
            let by_name = abandoned(&statsd, (0..names).map(|number| format!("order {number}")));
            assert_eq!(by_name.get("").copied(), others, "{names}");
            assert_eq!(by_name.len(), names.min(100) + usize::from(others.is_some()));
        }
    }
}
