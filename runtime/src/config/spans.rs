//! What follows from the tags of finished spans, and which services are called otherwise.

use super::reader::{Reader, row};
use super::row::Row;
use super::tags;
use crate::diagnostics::Escaped;
use crate::model::Mapping;
use crate::worker::rules::{SpanRules, Statuses};

pub(super) fn resolve(read: &mut Reader<'_>) -> SpanRules {
    let default = SpanRules::default();
    let server = row("DD_TRACE_HTTP_SERVER_ERROR_STATUSES").aliases(&["DD_HTTP_SERVER_ERROR_STATUSES"]);
    let client = row("DD_TRACE_HTTP_CLIENT_ERROR_STATUSES");
    SpanRules {
        service_mapping: mapping(read, "DD_SERVICE_MAPPING"),
        server_errors: statuses(read, server, default.server_errors),
        client_errors: statuses(read, client, default.client_errors),
        names_peers: names_peers(read),
        peer_mapping: mapping(read, "DD_TRACE_PEER_SERVICE_MAPPING"),
    }
}

/// The schema `v1` asks for peers as well; the names of spans are their programs' business in both.
fn names_peers(read: &mut Reader<'_>) -> bool {
    let schema = row("DD_TRACE_SPAN_ATTRIBUTE_SCHEMA").default("v0");
    let is_v1 = read.word(schema, &["v0", "v1"]) == Some(1);
    read.flag("DD_TRACE_PEER_SERVICE_DEFAULTS_ENABLED", false) || is_v1
}

/// `from:to,from:to`; entries without both are left out.
fn mapping(read: &mut Reader<'_>, name: &'static str) -> Mapping {
    let pairs = read.parsed(name, "a list of names as `from:to`", |text| {
        let pairs = tags::parse(text).into_iter().filter(|(_, to)| !to.is_empty());
        let pairs: Vec<_> = pairs.map(|(from, to)| (from.into(), to.into())).collect();
        (!pairs.is_empty()).then_some(pairs)
    });
    Mapping::new(pairs.unwrap_or_default())
}

fn statuses(read: &mut Reader<'_>, row: Row, default: Statuses) -> Statuses {
    let found = read.remarked(row.default(default.to_string()), |text, remarks| {
        Statuses::parse(text, |fault| {
            remarks.push(format!(
                "\"{}\" is no status and no range of them; it is left out",
                Escaped::new(fault, 100)
            ));
        })
    });
    found.unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::super::source::Overrides;
    use super::super::testing::{environment, notices_of};
    use super::*;

    fn resolved(variables: &[(&str, &str)]) -> (SpanRules, Vec<String>) {
        let (source, code) = (environment(variables), Overrides::default());
        let mut read = Reader::new(&source, &code);
        (resolve(&mut read), notices_of(read.finish().1))
    }

    #[test]
    fn nothing_said_gives_the_defaults() {
        assert_eq!(resolved(&[]), (SpanRules::default(), vec![]));
    }

    #[test]
    fn services_are_mapped_by_whole_names() {
        let (rules, notices) =
            resolved(&[("DD_SERVICE_MAPPING", "postgres:orders-db, a:b,alone,:x,y:,a:c,same:same")]);
        let mapped = |name| rules.service_mapping.get(name);
        assert_eq!((mapped("postgres"), mapped("a"), mapped("same")), (Some("orders-db"), Some("c"), None));
        assert_eq!([mapped("alone"), mapped("y"), mapped("postgres2"), mapped("")], [None; 4]);
        assert_eq!(notices, Vec::<String>::new());
    }

    #[test]
    fn one_bad_status_leaves_the_others() {
        let (rules, notices) = resolved(&[
            ("DD_HTTP_SERVER_ERROR_STATUSES", "404,x,500-503"),
            ("DD_TRACE_HTTP_CLIENT_ERROR_STATUSES", "none"),
        ]);
        assert_eq!(rules.server_errors.to_string(), "404,500-503");
        assert_eq!(rules.client_errors, SpanRules::default().client_errors);
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(notices[0].contains("\"x\""));
    }

    #[test]
    fn peers_are_named_where_asked_for() {
        for (variables, expected) in [
            (&[("DD_TRACE_PEER_SERVICE_DEFAULTS_ENABLED", "true")][..], true),
            (&[("DD_TRACE_SPAN_ATTRIBUTE_SCHEMA", "V1")], true),
            (&[("DD_TRACE_SPAN_ATTRIBUTE_SCHEMA", "v0")], false),
            (&[("DD_TRACE_SPAN_ATTRIBUTE_SCHEMA", "v2")], false),
        ] {
            assert_eq!(resolved(variables).0.names_peers, expected, "{variables:?}");
        }
    }
}
