//! What a chunk says of its trace: decision, propagated tags, links.

use std::sync::Arc;

use super::super::SpanDefaults;
use super::super::testing::{KEEP, Value, encoded, head, record};
use super::{PLAIN, defaults};
use crate::model::upstream::{PropagationError, UpstreamLink};
use crate::model::{
    Applied, Decision, Flags, Mechanism, SamplingPriority, SpanId, SpanLink, TagLog, TraceFacts, TraceId,
    Upstream,
};

fn upstream(trace_id: u128) -> Upstream {
    Upstream {
        priority: Some(SamplingPriority::USER_KEEP),
        origin: Some("synthetics".into()),
        ..Upstream::new(TraceId::new(trace_id), SpanId::new(99))
    }
}

#[test]
fn chunk_tags_are_on_the_first_span_only() {
    let trace_id = 0x6a0b_3c55_0000_0000_0000_0000_0000_0005;
    let rated = Decision { mechanism: Some(Mechanism::AGENT_RATE), rate: Some(Applied::of(0.25)), ..KEEP };
    let records = [record(&PLAIN, 1, 0), record(&PLAIN, 2, 1)];
    let spans = encoded(&defaults(), &head(trace_id, 1, None), &records, &TagLog::new(), rated);
    assert_eq!(spans[0].meta("_dd.p.tid"), Some("6a0b3c5500000000"));
    assert_eq!((spans[0].meta("_dd.p.dm"), spans[0].meta("_dd.p.ksr")), (Some("-1"), Some("0.25")));
    assert_eq!(spans[0].metric("_dd.agent_psr"), Some(0.25));
    for key in ["_dd.p.tid", "_dd.p.dm", "_dd.p.ksr", "language", "runtime-id"] {
        assert_eq!(spans[1].meta(key), None, "{key}");
    }
    for key in ["_sampling_priority_v1", "process_id", "_dd.agent_psr"] {
        assert_eq!(spans[1].metric(key), None, "{key}");
    }
    assert_eq!(spans[1].meta("env"), Some("prod"));
}

#[test]
fn first_span_of_each_chunk_tells_of_the_process_and_the_local_root_of_the_host() {
    let defaults = SpanDefaults {
        git_repository_url: Some("https://example.com/shop".into()),
        git_commit_sha: Some("c0ffee".into()),
        process_tags: Some("entrypoint.name:shop".into()),
        hostname: Some("web-1".into()),
        ..defaults()
    };
    let tags = [
        ("_dd.git.repository_url", "https://example.com/shop"),
        ("_dd.git.commit.sha", "c0ffee"),
        ("_dd.tags.process", "entrypoint.name:shop"),
        ("runtime-id", "0f0e6a52-5d0e-4b1b-9b5f-8f5a6d1c2e33"),
        ("language", "rust"),
        ("_dd.hostname", "web-1"),
    ];
    for local_root in [1, 77] {
        let records = [record(&PLAIN, 1, 0), record(&PLAIN, 2, 1)];
        let spans = encoded(&defaults, &head(5, local_root, None), &records, &TagLog::new(), KEEP);
        for (key, value) in tags {
            let is_first = key != "_dd.hostname" || local_root == 1;
            assert_eq!(spans[0].meta(key), is_first.then_some(value), "{key}");
            assert_eq!(spans[1].meta(key), None, "{key}");
        }
    }
}

#[test]
fn rate_is_on_the_local_root_and_not_on_the_first_span_of_a_part() {
    let rated = Decision { mechanism: Some(Mechanism::AGENT_RATE), rate: Some(Applied::of(0.5)), ..KEEP };
    let spans = encoded(&defaults(), &head(5, 77, None), &[record(&PLAIN, 2, 1)], &TagLog::new(), rated);
    assert_eq!((spans[0].metric("_dd.agent_psr"), spans[0].meta("_dd.p.ksr")), (None, Some("0.5")));
}

#[test]
fn received_context_is_passed_on() {
    let mut received = upstream(5);
    for (key, value) in [("dm", "-4"), ("usr.id", "dXNlcg=="), ("ksr", "0.50"), ("tid", "1")] {
        received.tags.push(key, value);
    }
    received.last_parent_id = Some("00f067aa0ba902b7".into());
    received.propagation_error = Some(PropagationError::Decoding);
    let facts = TraceFacts::new(5, Some(Arc::new(received)), None);
    let decision = facts.decision().unwrap();
    let records = [record(&PLAIN, 2, 1), record(&PLAIN, 1, 99)];
    let spans = encoded(&defaults(), &head(5, 1, Some(facts)), &records, &TagLog::new(), decision);
    let [root, child] = &spans[..] else { panic!("two spans") };
    for (key, value) in [
        ("_dd.p.dm", "-4"),
        ("_dd.p.usr.id", "dXNlcg=="),
        ("_dd.p.ksr", "0.50"),
        ("_dd.parent_id", "00f067aa0ba902b7"),
        ("_dd.propagation_error", "decoding_error"),
        ("_dd.origin", "synthetics"),
    ] {
        assert_eq!(root.meta(key), Some(value), "{key}");
        assert_eq!(child.meta(key).is_some(), key == "_dd.origin", "{key}");
    }
    assert_eq!((root.meta("_dd.p.tid"), root.metric("_sampling_priority_v1")), (None, Some(2.0)));
}

