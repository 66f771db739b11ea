//! No secret that is named as one shows in the library's own messages, wherever it stands; its harmless twin does.

use dd_traced::Tracer;
use dd_traced_tests::{
    Answer, PLANTED, Place, SECRET, SECRET_SETTINGS, program, run, with_agent, with_tracer_of,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

/// What the agent says as it refuses spans.
const REFUSAL: &str = r#"{"error":"harmless-refusal api_key=s3cret","token":"s3cret"}"#;
/// What it says of itself.
const INFO: &str = r#"{"version":"harmless-version token=s3cret","endpoints":["/v0.4/traces"]}"#;

/// All that is said in debug mode, with the spans of the program and such an agent.
fn said(is_json: &str, in_file: bool) -> String {
    let (place, mut said) = (Place::new(), String::new());
    with_agent(|agent| {
        agent.answers_info(Answer::ok().with_body(INFO));
        agent.answers(Answer::status(403).with_body(REFUSAL));
        let mut program = program(PROGRAM, "secrets", 1);
        program.env("DD_TRACE_AGENT_URL", agent.url().replace("http://", "http://me:s3cret@"));
        program.env("DD_TRACE_DEBUG", "true").env("DD_LOG_FORMAT_JSON", is_json);
        program.envs(PLANTED).envs(SECRET_SETTINGS);
        if in_file {
            program.env("DD_TRACE_LOG_FILE", place.path("log"));
        }
        said = run(&mut program).expect_success().stderr;
    });
    if in_file { said + &place.text("log") } else { said }
}

#[test]
fn no_secret_shows_in_messages_and_its_twin_does() {
    for (is_json, in_file) in [("false", false), ("true", false), ("false", true), ("true", true)] {
        let said = said(is_json, in_file);
        let leaks: Vec<&str> = said.lines().filter(|line| line.contains(SECRET)).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
        let planted = (1..=PLANTED.len()).map(|number| format!("harmless{number}"));
        let others = ["refusal", "tag", "error", "resource"].map(|place| format!("harmless-{place}"));
        for twin in planted.chain(others) {
            assert!(said.contains(&twin), "{twin}: {said}");
        }
    }
}

#[test]
fn no_secret_shows_where_settings_are_printed() {
    let mut program = program(PROGRAM, "settings", 1);
    let ended = run(program.envs(PLANTED).envs(SECRET_SETTINGS)).expect_success();
    assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET), "{ended:#?}");
    assert!(
        (1..=PLANTED.len()).all(|number| ended.stdout.contains(&format!("harmless{number}"))),
        "{ended:#?}"
    );
    let builder =
        Tracer::builder().agent_url("http://me:s3cret@agent").tag("password", SECRET).env("token=s3cret");
    assert!(!format!("{builder:?}").contains(SECRET), "{builder:?}");
}

#[test]
fn no_secret_shows_in_the_tracer_as_text() {
    with_tracer_of(
        |_, tracer| {
            tracer.service("harmless,token=s3cret").env("password=s3cret").version("key,secret=s3cret")
        },
        |_, tracer| {
            let text = format!("{tracer:?}");
            assert!(text.contains("harmless") && !text.contains(SECRET), "{text}");
        },
    );
}
