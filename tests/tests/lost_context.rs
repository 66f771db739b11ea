//! In debug mode, traces that a future began in a task of Tokio without a parent are counted by source line, and listed once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dd_traced_tests::{program, repository, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
const WORDS: &str = "possibly lost context";

fn lines(variable: (&str, &str)) -> Vec<String> {
    let mut command = program(PROGRAM, "lost contexts", 3);
    command.env("DD_TRACE_AGENT_URL", "http://127.0.0.1:9").env(variable.0, variable.1);
    let ended = run(&mut command).expect_success();
    ended.stderr_lines_with(WORDS).map(str::to_owned).collect()
}

/// The line of the attribute above the function.
fn attribute_of(function: &str) -> usize {
    let source = std::fs::read_to_string(repository().join("tests/src/bin/program.rs")).unwrap();
    source.lines().position(|line| line.contains(&format!("fn {function}("))).unwrap()
}

#[test]
fn roots_of_tasks_are_listed_once_by_function() {
    let lines = lines(("DD_TRACE_DEBUG", "1"));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    // Workers with names of their own used to be overlooked, and runtimes of one thread.
    for (function, times) in [("forgotten", 3), ("forgotten_with", 3), ("forgotten_on_one_thread", 1)] {
        let place = format!(".{function} at tests/src/bin/program.rs:{} ({times})", attribute_of(function));
        assert!(lines[0].contains(&place), "{place}: {}", lines[0]);
    }
    // Not what was carried or meant, and not what was awaited elsewhere than in a task.
    assert_eq!(lines[0].matches("program.rs:").count(), 3, "{}", lines[0]);
}

#[test]
fn without_debug_mode_nobody_looks() {
    assert!(lines(("DD_TRACE_LOG_LEVEL", "debug")).is_empty());
}
