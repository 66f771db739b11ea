//! Statistics: where the agent leaves them to the tracer, spans are counted, and what is not kept stays away.

use super::*;
use crate::export::v04::testing::{Unique, Value, WireSpan, decode, head, record};
use crate::model::{Decision, Flags, Mechanism, Record, SamplingPriority, SpanBuffer, TraceFacts};

const OFFER: &str = r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true}"#;
const REJECT: Decision =
    Decision { priority: SamplingPriority::USER_REJECT, mechanism: Some(Mechanism::MANUAL), rate: None };

/// A worker that has heard what the agent says of itself.
pub(super) fn started(setup: Setup) -> Running {
    let running = setup.start();
    let start = Instant::now();
    while running.agent_info.get().is_none() {
        assert!(start.elapsed() < LONG);
        std::thread::yield_now();
    }
    assert!(running.handle.flush(LONG));
    running
}

fn offered(says: &str) -> (FakeAgent, Running) {
    let agent = FakeAgent::start(|_, _| ok());
    agent.says(says);
    let running = started(Setup::new(agent.settings()));
    (agent, running)
}

impl Running {
    /// Hands over a trace of a root and children, changed by `change` before; not kept if it is rejected.
    pub(super) fn push_trace(&self, spans: u64, is_kept: bool, change: impl Fn(&mut SpanBuffer)) {
        let facts = (!is_kept).then(|| {
            let facts = TraceFacts::new(5, None, None);
            facts.overrule(REJECT);
            facts
        });
        let mut buffer = SpanBuffer::new();
        for index in 0..spans {
            let mut record = record(&SITE, 10 + index, if index == 0 { 0 } else { 10 });
            if index == 0 {
                record.flags = record.flags.with(Flags::TOP_LEVEL);
            }
            buffer.records.push(record);
        }
        change(&mut buffer);
        self.queue.push(&self.outbox, head(5, 10, facts), &buffer, 0, 0);
    }
}

fn analysed(buffer: &mut SpanBuffer, index: usize, rate: f64) {
    let SpanBuffer { records, tags } = buffer;
    records[index].tags = tags.metric(records[index].tags, "_dd1.sr.eausr", rate);
}

fn failed(record: &mut Record) {
    record.flags = record.flags.with(Flags::ERROR);
}

fn payloads(agent: &FakeAgent) -> Vec<Received> {
    agent.received().into_iter().filter(|request| request.path.ends_with("/v0.4/traces")).collect()
}

fn statistics(agent: &FakeAgent) -> Vec<Received> {
    agent.received().into_iter().filter(|request| request.path.ends_with("/v0.6/stats")).collect()
}

/// The sum of a field over all groups of a request.
fn sum(request: &Received, field: &str) -> u64 {
    let Unique(fields) = rmp_serde::from_slice::<Unique<Value>>(&request.body).unwrap();
    let list = |value: &Value| if let Value::List(list) = value { list.clone() } else { panic!("{value:?}") };
    let of =
        |value: &Value, field: &str| if let Value::Map(map) = value { map[field].clone() } else { panic!() };
    let groups = list(&fields["Stats"]).into_iter().flat_map(|bucket| list(&of(&bucket, "Stats")));
    groups.map(|group| if let Value::Int(number) = of(&group, field) { number } else { panic!() }).sum()
}

fn told(request: &Received) -> [Option<&str>; 3] {
    ["computed-stats", "dropped-p0-traces", "dropped-p0-spans"]
        .map(|name| request.header(&format!("datadog-client-{name}")))
}

#[test]
fn spans_are_counted_where_the_agent_leaves_that_to_the_tracer() {
    let (agent, running) = offered(OFFER);
    for _ in 0..3 {
        running.push_trace(4, true, |_| ());
    }
    running.push_trace(2, false, |_| ());
    assert!(running.handle.flush(LONG));
    let statistics = statistics(&agent);
    assert_eq!(statistics.len(), 1);
    assert_eq!((sum(&statistics[0], "Hits"), sum(&statistics[0], "TopLevelHits")), (4, 4));
    assert_eq!(statistics[0].header("content-type"), Some("application/msgpack"));
    assert_eq!(statistics[0].header("datadog-meta-lang"), Some("rust"));
    assert_eq!(statistics[0].header("datadog-obfuscation-version"), None, "nothing is obfuscated here");
    assert_eq!(told(&payloads(&agent)[0]), [Some("yes"), Some("1"), Some("2")]);
    assert!(running.handle.flush(LONG));
    assert_eq!(agent.received().len(), 2, "there is nothing more to send");
}

