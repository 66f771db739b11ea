//! The organisation guard.

use super::*;
use crate::model::{AgentInfo, LatestAgentInfo};

const LINES: [(&str, &str); 6] = [
    ("x-datadog-trace-id", "77"),
    ("x-datadog-parent-id", "5"),
    ("x-datadog-sampling-priority", "2"),
    ("x-datadog-origin", "rum"),
    ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.opm=them,_dd.p.tid=66b0c2d900000000"),
    ("baggage", "a=1"),
];

fn guarded(marker: Option<&str>, trusted: &[&str], is_strict: bool) -> Propagator {
    let agent = Arc::new(LatestAgentInfo::default());
    agent.set(Arc::new(AgentInfo { org_prop_marker: marker.map(Into::into), ..AgentInfo::default() }));
    let trusted = trusted.iter().map(|marker| (*marker).to_owned()).collect();
    let guard = OrgGuardSettings { trusted, is_strict };
    Propagator::new(&PropagationSettings { org_guard: Some(guard), ..settings() }, agent)
}

fn sent_by(propagator: &Propagator, upstream: &Upstream) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let decision = upstream.priority.map(Decision::inherited);
    propagator.inject(&Outgoing { decision, ..outgoing(upstream) }, &mut headers);
    headers
}

#[test]
fn foreign_context_gives_ids_and_baggage_only() {
    for (propagator, is_foreign) in [
        (guarded(Some("us"), &[], false), true),
        (guarded(Some("us"), &["friends"], false), true),
        (guarded(Some("us"), &["friends", "them"], false), false),
        (guarded(Some("them"), &[], true), false),
        (guarded(None, &[], true), false),
    ] {
        let upstream = propagator.extract(&carrier(&LINES)).unwrap();
        assert_eq!(upstream.trace_id.high_u64(), 0x66b0_c2d9_0000_0000);
        assert_eq!((upstream.trace_id.low_u64(), upstream.parent_id.as_u64()), (77, 5));
        assert_eq!(upstream.baggage.as_ref().and_then(|baggage| baggage.get("a")), Some("1"));
        assert_eq!(upstream.tags.is_empty(), is_foreign);
        assert_eq!((upstream.priority.is_none(), upstream.origin.is_none()), (is_foreign, is_foreign));
    }
}

#[test]
fn context_without_a_marker_is_foreign_to_the_strict() {
    let lines =
        [("traceparent", TRACEPARENT), ("tracestate", "acme=1,dd=s:2;p:7b2d4e6f80912a3c;o:rum;t.x:1")];
    for is_strict in [false, true] {
        let upstream = guarded(Some("us"), &[], is_strict).extract(&carrier(&lines)).unwrap();
        assert_eq!(upstream.tracestate.as_deref(), Some("acme=1"), "of other vendors");
        assert_eq!(upstream.parent_id.as_u64(), 0x00f0_67aa_0ba9_02b7);
        assert_eq!(upstream.priority.is_none(), is_strict);
        assert_eq!((upstream.last_parent_id.is_none(), upstream.tags.is_empty()), (is_strict, is_strict));
    }
}

#[test]
fn own_marker_is_sent_in_place_of_the_one_that_came() {
    let propagator = guarded(Some("us"), &["them"], false);
    let headers = sent_by(&propagator, &propagator.extract(&carrier(&LINES)).unwrap());
    assert_eq!(headers["x-datadog-tags"], "_dd.p.tid=66b0c2d900000000,_dd.p.opm=us,_dd.p.dm=-4");
    assert_eq!(headers["tracestate"], "dd=s:2;o:rum;p:1122334455667788;t.dm:-4;t.opm:us");
    for without in [guarded(None, &[], false), super::propagator(&settings())] {
        let headers = sent_by(&without, &without.extract(&carrier(&LINES)).unwrap());
        assert_eq!(headers["x-datadog-tags"], "_dd.p.tid=66b0c2d900000000,_dd.p.dm=-4,_dd.p.opm=them");
        assert!(headers["tracestate"].ends_with(";t.dm:-4;t.opm:them"));
    }
}

#[test]
fn guard_that_is_off_sends_no_marker() {
    let agent = Arc::new(LatestAgentInfo::default());
    agent.set(Arc::new(AgentInfo { org_prop_marker: Some("us".into()), ..AgentInfo::default() }));
    let off = Propagator::new(&settings(), agent);
    let upstream = off.extract(&carrier(&LINES[..3])).unwrap();
    assert!(!sent_by(&off, &upstream).contains_key("x-datadog-tags"));
}
