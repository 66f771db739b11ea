//! What log lines say of the span that is active where they are written.

use dd_traced::testing::ScopedTracer;
use dd_traced::{active_span, correlation, dd_format, span, traced};
use dd_traced_tests::{program, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

#[traced("lines")]
fn lines(order: u8) -> [String; 4] {
    [
        dd_format!("order {order}"),
        dd_format!("{dd.trace_id}/{dd.span_id}"),
        dd_format!("{dd.service}:{dd.env}:{dd.version}: {}", order),
        dd_format!("{dd.span_id:->24}|{dd.service:<6}|{dd.span_id:?}"),
    ]
}

#[test]
fn a_text_carries_the_ids_of_the_active_span() {
    let tracer = ScopedTracer::new();
    let [prefixed, ids, identity, padded] = lines(7);
    let spans = tracer.finished();
    let (trace_id, span_id) = (spans[0].trace_id, spans[0].span_id);
    assert_eq!(prefixed, format!("[dd.service=test dd.trace_id={trace_id} dd.span_id={span_id}] order 7"));
    assert_eq!(ids, format!("{trace_id}/{span_id}"));
    assert_eq!(trace_id.to_string().len(), 32);
    assert!(span_id.to_string().bytes().all(|digit| digit.is_ascii_digit()));
    assert_eq!(identity, "test::: 7");
    assert_eq!(padded, format!("{:->24}|test  |{span_id}", span_id.as_u64()));
}

#[test]
fn the_ids_are_those_of_the_innermost_span() {
    let _tracer = ScopedTracer::new();
    let outer = span("outer").start();
    let _active = outer.activate();
    assert_eq!(dd_format!("{dd.span_id}"), outer.span_id().to_string());
    let [_, inner, ..] = lines(1);
    assert!(inner.starts_with(&outer.context().trace_id().to_string()));
    assert!(!inner.ends_with(&outer.span_id().to_string()));
    assert_eq!(dd_format!("{dd.span_id}"), active_span().span_id().to_string());
}

#[test]
fn without_a_span_the_ids_are_zero() {
    let _tracer = ScopedTracer::new();
    assert_eq!(dd_format!("idle"), "[dd.service=test dd.trace_id=0 dd.span_id=0] idle");
    assert_eq!(dd_format!("{dd.trace_id}{dd.span_id}"), "00");
    assert_eq!(correlation().to_string(), "dd.service=test dd.trace_id=0 dd.span_id=0");
}

/// The lines of a program with these variables: with a prefix, of the identity, and the trace id.
fn lines_with(variables: &[(&str, &str)]) -> [String; 3] {
    let mut program = program(PROGRAM, "log lines", 1);
    program.env("DD_TRACE_STARTUP_LOGS", "false").envs(variables.iter().copied());
    let lines = run(&mut program).expect_success().stdout;
    let mut lines = lines.lines().map(str::to_owned);
    [(); 3].map(|()| lines.next().unwrap_or_default())
}

#[test]
fn settings_decide_what_a_line_says() {
    let shop = [("DD_SERVICE", "shop"), ("DD_ENV", "prod"), ("DD_VERSION", "1.2")];
    let [prefixed, identity, trace_id] = lines_with(&shop);
    let (identity, span_id) = identity.rsplit_once('|').unwrap_or_default();
    assert_eq!(identity, "shop|prod|1.2");
    assert_eq!(trace_id.len(), 32);
    let ids = format!("dd.trace_id={trace_id} dd.span_id={span_id}");
    assert_eq!(prefixed, format!("[dd.service=shop dd.env=prod dd.version=1.2 {ids}] prefixed"));

    let [prefixed, ..] = lines_with(&[("DD_SERVICE", "shop")]);
    assert!(prefixed.starts_with("[dd.service=shop dd.trace_id="), "{prefixed}");
    let [.., trace_id] = lines_with(&[("DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED", "false")]);
    assert!(trace_id.parse::<u64>().is_ok_and(|id| id > 0), "{trace_id}");
}

#[test]
fn without_injection_there_are_placeholders_and_no_prefix() {
    let [prefixed, identity, trace_id] =
        lines_with(&[("DD_LOGS_INJECTION", "false"), ("DD_SERVICE", "shop")]);
    assert_eq!(prefixed, "prefixed");
    assert!(identity.starts_with("shop|||") && trace_id.len() == 32, "{identity} {trace_id}");
}

#[test]
fn without_tracing_the_ids_are_zero() {
    let [prefixed, _, trace_id] = lines_with(&[("DD_TRACE_ENABLED", "false")]);
    assert_eq!((prefixed.as_str(), trace_id.as_str()), ("[dd.trace_id=0 dd.span_id=0] prefixed", "0"));
}
