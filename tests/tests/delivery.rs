//! Finished spans arrive: as the tree they were started as, whole, once, with what the agent has to know about them.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dd_traced::{active_span, extract, span, traced};
use dd_traced_tests::{
    Address, Answer, PATIENCE, WireSpan, program, run, trace_id, with_agent_at, with_tracer,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_program");

#[traced(resource = "POST /orders", tags(order.items = items))]
fn place_order(items: usize) -> Result<usize, io::Error> {
    reserve(items);
    charge(items)
}

#[traced(name = "stock.reserve")]
fn reserve(_: usize) {}

#[traced(name = "payment.charge", service = "payments", type = "http", measured)]
fn charge(items: usize) -> Result<usize, io::Error> {
    if items > 2 { Err(io::Error::other("refused")) } else { Ok(items) }
}

#[test]
fn spans_arrive_as_the_tree_they_were_started_as() {
    let (received, books) = with_tracer(|_, _| {
        place_order(2).unwrap();
        place_order(3).unwrap_err();
    });
    assert_eq!(
        received.tree().with_tags(&["order.items", "error.message"]).to_string(),
        "\
delivery.place_order service=shop resource=\"POST /orders\" order.items=2
  stock.reserve
  payment.charge service=payments type=http
delivery.place_order service=shop resource=\"POST /orders\" error order.items=3 error.message=\"refused\"
  stock.reserve
  payment.charge service=payments type=http error error.message=\"refused\"
"
    );
    assert_eq!((books.finished, books.acknowledged), (6, 6));
}

#[test]
fn the_agent_is_told_what_it_has_to_know() {
    let (received, _) = with_tracer(|_, _| drop(place_order(1)));
    let payload = received.payloads().next().unwrap();
    assert_eq!((payload.method.as_str(), payload.path.as_str()), ("POST", "/v0.4/traces"));
    assert_eq!(payload.header("Content-Type"), Some("application/msgpack"));
    assert_eq!(payload.header("Datadog-Meta-Lang"), Some("rust"));
    for header in
        ["Datadog-Meta-Lang-Version", "Datadog-Meta-Lang-Interpreter", "Datadog-Meta-Tracer-Version"]
    {
        assert!(payload.header(header).is_some_and(|value| !value.is_empty()), "{header}: {payload:#?}");
    }
    assert!(payload.header("Datadog-Client-Computed-Top-Level").is_some());
    assert!(payload.header("Datadog-Client-Computed-Stats").is_none(), "the agent computes them");
    assert_eq!(payload.header("Datadog-Send-Real-Http-Status"), Some("1"));
    for header in ["Datadog-Container-ID", "Datadog-Entity-ID"] {
        assert_ne!(payload.header(header), Some(""), "{header} is sent with a value or not at all");
    }
}

#[test]
fn spans_carry_service_env_and_version() {
    let (received, _) = with_tracer(|_, _| drop(place_order(1)));
    let order = received.span("delivery.place_order");
    assert_eq!((order.meta("env"), order.meta("version")), (Some("test"), Some("1.2.3")));
    assert_eq!(order.meta("language"), Some("rust"));
    assert_eq!(order.meta("_dd.base_service"), None);
    assert!(order.meta("runtime-id").is_some_and(|id| id.len() == 36), "{order:#?}");
    assert_eq!(order.metric("process_id"), Some(f64::from(std::process::id())));
    assert_eq!(order.metric("_dd.top_level"), Some(1.0));
    assert_eq!(order.priority(), Some(1.0));
    let charge = received.span("payment.charge");
    assert_eq!((charge.meta("env"), charge.meta("version")), (Some("test"), None));
    assert_eq!(charge.meta("_dd.base_service"), Some("shop"));
    assert_eq!((charge.metric("_dd.top_level"), charge.metric("_dd.measured")), (Some(1.0), Some(1.0)));
    assert_eq!(received.span("stock.reserve").metric("_dd.top_level"), None);
}

#[test]
fn times_are_those_of_the_clock_on_the_wall() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
    let before = now();
    let (received, _) = with_tracer(|_, _| {
        place_order(1).unwrap();
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let past = span("past").root().start_at(start).start();
        past.finish_at(start + Duration::from_millis(1_500));
    });
    let after = now();
    // The two anchors from which ticks become time are themselves read with some distance from the clock.
    let slack = 50_000_000;
    let order = received.span("delivery.place_order");
    assert!(before - slack <= order.start && order.end() <= after + slack, "{before} {order:?} {after}");
    for child in ["stock.reserve", "payment.charge"].map(|name| received.span(name)) {
        assert!(order.start <= child.start && child.end() <= order.end(), "{child:?} in {order:?}");
    }
    let past = received.span("past");
    assert_eq!((past.start, past.duration), (1_700_000_000_000_000_000, 1_500_000_000));
}

