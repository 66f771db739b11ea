//! When the worker looks for abandoned spans.

use super::super::abandoned::PERIOD;
use super::*;
use crate::model::{OpenSpan, OpenSpans, Record, SourceLine, TagLog};

/// A worker that looks a minute after `ago`, with one span that was open long before.
fn looking(agent: &FakeAgent, ago: Duration) -> Running {
    let open = Arc::new(OpenSpans::default());
    let record = Record::open(&SITE, 1, 0, 0);
    open.start(OpenSpan::new(1, &record, &TagLog::new(), 0, SourceLine::of_site(&SITE)));
    let since = Instant::now().checked_sub(ago).unwrap();
    let abandoned = Some(Abandoned::new(open, Duration::from_nanos(1), since));
    Setup { abandoned, ..Setup::new(agent.settings()) }.start()
}

#[test]
fn worker_looks_after_a_minute_without_being_called() {
    let agent = FakeAgent::start(|_, _| ok());
    let running = looking(&agent, PERIOD);
    assert_eq!(running.counters().abandoned_spans(), 1);
    assert!(running.handle.shutdown(LONG));
    assert_eq!(running.counters().abandoned_spans(), 1, "it counts once");
}

#[test]
fn worker_looks_at_the_shutdown_at_the_latest() {
    let agent = FakeAgent::start(|_, _| ok());
    let running = looking(&agent, Duration::ZERO);
    assert!(running.handle.flush(LONG));
    assert_eq!(running.counters().abandoned_spans(), 0);
    assert!(running.handle.shutdown(LONG));
    assert_eq!(running.counters().abandoned_spans(), 1);
}
