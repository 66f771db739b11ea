//! How it is called: words, forms of the report, statuses.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use dd_traced_tests::{Address, run, with_agent};

use crate::installed::{doctor, examine};

#[test]
fn unknown_words_are_answered_with_the_nearest() {
    for (arguments, nearest) in [
        (&["setings"][..], "did you mean settings?"),
        (&["--jsno"], "did you mean --json?"),
        (&["agent", "--servce=x"], "did you mean --service?"),
        (&["settings", "--name", "x"], "--name belongs to sample"),
        (&["sample", "--tag", "x"], "--tag wants key=value"),
    ] {
        let ended = run(&mut doctor(arguments, &[]));
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(nearest), "{}", ended.stderr);
    }
}

#[test]
fn help_and_version_are_no_examination() {
    let help = run(&mut doctor(&["agent", "--help"], &[])).expect_success().stdout;
    for word in ["settings", "agent", "sample", "--json", "--no-trace", "--trace-id", "exit status"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let version = run(&mut doctor(&["--version"], &[])).expect_success().stdout;
    assert_eq!(version, format!("dd-traced-doctor {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn text_and_json_say_the_same() {
    with_agent(|agent| {
        let url = agent.url();
        let variables = [("DD_TRACE_AGENT_URL", url.as_str()), ("DD_TRACE_LOG_DIRECTORY", "/nowhere")];
        let examined = examine(&[], &variables);
        let text = run(&mut doctor(&[], &variables));
        assert_eq!((text.status.code(), examined.code()), (Some(7), Some(7)));
        let findings = examined.report["findings"].as_array().expect("findings");
        let said: Vec<String> = findings
            .iter()
            .map(|finding| {
                let [check, verdict, words] =
                    ["check", "verdict", "words"].map(|name| finding[name].as_str().expect("a text"));
                format!("{verdict:<9} {check}: {words}")
            })
            .collect();
        let headed: Vec<&str> = text.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(headed, [said, vec!["1 problem, no warning; exit status 7".to_owned()]].concat());
    });
}

#[test]
fn of_several_problems_the_first_kind_counts() {
    let nobody = Address::unused().expect("a free port").to_string();
    let variables = [
        ("DD_TRACE_LOG_DIRECTORY", "/nowhere"),
        ("DD_TRACE_AGENT_URL", nobody.as_str()),
        ("DD_TRACE_WRITER_INTERVAL_SECONDS", "soon"),
    ];
    for (count, expected) in [(2, 4), (3, 3)] {
        assert_eq!(examine(&["--no-trace"], &variables[..count]).code(), Some(expected));
    }
}

#[test]
fn a_closed_output_changes_no_status() {
    for (variables, expected) in [(&[][..], 0), (&[("DD_TRACE_RATE_LIMIT", "many")], 3)] {
        let (here, there) = UnixStream::pair().expect("a pair of sockets");
        drop(there);
        let mut doctor = doctor(&["settings"], variables);
        let output = doctor.stdout(OwnedFd::from(here)).stderr(Stdio::piped()).output().expect("it runs");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(expected), 0), "{output:?}");
    }
}
