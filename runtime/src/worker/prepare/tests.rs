//! What follows from tags and settings, on spans as they are sent.

use super::*;
use crate::export::v04::SpanDefaults;
use crate::export::v04::testing::{KEEP, WireSpan, encoded, record};
use crate::model::{CallSite, Mapping, SpanBuffer};
use crate::worker::rules::Statuses;

static PLAIN: CallSite = CallSite::named("plain");
static SERVER: CallSite =
    CallSite::named("server").tags(&[("span.kind", "server"), ("http.status_code", "200")]);

fn mapping(pairs: &[(&str, &str)]) -> Mapping {
    Mapping::new(pairs.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect())
}

/// One span of a tracer of the service `shop` with these tags, prepared by these rules.
fn prepared(rules: SpanRules, site: &'static CallSite, tags: &[(&str, &str)], service: &str) -> WireSpan {
    let mut spans = SpanBuffer::new();
    let mut span = record(site, 1, 9);
    span.flags = span.flags.with(Flags::TELLING);
    for (key, value) in tags {
        span.tags = spans.tags.meta(span.tags, key, value);
    }
    if !service.is_empty() {
        span.service = spans.tags.field(0, EntryKind::Service, service);
    }
    spans.records.push(span);
    let (mut batch, queue) = (ChunkBatch::new(), Queue::new(1, 1, Box::new(|| ())));
    batch.add(crate::export::v04::testing::head(5, 7, None), &spans, 0, 0);
    Preparation { service: "shop".into(), rules }.prepare(&mut batch, &queue);
    let head = &batch.heads[0];
    let buffer = batch.buffer(head);
    let defaults = SpanDefaults { service: "shop".into(), ..SpanDefaults::default() };
    encoded(&defaults, head, head.records(buffer), &buffer.tags, KEEP).remove(0)
}

#[test]
fn statuses_mark_servers_and_clients_as_failed() {
    let rules = || SpanRules {
        client_errors: Statuses::parse("404,410-412", |_| ()).unwrap(),
        ..SpanRules::default()
    };
    for (kind, status, is_failed) in [
        ("server", "499", false),
        ("server", "500", true),
        ("server", "599", true),
        ("server", "404", false),
        ("client", "404", true),
        ("client", "412", true),
        ("client", "413", false),
        ("client", "500", false),
        ("internal", "500", false),
        ("", "500", false),
        ("server", "five", false),
        ("server", " 500 ", true),
    ] {
        let span = prepared(rules(), &PLAIN, &[("span.kind", kind), ("http.status_code", status)], "");
        assert_eq!(span.int("error") == 1, is_failed, "{kind} {status}");
    }
    let of_site = |tags| prepared(SpanRules::default(), &SERVER, tags, "").int("error");
    assert_eq!((of_site(&[]), of_site(&[("http.status_code", "503")])), (0, 1));
}

#[test]
fn peers_are_found_in_the_order_of_their_kind_of_call() {
    let found = |names_peers, tags: &[(&str, &str)]| {
        let rules =
            SpanRules { names_peers, peer_mapping: mapping(&[("old", "new")]), ..SpanRules::default() };
        let span = prepared(rules, &PLAIN, tags, "");
        let peer = ["peer.service", "_dd.peer.service.source", "_dd.peer.service.remapped_from"];
        peer.map(|key| span.meta(key).unwrap_or_default().to_owned())
    };
    let client = |tags: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
        [("span.kind", "client"), ("out.host", "host")].iter().chain(tags).copied().collect()
    };
    assert_eq!(found(true, &client(&[])), ["host", "out.host", ""]);
    assert_eq!(found(true, &client(&[("peer.hostname", "old")])), ["new", "peer.hostname", "old"]);
    assert_eq!(
        found(true, &client(&[("db.system", "pg"), ("db.instance", "i"), ("db.name", "n")])),
        ["n", "db.name", ""]
    );
    assert_eq!(found(true, &client(&[("db.system", "pg")])), ["host", "out.host", ""]);
    assert_eq!(found(true, &client(&[("db.system", "cassandra"), ("db.name", "n")])), ["", "", ""]);
    assert_eq!(
        found(true, &client(&[("rpc.system", "grpc"), ("rpc.service", "S")])),
        ["S", "rpc.service", ""]
    );
    assert_eq!(
        found(true, &client(&[("aws_service", "sqs"), ("topicname", "t"), ("queuename", "q")])),
        ["q", "queuename", ""]
    );
    assert_eq!(
        found(true, &client(&[("messaging.system", "kafka"), ("messaging.kafka.bootstrap.servers", "k")])),
        ["k", "messaging.kafka.bootstrap.servers", ""]
    );
    assert_eq!(found(true, &[("span.kind", "server"), ("out.host", "host")]), ["", "", ""]);
    assert_eq!(found(false, &client(&[])), ["", "", ""]);
    assert_eq!(found(false, &client(&[("peer.service", "mine")])), ["mine", "peer.service", ""]);
    assert_eq!(found(false, &client(&[("peer.service", "old")])), ["new", "peer.service", "old"]);
    assert_eq!(found(true, &[("span.kind", "server"), ("peer.service", "old")]), ["old", "", ""]);
}

#[test]
fn mapped_services_keep_the_tracers_own_as_their_base() {
    let rules = || SpanRules {
        service_mapping: mapping(&[("shop", "market"), ("pg", "orders-db"), ("back", "shop")]),
        ..SpanRules::default()
    };
    for (service, sent, base, source) in [
        ("", "market", Some("shop"), Some("opt.mapping")),
        ("SHOP", "market", Some("shop"), Some("opt.mapping")),
        ("pg", "orders-db", Some("shop"), Some("opt.mapping")),
        ("back", "shop", None, None),
        ("other", "other", Some("shop"), Some("m")),
    ] {
        let span = prepared(rules(), &PLAIN, &[], service);
        assert_eq!(span.text("service"), sent);
        assert_eq!((span.meta("_dd.base_service"), span.meta("_dd.svc_src")), (base, source), "{service}");
    }
}
