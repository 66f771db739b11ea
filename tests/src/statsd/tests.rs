//! What is read and what is not: else what is read would prove nothing.

use super::*;
use std::panic::catch_unwind;

fn is_read(datagram: &str) -> bool {
    // Whoever reads it has said why, on stderr.
    catch_unwind(|| Statsd::udp().read(datagram.as_bytes())).is_ok()
}

#[test]
fn what_the_format_allows_is_read() {
    let read = Statsd::udp().read(b"a.b_c:1|c\na:0.5|d|@0.25|#k:v:w,l:\xc3\xa9|c:ci-0a");
    let tags = [("k", "v:w"), ("l", "\u{e9}")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let last = Metric {
        name: "a".to_owned(),
        number: 0.5,
        kind: "d".to_owned(),
        rate: 0.25,
        tags: tags.into(),
        container: Some("ci-0a".to_owned()),
    };
    assert_eq!((read.len(), read[0].name.as_str(), &read[1]), (2, "a.b_c", &last));
    for line in ["a:1|g", "a:1.5|ms|@0.5", "a:1|h|#k:v", "a:1|c|c:in-7"] {
        assert!(is_read(line), "{line}");
    }
}

#[test]
fn what_the_format_does_not_allow_is_a_panic() {
    for datagram in [
        "",
        "a",
        "a:1",
        "a:1|",
        "a:1|x",
        "a:|c",
        ":1|c",
        "1a:1|c",
        "a b:1|c",
        "a-b:1|c",
        "a:1|c\n",
        "a:1|c\n\nb:1|c",
        "a:nan|c",
        "a:inf|c",
        "a:1e3|c",
        "a:+1|c",
        "a:-1|c",
        "a:.5|c",
        "a:1.|c",
        "a:1:2|c",
        "a:1|c|",
        "a:1|c|#",
        "a:1|c|#k",
        "a:1|c|#k:",
        "a:1|c|#:v",
        "a:1|c|#k:v,",
        "a:1|c|#k:v,k:w",
        "a:1|c|#k:v w",
        "a:1|c|#k:\u{7f}",
        "a:1|c|@0",
        "a:1|c|@1.5",
        "a:1|c|@x",
        "a:1|c|#k:v|@0.5",
        "a:1|c|c:",
        "a:1|c|c:ci-",
        "a:1|c|c:x-1",
        "a:1|c|c:ci-1|#k:v",
        "a:1|c|T1",
    ] {
        assert!(!is_read(datagram), "{datagram:?}");
    }
}

#[test]
fn a_datagram_has_an_end() {
    let datagram = |bytes: usize| format!("a:1|c|#k:{}", "x".repeat(bytes - "a:1|c|#k:".len()));
    assert_eq!([1431, 1432, 1433].map(|bytes| is_read(&datagram(bytes))), [true, true, false]);
}

#[test]
fn another_reading_is_a_panic() {
    let metric = Metric::read("a:1|c|#k:v");
    second_opinion::expect_same("a:1|c|#k:v", &metric);
    for other in
        ["b:1|c|#k:v", "a:2|c|#k:v", "a:1|g|#k:v", "a:1|c|@0.5|#k:v", "a:1|c|#k:w", "a:1|c", "a:1|x|#k:v"]
    {
        assert!(catch_unwind(|| second_opinion::expect_same(other, &metric)).is_err(), "{other}");
    }
}
