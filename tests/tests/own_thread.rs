//! What the library's own thread does is neither traced nor found in the user's log, though its HTTP client tells `tracing` of everything.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;

use dd_traced::{CorrelatedFormat, SpanLayer, span};
use dd_traced_tests::with_tracer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, fmt, registry};

static LINES: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());

/// Keeps what is written, with the name of the logger, unless this thread is a test's.
struct Kept(&'static str);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes).into_owned();
        let is_own = thread::current().name().is_some_and(|name| name.starts_with("dd-trace"));
        if !line.is_empty() && (is_own || line.contains("said by the test")) {
            LINES.lock().unwrap_or_else(PoisonError::into_inner).push((self.0, line));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test: the subscriber is the process's.
#[test]
fn nothing_of_the_library_is_traced_or_logged() {
    let plain = fmt::layer().with_writer(|| Kept("plain")).boxed();
    let text = fmt::layer().map_event_format(CorrelatedFormat::text).with_writer(|| Kept("text")).boxed();
    let json =
        fmt::layer().json().map_event_format(CorrelatedFormat::json).with_writer(|| Kept("json")).boxed();
    let subscriber = registry().with(SpanLayer::new()).with(plain).with(text).with(json);
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");

    let (received, books) = with_tracer(|_, _| {
        span("work").start().finish();
        tracing::info!("said by the test");
    });
    assert_eq!((received.span_count(), books.finished), (1, 1), "{}", received.tree());
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let count = |name| lines.iter().filter(|(logger, _)| *logger == name).count();
    assert!(count("plain") > 1, "the client tells a logger without a wrapper of its requests: {lines:#?}");
    assert_eq!((count("text"), count("json")), (1, 1), "{lines:#?}");
}
