//! The service at the other end of a call.

use super::text;
use crate::model::{Record, TagLog};
use crate::worker::rules::SpanRules;

/// Tags that name the other end of any call.
const TARGETS: [&str; 3] = ["network.destination.name", "peer.hostname", "out.host"];

/// Says where the `peer.service` of a client or producer is from, finds one where that is asked for, and maps it.
///
/// Source: `ddtrace/tracer/span.go` of DataDog/dd-trace-go (`setPeerService`).
pub(super) fn name(rules: &SpanRules, record: &mut Record, tags: &mut TagLog) {
    if !matches!(text(record, tags, "span.kind"), Some("client" | "producer")) {
        return;
    }
    let given = text(record, tags, PEER_SERVICE).map(|peer| (PEER_SERVICE, peer));
    let found = given.or_else(|| if rules.names_peers { source(record, tags) } else { None });
    let Some((source, peer)) = found else { return };
    let peer = peer.to_owned();
    let mapped = rules.peer_mapping.get(&peer);
    let mut add = |key, value: &str| record.tags = tags.meta(record.tags, key, value);
    add("_dd.peer.service.source", source);
    if mapped.is_some() {
        add("_dd.peer.service.remapped_from", &peer);
    }
    if source != PEER_SERVICE || mapped.is_some() {
        add(PEER_SERVICE, mapped.unwrap_or(&peer));
    }
}

const PEER_SERVICE: &str = "peer.service";

/// The first tag that names the other end, and its text.
fn source<'a>(record: &Record, tags: &'a TagLog) -> Option<(&'static str, &'a str)> {
    let has = |key| text(record, tags, key).is_some();
    let (sources, targets): (&[&str], &[&str]) = if has("aws_service") {
        (&["queuename", "topicname", "streamname", "tablename", "bucketname"], &TARGETS)
    } else if text(record, tags, "db.system") == Some("cassandra") {
        (&["db.cassandra.contact.points"], &[])
    } else if has("db.system") {
        (&["db.name", "db.instance"], &TARGETS)
    } else if has("messaging.system") {
        (&["messaging.kafka.bootstrap.servers"], &TARGETS)
    } else if has("rpc.system") {
        (&["rpc.service"], &TARGETS)
    } else {
        (&[], &TARGETS)
    };
    sources.iter().chain(targets).find_map(|key| Some((*key, text(record, tags, key)?)))
}
