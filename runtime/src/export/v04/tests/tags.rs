//! Keys that occur more than once.

use super::super::testing::{KEEP, encoded, encoded_counting, head, record};
use super::{PLAIN, defaults};
use crate::model::{CallSite, EntryKind, Flags, TagLog};

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
fn of_too_many_tags_those_stay_whose_keys_came_first() {
    for (count, left_out) in [(999_u32, 0), (1_000, 0), (1_001, 1), (1_500, 500)] {
        let mut tags = TagLog::new();
        let mut span = record(&PLAIN, 1, 0);
        span.tags = tags.metric(0, "taken.back", 1.0);
        for index in 0..count {
            span.tags = tags.meta(span.tags, &format!("key.{index}"), "early");
        }
        span.tags = tags.unset(span.tags, "taken.back");
        // A key that is there may change; the tracer's own and the chunk's tags are none of the span's.
        span.tags = tags.meta(span.tags, "key.0", "late");
        let (spans, counted) = encoded_counting(&defaults(), &head(5, 1, None), &[span], &tags, KEEP);
        let span = &spans[0];
        let kept = (0..count).filter(|index| span.meta(&format!("key.{index}")).is_some());
        assert_eq!(kept.collect::<Vec<_>>(), (0..count.min(1_000)).collect::<Vec<_>>());
        assert_eq!((span.meta("key.0"), span.metric("taken.back"), counted), (Some("late"), None, left_out));
        assert_eq!((span.meta("env"), span.metric("_sampling_priority_v1")), (Some("prod"), Some(1.0)));
    }
}

#[test]
fn tags_of_a_span_take_a_mebibyte() {
    // Keys of one header byte and three letters, values of three header bytes.
    let (pair, few) = (4 + 3 + 20_000, 52);
    let rest = (1 << 20) - few * pair - 4 - 3;
    for (len, left_out) in [(rest - 1, 0), (rest, 0), (rest + 1, 1)] {
        let mut tags = TagLog::new();
        let mut span = record(&PLAIN, 1, 0);
        for index in 0..few {
            span.tags = tags.meta(span.tags, &format!("k{index:02}"), &"v".repeat(20_000));
        }
        span.tags = tags.meta(span.tags, "end", &"v".repeat(len));
        let (spans, counted) = encoded_counting(&defaults(), &head(5, 1, None), &[span], &tags, KEEP);
        assert_eq!((spans[0].meta("end").is_none(), counted), (left_out == 1, left_out));
        assert!(spans[0].meta("k51").is_some());
    }
}

/// The count of numbers is 16 bits wide: what the chunk says was pushed out.
#[test]
fn numbers_beyond_all_measure_leave_room_for_the_decision() {
    let mut tags = TagLog::new();
    let mut span = record(&PLAIN, 1, 0);
    for index in 0..66_000 {
        span.tags = tags.metric(span.tags, &format!("{index}"), 1.0);
    }
    let (spans, counted) = encoded_counting(&defaults(), &head(5, 1, None), &[span], &tags, KEEP);
    assert_eq!((spans[0].metric("_sampling_priority_v1"), counted), (Some(1.0), 65_000));
}

static TAGGED: CallSite = CallSite::named("tagged").tags(&[
    ("kind", "first"),
    ("kind", "second"),
    ("team", "site"),
    ("a", "site"),
    ("_dd.p.dm", "site"),
]);

#[test]
fn tags_of_the_call_site_give_way_to_those_of_the_span() {
    let mut tags = TagLog::new();
    let mut spans = [1, 2, 3, 4].map(|id| record(&TAGGED, id, 0));
    spans[1].tags = tags.meta(0, "team", "own");
    spans[1].tags = tags.metric(spans[1].tags, "a", 1.0);
    spans[2].tags = tags.unset(0, "kind");
    spans[3].service = tags.field(0, EntryKind::Service, "other");
    spans[3].tags = tags.field(0, EntryKind::Name, "renamed");
    spans[3].flags = spans[3].flags.with(Flags::FIELDS).with(Flags::MEASURED);
    let spans = encoded(&defaults(), &head(5, 9, None), &spans, &tags, KEEP);
    let [plain, own, unset, other] = &spans[..] else { panic!("four spans") };
    // What the trace says wins on its first span.
    assert_eq!((plain.meta("_dd.p.dm"), own.meta("_dd.p.dm")), (Some("-0"), Some("site")));
    assert_eq!(
        (plain.meta("kind"), plain.meta("team"), plain.meta("env")),
        (Some("second"), Some("site"), Some("prod"))
    );
    assert_eq!(
        (own.meta("kind"), own.meta("team"), own.meta("env")),
        (Some("second"), Some("own"), Some("prod"))
    );
    assert_eq!((own.meta("a"), own.metric("a")), (None, Some(1.0)));
    assert_eq!((unset.meta("kind"), unset.meta("a")), (None, Some("site")));
    assert_eq!((other.text("name"), other.meta("kind")), ("renamed", Some("second")));
    assert_eq!((other.meta("_dd.base_service"), other.metric("_dd.measured")), (Some("shop"), Some(1.0)));
}

#[test]
fn tags_of_the_call_site_are_cut_as_others_are() {
    static LONG: &str = match std::str::from_utf8(&[b'v'; 25_001]) {
        Ok(text) => text,
        Err(_) => panic!("letters"),
    };
    static SITE: CallSite = CallSite::named("long").tags(&[("k", LONG)]);
    let spans = encoded(&defaults(), &head(5, 9, None), &[record(&SITE, 1, 0)], &TagLog::new(), KEEP);
    assert_eq!(spans[0].meta("k").map(str::len), Some(25_000));
}
