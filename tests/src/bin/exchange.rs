//! Questions about headers, one line of JSON each, until stdin ends: `{"do": …}`.
//!
//! - `extract`: what do these `headers` say, and what would a child of it send? `name` and `resource` are the child's.
//! - `start`: a new trace, with `baggage`, kept or rejected where `keep` says so; what would it send?
//! - `serve`: answer HTTP requests, each with a span below the one that its headers name; with `next`, call that service for each.
//! - `call`: the service at `url`, from a client span within a new trace.

use std::io::BufRead;

use dd_traced::{Span, SpanContext, extract, inject, span, traced};
use dd_traced_tests::{Address, HeaderLines, send, serve};
use serde_json::{Map, Value, json};

pub(crate) fn exchange() {
    let _tracer = dd_traced::init();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line of text");
        let question: Value = serde_json::from_str(&line).expect("a question is JSON");
        let answer = match question["do"].as_str().expect("something to do") {
            "extract" => extracted(&question),
            "start" => started(&question),
            "serve" => served(&question),
            "call" => called(question["url"].as_str().expect("an URL")),
            other => panic!("no such thing to do: {other}"),
        };
        println!("{answer}");
    }
}

fn extracted(question: &Value) -> Value {
    let lines = question["headers"].as_array().expect("a list of headers").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let headers: HeaderLines = lines.map(|line| (text(&line[0]), text(&line[1]))).collect();
    let context = extract(&headers);
    let mut child = span(question["name"].as_str().unwrap_or("child").to_owned());
    child = child.resource(question["resource"].as_str().unwrap_or("extracted"));
    if let Some(context) = &context {
        child = child.child_of(context);
    }
    let forwarded = context.as_ref().map(|context| {
        let mut headers = HeaderLines::new();
        inject(context, &mut headers);
        object(headers)
    });
    json!({ "context": context.as_ref().map(seen), "forwarded": forwarded, "child": sent(&child.start()) })
}

fn started(question: &Value) -> Value {
    let root = span("root").root().start();
    for (key, value) in question["baggage"].as_object().into_iter().flatten() {
        root.set_baggage(key, value.as_str().expect("baggage is text"));
    }
    match question["keep"].as_bool() {
        Some(true) => root.keep(),
        Some(false) => root.reject(),
        None => {}
    }
    sent(&root)
}

/// What the headers of a call from this span are; it ends here.
fn sent(span: &Span) -> Value {
    let mut headers = HeaderLines::new();
    inject(span, &mut headers);
    let context = span.context();
    span.finish();
    json!({ "context": seen(&context), "headers": object(headers) })
}

fn seen(context: &SpanContext) -> Value {
    json!({
        "trace_id": format!("{:032x}", context.trace_id()),
        "span_id": context.span_id().as_u64().to_string(),
        "priority": context.sampling_priority(),
        "baggage": object(context.all_baggage()),
    })
}

fn object(pairs: Vec<(String, String)>) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

fn served(question: &Value) -> Value {
    let next = question["next"].as_str().map(str::to_owned);
    let address = serve(move |path, headers| {
        let mut request = span("web.request").resource(path);
        if let Some(context) = extract(&headers) {
            request = request.child_of(&context);
        }
        let request = request.start();
        let _active = request.activate();
        match &next {
            Some(next) => call(next),
            None => 204,
        }
    });
    json!({ "url": address.to_string() })
}

fn called(url: &str) -> Value {
    let order = span("order").root().baggage("user.id", "u 1").start();
    let _active = order.activate();
    let status = call(url);
    json!({ "status": status, "context": seen(&order.context()) })
}

#[traced(name = "http.request")]
fn call(url: &str) -> u16 {
    let address: Address = url.parse().expect("an address");
    let mut headers = HeaderLines::new();
    inject(&dd_traced::active_span(), &mut headers);
    let lines: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    send(&address, "GET", "/stock", &lines, b"").expect("an answer").status
}
