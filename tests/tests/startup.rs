//! How a program starts: nothing runs before `main`, nothing is waited for, one line says what is set, and one warning names each
//! setting that can not be used.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use dd_traced_tests::{Address, Answer, Ended, Received, Report, program, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

/// The usual program beside an agent, with these variables.
fn worked_with(variables: &[(&str, &str)]) -> (Ended, Received) {
    let mut ended = None;
    let received = with_agent(|agent| {
        let mut program = program(PROGRAM, "work", 1);
        program.env("DD_TRACE_AGENT_URL", agent.url()).envs(variables.iter().copied());
        ended = Some(run(&mut program).expect_success());
    });
    (ended.unwrap(), received)
}

fn startup_lines(ended: &Ended) -> Vec<&str> {
    ended.stderr_lines_with("DATADOG TRACER CONFIGURATION").collect()
}

#[test]
fn nothing_is_started_before_main() {
    let report = Report::of(&worked_with(&[]).0);
    assert_eq!(report.notes["threads at start"], 1);
    assert!(report.notes["threads at work"] <= 3, "{report:?}");
}

#[test]
fn a_disabled_tracer_starts_nothing_and_warns_of_nothing() {
    let (ended, received) = worked_with(&[("DD_TRACE_ENABLED", "false")]);
    let report = Report::of(&ended);
    assert_eq!((report.books.finished, received.connections), (0, 0));
    assert_eq!(ended.stderr_lines_with("WARN").count(), 0, "{}", ended.stderr);
}

/// What is said at the start is written by a thread that goes when there is no more to say.
#[test]
fn a_tracer_at_rest_has_one_thread_and_a_disabled_one_none() {
    let rest = |is_enabled: &str, threads| {
        with_agent(|agent| {
            let mut program = program(PROGRAM, "rest", threads);
            program.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_ENABLED", is_enabled);
            let ended = run(&mut program).expect_success();
            assert_eq!(Report::of(&ended).notes["threads at rest"], threads, "{ended:#?}");
            assert_eq!(startup_lines(&ended).len(), 1, "{}", ended.stderr);
        });
    };
    rest("true", 2);
    rest("false", 1);
}

#[test]
fn the_start_waits_for_nobody() {
    with_agent(|agent| {
        agent.answers_all(Answer::never());
        let mut program = program(PROGRAM, "start", 1);
        let ended = run(program.env("DD_TRACE_AGENT_URL", agent.url())).expect_success();
        // Promised is a millisecond; a wait for the agent would be one of seconds.
        let report = Report::of(&ended);
        assert!(report.took["init"] < Duration::from_millis(500), "{report:?}");
    });
}

/// Promised is a millisecond. The fastest of many runs is what the machine's other work disturbs least.
#[test]
fn a_process_with_a_tracer_starts_as_fast_as_one_without() {
    const BOUND: Duration = Duration::from_millis(5);
    let nobody = Address::unused().unwrap().to_string();
    let mut fastest = [Duration::MAX; 3];
    for _ in 0..25 {
        for (fastest, (act, is_enabled)) in
            fastest.iter_mut().zip([("nothing", "true"), ("start", "true"), ("start", "false")])
        {
            let mut program = program(PROGRAM, act, 1);
            program.env("DD_TRACE_AGENT_URL", &nobody).env("DD_TRACE_ENABLED", is_enabled);
            *fastest = run(&mut program).expect_success().took.min(*fastest);
        }
    }
    let [without, on, off] = fastest;
    assert!(on < without + BOUND && off < without + BOUND, "{without:?} without, {on:?} on, {off:?} off");
}

