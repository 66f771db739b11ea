//! A misspelt `DD_*` variable is one warning at the start, with the setting that was meant and without its value.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dd_traced_tests::{Address, Answer, Ended, program, run, with_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const MISSPELT: (&str, &str) = ("DD_TRACE_SAMPEL_RATE", "s3cret");
const REMARK: &str = "dd-traced WARN: DD_TRACE_SAMPEL_RATE is not known; did you mean DD_TRACE_SAMPLE_RATE?";

/// The warnings of the usual program about names, with an agent at `address`.
fn remarks_at(address: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let mut program = program(PROGRAM, "work", 1);
    program.env("DD_TRACE_AGENT_URL", address).envs(variables.iter().copied());
    let ended: Ended = run(&mut program).expect_success();
    assert!(!ended.stderr.contains("s3cret") && !ended.stdout.contains("s3cret"), "{ended:#?}");
    ended.stderr_lines_with("did you mean").map(str::to_owned).collect()
}

/// The same beside nobody.
fn remarks(variables: &[(&str, &str)]) -> Vec<String> {
    remarks_at(&Address::unused().unwrap().to_string(), variables)
}

#[test]
fn a_misspelt_variable_is_one_warning() {
    assert_eq!(remarks(&[MISSPELT]), [REMARK]);
    assert_eq!(remarks(&[MISSPELT, ("DD_TRACE_DEBUG", "true")]), [REMARK]);
    // It used to be told by the doctor alone; the startup line is a switch of its own.
    assert_eq!(remarks(&[MISSPELT, ("DD_TRACE_STARTUP_LOGS", "false")]), [REMARK]);
    assert_eq!(remarks(&[MISSPELT, ("DD_TRACE_LOCAL_VIEW", "waterfall")]), [REMARK]);
    assert_eq!(remarks(&[("DD_SERVICE", "shop"), ("DD_PROFILING_ENABLED", "true")]), [""; 0]);
    assert_eq!(remarks(&[MISSPELT, ("DD_TRACE_LOG_LEVEL", "error")]), [""; 0]);
}

/// Even a program that ends at once says it.
#[test]
fn nobody_is_waited_for_to_tell() {
    with_agent(|agent| {
        agent.answers_all(Answer::never());
        let short = ("DD_TRACE_AGENT_TIMEOUT", "0.2");
        assert_eq!(remarks_at(&agent.url(), &[MISSPELT, short]), [REMARK]);
    });
}

/// A tracer that is off has no thread that could look, and its start waits for nothing.
#[test]
fn a_disabled_tracer_looks_at_no_names() {
    assert_eq!(remarks(&[MISSPELT, ("DD_TRACE_ENABLED", "false")]), [""; 0]);
}

#[test]
fn at_most_ten_are_told() {
    let names: Vec<String> = (0..40).map(|index| format!("DD_TRACE_SAMPLING_RULE{index}")).collect();
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "s3cret")).collect();
    assert_eq!(remarks(&variables).len(), 10);
}

/// A name comes from outside like any other text.
#[test]
fn a_hostile_name_is_one_line() {
    let told = remarks(&[("DD_SERVICE\u{1b}\n", "s3cret")]);
    let expected = r"dd-traced WARN: DD_SERVICE\u{1b}\n is not known; did you mean DD_SERVICE?";
    assert_eq!(told, [expected]);
}
