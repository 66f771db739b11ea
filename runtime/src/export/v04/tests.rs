use std::sync::Arc;

use super::testing::{KEEP, UNLIMITED, Value, decode, encoded, head, record, timeline};
use super::{Chunk, Encoder, Limits, Payload, SpanDefaults};
use crate::model::upstream::{PropagatedTags, PropagationError, UpstreamLink};
use crate::model::{
    CallSite, Decision, EntryKind, Flags, Mechanism, SamplingPriority, SpanId, TagLog, TraceFacts, TraceId,
    Upstream,
};

static PLAIN: CallSite = CallSite::function("shop::cart", "add");
static TYPED: CallSite = CallSite::named("db.query").resource("SELECT 1").span_type("sql");

fn defaults() -> SpanDefaults {
    SpanDefaults {
        service: "shop".into(),
        env: Some("prod".into()),
        version: Some("1.4.2".into()),
        tags: vec![("team".into(), "cart".into())],
        runtime_id: "0f0e6a52-5d0e-4b1b-9b5f-8f5a6d1c2e33".into(),
        process_id: 4242,
    }
}

fn at_most(bytes: usize) -> Limits {
    Limits { max_bytes: bytes, max_alone: bytes }
}

fn upstream(trace_id: u128) -> Upstream {
    Upstream {
        trace_id: TraceId::new(trace_id),
        parent_id: SpanId::new(99),
        priority: Some(SamplingPriority::USER_KEEP),
        origin: Some("synthetics".into()),
        tags: PropagatedTags::default(),
        tracestate: None,
        last_parent_id: None,
        propagation_error: None,
        links: Vec::new(),
    }
}

#[test]
fn span_has_all_fields_of_the_wire() {
    let mut tags = TagLog::new();
    let mut root = record(&TYPED, 7, 3);
    root.tags = tags.meta(0, "db.system", "postgresql");
    root.tags = tags.metric(root.tags, "rows", 2.5);
    root.flags = Flags::FINISHED.with(Flags::ERROR).with(Flags::TOP_LEVEL).with(Flags::MEASURED);
    let spans = encoded(&defaults(), &head(5, 7, None), &[root], &tags, KEEP);
    let span = &spans[0];
    assert_eq!((span.text("service"), span.text("name")), ("shop", "db.query"));
    assert_eq!((span.text("resource"), span.text("type")), ("SELECT 1", "sql"));
    assert_eq!((span.int("trace_id"), span.int("span_id"), span.int("parent_id")), (5, 7, 3));
    assert_eq!((span.int("start"), span.int("duration")), (1_700_000_000_000_000_007, 500));
    assert_eq!(span.int("error"), 1);
    for (key, value) in [
        ("env", "prod"),
        ("version", "1.4.2"),
        ("team", "cart"),
        ("language", "rust"),
        ("runtime-id", "0f0e6a52-5d0e-4b1b-9b5f-8f5a6d1c2e33"),
        ("_dd.p.dm", "-0"),
        ("db.system", "postgresql"),
    ] {
        assert_eq!(span.meta(key), Some(value), "{key}");
    }
    for (key, value) in [
        ("process_id", 4242.0),
        ("_sampling_priority_v1", 1.0),
        ("rows", 2.5),
        ("_dd.top_level", 1.0),
        ("_dd.measured", 1.0),
    ] {
        assert_eq!(span.metric(key), Some(value), "{key}");
    }
    assert_eq!(span.meta("_dd.p.tid"), None);
    assert!(!span.0.contains_key("span_links"));
}

#[test]
fn empty_maps_and_types_are_left_out() {
    let spans = [record(&PLAIN, 1, 0), record(&PLAIN, 2, 1)];
    let spans = encoded(&SpanDefaults::default(), &head(5, 1, None), &spans, &TagLog::new(), KEEP);
    let fields: Vec<&str> = spans[1].0.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        ["duration", "error", "name", "parent_id", "resource", "service", "span_id", "start", "trace_id"]
    );
    assert_eq!((spans[1].text("name"), spans[1].text("resource")), ("shop.cart.add", "shop.cart.add"));
}