#[test]
fn agent_that_does_not_leave_them_to_the_tracer_gets_everything() {
    for (says, is_enabled) in [
        (OFFER, false),
        (r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":false}"#, true),
        (r#"{"endpoints":["/v0.4/traces"],"client_drop_p0s":true}"#, true),
        ("{}", true),
    ] {
        let agent = FakeAgent::start(|_, _| ok());
        agent.says(says);
        let mut setup = Setup::new(agent.settings());
        setup.statistics.is_enabled = is_enabled;
        let running = started(setup);
        running.push_trace(2, false, |_| ());
        running.push_trace(1, true, |_| ());
        assert!(running.handle.shutdown(LONG));
        assert_eq!((agent.spans(), agent.received().len()), (3, 1), "{says}");
        assert_eq!(told(&agent.received()[0]), [None; 3], "{says}");
        assert_eq!(running.counters().dropped_total(), 0);
    }
}

#[test]
fn what_is_not_kept_stays_away_and_is_in_the_books() {
    let (agent, running) = offered(OFFER);
    running.push_trace(3, false, |_| ());
    running.push_trace(5, false, |_| ());
    assert!(running.handle.flush(LONG), "nothing that anybody wanted is lost");
    assert_eq!(payloads(&agent).len(), 0);
    assert_eq!(sum(&statistics(&agent)[0], "Hits"), 2);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::P0), counters.dropped_total(), counters.waiting()), (8, 8, 0));
    running.push_trace(1, true, |_| ());
    assert!(running.handle.shutdown(LONG) && running.handle.flush(LONG));
    assert_eq!(told(&payloads(&agent)[0]), [Some("yes"), Some("2"), Some("8")]);
    assert_eq!(running.counters().acknowledged(), 1);
}

#[test]
fn failed_trace_is_sent_whole_whatever_was_decided() {
    let (agent, running) = offered(OFFER);
    running.push_trace(3, false, |buffer| failed(&mut buffer.records[2]));
    assert!(running.handle.flush(LONG));
    let chunks = payloads(&agent)[0].chunks();
    assert_eq!((chunks.len(), chunks[0].len()), (1, 3));
    assert_eq!(chunks[0][0].metric("_sampling_priority_v1"), Some(-1.0));
    assert_eq!(told(&payloads(&agent)[0]), [Some("yes"), None, None]);
}

#[test]
fn analysed_spans_are_sent_alone_with_what_belongs_to_the_trace() {
    let (agent, running) = offered(OFFER);
    running.push_trace(5, false, |buffer| {
        analysed(buffer, 1, 0.0);
        analysed(buffer, 2, 1.0);
        analysed(buffer, 4, 1.0);
    });
    running.push_trace(2, false, |buffer| analysed(buffer, 1, 0.0));
    assert!(running.handle.flush(LONG));
    let chunks = payloads(&agent)[0].chunks();
    let ids = |chunk: &[WireSpan]| chunk.iter().map(|span| span.int("span_id")).collect::<Vec<_>>();
    assert_eq!(chunks.iter().map(|chunk| ids(chunk)).collect::<Vec<_>>(), [[12, 14]]);
    let first = &chunks[0][0];
    assert_eq!((first.metric("_sampling_priority_v1"), first.meta("_dd.p.dm")), (Some(-1.0), Some("-4")));
    assert!(first.meta("runtime-id").is_some() && first.meta("language") == Some("rust"));
    assert_eq!(chunks[0][1].metric("_sampling_priority_v1"), None);
    assert_eq!(told(&payloads(&agent)[0]), [Some("yes"), Some("1"), Some("5")]);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::P0), counters.acknowledged(), counters.waiting()), (5, 2, 0));
}

