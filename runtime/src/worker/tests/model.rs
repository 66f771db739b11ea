//! Random agents and programs: the books, the statistics and what the agent was told agree with what it received.

use super::*;
use crate::export::v04::testing::{Unique, Value, head, record};
use crate::model::{Decision, Flags, Mechanism, SamplingPriority, SpanBuffer, TraceFacts};
use proptest::prelude::*;

const REJECT: Decision =
    Decision { priority: SamplingPriority::USER_REJECT, mechanism: Some(Mechanism::MANUAL), rate: None };
const OFFERS: [&str; 2] = [
    r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":true}"#,
    r#"{"endpoints":["/v0.4/traces","/v0.6/stats"],"client_drop_p0s":false}"#,
];
const STATES: [&str; 2] = ["Datadog-Agent-State: one\r\n", "Datadog-Agent-State: two\r\n"];

fn hits(request: &Received) -> u64 {
    let Unique(fields) = rmp_serde::from_slice::<Unique<Value>>(&request.body).unwrap();
    let list = |value: &Value| if let Value::List(list) = value { list.clone() } else { panic!("{value:?}") };
    let of =
        |value: &Value, field: &str| if let Value::Map(map) = value { map[field].clone() } else { panic!() };
    let groups = list(&fields["Stats"]).into_iter().flat_map(|bucket| list(&of(&bucket, "Stats")));
    groups.map(|group| if let Value::Int(number) = of(&group, "Hits") { number } else { panic!() }).sum()
}

#[derive(Clone, Debug)]
enum Act {
    Push { spans: u64, is_kept: bool, has_failed: bool },
    Flush(u64),
    Mind(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1..40_u64, any::<bool>(), proptest::bool::weighted(0.2))
            .prop_map(|(spans, is_kept, has_failed)| Act::Push { spans, is_kept, has_failed }),
        3 => prop_oneof![Just(0_u64), 1..30_u64, Just(9_000), Just(9_000)].prop_map(Act::Flush),
        1 => (0..2_usize).prop_map(Act::Mind),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn what_an_agent_received_agrees_with_the_books_and_the_statistics(
        acts in proptest::collection::vec(act(), 1..14),
        answers in proptest::collection::vec(proptest::sample::select(vec![200_u16, 200, 200, 200, 400, 413, 429, 503, 0]), 1..12),
    ) {
        let mind = Arc::new(AtomicUsize::new(0));
        let accepted: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (its_mind, taking) = (Arc::clone(&mind), Arc::clone(&accepted));
        let agent = FakeAgent::start(move |number, request| {
            let state = STATES[its_mind.load(Ordering::SeqCst)];
            let status = if request.path.ends_with("/stats") { 200 } else { answers[number % answers.len()] };
            match status {
                0 => return Reply::Close,
                200 => taking.lock().unwrap().push(request.clone()),
                _ => {}
            }
            Reply::Status(status, state, "{}".to_owned())
        });
        let offer = |mind: usize| Reply::Status(200, STATES[mind], OFFERS[mind].to_owned());
        agent.answers_info(offer(0));
        let running = Setup::new(agent.settings()).start();
        let (mut id, mut finished) = (1, 0);
        for act in &acts {
            match *act {
                Act::Push { spans, is_kept, has_failed } => {
                    let facts = (!is_kept).then(|| {
                        let facts = TraceFacts::new(5, None, None);
                        facts.overrule(REJECT);
                        facts
                    });
                    let root = id;
                    let mut buffer = SpanBuffer::new();
                    for index in 0..spans {
                        let mut record = record(&SITE, id, if index == 0 { 0 } else { root });
                        record.flags = record.flags.with(Flags::TOP_LEVEL);
                        if has_failed {
                            record.flags = record.flags.with(Flags::ERROR);
                        }
                        buffer.records.push(record);
                        id += 1;
                    }
                    finished += spans;
                    running.queue.push(&running.outbox, head(5, root, facts), &buffer, 0, 0);
                }
                Act::Flush(limit) => _ = running.handle.flush(Duration::from_millis(limit)),
                Act::Mind(new) => {
                    mind.store(new, Ordering::SeqCst);
                    agent.answers_info(offer(new));
                }
            }
            running.counters();
        }
        running.handle.shutdown(LONG);
        let counters = running.counters();
        prop_assert_eq!((counters.finished(), counters.waiting()), (finished, 0));
        let accepted = accepted.lock().unwrap();
        let payloads: Vec<&Received> = accepted.iter().filter(|request| request.path.ends_with("/traces")).collect();
        let mut ids: Vec<u64> = payloads.iter().flat_map(|payload| payload.chunks()).flatten().map(|span| span.int("span_id")).collect();
        ids.sort_unstable();
        let count = ids.len() as u64;
        ids.dedup();
        prop_assert_eq!((ids.len() as u64, counters.acknowledged()), (count, count), "each once");
        let is_counted = |payload: &Received| payload.header("datadog-client-computed-stats").is_some();
        let counted: usize = payloads.iter().filter(|payload| is_counted(payload)).map(|payload| payload.spans()).sum();
        let all: u64 = accepted.iter().filter(|request| request.path.ends_with("/stats")).map(hits).sum();
        let told: u64 = payloads.iter().filter_map(|payload| payload.header("datadog-client-dropped-p0-spans")?.parse::<u64>().ok()).sum();
        let (lost, p0) = (counters.lost(), counters.dropped(DropReason::P0));
        prop_assert!(told <= p0, "{told} {p0}");
        // Lost spans may have been counted before.
        let least = counted as u64 + p0;
        let books = format!("hits {all} counted {counted} p0 {p0} lost {lost}");
        prop_assert!(all <= least + lost, "{}", books);
        // The time may be over before the agent has them.
        prop_assert!(all >= least || counters.lost_statistics() > 0, "{}", books);
    }
}
