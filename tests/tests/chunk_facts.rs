//! What spans say of their process and trace: on which of them it stands, in whole and in partial chunks, and what the settings do to it.

use dd_traced_tests::{Received, WireSpan, command, run, with_agent};

const SPANS: &str = env!("CARGO_BIN_EXE_spans");

const IDENTITY: [(&str, &str); 3] = [("DD_SERVICE", "shop"), ("DD_ENV", "prod"), ("DD_VERSION", "1.2")];

/// What an agent gets of an act with these variables.
fn received(act: &str, variables: &[(&str, &str)]) -> Received {
    with_agent(|agent| {
        let mut program = command(SPANS);
        program.arg(act).env("DD_TRACE_AGENT_URL", agent.url());
        run(program.envs(IDENTITY).envs(variables.iter().copied())).expect_success();
    })
}

type At = fn(Place) -> bool;

/// Keys of facts, and whether they stand on a span that is the first of its chunk, the local root, of the tracer's own service.
const FACTS: [(&str, At); 16] = [
    ("_dd.p.dm", |at| at.is_first),
    ("_dd.p.tid", |at| at.is_first),
    ("_dd.p.team", |at| at.is_first),
    ("_sampling_priority_v1", |at| at.is_first),
    ("language", |at| at.is_first),
    ("runtime-id", |at| at.is_first),
    ("process_id", |at| at.is_first),
    ("_dd.git.repository_url", |at| at.is_first),
    ("_dd.git.commit.sha", |at| at.is_first),
    ("_dd.tags.process", |at| at.is_first),
    ("_dd.hostname", |at| at.is_root),
    ("_dd.origin", |_| true),
    ("env", |_| true),
    ("team", |_| true),
    ("version", |at| at.is_own),
    ("_dd.base_service", |at| !at.is_own),
];

#[derive(Clone, Copy)]
struct Place {
    is_first: bool,
    is_root: bool,
    is_own: bool,
}

const SAID: [(&str, &str); 5] = [
    ("DD_TAGS", "team:cart"),
    ("DD_GIT_REPOSITORY_URL", "https://user:secret@example.com/shop.git"),
    ("DD_GIT_COMMIT_SHA", "c0ffee"),
    ("DD_TRACE_REPORT_HOSTNAME", "true"),
    ("DD_HOSTNAME", "web-1"),
];

fn check(chunk: &[WireSpan]) {
    for (index, span) in chunk.iter().enumerate() {
        let place =
            Place { is_first: index == 0, is_root: span.name == "root", is_own: span.service == "shop" };
        for (key, is_expected) in FACTS {
            let is_there = span.meta(key).is_some() || span.metric(key).is_some();
            assert_eq!(is_there, is_expected(place), "{key} of {index}: {span:#?}");
        }
        assert_eq!(span.metric("_dd.top_level").is_some(), place.is_root || !place.is_own);
        assert_eq!(span.metric("_dd.measured").is_some(), span.name == "child.2");
        assert_eq!(span.meta("_dd.svc_src"), (!place.is_own).then_some("m"));
        if let Some(url) = span.meta("_dd.git.repository_url") {
            assert_eq!(url, "https://example.com/shop.git");
        }
    }
    let first = &chunk[0];
    assert_eq!((first.meta("_dd.p.tid"), first.meta("_dd.p.dm")), (Some("6a0b3c5500000000"), Some("-4")));
    assert_eq!((first.priority(), first.meta("_dd.origin")), (Some(2.0), Some("synthetics")));
    assert_eq!((first.meta("language"), first.meta("_dd.p.team")), (Some("rust"), Some("core")));
}

#[test]
fn facts_stand_where_they_belong_in_a_whole_chunk() {
    let received = received("trace", &SAID);
    let [chunk] = received.chunks().collect::<Vec<_>>()[..] else { panic!("one chunk") };
    assert_eq!((chunk.len(), chunk[0].name.as_str()), (6, "root"));
    assert_eq!(chunk[0].meta("_dd.hostname"), Some("web-1"));
    let process = chunk[0].meta("_dd.tags.process").unwrap_or_default();
    assert!(process.contains("entrypoint.name:spans,entrypoint.type:executable"), "{process}");
    assert!(process.ends_with(",svc.user:true"), "{process}");
    check(chunk);
}

#[test]
fn facts_stand_where_they_belong_in_each_part_of_a_trace() {
    let variables = [&SAID[..], &[("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", "2")]].concat();
    let received = received("trace", &variables);
    let chunks: Vec<_> = received.chunks().collect();
    assert!(chunks.len() >= 3, "{}", chunks.len());
    assert_eq!(chunks.iter().filter(|chunk| chunk[0].name == "root").count(), 1);
    chunks.into_iter().for_each(check);
}

#[test]
fn what_nobody_asked_for_is_not_said() {
    let variables = [
        ("DD_TAGS", "git.repository_url:https://example.com,git.commit.sha:c0ffee"),
        ("DD_TRACE_GIT_METADATA_ENABLED", "false"),
        ("DD_EXPERIMENTAL_PROPAGATE_PROCESS_TAGS_ENABLED", "false"),
        ("DD_HOSTNAME", "web-1"),
    ];
    let received = received("trace", &variables);
    let root = received.span("root");
    for key in
        ["_dd.git.repository_url", "_dd.git.commit.sha", "_dd.tags.process", "_dd.hostname", "git.commit.sha"]
    {
        assert_eq!(root.meta(key), None, "{key}");
    }
}

#[test]
fn statuses_mark_calls_and_peers_are_named_as_the_settings_say() {
    let plain = received("calls", &[]);
    let error = |received: &Received, name: &str| received.span(name).error;
    assert_eq!((error(&plain, "server"), error(&plain, "http")), (0, 0));
    assert_eq!(plain.span("server").meta("http.status_code"), Some("418"));
    assert_eq!(plain.span("query").meta("peer.service"), None);
    assert_eq!(plain.span("given").meta("_dd.peer.service.source"), Some("peer.service"));
    let told = received(
        "calls",
        &[
            ("DD_TRACE_HTTP_SERVER_ERROR_STATUSES", "400-499"),
            ("DD_TRACE_HTTP_CLIENT_ERROR_STATUSES", "500"),
            ("DD_TRACE_PEER_SERVICE_DEFAULTS_ENABLED", "true"),
            ("DD_TRACE_PEER_SERVICE_MAPPING", "orders:orders-db"),
        ],
    );
    assert_eq!((error(&told, "server"), error(&told, "http")), (1, 1));
    let peer = ["peer.service", "_dd.peer.service.source", "_dd.peer.service.remapped_from"];
    let query = peer.map(|key| told.span("query").meta(key));
    assert_eq!(query, [Some("orders-db"), Some("db.name"), Some("orders")]);
}

#[test]
fn mapped_services_are_sent_under_their_other_names() {
    let received = received("calls", &[("DD_SERVICE_MAPPING", "postgres:orders-db,shop:market")]);
    for (name, service) in [("server", "market"), ("query", "orders-db")] {
        let span = received.span(name);
        assert_eq!(span.service, service);
        assert_eq!(
            (span.meta("_dd.base_service"), span.meta("_dd.svc_src")),
            (Some("shop"), Some("opt.mapping"))
        );
        assert_eq!(span.meta("version"), None);
    }
}