#[test]
fn one_line_says_what_is_set() {
    let (ended, _) = worked_with(&[("DD_SERVICE", "cart"), ("DD_ENV", "prod"), ("DD_VERSION", "7")]);
    let lines = startup_lines(&ended);
    assert_eq!(lines.len(), 1, "{}", ended.stderr);
    let json = &lines[0][lines[0].find('{').unwrap()..];
    let line: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        (&line["service"], &line["env"], &line["dd_version"]),
        (&"cart".into(), &"prod".into(), &"7".into())
    );
    assert_eq!(line["lang"], "rust");
    for name in ["date", "os_name", "os_version", "version", "lang_version", "architecture", "runtime_id"] {
        assert!(line[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {line:#}");
    }
    assert!(line["agent_url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{line:#}");
    assert!(ended.stdout.lines().count() == 1, "stdout belongs to the program: {}", ended.stdout);
}

/// What the line says, as JSON.
fn startup_json(ended: &Ended) -> serde_json::Value {
    let lines = startup_lines(ended);
    assert_eq!(lines.len(), 1, "{}", ended.stderr);
    let line = lines[0];
    serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap()
}

/// They used to be missing, and the error was always empty.
#[test]
fn the_line_says_how_the_agent_answered_and_what_is_wrong_with_rules() {
    let info = r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true}"#;
    let mut ended = None;
    with_agent(|agent| {
        agent.answers_info(Answer::ok().with_body(info));
        let mut program = program(PROGRAM, "work", 1);
        program
            .env("DD_TRACE_AGENT_URL", agent.url())
            .env("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":2}]"#);
        ended = Some(run(&mut program).expect_success());
    });
    let line = startup_json(&ended.unwrap());
    let features = serde_json::json!({"DropP0s": true, "Stats": true, "SpanEvents": false});
    assert_eq!((&line["agent_features"], &line["agent_error"]), (&features, &"".into()));
    let error = line["sampling_rules_error"].as_str().unwrap();
    assert!(error.starts_with("DD_TRACE_SAMPLING_RULES: "), "{error}");

    let nobody = Address::unused().unwrap().to_string();
    let mut program = program(PROGRAM, "work", 1);
    let ended = run(program.env("DD_TRACE_AGENT_URL", &nobody)).expect_success();
    let line = startup_json(&ended);
    assert!(line["agent_features"].is_null() && line["sampling_rules_error"] == "", "{line:#}");
    let error = line["agent_error"].as_str().unwrap();
    assert!(error.starts_with(&format!("Agent not reachable at {nobody}: Connection refused")), "{error}");
    // What can be done about it used to be said in two lines.
    assert_eq!(ended.stderr.matches("is a Datadog Agent listening there?").count(), 1, "{}", ended.stderr);
}

/// It used to be cut where a message is.
#[test]
fn the_line_is_json_however_long_the_settings_are() {
    let rules = format!("[{}]", vec![r#"{"service":"s","sample_rate":0.5}"#; 3_000].join(","));
    for format in ["true", "false"] {
        let (ended, _) = worked_with(&[("DD_TRACE_SAMPLING_RULES", &rules), ("DD_LOG_FORMAT_JSON", format)]);
        let line = startup_lines(&ended)[0];
        let message = if format == "true" {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["message"].as_str().unwrap().to_owned()
        } else {
            line.to_owned()
        };
        let read: serde_json::Value = serde_json::from_str(&message[message.find('{').unwrap()..]).unwrap();
        assert!(read["sampling_rules"].as_str().unwrap().starts_with(r#"[{"service":"s","#), "{message}");
        assert_eq!(read["lang"], "rust");
    }
}

#[test]
fn a_local_view_without_an_agent_sends_nothing_and_warns_of_nothing() {
    let mut program = program(PROGRAM, "work", 2);
    let ended = run(program.env("DD_TRACE_LOCAL_VIEW", "waterfall")).expect_success();
    let report = Report::of(&ended);
    report.books.expect_settled(4);
    assert_eq!(report.books.acknowledged, 4, "what is shown is delivered");
    assert_eq!(ended.stderr_lines_with("WARN").count(), 0, "{}", ended.stderr);
    assert_eq!(ended.stderr_lines_with("job").count(), 2, "{}", ended.stderr);
}

#[test]
fn a_local_view_with_an_agent_does_both() {
    let (ended, received) = worked_with(&[("DD_TRACE_LOCAL_VIEW", "waterfall")]);
    assert_eq!(received.span_count(), 2);
    assert_eq!(ended.stderr_lines_with("job").count(), 1, "{}", ended.stderr);
}

#[test]
fn an_agent_that_can_not_be_reached_is_one_line_under_the_same_switch() {
    let nobody = Address::unused().unwrap().to_string();
    let lines = |variables: &[(&str, &str)]| {
        let mut program = program(PROGRAM, "work", 1);
        let program = program.env("DD_TRACE_AGENT_URL", &nobody).env("DD_TRACE_LOG_LEVEL", "error");
        let ended = run(program.envs(variables.iter().copied())).expect_success();
        let lines =
            ended.stderr_lines_with("INFO: DATADOG TRACER DIAGNOSTIC - Agent not reachable at http://");
        lines.filter(|line| line.contains("Connection refused")).count()
    };
    assert_eq!((lines(&[]), lines(&[("DD_TRACE_STARTUP_LOGS", "0")])), (1, 0));
}

#[test]
fn the_line_can_be_switched_off() {
    let (ended, _) = worked_with(&[("DD_TRACE_STARTUP_LOGS", "false")]);
    assert!(startup_lines(&ended).is_empty() && ended.stderr.is_empty(), "{}", ended.stderr);
}

#[test]
fn a_setting_that_can_not_be_used_is_one_warning_with_its_name() {
    for (name, value) in [
        ("DD_TRACE_ENABLED", "perhaps"),
        ("DD_TRACE_DEBUG", "loud"),
        ("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", "-1"),
        ("DD_TRACE_WRITER_INTERVAL_SECONDS", "soon"),
        ("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "much"),
        ("DD_TRACE_PROPAGATION_STYLE", "pigeon"),
        ("DD_TRACE_LOCAL_VIEW", "cinema"),
        ("DD_LOGS_INJECTION", "\u{1b}[31m\nWARN forged"),
        ("DD_TRACE_STARTUP_LOGS", "🦀"),
    ] {
        let (ended, received) = worked_with(&[(name, value)]);
        let warnings: Vec<_> = ended.stderr_lines_with("WARN").collect();
        assert_eq!(warnings.len(), 1, "{name}={value}: {}", ended.stderr);
        assert!(warnings[0].contains(name), "{name}={value}: {}", ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr.escape_debug());
        assert_eq!(received.span_count(), 2, "{name}={value}: the default holds");
    }
}

#[test]
fn an_agent_address_that_can_not_be_used_is_one_warning() {
    for url in ["ftp://somewhere", "nonsense", "http://user:secret@127.0.0.1:1:1", "http://"] {
        let mut program = program(PROGRAM, "work", 1);
        program.env("DD_TRACE_AGENT_URL", url).env("DD_TRACE_ENABLED", "true");
        let ended = run(&mut program).expect_success();
        // Nobody listens at the default address, which is another warning.
        let named = ended.stderr_lines_with("WARN: DD_TRACE_AGENT_URL").count();
        assert_eq!(named, 1, "{url}: {}", ended.stderr);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
}