#[test]
fn a_long_trace_is_sent_in_parts_and_arrives_whole() {
    let (received, _) = with_tracer(|agent, _| {
        let root = span("root").start();
        let _active = root.activate();
        (0..750).for_each(reserve);
        // The root is open still: these are parts.
        agent.wait_until("two parts", |received| received.span_count() >= 600);
    });
    let chunks: Vec<&[WireSpan]> = received.chunks().collect();
    assert!(chunks.len() >= 3, "{} chunks", chunks.len());
    let ids: BTreeSet<u64> = received.spans().map(|span| span.span_id).collect();
    assert_eq!((ids.len(), received.span_count()), (751, 751));
    let root = received.span("root");
    let whole_id = trace_id(chunks[0]).unwrap();
    assert!(whole_id >> 64 != 0, "a trace id of 128 bits");
    for chunk in chunks {
        assert_eq!(trace_id(chunk), Some(whole_id), "each part says the whole id");
        assert_eq!(chunk[0].meta("_dd.p.dm"), received.chunks().next().unwrap()[0].meta("_dd.p.dm"));
        let children = chunk.iter().filter(|span| span.span_id != root.span_id);
        assert!(children.into_iter().all(|span| span.parent_id == root.span_id));
    }
}

#[test]
fn the_rates_of_the_agent_decide_about_later_traces() {
    let (received, _) = with_tracer(|agent, tracer| {
        agent.answers(Answer::rates(&[("service:,env:", 1.0), ("service:shop,env:test", 0.0)]));
        place_order(1).unwrap();
        assert!(tracer.flush(PATIENCE));
        let dropped = span("dropped").start();
        drop(dropped);
        let kept = span("kept").start();
        kept.keep();
        drop(kept);
    });
    let first = received.span("delivery.place_order");
    assert_eq!((first.priority(), first.metric("_dd.agent_psr")), (Some(1.0), None));
    let dropped = received.span("dropped");
    assert_eq!((dropped.priority(), dropped.metric("_dd.agent_psr")), (Some(0.0), Some(0.0)));
    assert_eq!(dropped.meta("_dd.p.dm"), Some("-1"));
    let kept = received.span("kept");
    assert_eq!((kept.priority(), kept.meta("_dd.p.dm")), (Some(2.0), Some("-4")));
}

#[traced(name = "sync", service = "other")]
fn sync_of_another_service() {
    reserve(1);
}

#[traced(name = "async", service = "other")]
async fn async_of_another_service() {
    reserve(1);
}

/// Used to be that of the tracer's service where the local root got its own by hand.
#[test]
fn the_rate_is_that_of_the_local_roots_service() {
    let (received, _) = with_tracer(|agent, tracer| {
        agent.answers(Answer::rates(&[("service:,env:", 1.0), ("service:shop,env:test", 0.0)]));
        reserve(1);
        assert!(tracer.flush(PATIENCE));
        sync_of_another_service();
        let mut future = pin!(async_of_another_service());
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        span("by hand").service("other").start().finish();
        let later = span("later").start();
        later.set_service("other");
        later.finish();
        let headers = HashMap::from([("x-datadog-trace-id", "7"), ("x-datadog-parent-id", "8")]);
        let headers: HashMap<String, String> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let upstream = extract(&headers).unwrap();
        span("remote").service("other").child_of(&upstream).start().finish();
    });
    for name in ["sync", "async", "by hand", "later", "remote"] {
        let span = received.span(name);
        assert_eq!((span.priority(), span.metric("_dd.agent_psr")), (Some(1.0), Some(1.0)), "{span:#?}");
    }
}

