//! Ids on log lines are switched on and off for the process: off, every logger gets its records as they came.

use dd_traced::testing::ScopedTracer;
use dd_traced::{Tracer, correlation, dd_format, logs_injection, set_logs_injection, span};
use dd_traced_tests::Loggers;

fn say_in_a_span(message: &str) {
    let span = span("work").start();
    let _active = span.activate();
    Loggers::install().say(message);
}

/// One test: the switch is the process's.
#[test]
fn ids_are_switched_off_and_on() {
    let loggers = Loggers::install();
    let tracer = ScopedTracer::new();
    assert!(logs_injection(), "on by default");
    say_in_a_span("with ids");
    set_logs_injection(false);
    assert!(!logs_injection());
    say_in_a_span("without ids");
    let placed = dd_format!("{dd.span_id} is asked for");
    let asked = correlation().to_string();
    set_logs_injection(true);
    say_in_a_span("with ids again");
    drop(tracer);

    for message in ["with ids", "with ids again"] {
        assert!(loggers.lines(message).iter().all(|line| line.ids().is_some_and(|(id, _)| id != "0")));
    }
    let without = loggers.lines("without ids");
    let line = |logger| &without.iter().find(|line| line.logger == logger).expect("a line").text;
    assert!(without.iter().all(|line| !line.text.contains("dd.")), "{without:#?}");
    for logger in ["unwrapped text", "log text", "env_logger text", "slog text"] {
        assert_eq!(line(logger), "INFO without ids", "{logger}");
    }
    assert_eq!(line("log json"), r#"{"message":"without ids"}"#);
    assert!(
        placed.starts_with("0 is") && asked == "dd.service=test dd.trace_id=0 dd.span_id=0",
        "{placed} {asked}"
    );

    // A tracer that is switched off has no spans; lines of text say so, others say nothing.
    let off = || Tracer::builder().enabled(false).startup_logs(false);
    let disabled = off().service("shop").start().expect("no other tracer");
    say_in_a_span("with tracing off");
    drop(disabled);
    assert_eq!(correlation().to_string(), "dd.service=shop dd.trace_id=0 dd.span_id=0", "after the end, too");
    let next = off().service("next").env("prod").start().expect("no other tracer");
    assert_eq!(correlation().to_string(), "dd.service=next dd.env=prod dd.trace_id=0 dd.span_id=0");
    drop(next);
    for line in loggers.lines("with tracing off") {
        let zeros = line.logger.ends_with("text").then(|| ("0".to_owned(), "0".to_owned()));
        assert_eq!(line.ids(), zeros, "{line:?}");
        assert!(line.fields().contains(&("dd.service".to_owned(), "shop".to_owned())), "{line:?}");
    }
}