#[test]
fn manual_decision_replaces_the_received_maker() {
    let mut received = upstream(5);
    received.tags.push("dm", "-1");
    let facts = TraceFacts::new(5, Some(Arc::new(received)), None);
    let drop =
        Decision { priority: SamplingPriority::USER_REJECT, mechanism: Some(Mechanism::MANUAL), rate: None };
    let spans =
        encoded(&defaults(), &head(5, 1, Some(facts)), &[record(&PLAIN, 1, 99)], &TagLog::new(), drop);
    assert_eq!(
        (spans[0].meta("_dd.p.dm"), spans[0].metric("_sampling_priority_v1")),
        (Some("-4"), Some(-1.0))
    );
}

#[test]
fn contexts_not_continued_are_links_of_the_local_root() {
    let mut received = upstream(5);
    let link = UpstreamLink {
        trace_id: TraceId::from_halves(3, 4),
        span_id: SpanId::new(6),
        reason: "terminated_context",
        context_headers: "tracecontext",
        is_kept: true,
        tracestate: Some("dd=s:1".into()),
    };
    received.links = vec![link.clone(), UpstreamLink { tracestate: None, is_kept: false, ..link }];
    let facts = TraceFacts::new(5, Some(Arc::new(received)), None);
    let records = [record(&PLAIN, 1, 99), record(&PLAIN, 2, 1)];
    let spans = encoded(&defaults(), &head(5, 1, Some(facts)), &records, &TagLog::new(), KEEP);
    let Some(Value::List(links)) = spans[0].0.get("span_links") else { panic!("no links") };
    let Value::Map(first) = &links[0] else { panic!("no map") };
    for (key, value) in [("trace_id", 4), ("trace_id_high", 3), ("span_id", 6), ("flags", 0x8000_0001)] {
        assert_eq!(first.get(key), Some(&Value::Int(value)), "{key}");
    }
    assert_eq!(first.get("tracestate"), Some(&Value::Text("dd=s:1".into())));
    let Some(Value::Map(attributes)) = first.get("attributes") else { panic!("no attributes") };
    assert_eq!(attributes.get("reason"), Some(&Value::Text("terminated_context".into())));
    assert_eq!(attributes.get("context_headers"), Some(&Value::Text("tracecontext".into())));
    assert_eq!(links.len(), 2);
    assert!(!spans[1].0.contains_key("span_links"));
}

#[test]
fn links_of_the_user_follow_those_that_were_received() {
    let mut received = upstream(5);
    received.links = vec![UpstreamLink {
        trace_id: TraceId::from_halves(3, 4),
        span_id: SpanId::new(6),
        reason: "terminated_context",
        context_headers: "tracecontext",
        is_kept: true,
        tracestate: None,
    }];
    let facts = TraceFacts::new(5, Some(Arc::new(received)), None);
    let mut log = TagLog::new();
    let mut records = [record(&PLAIN, 1, 99), record(&PLAIN, 2, 1)];
    records[0].tags = log.link(0, &SpanLink::new(7 << 64 | 8, 9));
    records[1].tags = log.link(0, &SpanLink::new(10, 11).kept(Some(false)));
    records[1].tags = log.meta(records[1].tags, "key", "value");
    records[1].tags = log.link(records[1].tags, &SpanLink::new(12, 13).kept(Some(true)));
    for record in &mut records {
        record.flags = record.flags.with(Flags::LINKED);
    }
    let spans = encoded(&defaults(), &head(5, 1, Some(facts)), &records, &log, KEEP);
    let links = |span: usize| -> Vec<[Option<u64>; 4]> {
        let Some(Value::List(links)) = spans[span].0.get("span_links") else { panic!("no links") };
        let number = |link: &Value, key| match link {
            Value::Map(link) => match link.get(key)? {
                Value::Int(number) => Some(*number),
                _ => None,
            },
            _ => None,
        };
        let numbers = |link| ["trace_id_high", "trace_id", "span_id", "flags"].map(|key| number(link, key));
        links.iter().map(numbers).collect()
    };
    let (kept, dropped) = (Some(0x8000_0001), Some(0x8000_0000));
    assert_eq!(links(0), [[Some(3), Some(4), Some(6), kept], [Some(7), Some(8), Some(9), None]]);
    assert_eq!(links(1), [[Some(0), Some(10), Some(11), dropped], [Some(0), Some(12), Some(13), kept]]);
    assert_eq!(spans[1].meta("key"), Some("value"));
}
