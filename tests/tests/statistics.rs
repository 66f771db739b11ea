//! Statistics: where the agent leaves them to tracers, every span is counted and what is not kept stays away.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dd_traced::{active_span, span, traced};
use dd_traced_tests::{
    Answer, Books, PATIENCE, Received, StatisticsBucket, StatisticsGroup, with_tracer, with_tracer_of,
};

const OFFER: &str =
    r#"{"version":"7.65.0","endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true}"#;

/// Runs `test` with an agent that leaves statistics to tracers.
fn with_offer(test: impl FnOnce()) -> (Received, Books) {
    with_tracer_of(
        |agent, tracer| {
            agent.answers_info(Answer::ok().with_body(OFFER));
            tracer
        },
        |_, tracer| {
            // The worker has heard of the offer from here on.
            assert!(tracer.flush(PATIENCE));
            test();
            assert!(tracer.flush(PATIENCE), "nothing that anybody wanted was lost");
        },
    )
}

fn groups(received: &Received) -> Vec<StatisticsGroup> {
    let buckets = received.statistics().into_iter().flat_map(|payload| payload.stats);
    buckets.flat_map(|bucket: StatisticsBucket| bucket.stats).collect()
}

#[traced(name = "web.request", resource = "GET /items", kind = "server")]
fn request(is_kept: bool) {
    if !is_kept {
        active_span().reject();
    }
    look_up();
}

#[traced(name = "db.query", service = "shop-db", tags("http.status_code" = 404))]
fn look_up() {
    inner();
}

#[traced]
fn inner() {}

#[test]
fn every_entry_of_a_service_is_counted_and_nothing_else() {
    let (received, books) = with_offer(|| {
        (0..3).for_each(|_| request(true));
        (0..4).for_each(|_| request(false));
    });
    let mut seen: Vec<_> = groups(&received)
        .iter()
        .map(|group| {
            (group.name.clone(), group.service.clone(), group.hits, group.http_status, group.is_trace_root)
        })
        .collect();
    seen.sort();
    let expected = [("db.query", "shop-db", 7, 404, 2), ("web.request", "shop", 7, 0, 1)]
        .map(|(name, service, hits, status, root)| (name.to_owned(), service.to_owned(), hits, status, root));
    assert_eq!(seen, expected);
    assert_eq!((received.span_count(), books.dropped("p0"), books.finished), (9, 12, 21));
    let payload = received.payloads().next().expect("a payload");
    assert_eq!(payload.header("Datadog-Client-Computed-Stats"), Some("yes"));
    assert_eq!(payload.header("Datadog-Client-Dropped-P0-Traces"), Some("4"));
    assert_eq!(payload.header("Datadog-Client-Dropped-P0-Spans"), Some("12"));
}

#[test]
fn a_failed_trace_is_sent_though_it_is_not_kept() {
    let (received, books) = with_offer(|| {
        let failed = span("failed").root().start();
        failed.reject();
        failed.set_error(&std::io::Error::other("no stock"));
    });
    assert_eq!(received.span("failed").priority(), Some(-1.0));
    let groups = groups(&received);
    assert_eq!((groups.len(), groups[0].hits, groups[0].errors), (1, 1, 1));
    assert_eq!(books.dropped_total(), 0);
}

#[test]
fn a_payload_says_who_counted_and_when() {
    let (received, _) = with_offer(|| request(true));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    let payload = &received.statistics()[0];
    assert_eq!((&*payload.env, &*payload.version, &*payload.lang), ("test", "1.2.3", "rust"));
    assert_eq!(payload.sequence, 1);
    for bucket in &payload.stats {
        let start = Duration::from_nanos(bucket.start);
        assert_eq!((bucket.duration, bucket.start % bucket.duration), (10_000_000_000, 0));
        assert!(start <= now && start + Duration::from_secs(60) > now, "{bucket:?}");
    }
}

#[test]
fn an_agent_that_counts_itself_gets_everything() {
    let (received, books) = with_tracer(|_, tracer| {
        assert!(tracer.flush(PATIENCE));
        request(false);
    });
    assert_eq!((received.span_count(), received.statistics().len(), books.dropped_total()), (3, 0, 0));
}
