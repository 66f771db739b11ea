//! The library's own messages in a logger of the program: given in code, or that of the `log` crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dd_traced::{CorrelatedLogger, LogLevel, TracerBuilder, span, traced};
use dd_traced_tests::{Answer, PATIENCE, ready, with_tracer_of};

#[test]
fn a_closure_gets_all_messages_on_a_thread_of_ours_and_is_not_traced() {
    let (send, receive) = mpsc::channel();
    let (received, _) = with_tracer_of(
        |_, tracer| {
            tracer.debug(true).logger(move |level: LogLevel, message: &str| {
                // A span of the logger would make messages that make spans.
                span("within the logger").start().finish();
                let thread = std::thread::current().name().unwrap_or_default().to_owned();
                let _ = send.send((level, message.to_owned(), thread));
            })
        },
        |_, _| span("two\nlines").start().finish(),
    );
    let messages: Vec<_> = receive.try_iter().collect();
    assert_eq!(received.span_count(), 1);
    assert!(messages.iter().all(|(_, message, thread)| thread == "dd-traced-log" && !message.contains('\n')));
    let count = |start: &str| messages.iter().filter(|(_, message, _)| message.starts_with(start)).count();
    assert_eq!(
        (count("span finished: name=\"two\\nlines\""), count("sent payload: ")),
        (1, 1),
        "{messages:#?}"
    );
    assert!(messages.iter().any(|(level, ..)| *level == LogLevel::Info), "the startup line");
}

/// Its one line used to be on stderr.
#[test]
fn a_tracer_that_is_switched_off_tells_the_logger() {
    let (send, receive) = mpsc::channel();
    let logger = move |level: LogLevel, message: &str| drop(send.send((level, message.to_owned())));
    let (received, _) = with_tracer_of(
        |_, tracer| tracer.enabled(false).debug(true).logger(logger),
        |_, _| span("off").start().finish(),
    );
    assert_eq!(received.span_count(), 0);
    let messages: Vec<_> = receive.try_iter().collect();
    assert!(
        matches!(&messages[..], [(LogLevel::Info, line)] if line.starts_with("DATADOG TRACER CONFIG")),
        "{messages:#?}"
    );
}

#[traced(name = "outer", service = "other")]
fn outer() {
    inner();
    ready(later(1));
}

#[traced(name = "inner", resource = "the \"inner\"", type = "worker")]
fn inner() {}

#[traced(name = "later", tags(number))]
async fn later(number: u64) {
    inner();
    let span = span("by hand").resource("of many").start();
    let _active = span.activate();
    deepest();
}

#[traced(name = "deepest")]
fn deepest() {}

/// A span used to be told of only when it was over. The tracer of the process starts anew on a thread that had one without.
#[test]
fn each_span_is_told_when_it_starts_and_when_it_is_sent() {
    let (plain, _) = with_tracer_of(|_, tracer| tracer, |_, _| outer());
    let (send, receive) = mpsc::channel();
    let logger = move |_: LogLevel, message: &str| drop(send.send(message.to_owned()));
    let (received, _) = with_tracer_of(
        |_, tracer| tracer.debug(true).logger(logger),
        |_, _| {
            outer();
            std::thread::spawn(outer).join().unwrap();
        },
    );
    assert_eq!((plain.span_count(), received.span_count()), (6, 12));
    let messages: Vec<_> = receive.try_iter().collect();
    let identities = |start: &str| {
        let of_span =
            messages.iter().filter_map(|message| message.strip_prefix(start)?.split_once(" start_ns="));
        let mut identities: Vec<_> = of_span.map(|(identity, _)| identity.to_owned()).collect();
        identities.sort();
        identities
    };
    let (started, finished) = (identities("span started: "), identities("span finished: "));
    assert_eq!((started.len(), &started), (12, &finished), "{messages:#?}");
    for place in ["name=\"inner\"", "name=\"by hand\"", "service=\"other\"", "type=\"worker\""] {
        assert!(started.iter().any(|identity| identity.contains(place)), "{place}: {started:#?}");
    }
    // It is told before what happens in it.
    let at = |text: &str| messages.iter().position(|message| message.starts_with(text)).unwrap();
    assert!(at("span started: name=\"outer\"") < at("span started: name=\"inner\""), "{messages:#?}");
}