#[test]
fn spans_selected_by_a_rule_are_sent_alone_and_say_so() {
    let agent = FakeAgent::start(|_, _| ok());
    agent.says(OFFER);
    let mut setup = Setup::new(agent.settings());
    let rules = crate::sampling::json::span_rules(r#"[{"tags":{"kept":"*"},"max_per_second":50}]"#);
    setup.sampling.span_rules = rules.unwrap().rules;
    let running = started(setup);
    let tag = |buffer: &mut SpanBuffer, index: usize| {
        let SpanBuffer { records, tags } = buffer;
        records[index].tags = tags.meta(records[index].tags, "kept", "yes");
    };
    running.push_trace(4, false, |buffer| {
        tag(buffer, 1);
        tag(buffer, 3);
        analysed(buffer, 2, 1.0);
    });
    running.push_trace(60, false, |buffer| tag(buffer, 0));
    running.push_trace(3, false, |_| ());
    assert!(running.handle.flush(LONG));
    let chunks = payloads(&agent)[0].chunks();
    let ids: Vec<Vec<u64>> =
        chunks.iter().map(|chunk| chunk.iter().map(|span| span.int("span_id")).collect()).collect();
    assert_eq!(ids, [vec![11, 12, 13], vec![10]]);
    let facts = |span: &WireSpan| {
        ["mechanism", "rule_rate", "max_per_second"]
            .map(|key| span.metric(&format!("_dd.span_sampling.{key}")))
    };
    let selected = [Some(8.0), Some(1.0), Some(50.0)];
    assert_eq!(chunks[0].iter().map(facts).collect::<Vec<_>>(), [selected, [None; 3], selected]);
    for chunk in &chunks {
        assert_eq!(
            (chunk[0].metric("_sampling_priority_v1"), chunk[0].meta("_dd.p.dm")),
            (Some(-1.0), Some("-4"))
        );
    }
    assert_eq!(told(&payloads(&agent)[0]), [Some("yes"), Some("1"), Some("63")]);
    assert_eq!((sum(&statistics(&agent)[0], "Hits"), running.counters().dropped(DropReason::P0)), (3, 63));
}

#[test]
fn traces_that_the_agent_does_not_want_are_neither_sent_nor_counted() {
    let (agent, running) = offered(
        r#"{"endpoints":["/v0.6/stats"],"client_drop_p0s":true,"filter_tags":{"reject":["synthetic:true"]},"ignore_resources":["^noise"]}"#,
    );
    let tag = |key: &'static str| {
        move |buffer: &mut SpanBuffer| {
            let SpanBuffer { records, tags } = buffer;
            records[0].tags = tags.meta(records[0].tags, key, "true");
        }
    };
    running.push_trace(2, true, tag("synthetic"));
    running.push_trace(3, true, tag("other"));
    running.push_trace(4, false, tag("synthetic"));
    running.push_trace(5, true, |buffer| {
        tag("synthetic")(buffer);
        // Its root is elsewhere: nothing is known of the trace.
        buffer.records[0].span_id = 7;
    });
    running.push_trace(6, true, |buffer| {
        let SpanBuffer { records, tags } = buffer;
        records[0].tags = tags.field(records[0].tags, crate::model::EntryKind::Resource, "noise");
        records[0].flags = records[0].flags.with(Flags::FIELDS).with(Flags::ERROR);
    });
    assert!(running.handle.flush(LONG), "nothing that anybody wanted is lost");
    assert_eq!((agent.spans(), sum(&statistics(&agent)[0], "Hits")), (8, 2));
    assert_eq!(told(&payloads(&agent)[0]), [Some("yes"), None, None]);
    let counters = running.counters();
    assert_eq!((counters.dropped(DropReason::TraceFilter), counters.dropped_total()), (12, 12));
}

#[test]
fn agent_is_told_once_of_what_stayed_away() {
    let (agent, running) = offered(OFFER);
    let mut seen = Vec::new();
    for _ in 0..4 {
        running.push_trace(2, false, |_| ());
        let mut kept = batch(&SITE, 1, 1);
        kept.common.records[0].flags = Flags::FINISHED;
        running.queue.push(&running.outbox, kept.heads[0].clone(), &kept.common, 0, 0);
        running.handle.flush(LONG);
    }
    for payload in payloads(&agent) {
        seen.push(told(&payload)[1].map(str::to_owned));
    }
    let expected = ["1", "1", "1", "1"].map(|count| Some(count.to_owned()));
    assert_eq!(seen, expected);
}

#[test]
fn counts_wait_for_a_payload_that_is_taken() {
    let agent = FakeAgent::start(|_, request| {
        if request.chunks().iter().flatten().any(|span| span.int("span_id") == 10) {
            status(400)
        } else {
            ok()
        }
    });
    agent.says(OFFER);
    let running = started(Setup::new(agent.settings()));
    running.push_trace(2, false, |_| ());
    running.push_trace(1, true, |_| ());
    assert!(!running.handle.flush(LONG), "a payload was refused");
    running.push_trace(3, false, |_| ());
    running.push(1, 1);
    assert!(running.handle.flush(LONG));
    let told: Vec<_> = payloads(&agent).iter().map(|p| told(p).map(|text| text.map(str::to_owned))).collect();
    let spans: Vec<_> = told.iter().map(|told| told[2].as_deref()).collect();
    assert_eq!(spans, [Some("2"), Some("5")]);
}

