//! Each line of the log that `docs/troubleshooting.md` shows comes from a program in that trouble, and the page names no other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use dd_traced::DropReason;
use dd_traced_tests::{Address, Answer, FakeAgent, command, flooded, program, repository, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const DEBUG: (&str, &str) = ("DD_TRACE_DEBUG", "true");

/// The lines of the log under each heading of the page.
fn page() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    let mut shown = BTreeMap::<String, Vec<String>>::new();
    let (mut heading, mut is_log) = (String::new(), false);
    for line in text.lines() {
        if line.starts_with("```") {
            is_log = line == "```text";
        } else if is_log {
            shown.entry(heading.clone()).or_default().push(line.to_owned());
        } else if let Some(title) = line.strip_prefix('#') {
            title.trim_start_matches('#').trim().clone_into(&mut heading);
        }
        assert!(is_log || !line.starts_with("dd-traced "), "outside of a log: {line}");
    }
    shown
}

/// Whether a line is as it is shown, where `<…>` stands for anything.
fn is_like(line: &str, shown: &str) -> bool {
    let mut parts = shown.split('<');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<&str> = parts.map(|part| part.split_once('>').unwrap().1).collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What a program says.
fn said(program: &mut Command, variables: &[(&str, &str)]) -> String {
    run(program.envs(variables.iter().copied())).expect_success().stderr
}

/// What the program says that does `act`, beside an agent.
fn beside(
    prepare: impl FnOnce(&FakeAgent),
    act: &str,
    number: u64,
    headers: &[&str],
    variables: &[(&str, &str)],
) -> String {
    let mut stderr = String::new();
    with_agent(|agent| {
        prepare(agent);
        let mut program = program(PROGRAM, act, number);
        stderr = said(program.args(headers).env("DD_TRACE_AGENT_URL", agent.url()), variables);
    });
    stderr
}

fn worked(variables: &[(&str, &str)]) -> String {
    beside(|_| (), "work", 1, &[], variables)
}

/// What the usual program says where the agent answers everything so.
fn answered(answer: Answer) -> String {
    beside(|agent| agent.answers_all(answer), "work", 2, &[], &[])
}

fn without_agent(act: &str, number: u64) -> String {
    let nobody = Address::unused().unwrap().to_string();
    said(&mut program(PROGRAM, act, number), &[("DD_TRACE_AGENT_URL", &nobody)])
}

/// What is said where a server of something else listens.
fn beside_another_server() -> String {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    // It ends with the test's process.
    std::thread::spawn(move || {
        for mut connection in server.incoming().flatten() {
            let _ = connection.read(&mut [0; 8 << 10]);
            let _ = connection.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
        }
    });
    said(&mut program(PROGRAM, "work", 2), &[("DD_TRACE_AGENT_URL", &address)])
}

/// What is said where one setting cannot be used and another is misspelt.
fn with_bad_settings() -> String {
    let bad = [("DD_TRACE_SAMPLE_RATE", "often"), ("DD_TRACE_RATE_LIMT", "1")];
    worked(&[&[DEBUG, ("DD_ENV", "prod")][..], &bad].concat())
}

/// What is said where there is no memory for the stack of a thread, once there is.
fn without_threads() -> String {
    let mut shell = command("sh");
    said(shell.args(["-c", r#"ulimit -v 400000; exec "$0" "no threads" 1"#, PROGRAM]), &[])
}

/// What stands in a file that cannot become its backup.
fn with_a_backup_that_stays() -> String {
    let place = std::env::temp_dir().join(format!("dd-traced-backup-{}", std::process::id()));
    std::fs::create_dir_all(place.join("log.1/something")).unwrap();
    let path = place.join("log");
    worked(&[DEBUG, ("DD_TRACE_LOG_FILE", path.to_str().unwrap()), ("DD_TRACE_LOG_FILE_SIZE_BYTES", "4000")]);
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::remove_dir_all(place).unwrap();
    text
}

/// Makes the trouble of this heading, and gives what programs say; `None` where it is not known.
#[expect(clippy::too_many_lines, reason = "a case for each heading of the page")]
fn made(heading: &str) -> Option<Vec<String>> {
    Some(match heading {
        "No agent listens at the address" => vec![
            without_agent("flushes", 6),
            without_agent("work", 2),
            beside(
                |agent| (0..2).for_each(|_| agent.answers_next(Answer::status(400))),
                "flushes",
                4,
                &[],
                &[],
            ),
        ],
        "Something else listens at the address" => {
            vec![beside_another_server(), answered(Answer::status(302)), answered(Answer::status(404))]
        }
        "The agent does not answer" => {
            let silent = |agent: &FakeAgent| agent.answers_all(Answer::never());
            vec![beside(silent, "flushes", 8, &[], &[]), beside(silent, "work", 2, &[], &[])]
        }
        "The agent refuses what is sent" => {
            let failing = |agent: &FakeAgent| agent.answers_all(Answer::status(500));
            let retried = beside(failing, "work", 1, &[], &[DEBUG]);
            [403, 500, 429]
                .map(|status| answered(Answer::status(status)))
                .into_iter()
                .chain([retried])
                .collect()
        }
        "The agent's socket is not there" => {
            vec![said(
                &mut program(PROGRAM, "work", 1),
                &[("DD_TRACE_AGENT_URL", "unix:///nowhere/apm.socket")],
            )]
        }
        "The address is of https" => {
            vec![said(&mut program(PROGRAM, "work", 1), &[("DD_TRACE_AGENT_URL", "https://localhost:8126")])]
        }
        "The tracer is switched off" => vec![worked(&[("DD_TRACE_ENABLED", "false")])],
        "Traces are shown here and not sent" => {
            vec![said(&mut program(PROGRAM, "work", 1), &[("DD_TRACE_LOCAL_VIEW", "waterfall")])]
        }
        "It arrives under another name" => {
            let identity =
                [("DD_SERVICE", "shop"), ("DD_ENV", "prod"), ("DD_SERVICE_MAPPING", "shop:basket")];
            vec![worked(&[&[DEBUG], identity.as_slice()].concat())]
        }
        "The tracer is started twice" => vec![beside(|_| (), "init often", 2, &[], &[])],
        "The program ends before its spans are sent" | "The agent takes it, and Datadog does not show it" => {
            vec![worked(&[DEBUG])]
        }
        "A rule, a rate or the caller decides so" => {
            let rules = r#"[{"resource":"the daily*","sample_rate":0}]"#;
            let none = |agent: &FakeAgent| agent.answers(Answer::rates(&[("service:,env:", 0.0)]));
            let caller =
                ["x-datadog-trace-id: 1", "x-datadog-parent-id: 2", "x-datadog-sampling-priority: 0"];
            vec![
                worked(&[DEBUG, ("DD_TRACE_SAMPLING_RULES", rules)]),
                worked(&[DEBUG, ("DD_TRACE_SAMPLE_RATE", "0")]),
                beside(none, "flushes", 2, &[], &[DEBUG]),
                beside(|_| (), "continues", 0, &caller, &[DEBUG]),
                beside(|_| (), "reject", 0, &[], &[DEBUG]),
            ]
        }
        "The rate limiter refuses it" => {
            vec![worked(&[DEBUG, ("DD_TRACE_SAMPLE_RATE", "1"), ("DD_TRACE_RATE_LIMIT", "0")])]
        }
        "The agent's filters leave it out" => {
            let info = r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true,
                "ignore_resources":["the daily.*"]}"#;
            let filters = |agent: &FakeAgent| agent.answers_info(Answer::ok().with_body(info));
            vec![beside(filters, "flushes", 2, &[], &[DEBUG])]
        }
        "Spans come faster than they can be sent" => {
            let small = ("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "100000");
            vec![beside(|_| (), "burst", 100, &[], &[small])]
        }
        "A span is too large" => {
            let small = ("DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES", "5000");
            vec![beside(|_| (), "burst", 2, &[], &[small]), beside(|_| (), "many tags", 1_003, &[], &[])]
        }
        "A span never finishes" => {
            vec![beside(|_| (), "abandoned", 1, &[], &[DEBUG, ("DD_TRACE_DEBUG_ABANDONED_SPANS", "true")])]
        }
        "Too many spans are open" => {
            vec![
                beside(|_| (), "open handles", 510_000, &[], &[]),
                beside(|_| (), "open tags", 20_000, &[], &[]),
            ]
        }
        "A task begins a trace of its own" => vec![beside(|_| (), "lost contexts", 1, &[], &[DEBUG])],
        "The caller's headers are not understood" => {
            let headers = ["traceparent: 7", "x-datadog-trace-id: seven", "x-datadog-parent-id: 1"];
            vec![
                beside(|_| (), "continues", 0, &headers, &[DEBUG]),
                worked(&[DEBUG, ("DD_TRACE_PROPAGATION_STYLE_EXTRACT", "b3")]),
                worked(&[DEBUG, ("DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT", "ignore")]),
            ]
        }
        "A setting does nothing" => vec![with_bad_settings()],
        "Log lines have no ids" => vec![worked(&[DEBUG, ("DD_LOGS_INJECTION", "false")])],
        "The health metrics do not arrive" => {
            let socket = ("DD_DOGSTATSD_URL", "unix:///nowhere/dsd.socket");
            vec![worked(&[("DD_TRACE_HEALTH_METRICS_ENABLED", "true"), socket])]
        }
        "The debug log has gaps" => {
            vec![
                worked(&[DEBUG, ("DD_TRACE_LOG_FILE", "/dev/null/log")]),
                flooded(PROGRAM, 200_000).stderr,
                with_a_backup_that_stays(),
                without_threads(),
            ]
        }
        _ => return None,
    })
}

#[test]
fn each_line_of_the_page_is_one_of_a_run() {
    let page = page();
    assert!(page.values().flatten().count() > 30, "{page:#?}");
    for (heading, shown) in page {
        let made = made(&heading);
        assert!(made.is_some(), "no run for the lines of \"{heading}\"");
        let made = made.unwrap().concat();
        for line in shown {
            assert!(made.lines().any(|said| is_like(said, &line)), "{heading}\n{line}\nis not in:\n{made}");
        }
    }
}

#[test]
fn only_a_tracer_that_ended_has_a_line_at_the_end() {
    let end = "dd-traced INFO: tracer ended after";
    assert!(worked(&[DEBUG]).contains(end));
    with_agent(|agent| {
        let mut program = program(PROGRAM, "exit", 1);
        let ended = run(program.env("DD_TRACE_AGENT_URL", agent.url()).env(DEBUG.0, DEBUG.1));
        assert_eq!((ended.status.code(), ended.stderr.contains(end)), (Some(3), false), "{ended:#?}");
    });
}

/// A trace may be missing for any of them.
#[test]
fn the_page_has_every_reason_and_its_links_lead_somewhere() {
    let text = std::fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    for reason in DropReason::ALL {
        assert!(text.contains(&format!("`{}`", reason.as_str())), "{reason:?}");
    }
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading
            .chars()
            .filter(|letter| letter.is_alphanumeric() || *letter == '-' || *letter == '_')
            .collect()
    };
    let anchors: Vec<String> = text.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    for link in text.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(anchors.iter().any(|anchor| anchor == link), "#{link} is none of {anchors:#?}");
    }
}

#[test]
fn a_placeholder_stands_for_anything_and_the_rest_for_itself() {
    assert!(is_like("lost 3 spans: net 3", "lost <n> spans: net <n>"));
    assert!(is_like("lost 3 spans: net 3", "lost 3 spans: net 3"));
    for other in
        ["lost 3 spans: net", "lost 3 span: net 3", "has lost 3 spans: net 3", "lost 3 spans: net 3 and"]
    {
        assert!(!is_like(other, "lost <n> spans: net 3"), "{other}");
        assert!(!is_like(other, "lost 3 spans: net 3"), "{other}");
    }
}
