//! No secret that is named as one shows in the library's own messages, wherever in the settings it stands; its harmless twin does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dd_traced_tests::{program, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

/// Settings with `s3cret` where nobody may see it, and `harmless` and a number beside it.
const PLANTED: [(&str, &str); 7] = [
    ("DD_ENV", "harmless1,token=s3cret"),
    ("DD_SERVICE", "harmless2,password=s3cret"),
    ("DD_VERSION", "harmless3,api_key=s3cret"),
    ("DD_SERVICE_MAPPING", "harmless4:b,token:s3cret"),
    ("DD_EXTERNAL_ENV", "harmless5,token=s3cret"),
    ("DD_TRACE_SAMPLE_RATE", "harmless6,token=s3cret"),
    ("DD_TAGS", "team:harmless7,db.password:s3cret,note:token=s3cret"),
];

#[test]
fn no_named_secret_of_a_setting_shows_in_messages() {
    let mut stderr = String::new();
    with_agent(|agent| {
        let mut program = program(PROGRAM, "work", 1);
        program.env("DD_TRACE_AGENT_URL", agent.url()).env("DD_TRACE_DEBUG", "true").envs(PLANTED);
        stderr = run(&mut program).expect_success().stderr;
    });
    assert!(stderr.contains("DATADOG TRACER CONFIGURATION"), "{stderr}");
    for number in 1..=PLANTED.len() {
        assert!(stderr.contains(&format!("harmless{number}")), "{number}: {stderr}");
    }
    let leaks: Vec<&str> = stderr.lines().filter(|line| line.contains("s3cret")).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}