#[test]
fn statistics_that_are_not_taken_are_tried_again_and_then_lost() {
    for (code, tries) in [(503, 3), (429, 3), (400, 1), (413, 1)] {
        let agent = FakeAgent::start(
            move |_, request| {
                if request.path.ends_with("/stats") { status(code) } else { ok() }
            },
        );
        agent.says(OFFER);
        let running = started(Setup::new(agent.settings()));
        running.push_trace(1, true, |_| ());
        assert!(running.handle.flush(LONG), "spans arrived");
        for _ in 0..4 {
            assert!(running.handle.flush(LONG));
        }
        assert_eq!(statistics(&agent).len(), tries, "{code}");
        assert_eq!(running.counters().lost_statistics(), 1, "{code}");
        assert!(statistics(&agent).windows(2).all(|pair| pair[0].body == pair[1].body), "the same again");
    }
}

/// The wish used to be heard of payloads of spans alone.
#[test]
fn agent_that_wants_to_be_left_alone_gets_no_statistics_meanwhile() {
    let busy = || Reply::Status(429, "Retry-After: 30\r\n", "{}".to_owned());
    let agent =
        FakeAgent::start(move |_, request| if request.path.ends_with("/stats") { busy() } else { ok() });
    agent.says(OFFER);
    let running = started(Setup::new(agent.settings()));
    running.push_trace(1, true, |_| ());
    for _ in 0..4 {
        assert!(running.handle.flush(LONG));
    }
    assert_eq!((statistics(&agent).len(), running.counters().lost_statistics()), (1, 0), "they wait");
    assert_eq!(running.counters().acknowledged(), 1);
}

#[test]
fn last_statistics_are_sent_at_the_end() {
    let agent = FakeAgent::start(|number, _| if number == 1 { status(503) } else { ok() });
    agent.says(OFFER);
    let running = started(Setup::new(agent.settings()));
    running.push_trace(2, true, |_| ());
    assert!(running.handle.shutdown(LONG));
    let statistics = statistics(&agent);
    assert_eq!((statistics.len(), sum(&statistics[1], "Hits")), (2, 1));
}

#[test]
fn silent_statistics_do_not_hold_up_the_end() {
    let agent =
        FakeAgent::start(|_, request| if request.path.ends_with("/stats") { Reply::Silence } else { ok() });
    agent.says(OFFER);
    let running = started(Setup::new(AgentSettings { timeout: LONG, ..agent.settings() }));
    running.push_trace(2, true, |_| ());
    let start = Instant::now();
    running.handle.shutdown(Duration::from_millis(300));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!((running.counters().acknowledged(), statistics(&agent).len()), (2, 1));
    assert_eq!(running.counters().lost_statistics(), 1);
}

/// What the agent may have is not sent again: it would count the same spans twice.
#[test]
fn slow_agent_counts_spans_once_however_short_flushes_are() {
    let agent = FakeAgent::start(|_, request| {
        if request.path.ends_with("/stats") {
            std::thread::sleep(Duration::from_millis(400));
        }
        ok()
    });
    agent.says(OFFER);
    let running = started(Setup::new(agent.settings()));
    for limits in [&[0, 1, 0, 20, 5][..], &[0, 0, 0, 0], &[150, 150, 150, 150], &[0, 200, 150, 0, 150]] {
        let before = statistics(&agent).len();
        running.push_trace(1, true, |_| ());
        for limit in limits {
            running.handle.flush(Duration::from_millis(*limit));
        }
        running.handle.flush(LONG);
        let hits: Vec<u64> =
            statistics(&agent)[before..].iter().map(|request| sum(request, "Hits")).collect();
        assert_eq!(hits, [1], "{limits:?}");
    }
}

/// What a flush had no time for is neither lost nor sent twice.
#[test]
fn payloads_behind_a_slow_one_wait_for_the_next_flush() {
    let slow = AtomicUsize::new(1);
    let agent = FakeAgent::start(move |_, request| {
        if request.path.ends_with("/stats") && slow.swap(0, Ordering::SeqCst) == 1 {
            std::thread::sleep(Duration::from_secs(1));
        }
        ok()
    });
    agent.says(OFFER);
    let mut setup = Setup::new(agent.settings());
    setup.writer.max_payload_bytes = 3_000;
    let running = started(setup);
    for number in 0..20 {
        running.push_trace(1, true, |buffer| {
            let SpanBuffer { records, tags } = buffer;
            let name = number.to_string();
            records[0].tags = tags.field(records[0].tags, crate::model::EntryKind::Resource, &name);
            records[0].flags = records[0].flags.with(Flags::FIELDS);
        });
    }
    running.handle.flush(Duration::from_millis(500));
    running.handle.flush(LONG);
    let statistics = statistics(&agent);
    assert!(statistics.len() > 2);
    assert_eq!(statistics.iter().map(|request| sum(request, "Hits")).sum::<u64>(), 20);
}

