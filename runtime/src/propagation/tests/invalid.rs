//! Headers that are not as they should be.

use super::*;

/// Ids, priority, tags and error of what arrives in the styles that are on by default; nothing where that is no context.
type Expected<'a> = Option<(u128, u64, Option<i32>, &'a str, Option<&'a str>)>;

#[test]
fn each_fault_has_its_answer() {
    const ID: (&str, &str) = ("x-datadog-trace-id", "9");
    const PARENT: (&str, &str) = ("x-datadog-parent-id", "5");
    let long = format!("_dd.p.a={}", "x".repeat(505));
    let w3c = 0x6a5c_1f40_0000_0000_3a7b_9c1d_2e4f_6081;
    let foreign = TRACEPARENT.replace("00f067aa0ba902b7", "0000000000000005");
    let flags = |flags: &str| foreign.replace("-01", &format!("-{flags}"));
    let dropped = flags("00");
    let wrong_length = foreign.replace("6081", "608");
    let uppercase = foreign.to_uppercase();
    let version = |version: &str, rest: &str| foreign.replacen("00", version, 1) + rest;
    let (forbidden, trailing, later) = (version("ff", ""), version("00", "-x"), version("01", "-extra"));
    let nothing = None;
    let tagged = |tags, error| Some((9, 5, None, tags, error));
    let in_w3c = |priority| Some((w3c, 5, Some(priority), "", None));
    let cases: &[(&[(&str, &str)], Expected<'_>)] = &[
        (&[("x-datadog-trace-id", "0"), PARENT], nothing),
        (&[("x-datadog-trace-id", "abc"), PARENT], nothing),
        (&[("x-datadog-trace-id", "-1"), PARENT], nothing),
        (&[("x-datadog-trace-id", "18446744073709551616"), PARENT], nothing),
        (&[("x-datadog-trace-id", ""), PARENT], nothing),
        (&[ID], Some((9, 0, None, "", None))),
        (&[ID, ("x-datadog-parent-id", "0")], Some((9, 0, None, "", None))),
        (&[ID, ("x-datadog-parent-id", "abc")], nothing),
        (&[ID, PARENT], tagged("", None)),
        (&[ID, PARENT, ("x-datadog-sampling-priority", "x")], tagged("", None)),
        (&[ID, PARENT, ("x-datadog-sampling-priority", "-2")], Some((9, 5, Some(-2), "", None))),
        (&[ID, PARENT, ("x-datadog-sampling-priority", "5")], Some((9, 5, Some(5), "", None))),
        (&[ID, PARENT, ("x-datadog-tags", &long)], tagged("", Some("extract_max_size"))),
        (&[ID, PARENT, ("x-datadog-tags", "_dd.p.a")], tagged("", Some("decoding_error"))),
        (&[ID, PARENT, ("x-datadog-tags", "_dd.p.a=")], tagged("", Some("decoding_error"))),
        (&[ID, PARENT, ("x-datadog-tags", "=b")], tagged("", Some("decoding_error"))),
        (&[ID, PARENT, ("x-datadog-tags", "_dd.p.a=1,")], tagged("", Some("decoding_error"))),
        (&[ID, PARENT, ("x-datadog-tags", "foo=bar,_dd.p.a=1")], tagged("_dd.p.a=1", None)),
        (
            &[ID, PARENT, ("x-datadog-tags", "_dd.p.dm=3,_dd.p.a=1")],
            tagged("_dd.p.a=1", Some("decoding_error")),
        ),
        (&[ID, PARENT, ("x-datadog-tags", "_dd.p.dm=-x")], tagged("", Some("decoding_error"))),
        (&[ID, PARENT, ("x-datadog-tags", "_dd.p.tid=XYZ")], tagged("", Some("malformed_tid XYZ"))),
        (&[ID, PARENT, ("x-datadog-tags", "")], tagged("", None)),
        (&[("traceparent", &wrong_length), ("tracestate", "dd=s:2")], nothing),
        (&[("traceparent", &uppercase)], nothing),
        (&[("traceparent", &forbidden)], nothing),
        (&[("traceparent", &trailing)], nothing),
        (&[("traceparent", &later)], in_w3c(1)),
        (&[("traceparent", &foreign), ("traceparent", &foreign)], nothing),
        (&[("traceparent", &foreign), ("tracestate", "acme=1")], in_w3c(1)),
        (&[("traceparent", &dropped), ("tracestate", "acme=1")], in_w3c(0)),
        (&[("traceparent", &foreign), ("tracestate", ";;;")], in_w3c(1)),
        (&[("traceparent", &foreign), ("tracestate", "dd=s:foo")], in_w3c(1)),
        (&[("traceparent", &dropped), ("tracestate", "dd=s:foo")], in_w3c(0)),
        (&[("traceparent", &foreign), ("tracestate", "dd=")], in_w3c(1)),
        (&[("traceparent", &flags("03"))], in_w3c(1)),
        (&[("traceparent", &flags("fe"))], in_w3c(0)),
        (&[("tracestate", "dd=s:2;p:1020304050607080")], nothing),
    ];
    for (lines, expected) in cases {
        let upstream = received(lines, &settings());
        let error = upstream.as_ref().and_then(|upstream| upstream.propagation_error.as_ref());
        let error = error.map(|error| error.tag_value().into_owned());
        let found = upstream.as_ref().map(|upstream| {
            let priority = upstream.priority.map(SamplingPriority::as_i32);
            let ids = (upstream.trace_id.as_u128(), upstream.parent_id.as_u64());
            (ids.0, ids.1, priority, upstream.tags.as_str(), error.as_deref())
        });
        assert_eq!(&found, expected, "{lines:?}");
    }
}

#[test]
fn traceparent_shows_what_a_missing_context_of_ours_was() {
    // The one that is malformed gives way to the one that is not.
    let lines = [
        ("x-datadog-trace-id", "0"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-tags", "_dd.p.dm=-4"),
        ("traceparent", TRACEPARENT),
    ];
    let upstream = received(&lines, &settings()).unwrap();
    assert_eq!(priority_and_maker(&upstream), (Some(1), None), "nothing of a refused context is left");
    assert!(upstream.links.is_empty());
}

#[test]
fn synthetic_tests_continue_a_trace_without_a_parent() {
    for origin in ["synthetics", "synthetics-browser", "synthetics-browser;type=x"] {
        let lines = [
            ("x-datadog-trace-id", "9"),
            ("x-datadog-parent-id", "0"),
            ("x-datadog-sampling-priority", "1"),
            ("x-datadog-origin", origin),
        ];
        let upstream = received(&lines, &settings()).unwrap();
        assert_eq!((upstream.trace_id.as_u128(), upstream.parent_id.as_u64()), (9, 0));
        assert_eq!((upstream.origin.as_deref(), priority_and_maker(&upstream).0), (Some(origin), Some(1)));
        assert_eq!(sent(&upstream, &settings())["x-datadog-origin"], origin);
    }
}

#[test]
fn baggage_does_not_depend_on_the_trace() {
    let first = PropagationSettings { extract_first: true, ..settings() };
    let good = ("baggage", "a=1");
    for lines in [&[good][..], &[good, ("traceparent", "nonsense")], &[good, ("x-datadog-trace-id", "0")]] {
        for settings in [&settings(), &first] {
            let upstream = received(lines, settings).unwrap();
            assert_eq!((upstream.trace_id.as_u128(), upstream.baggage.unwrap().get("a")), (0, Some("1")));
        }
    }
    let beside = received(&[good, ("x-datadog-trace-id", "9")], &first).unwrap();
    assert_eq!((beside.trace_id.as_u128(), beside.baggage.is_some()), (9, true));
    let spoiled = received(&[("x-datadog-trace-id", "9"), ("baggage", "a=1,b")], &settings()).unwrap();
    assert_eq!(spoiled.baggage, None);
    assert_eq!(received(&[("baggage", "a")], &settings()), None);
}
