//! Keys of tags that are almost, but not quite, those that the platform and OpenTelemetry know.

/// The key that was probably meant.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    MISSPELT.iter().find(|(_, wrong)| wrong.contains(&key)).map(|(right, _)| *right)
}

/// Each key with what is met in its place. A fixed table: what merely resembles a known key may be one of the user's own.
///
/// Sources: the standard attributes in the Datadog documentation, and the semantic conventions of OpenTelemetry.
const MISSPELT: &[(&str, &[&str])] = &[
    (
        "http.status_code",
        &["http.status", "http.statuscode", "http.status.code", "http.code", "http.status_cod"],
    ),
    ("http.method", &["http.verb", "http.mehtod", "http.metod", "http.request_method"]),
    ("http.url", &["http.uri", "http.ulr"]),
    ("http.route", &["http.path_template", "http.rout", "http.route_template"]),
    ("http.useragent", &["http.user_agent", "http.user.agent", "http.agent"]),
    ("http.client_ip", &["http.clientip", "http.client.ip", "http.remote_ip", "http.ip"]),
    ("http.version", &["http.verison"]),
    ("db.statement", &["db.statment", "db.stmt", "db.statemnt", "db.satement"]),
    ("db.system", &["db.sytem", "db.engine"]),
    ("db.instance", &["db.instace", "db.database"]),
    ("db.name", &["db.nam", "db.dbname"]),
    ("db.user", &["db.username", "db.usr"]),
    ("db.operation", &["db.operaton", "db.op"]),
    ("db.row_count", &["db.rowcount", "db.rows", "db.row.count"]),
    ("error.message", &["error.msg", "error.mesage", "error.messsage", "err.message", "err.msg"]),
    ("error.type", &["error.typ", "error.kind", "error.class", "err.type"]),
    ("error.stack", &["error.stacktrace", "error.stack_trace", "error.backtrace", "err.stack"]),
    ("span.kind", &["span.knd", "span.king"]),
    ("span.type", &["span.typ"]),
    ("resource.name", &["resource.nam", "resouce.name", "ressource.name"]),
    ("service.name", &["service.nam", "sevice.name", "servce.name"]),
    ("peer.service", &["peer.servce", "peer.sevice", "peer.service_name"]),
    ("peer.hostname", &["peer.host", "peer.host_name"]),
    ("out.host", &["out.hostname", "out.hots"]),
    ("network.destination.name", &["network.destination.host", "network.dest.name"]),
    ("network.destination.port", &["network.dest.port", "network.destination_port"]),
    ("messaging.system", &["messaging.sytem", "message.system", "messagging.system"]),
    ("messaging.destination", &["messaging.dest", "messaging.destinaton", "message.destination"]),
    ("messaging.operation", &["messaging.op", "messaging.operaton", "message.operation"]),
    ("rpc.method", &["rpc.mehtod", "rpc.metod"]),
    ("rpc.service", &["rpc.servce", "rpc.sevice"]),
    ("rpc.grpc.status_code", &["grpc.status", "grpc.status_code", "rpc.grpc.status", "rpc.grpc.statuscode"]),
    ("usr.id", &["usr.uid", "usr.user_id"]),
    ("usr.email", &["usr.mail", "usr.emial"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_no_misspelling_and_nothing_stands_twice() {
        let wrong: Vec<&str> = MISSPELT.iter().flat_map(|(_, wrong)| wrong.iter().copied()).collect();
        for (index, key) in wrong.iter().enumerate() {
            assert!(!wrong[..index].contains(key), "{key} stands twice");
            assert!(MISSPELT.iter().all(|(right, _)| right != key), "{key} is right and wrong");
        }
    }

    #[test]
    fn the_key_that_was_meant_is_known() {
        assert_eq!(meant("http.status"), Some("http.status_code"));
        assert_eq!(meant("db.statment"), Some("db.statement"));
        assert_eq!(meant("http.status_code"), None);
        assert_eq!(meant("order.status"), None);
    }
}