/// Only what the agent did not take is bounded: a service of many resources and durations has more than that at once.
#[test]
fn large_statistics_arrive_whole() {
    let agent = FakeAgent::start(|_, _| ok());
    agent.says(OFFER);
    let mut setup = Setup::new(agent.settings());
    setup.writer.max_payload_bytes = 2 << 20;
    let running = started(setup);
    for number in 0..400 {
        running.push_trace(2, true, |buffer| {
            let SpanBuffer { records, tags } = buffer;
            let name = number.to_string();
            for (record, duration) in records.iter_mut().zip([1, 1 << 50]) {
                record.tags = tags.field(record.tags, crate::model::EntryKind::Resource, &name);
                record.flags = record.flags.with(Flags::FIELDS).with(Flags::TOP_LEVEL);
                record.flags = record.flags.with(Flags::START_GIVEN).with(Flags::END_GIVEN);
                (record.parent_id, record.start, record.end) = (0, 1, 1 + duration);
            }
        });
    }
    assert!(running.handle.flush(LONG));
    let statistics = statistics(&agent);
    assert!(statistics.iter().map(|request| request.body.len()).sum::<usize>() > 4 << 20);
    assert_eq!(statistics.iter().map(|request| sum(request, "Hits")).sum::<u64>(), 800);
}

#[test]
fn agent_that_changes_its_mind_gets_everything_again() {
    let agent = FakeAgent::start(|_, _| Reply::Status(200, "Datadog-Agent-State: two\r\n", "{}".to_owned()));
    agent.answers_info(Reply::Status(200, "Datadog-Agent-State: one\r\n", OFFER.to_owned()));
    let running = started(Setup::new(agent.settings()));
    agent.answers_info(Reply::Status(200, "Datadog-Agent-State: two\r\n", r#"{"version":"2"}"#.to_owned()));
    running.push_trace(2, true, |_| ());
    assert!(running.handle.flush(LONG));
    let start = Instant::now();
    while running.agent_info.get().is_some_and(|info| info.client_drop_p0s) {
        assert!(start.elapsed() < LONG);
        std::thread::yield_now();
    }
    assert!(running.handle.flush(LONG));
    running.push_trace(3, false, |_| ());
    assert!(running.handle.flush(LONG));
    let payloads = payloads(&agent);
    assert_eq!((told(&payloads[0])[0], told(&payloads[1])), (Some("yes"), [None; 3]));
    assert_eq!(agent.spans(), 5);
}

/// Asks why each trace is kept, and looks at nothing.
struct Indifferent;

impl Viewer for Indifferent {
    fn settle(&mut self) {}
    fn finish(&mut self) {}
    fn show(&mut self, _: &ViewChunk<'_>) {}
}

/// Each of them used to take a place within the limit from a trace that is sent.
#[test]
fn traces_that_the_agent_does_not_want_use_up_no_limiter() {
    let says = r#"{"endpoints":["/v0.6/stats"],"client_drop_p0s":true,"filter_tags":{"reject":["health"]}}"#;
    for is_viewed in [false, true] {
        let agent = FakeAgent::start(|_, _| ok());
        agent.says(says);
        let mut setup = Setup::new(AgentSettings { is_explicit: true, ..agent.settings() });
        setup.sampling = SamplingSettings { rate: Some(1.0), limit: 0.001, ..SamplingSettings::default() };
        setup.viewer = is_viewed.then(|| Box::new(Indifferent) as Box<dyn Viewer>);
        let running = started(setup);
        let unwanted = |buffer: &mut SpanBuffer| buffer.records[0].tags = buffer.tags.meta(0, "health", "1");
        (0..9).for_each(|_| running.push_trace(1, true, unwanted));
        running.push_trace(1, true, |_| ());
        running.push_trace(1, true, |_| ());
        assert!(running.handle.flush(LONG));
        let counters = running.counters();
        let dropped = [DropReason::TraceFilter, DropReason::P0].map(|reason| counters.dropped(reason));
        assert_eq!((dropped, counters.acknowledged()), ([9, 1], 1), "is viewed: {is_viewed}");
        let [payload] = &payloads(&agent)[..] else { panic!("one payload") };
        let sent = decode(&payload.body);
        assert_eq!(sent[0][0].metric("_dd.limit_psr"), Some(1.0));
    }
}