#[test]
fn local_root_comes_first_wherever_it_finished() {
    for root_at in 0..4_u64 {
        let records: Vec<_> =
            (0..4).map(|id| record(&PLAIN, id + 1, u64::from(id != root_at) * (root_at + 1))).collect();
        let spans = encoded(&defaults(), &head(5, root_at + 1, None), &records, &TagLog::new(), KEEP);
        let ids: Vec<u64> = spans.iter().map(|span| span.int("span_id")).collect();
        let mut expected = vec![root_at + 1];
        expected.extend((1..=4).filter(|id| *id != root_at + 1));
        assert_eq!(ids, expected);
    }
}

#[test]
fn chunk_tags_are_on_the_first_span_only() {
    let trace_id = 0x6a0b_3c55_0000_0000_0000_0000_0000_0005;
    let rated = Decision { mechanism: Some(Mechanism::AGENT_RATE), rate: Some(0.25), ..KEEP };
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
fn rate_is_on_the_local_root_and_not_on_the_first_span_of_a_part() {
    let rated = Decision { mechanism: Some(Mechanism::AGENT_RATE), rate: Some(0.5), ..KEEP };
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
fn span_of_another_service_names_the_tracers_own() {
    let mut tags = TagLog::new();
    let mut records = [record(&PLAIN, 1, 0), record(&TYPED, 2, 1), record(&PLAIN, 3, 1)];
    records[1].service = tags.field(0, EntryKind::Service, "postgres");
    records[2].service = tags.field(0, EntryKind::Service, "SHOP");
    let spans = encoded(&defaults(), &head(5, 1, None), &records, &tags, KEEP);
    assert_eq!((spans[1].text("service"), spans[1].text("resource")), ("postgres", "SELECT 1"));
    assert_eq!((spans[1].meta("_dd.base_service"), spans[1].meta("_dd.svc_src")), (Some("shop"), Some("m")));
    assert_eq!(spans[1].meta("version"), None);
    assert_eq!((spans[2].meta("_dd.base_service"), spans[2].meta("version")), (None, Some("1.4.2")));
}

#[test]
fn latest_field_wins_and_an_empty_resource_is_the_name() {
    let mut tags = TagLog::new();
    let mut records = [record(&TYPED, 1, 0), record(&PLAIN, 2, 1), record(&TYPED, 3, 1)];
    for (kind, text) in [
        (EntryKind::Name, "first"),
        (EntryKind::Resource, "GET /"),
        (EntryKind::SpanType, "web"),
        (EntryKind::Name, "second"),
    ] {
        records[0].tags = tags.field(records[0].tags, kind, text);
    }
    records[1].tags = tags.field(0, EntryKind::Name, "renamed");
    records[2].tags = tags.field(0, EntryKind::Resource, "");
    records[2].service = tags.field(0, EntryKind::Service, "other");
    for record in &mut records {
        record.flags = record.flags.with(Flags::FIELDS);
    }
    let spans = encoded(&defaults(), &head(5, 1, None), &records, &tags, KEEP);
    let fields: Vec<[&str; 4]> = spans
        .iter()
        .map(|span| ["service", "name", "resource", "type"].map(|field| span.text(field)))
        .collect();
    assert_eq!(
        fields,
        [
            ["shop", "second", "GET /", "web"],
            ["shop", "renamed", "renamed", ""],
            ["other", "db.query", "SELECT 1", "sql"]
        ]
    );
}

#[test]
fn later_tag_of_a_key_wins_over_both_maps() {
    let mut tags = TagLog::new();
    let mut span = record(&PLAIN, 1, 0);
    span.tags = tags.meta(span.tags, "a", "1");
    span.tags = tags.metric(span.tags, "a", 2.0);
    span.tags = tags.metric(span.tags, "b", 1.0);
    span.tags = tags.meta(span.tags, "b", "2");
    span.tags = tags.meta(span.tags, "c", "1");
    span.tags = tags.unset(span.tags, "c");
    span.tags = tags.unset(span.tags, "d");
    span.tags = tags.meta(span.tags, "d", "again");
    let spans = encoded(&defaults(), &head(5, 9, None), &[record(&PLAIN, 8, 0), span], &tags, KEEP);
    let span = &spans[1];
    assert_eq!((span.meta("a"), span.metric("a")), (None, Some(2.0)));
    assert_eq!((span.meta("b"), span.metric("b")), (Some("2"), None));
    assert_eq!((span.meta("c"), span.meta("d")), (None, Some("again")));
}

#[test]
fn own_tag_wins_over_the_tracers_and_loses_to_the_traces() {
    let mut tags = TagLog::new();
    let mut span = record(&PLAIN, 1, 0);
    span.tags = tags.meta(span.tags, "env", "mine");
    span.tags = tags.unset(span.tags, "team");
    span.tags = tags.meta(span.tags, "language", "cobol");
    span.tags = tags.metric(span.tags, "_dd.p.dm", 4.0);
    let spans = encoded(&defaults(), &head(5, 1, None), &[span], &tags, KEEP);
    assert_eq!((spans[0].meta("env"), spans[0].meta("team")), (Some("mine"), None));
    assert_eq!((spans[0].meta("language"), spans[0].meta("_dd.p.dm")), (Some("rust"), Some("-0")));
}

#[test]
fn any_number_of_tags_arrives_once_each() {
    for count in [1_u32, 15, 16, 17, 18, 400, 1_000] {
        let mut tags = TagLog::new();
        let mut span = record(&PLAIN, 1, 0);
        for round in 0..2 {
            for index in 0..count {
                span.tags = match round {
                    0 => tags.metric(span.tags, &format!("key.{index}"), f64::from(index)),
                    _ if index % 2 == 0 => tags.meta(span.tags, &format!("key.{index}"), "text"),
                    _ => span.tags,
                };
            }
        }
        let spans = encoded(&defaults(), &head(5, 9, None), &[record(&PLAIN, 8, 0), span], &tags, KEEP);
        for index in 0..count {
            let (text, number) =
                (spans[1].meta(&format!("key.{index}")), spans[1].metric(&format!("key.{index}")));
            let expected = if index % 2 == 0 { (Some("text"), None) } else { (None, Some(f64::from(index))) };
            assert_eq!((text, number), expected, "{index} of {count}");
        }
    }
}

#[test]
fn given_times_are_unix_nanoseconds() {
    let mut tags = [record(&PLAIN, 1, 0); 3];
    tags[0].flags = Flags::FINISHED.with(Flags::START_GIVEN).with(Flags::END_GIVEN);
    (tags[0].start, tags[0].end) = (1_000, 5_000);
    tags[1].flags = Flags::FINISHED.with(Flags::START_GIVEN);
    tags[1].start = 1_600_000_000_000_000_000;
    tags[2].flags = Flags::FINISHED.with(Flags::END_GIVEN);
    tags[2].end = 1;
    let times = tags.map(|record| super::times(&record, &timeline()));
    assert_eq!(times[0], (1_000, 4_000));
    assert_eq!(times[1], (1_600_000_000_000_000_000, 100_000_000_000_000_501));
    assert_eq!(times[2], (1_700_000_000_000_000_001, 0));
}

#[test]
fn chunk_is_split_between_spans_at_the_limit() {
    let records: Vec<_> = (1..=50).map(|id| record(&PLAIN, id, u64::from(id > 1))).collect();
    let head = head(7 << 64 | 5, 1, None);
    let tags = TagLog::new();
    let chunk = Chunk { head: &head, records: &records, tags: &tags, decision: KEEP };
    let mut encoder = Encoder::new(&defaults());
    let mut whole = Payload::reusing(Vec::new());
    encoder.chunk(&mut whole, &chunk, &timeline(), 0, UNLIMITED);
    for limit in [whole.len() - 1, whole.len(), whole.len() + 1, 3_000, 600] {
        let (mut from, mut ids) = (0, Vec::new());
        while from < records.len() {
            let mut payload = Payload::reusing(Vec::new());
            let part = encoder.chunk(&mut payload, &chunk, &timeline(), from, at_most(limit));
            assert!(part.until > from && part.too_large == 0 && payload.len() <= limit);
            from = part.until;
            let spans = decode(&payload.into_body()).pop().unwrap();
            assert_eq!(spans[0].meta("_dd.p.tid"), Some("0000000000000007"));
            assert!(spans.iter().skip(1).all(|span| span.meta("_dd.p.tid").is_none()));
            ids.extend(spans.iter().map(|span| span.int("span_id")));
        }
        assert_eq!(ids, (1..=50).collect::<Vec<_>>());
    }
}

#[test]
fn span_above_the_limit_alone_is_left_out_and_counted() {
    let mut tags = TagLog::new();
    let mut records = [record(&PLAIN, 1, 0), record(&PLAIN, 2, 1), record(&PLAIN, 3, 1)];
    records[0].tags = tags.meta(0, "bomb", &"x".repeat(5_000));
    let head = head(5, 1, None);
    let chunk = Chunk { head: &head, records: &records, tags: &tags, decision: KEEP };
    let mut payload = Payload::reusing(Vec::new());
    let part = Encoder::new(&defaults()).chunk(&mut payload, &chunk, &timeline(), 0, at_most(2_000));
    assert_eq!((part.until, part.too_large, payload.spans()), (3, 1, 2));
    let spans = decode(&payload.into_body()).pop().unwrap();
    assert_eq!((spans[0].int("span_id"), spans[0].meta("_dd.p.dm")), (2, Some("-0")));
}

#[test]
fn chunk_that_leaves_nothing_leaves_no_trace_in_the_payload() {
    let mut tags = TagLog::new();
    let mut span = record(&PLAIN, 1, 0);
    span.tags = tags.meta(0, "bomb", &"x".repeat(5_000));
    let head = head(5, 1, None);
    let chunk = Chunk { head: &head, records: &[span], tags: &tags, decision: KEEP };
    let mut payload = Payload::reusing(Vec::new());
    let part = Encoder::new(&defaults()).chunk(&mut payload, &chunk, &timeline(), 0, at_most(2_000));
    assert_eq!((part.until, part.too_large, payload.is_empty()), (1, 1, true));
    assert_eq!(payload.into_body(), [0xdd, 0, 0, 0, 0]);
}

/// Run with `cargo test --release -- --ignored --nocapture encoding_takes`.
#[test]
#[ignore = "measures"]
fn encoding_takes_some_nanoseconds_a_span() {
    for (chunks, spans) in [(10_000, 1), (1_000, 10), (100, 100)] {
        let batch = super::testing::batch(&PLAIN, chunks, spans);
        let mut encoder = Encoder::new(&defaults());
        let timeline = timeline();
        let mut best = f64::MAX;
        let (mut len, mut memory) = (0, Vec::new());
        for _ in 0..200 {
            let mut payload = Payload::reusing(memory);
            let start = std::time::Instant::now();
            for head in &batch.heads {
                let records = &batch.spans.records[head.first as usize..][..head.len as usize];
                let chunk = Chunk { head, records, tags: &batch.spans.tags, decision: KEEP };
                encoder.chunk(&mut payload, &chunk, &timeline, 0, UNLIMITED);
            }
            best = best.min(start.elapsed().as_nanos() as f64 / batch.spans.len() as f64);
            len = payload.len();
            memory = payload.into_body();
        }
        println!("{spans} spans a chunk: {best:.1} ns a span, {} bytes a span", len / batch.spans.len());
    }
}

#[test]
#[ignore = "measures"]
fn variants() {
    for variant in 0..5 {
        let mut batch = super::testing::batch(&PLAIN, 100, 100);
        for r in &mut batch.spans.records {
            if variant & 1 == 1 {
                r.tags = 0;
            }
            if variant & 2 == 2 {
                r.flags = r.flags.with(Flags::START_GIVEN).with(Flags::END_GIVEN);
            }
        }
        let mut encoder = Encoder::new(&defaults());
        let timeline = timeline();
        let (mut best, mut memory) = (f64::MAX, Vec::new());
        let blob = [7u8; 242];
        for _ in 0..300 {
            let mut payload = Payload::reusing(memory);
            let start = std::time::Instant::now();
            if variant == 4 {
                for r in &batch.spans.records {
                    let at = payload.bytes.len();
                    payload.bytes.extend_from_slice(std::hint::black_box(&blob[..]));
                    payload.bytes[at + 20..][..8].copy_from_slice(&r.span_id.to_be_bytes());
                }
            } else {
                for head in &batch.heads {
                    let records = &batch.spans.records[head.first as usize..][..head.len as usize];
                    let chunk = Chunk { head, records, tags: &batch.spans.tags, decision: KEEP };
                    encoder.chunk(&mut payload, &chunk, &timeline, 0, UNLIMITED);
                }
            }
            best = best.min(start.elapsed().as_nanos() as f64 / batch.spans.len() as f64);
            memory = payload.into_body();
        }
        println!("{variant}: {best:.1}");
    }
}