#[test]
fn rates_that_make_no_sense_are_ignored() {
    for body in
        ["", "null", "[1]", r#"{"rate_by_service":{"service:shop,env:test":7}}"#, "{\"rate_by", "\u{0}"]
    {
        let (received, _) = with_tracer(|agent, tracer| {
            let rejects_all = r#"{"rate_by_service":{"service:shop,env:test":0}}"#;
            for body in [rejects_all, body] {
                agent.answers(Answer::ok().with_body(body));
                span("before").start().finish();
                assert!(tracer.flush(PATIENCE));
            }
            span("after").start().finish();
        });
        let after = received.span("after");
        // A table with a rate that is none takes the place of the table before, less that rate.
        let expected = if body.contains(":7") { (Some(1.0), None) } else { (Some(0.0), Some(0.0)) };
        assert_eq!((after.priority(), after.metric("_dd.agent_psr")), expected, "{body:?}");
    }
}

#[test]
fn a_decision_by_hand_counts_wherever_it_is_taken() {
    let (received, _) = with_tracer(|_, _| {
        let root = span("rejected").start();
        let guard = root.activate();
        let child = span("child").start();
        let child_guard = child.activate();
        active_span().reject();
        drop((child_guard, child, guard, root));
    });
    let root = received.span("rejected");
    assert_eq!((root.priority(), root.meta("_dd.p.dm")), (Some(-1.0), Some("-4")));
}

#[test]
fn spans_of_threads_that_end_at_once_arrive() {
    let (received, books) = with_tracer(|_, _| {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                thread::spawn(|| {
                    for _ in 0..20 {
                        place_order(1).unwrap();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!((received.span_count(), books.acknowledged), (3_000, 3_000));
}

#[test]
fn a_trace_of_very_many_spans_arrives_whole() {
    let (received, books) = with_tracer(|_, _| {
        let root = span("root").start();
        let _active = root.activate();
        (0..50_000).for_each(reserve);
    });
    assert_eq!((received.span_count(), books.dropped_total()), (50_001, 0));
    let ids: BTreeSet<u64> = received.spans().map(|span| span.span_id).collect();
    assert_eq!(ids.len(), 50_001);
}

#[test]
fn many_may_wait_for_a_flush_at_once() {
    let (received, _) = with_tracer(|_, tracer| {
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    place_order(1).unwrap();
                    assert!(tracer.flush(PATIENCE));
                    assert!(dd_traced::flush(PATIENCE));
                });
            }
        });
    });
    assert_eq!(received.span_count(), 48);
}

#[test]
fn a_connection_is_kept() {
    let (received, _) = with_tracer(|_, tracer| {
        for _ in 0..10 {
            place_order(1).unwrap();
            assert!(tracer.flush(PATIENCE));
        }
    });
    assert!(received.connections <= 3, "{} connections", received.connections);
}

/// The agent closes connections that are idle for a few seconds, without a word.
#[test]
fn a_closed_connection_costs_nothing() {
    let (received, books) = with_tracer(|agent, tracer| {
        agent.answers(Answer::ok().then_close());
        for _ in 0..5 {
            place_order(1).unwrap();
            assert!(tracer.flush(PATIENCE));
        }
        agent.answers(Answer::ok());
        place_order(1).unwrap();
        assert!(tracer.flush(PATIENCE));
        agent.close_connections();
        place_order(1).unwrap();
        assert!(tracer.flush(PATIENCE));
    });
    assert_eq!((received.span_count(), books.dropped_total()), (21, 0));
}

#[test]
fn a_failure_that_may_pass_is_tried_again() {
    for failure in
        [Answer::status(503), Answer::status(429), Answer::status(408), Answer::reset(), Answer::ok().half()]
    {
        let (received, books) = with_tracer(|agent, tracer| {
            agent.answers_next(failure.clone());
            place_order(1).unwrap();
            assert!(tracer.flush(PATIENCE), "{failure:?}");
        });
        assert_eq!((received.span_count(), books.acknowledged), (3, 3), "{failure:?}");
    }
}

#[test]
fn a_payload_that_is_too_large_is_sent_in_pieces() {
    let (received, books) = with_tracer(|agent, tracer| {
        agent.answers_next(Answer::status(413));
        let text = "x".repeat(20 << 10);
        for _ in 0..50 {
            span("large").root().tag("text", text.as_str()).start().finish();
        }
        assert!(tracer.flush(PATIENCE));
    });
    assert_eq!((received.span_count(), books.dropped_total()), (50, 0));
    assert!(received.payloads().count() >= 3, "one that was refused, and its pieces");
    let mut bodies: Vec<_> = received.payloads().map(|payload| &payload.body).collect();
    let all = bodies.len();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), all, "the same body is not sent again");
}

#[test]
fn a_unix_socket_does_as_well() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("delivery.socket");
    let _ = std::fs::remove_file(&path);
    let received = with_agent_at(&Address::socket(&path), |agent| {
        run(program(PROGRAM, "work", 3).env("DD_TRACE_AGENT_URL", agent.url())).expect_success();
    });
    assert_eq!(received.span_count(), 6);
}

#[test]
fn the_environment_names_what_is_not_said_in_code() {
    let received = dd_traced_tests::with_agent(|agent| {
        let Address::Tcp(port) = agent.address() else { panic!("a port") };
        let mut program = program(PROGRAM, "work", 1);
        program.env("DD_AGENT_HOST", "127.0.0.1").env("DD_TRACE_AGENT_PORT", port.to_string());
        program.env("DD_SERVICE", "cart").env("DD_ENV", "prod").env("DD_VERSION", "7");
        program.env("DD_TAGS", "team:core,tier:1");
        run(&mut program).expect_success();
    });
    let job = received.span("job");
    assert_eq!(job.service, "cart");
    assert_eq!((job.meta("env"), job.meta("version")), (Some("prod"), Some("7")));
    assert_eq!((job.meta("team"), job.meta("tier")), (Some("core"), Some("1")));
}
