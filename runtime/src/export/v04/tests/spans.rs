//! The fields of single spans, and their order.

use super::super::testing::{KEEP, encoded, head, record, timeline};
use super::super::times::Pace;
use super::super::{SpanDefaults, times};
use super::{PLAIN, TYPED, defaults};
use crate::model::{EntryKind, Flags, TagLog};

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
fn given_times_are_unix_nanoseconds() {
    let mut tags = [record(&PLAIN, 1, 0); 3];
    tags[0].flags = Flags::FINISHED.with(Flags::START_GIVEN).with(Flags::END_GIVEN);
    (tags[0].start, tags[0].end) = (1_000, 5_000);
    tags[1].flags = Flags::FINISHED.with(Flags::START_GIVEN);
    tags[1].start = 1_600_000_000_000_000_000;
    tags[2].flags = Flags::FINISHED.with(Flags::END_GIVEN);
    tags[2].end = 1;
    let times = tags.map(|record| times(&record, &timeline()));
    assert_eq!(times[0], (1_000, 4_000));
    assert_eq!(times[1], (1_600_000_000_000_000_000, 100_000_000_000_000_501));
    assert_eq!(times[2], (1_700_000_000_000_000_001, 0));
}

#[test]
fn times_of_a_chunk_are_those_of_its_spans() {
    const NOW: u64 = 1_700_000_000_000_000_000;
    let timeline = timeline();
    for tick in [NOW, NOW + 7_000, 0, u64::MAX] {
        let pace = Pace::new(&timeline, tick);
        for (start, end) in [(NOW, NOW + 1), (NOW - 9_000, NOW), (NOW, NOW - 1), (3, NOW), (NOW, u64::MAX)] {
            for given in [Flags::none(), Flags::START_GIVEN, Flags::END_GIVEN] {
                let mut span = record(&PLAIN, 1, 0);
                (span.start, span.end, span.flags) = (start, end, span.flags.with(given));
                assert_eq!(pace.times(&span), times(&span, &timeline), "{start} to {end} around {tick}");
            }
        }
    }
}
