//! Chains of entries, what is cut, and where logs end.

use super::*;
use crate::model::{CallSite, SpanBuffer};

static SITE: CallSite = CallSite::named("work");

#[test]
fn texts_are_cut_between_characters() {
    assert_eq!(
        (cut("abc", 3), cut("abc", 2), cut("éé", 3), cut("é", 1), cut("", 5)),
        ("abc", "ab", "é", "", "")
    );
}

#[test]
fn entries_of_one_span_come_latest_first_and_skip_other_spans() {
    let mut log = TagLog::new();
    let a = log.meta(0, "k", "one");
    let b = log.metric(0, "other", 1.0);
    let a = log.metric(a, "n", 2.5);
    let seen: Vec<_> = log.entries(a).map(|e| (e.key().to_owned(), e.kind)).collect();
    assert_eq!(seen, [("n".to_owned(), EntryKind::Metric), ("k".to_owned(), EntryKind::Meta)]);
    assert_eq!(log.entries(a).next().and_then(|e| e.number()), Some(2.5));
    assert_eq!(log.entries(b).count(), 1);
    assert_eq!(log.entries(0).count(), 0);
}

#[test]
fn an_appended_log_keeps_its_chains() {
    let mut first = TagLog::new();
    first.meta(0, "x", "y");
    let mut second = TagLog::new();
    let anchor = second.meta(0, "a", "1");
    let anchor = second.meta(anchor, "b", "2");
    let moved = first.append(&second, 0).unwrap();
    let anchor = u32::try_from(i64::from(anchor) + moved).unwrap();
    let texts: Vec<_> = first.entries(anchor).map(|e| e.text().unwrap().to_owned()).collect();
    assert_eq!(texts, ["2", "1"]);
}

/// A log of so many bytes that nobody has touched yet.
fn untouched(used: usize) -> TagLog {
    TagLog { bytes: vec![0; used + (1 << 10)], used, told: Told::nothing() }
}

/// An anchor is 32 bits wide.
#[test]
fn logs_are_joined_up_to_a_limit_and_records_never_point_elsewhere() {
    let mut more = SpanBuffer::new();
    let mut record = Record::open(&SITE, 1, 0, 0);
    record.tags = more.tags.meta(0, "key", "value");
    record.service = more.tags.field(0, EntryKind::Service, "shop");
    more.records.push(record);
    let room = more.tags.len();
    for (missing, is_joined) in [(1, false), (0, true), (-1_isize, true)] {
        let used = (MAX_JOINED - room).checked_add_signed(missing).unwrap();
        let mut all = SpanBuffer { records: Vec::new(), tags: untouched(used) };
        let mut one = SpanBuffer { records: Vec::new(), tags: untouched(used) };
        all.append(&more, 0, 0);
        one.push_from(record, &more.tags);
        for joined in [all, one] {
            let record = joined.records[0];
            let key = joined.tags.entries(record.tags).next().map(|entry| entry.key().to_owned());
            assert_eq!(key.as_deref(), is_joined.then_some("key"));
            assert_eq!(joined.tags.text(record.service), is_joined.then_some("shop"));
            assert!(joined.tags.len() <= MAX_JOINED);
        }
    }
}

#[test]
fn keys_and_values_are_cut_between_characters_at_the_limit() {
    for (len, kept) in [(24_999, 24_999), (25_000, 25_000), (25_001, 25_000)] {
        let mut log = TagLog::new();
        let at = log.meta(0, "k", &"v".repeat(len));
        assert_eq!(log.entries(at).next().unwrap().text().unwrap().len(), kept);
    }
    let mut log = TagLog::new();
    let at = log.meta(0, &"é".repeat(101), "v");
    assert_eq!(log.entries(at).next().unwrap().key().len(), 200);
    let at = log.meta(0, &format!("x{}", "é".repeat(101)), "v");
    assert_eq!(log.entries(at).next().unwrap().key().len(), 199);
}
