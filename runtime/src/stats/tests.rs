//! Spans in, payloads out.

mod setup;

use proptest::prelude::*;

use super::settings::Cardinality;
use crate::export::v04::testing::Value;
use crate::model::{AgentInfo, EntryKind, Flags, Record, TagLog};

use setup::*;

#[test]
fn payload_says_whose_statistics_it_holds() {
    let mut setup = Setup::new();
    for (sequence, env) in [(1, "unknown-env"), (2, "lab")] {
        setup.add(&Span::new(&PLAIN));
        let payloads = setup.statistics.take(setup.now, true, 1 << 20);
        let fields = decode(&payloads[0]);
        let text = |field: &str| {
            if let Value::Text(text) = &fields[field] { text.clone() } else { panic!("{field}") }
        };
        let expected = [
            ("Hostname", ""),
            ("Env", env),
            ("Version", "1.4.2"),
            ("Lang", "rust"),
            ("TracerVersion", env!("CARGO_PKG_VERSION")),
            ("RuntimeID", "0f0e"),
            ("Service", "shop"),
        ];
        for (field, value) in expected {
            assert_eq!(text(field), value, "{field}");
        }
        assert_eq!(fields["Sequence"], Value::Int(sequence));
        assert_eq!(fields.len(), 9);
        setup.statistics.learn(&AgentInfo { default_env: Some("lab".into()), ..AgentInfo::default() });
    }
    assert!(setup.statistics.is_empty() && setup.statistics.take(setup.now, true, 1 << 20).is_empty());
}

#[test]
fn group_holds_hits_errors_and_distributions() {
    let mut setup = Setup::new();
    setup.add(&Span::new(&WEB));
    setup.add(&Span::new(&WEB).failed());
    setup.add(&Span::new(&WEB));
    let group = setup.group();
    let counts =
        ["Hits", "Errors", "TopLevelHits", "Duration", "HTTPStatusCode", "IsTraceRoot"].map(|f| group.int(f));
    assert_eq!(counts, [3, 1, 3, 3_000_000, 0, 1]);
    let texts = ["Service", "Name", "Resource", "Type", "SpanKind", "HTTPMethod", "HTTPEndpoint", "DBType"];
    assert_eq!(
        texts.map(|field| group.text(field)),
        ["shop", "web.request", "GET /items", "web", "server", "GET", "/of/the/tracer", ""]
    );
    assert_eq!((group.text("GRPCStatusCode"), group.text("srv_src"), group.peers().len()), ("", "", 0));
    assert_eq!(group.0["Synthetics"], Value::Bool(false));
    let sketch = |count: u8| {
        let mut sketch = super::sketch::Sketch::default();
        (0..count).for_each(|_| sketch.add(1_000_000, true));
        Value::Bytes(sketch.to_protobuf())
    };
    assert_eq!((&group.0["OkSummary"], &group.0["ErrorSummary"]), (&sketch(2), &sketch(1)));
}

#[test]
fn spans_of_interest_are_counted_and_others_are_not() {
    let measured = |mut span: Span| {
        span.record.flags = span.record.flags.with(Flags::MEASURED);
        span
    };
    for (span, is_counted) in [
        (Span::new(&PLAIN), true),
        (Span::new(&PLAIN).child(), false),
        (Span::new(&PLAIN).child().failed(), false),
        (measured(Span::new(&PLAIN).child()), true),
        (Span::new(&PLAIN).child().metric("_dd.measured", 1.0), true),
        (Span::new(&PLAIN).child().metric("_dd.measured", 0.0), false),
        (Span::new(&PLAIN).child().metric("_dd.top_level", 1.0), true),
        (Span::new(&PLAIN).child().metric("_top_level", 1.0), true),
        (Span::new(&PLAIN).child().meta("span.kind", "client"), true),
        (Span::new(&PLAIN).child().meta("span.kind", "Producer"), true),
        (Span::new(&PLAIN).child().meta("span.kind", "internal"), false),
        (Span::new(&PLAIN).child().meta("user.name", "client"), false),
        (Span::new(&WEB).child(), true),
        (Span::new(&WEB).child().meta("span.kind", "internal"), false),
        (Span::new(&WEB).metric("_dd.partial_version", 0.0), false),
        (Span::new(&WEB).metric("_dd.partial_version", -1.0), true),
    ] {
        let mut setup = Setup::new();
        setup.add(&span);
        assert_eq!(!setup.take(true).is_empty(), is_counted, "{:?}", span.record.flags);
    }
}

#[test]
fn kinds_that_are_counted_are_those_of_the_agent() {
    let info = AgentInfo { span_kinds_stats_computed: Some(vec!["Internal".into()]), ..AgentInfo::default() };
    for (kind, is_counted) in [("internal", true), ("client", false)] {
        let mut setup = Setup::with(Cardinality::default(), &info);
        setup.add(&Span::new(&PLAIN).child().meta("span.kind", kind));
        assert_eq!(!setup.take(true).is_empty(), is_counted, "{kind}");
    }
}

