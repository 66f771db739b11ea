//! Chunks and spans at the limits of a payload.

use super::super::testing::{KEEP, UNLIMITED, decode, head, record, timeline};
use super::super::{Chunk, Encoder, Limits, Payload};
use super::{PLAIN, defaults};
use crate::model::TagLog;

fn at_most(bytes: usize) -> Limits {
    Limits { max_bytes: bytes, max_alone: bytes }
}

#[test]
fn chunk_is_split_between_spans_at_the_limit() {
    let records: Vec<_> = (1..=50).map(|id| record(&PLAIN, id, u64::from(id > 1))).collect();
    let head = head(7 << 64 | 5, 1, None);
    let tags = TagLog::new();
    let chunk = Chunk { head: &head, records: &records, tags: &tags, decision: KEEP, selected: &[] };
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
    let chunk = Chunk { head: &head, records: &records, tags: &tags, decision: KEEP, selected: &[] };
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
    let chunk = Chunk { head: &head, records: &[span], tags: &tags, decision: KEEP, selected: &[] };
    let mut payload = Payload::reusing(Vec::new());
    let part = Encoder::new(&defaults()).chunk(&mut payload, &chunk, &timeline(), 0, at_most(2_000));
    assert_eq!((part.until, part.too_large, payload.is_empty()), (1, 1, true));
    assert_eq!(payload.into_body(), [0xdd, 0, 0, 0, 0]);
}
