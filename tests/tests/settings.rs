//! What the environment says holds, each value is told with its origin, and no text in any variable does harm.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use dd_traced::{Origin, Tracer};
use dd_traced_tests::{Dice, Ended, program, repository, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

fn settings_with<V: AsRef<OsStr>>(variables: &[(&str, V)]) -> Ended {
    let mut program = program(PROGRAM, "settings", 1);
    // Some values name a file of messages.
    program.current_dir(std::env::temp_dir());
    for (name, value) in variables {
        program.env(name, value);
    }
    run(&mut program).expect_success()
}

/// The names that docs/configuration.md has, aliases too.
fn all_names() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let names = page.split('`').filter(|text| text.starts_with("DD_") || text.starts_with("OTEL_"));
    let mut names: Vec<String> = names
        .filter(|name| {
            name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        })
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    assert!(names.len() > 80 && names.iter().any(|name| name == "OTEL_SERVICE_NAME"), "{names:?}");
    names
}

#[test]
fn each_value_is_listed_with_its_origin() {
    let ended = settings_with(&[
        ("DD_ENV", "prod"),
        ("DD_SERVICE", "shop"),
        ("OTEL_SERVICE_NAME", "basket"),
        ("DD_TRACE_AGENT_TIMEOUT", "soon"),
    ]);
    let line = |name: &str| {
        let line = ended.stdout.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("DD_ENV"), "DD_ENV prod env_var");
    assert_eq!(line("DD_SERVICE"), "DD_SERVICE shop env_var env_var OTEL_SERVICE_NAME=basket");
    assert_eq!(line("DD_TRACE_AGENT_TIMEOUT"), "DD_TRACE_AGENT_TIMEOUT 2 default env_var=soon (not usable)");
    assert_eq!(ended.stderr_lines_with("WARN: DD_TRACE_AGENT_TIMEOUT").count(), 1, "{}", ended.stderr);
    assert_eq!(ended.stderr_lines_with("OTEL_SERVICE_NAME is ignored").count(), 1, "{}", ended.stderr);
}

#[test]
fn debug_log_tells_what_holds_and_who_said_so() {
    let ended = settings_with(&[("DD_TRACE_DEBUG", "1"), ("OTEL_SERVICE_NAME", "basket")]);
    let told = |text| ended.stderr_lines_with(text).count();
    assert_eq!(told("DEBUG: DD_SERVICE=basket (env_var OTEL_SERVICE_NAME)"), 1, "{}", ended.stderr);
    assert_eq!(
        (told("DEBUG: DD_TRACE_DEBUG=1 (env_var)"), told("DEBUG: DD_ENV= (default)")),
        (1, 1),
        "{}",
        ended.stderr
    );
    assert_eq!(settings_with(&[("DD_ENV", "prod")]).stderr_lines_with("DD_ENV=").count(), 0);
}

/// Empty before the first start; of the last tracer after its end.
#[test]
fn settings_are_those_of_the_tracer() {
    assert_eq!(dd_traced::settings().iter().count(), 0);
    let tracer = Tracer::builder().env("prod").enabled(false).startup_logs(false).start().unwrap();
    assert_eq!(tracer.settings().get("DD_ENV").unwrap().origin(), Origin::Code);
    // Whoever holds the guard may be printed; it used to be 20 KB of settings.
    let shown = format!("{tracer:?}");
    assert!(shown.contains(r#"env: Some("prod")"#) && shown.len() < 200, "{shown}");
    drop(tracer);
    let last = dd_traced::settings();
    assert_eq!((last.get("DD_ENV").unwrap().value(), last.get("DD_env")), ("prod", None));
}

#[test]
fn any_bytes_in_any_variable_start_the_program() {
    let names = all_names();
    let mut dice = Dice::new(7);
    let mut values: Vec<Vec<u8>> =
        vec![b"\x1b[31m\r\nWARN forged".to_vec(), vec![0xff; 100], vec![b'9'; 4096]];
    values.push(b"[{\"sample_rate\":".repeat(200));
    values.extend((0..4).map(|_| (0..64).map(|_| 1 + dice.below(255) as u8).collect::<Vec<u8>>()));
    for value in values {
        let value = OsStr::from_bytes(&value);
        let variables: Vec<(&str, &OsStr)> = names.iter().map(|name| (name.as_str(), value)).collect();
        let ended = settings_with(&variables);
        assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'), "{}", ended.stderr);
        // A few lines for a name, each of a few hundred bytes.
        assert!(ended.stderr.lines().count() < 3 * names.len(), "{}", ended.stderr);
        assert!(ended.stderr.len() < 300 * 3 * names.len(), "{}", ended.stderr.len());
        assert!(ended.stderr.lines().all(|line| line.starts_with("dd-traced ")), "{}", ended.stderr);
    }
}

#[test]
fn secrets_are_shown_nowhere() {
    let ended = settings_with(&[
        ("DD_TRACE_DEBUG", "true"),
        ("DD_API_KEY", "s3cret"),
        ("DD_TRACE_AGENT_URL", "http://me:s3cret@127.0.0.1:1/"),
        ("DD_AGENT_HOST", "me:s3cret@agent"),
        ("DD_DOGSTATSD_URL", "http://me:s3cret@agent"),
        ("DD_TAGS", "db.password:s3cret"),
        ("DD_GIT_REPOSITORY_URL", "https://me:s3cret@git.example/r.git"),
        ("OTEL_RESOURCE_ATTRIBUTES", "s3cret"),
    ]);
    assert!(!ended.stdout.contains("s3cret") && !ended.stderr.contains("s3cret"), "{ended:#?}");
}