/// The time named used to be the one that a payload has.
#[test]
fn an_agent_that_does_not_answer_is_told_of_with_the_time_it_had() {
    let told = |timeout| {
        let (send, receive) = mpsc::channel();
        let logger = move |_: LogLevel, message: &str| drop(send.send(message.to_owned()));
        let mut told = None;
        with_tracer_of(
            |agent, tracer| {
                agent.answers_all(Answer::never());
                tracer.agent_timeout(timeout).logger(logger)
            },
            |_, _| {
                let mut messages = std::iter::from_fn(|| receive.recv_timeout(PATIENCE).ok());
                told = messages.find(|message| message.starts_with("DATADOG TRACER DIAGNOSTIC"));
            },
        );
        told.unwrap().split_once("no answer within ").unwrap().1.split(' ').next().unwrap().to_owned()
    };
    let told = [Duration::from_secs(2), Duration::from_millis(250)].map(told);
    assert_eq!(told, ["1s", "250ms"]);
}

/// Code says the same as the variables do.
#[test]
fn code_names_the_level_and_the_file() {
    let path = std::env::temp_dir().join(format!("dd-traced-code-{}.log", std::process::id()));
    let told = |level: Option<LogLevel>| {
        let file = path.to_str().unwrap();
        let (received, _) = with_tracer_of(
            |_, tracer| {
                let tracer = tracer.log_file(file);
                level.into_iter().fold(tracer, TracerBuilder::log_level)
            },
            |_, _| span("job").start().finish(),
        );
        assert_eq!(received.span_count(), 1);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        (text.matches("DATADOG TRACER CONFIGURATION").count(), text.matches("span finished: ").count())
    };
    assert_eq!(told(None), (1, 0));
    assert_eq!(told(Some(LogLevel::Error)), (1, 0));
    assert_eq!(told(Some(LogLevel::Debug)), (1, 1));
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(log::Level, String, String)>>>);

impl log::Log for Kept {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() != "not wanted"
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = (record.level(), record.target().to_owned(), record.args().to_string());
        self.0.lock().unwrap().push(line);
        if record.target() == "dd_traced" {
            // What a logger logs itself would come back to it.
            span("within the logger").start().finish();
            log::error!("from within the logger");
        }
    }

    fn flush(&self) {}
}

/// The one test that installs a logger in this process.
#[test]
fn the_log_crate_gets_them_under_our_name_without_ids() {
    let kept = Kept::default();
    CorrelatedLogger::text(kept.clone()).install(log::LevelFilter::Debug).unwrap();
    let (received, _) = with_tracer_of(
        |_, tracer| tracer.debug(true).messages_to_log(),
        |_, _| {
            let job = span("job").start();
            let _active = job.activate();
            log::info!("from the program");
        },
    );
    assert_eq!(received.span_count(), 1);
    let lines = kept.0.lock().unwrap().clone();
    let ours: Vec<_> = lines.iter().filter(|(_, target, _)| target == "dd_traced").collect();
    assert!(ours.iter().any(
        |(level, _, text)| *level == log::Level::Debug && text.starts_with("span finished: name=\"job\"")
    ));
    assert!(
        ours.iter()
            .any(|(level, _, text)| *level == log::Level::Info && text.starts_with("DATADOG TRACER CONFIG"))
    );
    assert!(ours.iter().all(|(_, _, text)| !text.contains("dd.trace_id=")), "{ours:#?}");
    let others: Vec<_> = lines.iter().filter(|(_, target, _)| target != "dd_traced").collect();
    assert_eq!(others.len(), 1, "neither the HTTP client's nor what the logger logs: {others:#?}");
    assert!(others[0].2.contains("dd.trace_id=") && others[0].2.ends_with("from the program"));
}