#[test]
fn each_part_of_the_key_makes_a_group_of_its_own() {
    let mut setup = Setup::new();
    let spans = [
        Span::new(&PLAIN),
        Span::new(&PLAIN).field(EntryKind::Service, "bank"),
        Span::new(&PLAIN).field(EntryKind::Name, "pay"),
        Span::new(&PLAIN).field(EntryKind::Resource, "POST /pay"),
        Span::new(&PLAIN).field(EntryKind::SpanType, "sql"),
        Span::new(&PLAIN).meta("span.kind", "consumer"),
        Span::new(&PLAIN).meta("http.status_code", "404"),
        Span::new(&PLAIN).metric("http.status_code", 500.0),
        Span::new(&PLAIN).meta("http.method", "PUT"),
        Span::new(&PLAIN).meta("http.endpoint", "/pay/{id}"),
        Span::new(&PLAIN).meta("http.route", "/pay"),
        Span::new(&PLAIN).meta("rpc.grpc.status_code", "NotFound"),
        Span::new(&PLAIN).metric("grpc.status.code", 7.0),
        Span::new(&PLAIN).meta("_dd.svc_src", "opt.x"),
    ];
    for span in spans.iter().chain(&spans) {
        setup.add(span);
    }
    setup.add_of(&Span::new(&PLAIN), true);
    let mut child = Span::new(&PLAIN);
    child.record.parent_id = 1;
    setup.add(&child);
    let mut groups: Vec<Group> = setup.take(true).into_values().flatten().collect();
    assert_eq!(groups.len(), spans.len() + 2);
    assert_eq!(groups.iter().map(|group| group.int("Hits")).sum::<u64>(), 2 * spans.len() as u64 + 2);
    groups.sort_by_key(|group| format!("{:?}", group.0));
    let mut seen: Vec<(u64, &str, &str)> = groups
        .iter()
        .map(|group| (group.int("HTTPStatusCode"), group.text("GRPCStatusCode"), group.text("srv_src")))
        .filter(|facts| *facts != (0, "", ""))
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [(0, "", "m"), (0, "", "opt.x"), (0, "5", ""), (0, "7", ""), (404, "", ""), (500, "", "")]
    );
    let renamed = groups.iter().find(|group| group.text("Name") == "pay").unwrap();
    assert_eq!(renamed.text("Resource"), "pay", "a resource that is the name follows it");
}

#[test]
fn peers_are_told_apart_where_somebody_is_called() {
    let peer_tags = ["out.host", "_dd.base_service", "db.name", "peer.service"].map(Into::into).to_vec();
    let info = AgentInfo { peer_tags, ..AgentInfo::default() };
    let tagged = |kind: &str| {
        let span = Span::new(&PLAIN)
            .meta("out.host", "10.0.0.1:5432")
            .meta("db.name", "old")
            .meta("db.name", "orders");
        span.metric("peer.service", 1.0).meta("span.kind", kind).meta("other", "x")
    };
    let other = |span: Span| span.field(EntryKind::Service, "orders-db");
    let called = ["db.name:orders", "out.host:blocked-ip-address:5432"];
    for (span, expected) in [
        (tagged("client"), &called[..]),
        (tagged("producer"), &called),
        (other(tagged("consumer")), &["_dd.base_service:shop", called[0], called[1]]),
        (tagged("server"), &[]),
        (other(tagged("server")), &[]),
        (tagged("internal"), &[]),
        (other(tagged("internal")), &["_dd.base_service:shop"]),
        (other(Span::new(&PLAIN)), &["_dd.base_service:shop"]),
    ] {
        let mut setup = Setup::with(Cardinality::default(), &info);
        setup.add(&span);
        assert_eq!(setup.group().peers(), expected);
        let mut off = Setup::new();
        off.add(&span);
        assert_eq!(off.group().peers().len(), 0, "the agent names no tags");
    }
}

#[test]
fn bucket_is_that_of_the_end_and_of_the_clock() {
    let mut setup = Setup::new();
    setup.now = T + 25 * SECOND;
    for (end, bucket) in [
        (T + 20 * SECOND, 20),
        (T + 25 * SECOND, 20),
        (T + 20 * SECOND - 1, 10),
        (T + 10 * SECOND, 10),
        (T + 10 * SECOND - 1, 10),
        (5 * SECOND, 10),
        (T + 1_000 * SECOND, 20),
    ] {
        setup.add(&Span::ended(&PLAIN, end));
        let buckets = setup.take(true);
        assert_eq!(buckets.keys().copied().collect::<Vec<_>>(), [T + bucket * SECOND], "{end}");
    }
}

