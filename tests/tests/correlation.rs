//! What log lines say of the span that is active where they are written.

use std::collections::HashMap;

use dd_traced::testing::ScopedTracer;
use dd_traced::{active_span, correlation, dd_format, extract, span, traced};
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
fn a_span_shows_itself_in_the_form_of_go() {
    let _tracer = ScopedTracer::new();
    let root = span("root").start();
    let child = span("child").child_of(&root.context()).service("other").start();
    let (trace_id, root_id) = (child.context().trace_id(), root.span_id());
    assert_eq!(
        root.to_string(),
        format!(r#"dd.service=test dd.trace_id="{trace_id:x}" dd.span_id="{root_id}" dd.parent_id="0""#)
    );
    let shown = format!(
        r#"dd.service=test dd.trace_id="{trace_id:x}" dd.span_id="{}" dd.parent_id="{root_id}""#,
        child.span_id()
    );
    assert_eq!(child.to_string(), shown, "the service is the tracer's");
    child.finish();
    assert_eq!(child.to_string(), shown, "after the end, too");
    let context = child.context().to_string();
    assert_eq!(context, format!("dd.trace_id={trace_id:x} dd.span_id={}", child.span_id()));
}

#[test]
fn an_id_of_64_bits_is_decimal() {
    let _tracer = ScopedTracer::new();
    let headers = HashMap::from([
        ("x-datadog-trace-id".to_owned(), "12345678901234567890".to_owned()),
        ("x-datadog-parent-id".to_owned(), "77".to_owned()),
    ]);
    let remote = extract(&headers).expect("a context");
    assert_eq!(remote.to_string(), "dd.trace_id=12345678901234567890 dd.span_id=77");
    let _active = remote.enter();
    assert_eq!(
        correlation().to_string(),
        "dd.service=test dd.trace_id=12345678901234567890 dd.span_id=77",
        "of the sender, until there is a span of our own"
    );
    let below = span("below").start();
    assert!(below.to_string().contains(r#" dd.trace_id="12345678901234567890" "#), "{below}");
    assert!(below.to_string().ends_with(r#" dd.parent_id="77""#), "{below}");
}

#[test]
fn where_tracing_is_off_a_span_shows_zeros() {
    let span = span("nothing").start();
    assert_eq!(span.to_string(), r#"dd.trace_id="0" dd.span_id="0" dd.parent_id="0""#);
    assert_eq!(span.context().to_string(), "dd.trace_id=0 dd.span_id=0");
}

#[test]
fn the_fields_are_a_map_of_strings_without_ids_where_there_is_no_span() {
    let _tracer = ScopedTracer::new();
    let map = || serde_json::to_value(correlation()).expect("a map");
    assert_eq!(map(), serde_json::json!({"dd.service": "test"}));
    let span = span("work").start();
    let _active = span.activate();
    let expected = serde_json::json!({
        "dd.service": "test",
        "dd.trace_id": format!("{:x}", span.context().trace_id()),
        "dd.span_id": span.span_id().to_string(),
    });
    assert_eq!(map(), expected);
}

/// Settings with what could end a field or a line, or turn the direction of text.
#[test]
fn a_setting_can_not_forge_a_field_or_a_line() {
    let [prefixed, placed, _] = lines_with(&[
        ("DD_SERVICE", "a b] dd.trace_id=1"),
        ("DD_ENV", "x\u{2028}[\u{1b}[31m"),
        ("DD_VERSION", "1\u{202e}\"\u{85}2\n3"),
    ]);
    // Placeholders used to give them as they are.
    assert!(placed.starts_with("a_b__dd.trace_id_1|x____31m|1___2_3|"), "{placed:?}");
    assert!(
        prefixed
            .starts_with("[dd.service=a_b__dd.trace_id_1 dd.env=x____31m dd.version=1___2_3 dd.trace_id="),
        "{prefixed:?}"
    );
    assert_eq!((prefixed.matches('=').count(), prefixed.matches(['[', ']']).count()), (5, 2));
}

/// Service, env and version used to be left out, so that these lines belonged to no service.
#[test]
fn without_tracing_the_ids_are_zero_and_the_rest_is_as_configured() {
    let off = ("DD_TRACE_ENABLED", "false");
    let [prefixed, identity, trace_id] =
        lines_with(&[off, ("DD_SERVICE", "shop"), ("DD_ENV", "prod"), ("DD_VERSION", "1.2")]);
    let expected = "[dd.service=shop dd.env=prod dd.version=1.2 dd.trace_id=0 dd.span_id=0] prefixed";
    assert_eq!((prefixed.as_str(), trace_id.as_str()), (expected, "0"));
    assert_eq!(identity, "shop|prod|1.2|0");
    let [prefixed, ..] = lines_with(&[off]);
    assert_eq!(prefixed, "[dd.service=program dd.trace_id=0 dd.span_id=0] prefixed");
    let silent = [off, ("DD_LOGS_INJECTION", "false")];
    assert_eq!(lines_with(&silent)[0], "prefixed", "without tracing there may be no prefix either");
}