#[test]
fn two_newest_buckets_stay_open() {
    let mut setup = Setup::new();
    setup.add(&Span::ended(&PLAIN, T + SECOND));
    for (now, taken) in [(19, 0), (20, 1)] {
        setup.now = T + now * SECOND;
        assert_eq!(setup.take(false).len(), taken, "{now}");
    }
    assert!(setup.statistics.is_empty());
    setup.add(&Span::ended(&PLAIN, T + 20 * SECOND));
    setup.now += 10 * SECOND;
    setup.add(&Span::ended(&PLAIN, T + 30 * SECOND));
    assert_eq!((setup.take(false).len(), setup.take(true).len()), (0, 2));
}

#[test]
fn no_bucket_is_in_the_future_when_the_clock_is_set_back() {
    let mut setup = Setup::new();
    setup.add(&Span::ended(&PLAIN, T + SECOND));
    setup.now = T - 86_400 * SECOND;
    setup.add(&Span::ended(&PLAIN, T + SECOND));
    assert!(setup.take(false).is_empty());
    let buckets = setup.take(true);
    assert!(buckets.keys().all(|start| *start <= setup.now), "{buckets:?}");
    assert_eq!(buckets.values().flatten().map(|group| group.int("Hits")).sum::<u64>(), 2);
    setup.now = 0;
    setup.add(&Span::ended(&PLAIN, T));
    assert_eq!(setup.take(true).keys().copied().collect::<Vec<_>>(), [0]);
}

#[test]
fn spans_without_tags_are_counted_where_they_were_before() {
    let mut setup = Setup::new();
    let mut child = Span::new(&PLAIN);
    child.record.parent_id = 1;
    for round in 0..3 {
        setup.now = T + (10 * round + 1) * SECOND;
        for _ in 0..5 {
            setup.add(&Span::ended(&PLAIN, setup.now));
            setup.add(&Span { record: Record { end: setup.now, ..child.record }, log: TagLog::new() });
        }
    }
    for groups in setup.take(true).into_values() {
        let counts: Vec<_> = groups.iter().map(|group| group.int("Hits")).collect();
        assert_eq!(counts, [5, 5]);
    }
}

#[test]
fn payload_that_grows_too_large_is_several() {
    let mut setup = Setup::new();
    for number in 0..100 {
        setup.add(&Span::new(&PLAIN).field(EntryKind::Resource, &format!("GET /{number}")));
    }
    let payloads = setup.statistics.take(setup.now, true, 4_000);
    assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() <= 4_000));
    let hits = payloads.iter().flat_map(|payload| buckets(&decode(payload)).into_values().flatten());
    assert_eq!(hits.map(|group| group.int("Hits")).sum::<u64>(), 100);
}

#[test]
fn failed_and_analysed_spans_are_noticed() {
    let mut setup = Setup::new();
    for (span, expected) in [
        (Span::new(&PLAIN), (false, false)),
        (Span::new(&PLAIN).child().failed(), (true, false)),
        (Span::new(&PLAIN).child().metric("_dd1.sr.eausr", 1.0), (false, true)),
        (Span::new(&PLAIN).metric("_dd1.sr.eausr", 1.0).failed(), (true, true)),
    ] {
        let noticed = setup.add(&span);
        assert_eq!((noticed.has_error, noticed.has_analysed), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_spans_say_each_is_counted_once(
        spans in proptest::collection::vec((any::<(u64, u64, u64)>(), "\\PC{0,8}", "(span.kind|http.status_code|grpc.code|db.name)", "\\PC{0,8}"), 0..20),
        groups in 1_usize..4,
    ) {
        let info = AgentInfo { peer_tags: vec!["db.name".into()], ..AgentInfo::default() };
        let mut setup = Setup::with(Cardinality { groups, ..Cardinality::default() }, &info);
        for ((now, start, end), resource, key, value) in &spans {
            setup.now = *now;
            let mut span = Span::new(&PLAIN).field(EntryKind::Resource, resource).meta(key, value);
            (span.record.start, span.record.end) = (*start, *end);
            setup.add(&span);
        }
        let taken = setup.statistics.take(setup.now, true, 1 << 20);
        let counted = taken.iter().map(|payload| {
            let fields = decode(payload);
            let Value::List(buckets) = &fields["Stats"] else { panic!("no list") };
            let groups = buckets.iter().map(|bucket| {
                let Value::Map(bucket) = bucket else { panic!("no map") };
                let Value::List(groups) = &bucket["Stats"] else { panic!("no list") };
                groups.iter().map(|group| if let Value::Map(group) = group { Group(group.clone()).int("Hits") } else { 0 }).sum::<u64>()
            });
            groups.sum::<u64>()
        });
        prop_assert_eq!(counted.sum::<u64>(), spans.len() as u64);
    }
}
