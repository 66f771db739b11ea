use super::*;
use crate::export::counters::Ledger;
use crate::model::LeftOut;

const PERIOD: Duration = Duration::from_secs(60);
/// What an attempt may take.
const LIMIT: Duration = Duration::from_millis(1_500);
const HINT: &str =
    " (is a Datadog Agent listening there? DD_TRACE_AGENT_URL or DD_AGENT_HOST name another one)";

/// So many seconds after 2026-07-01T12:00:00Z.
fn at(seconds: u64) -> Moment {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    let wall = UNIX_EPOCH + Duration::from_secs(1_782_907_200 + seconds);
    Moment { at: start + Duration::from_secs(seconds), wall }
}

fn report() -> (Ledger, Report) {
    (Ledger::default(), Report::new(PERIOD))
}

fn unreachable() -> Failure {
    Failure::Unreachable("Connection refused (os error 111)".into())
}

const UNREACHABLE: &str = "Agent not reachable at http://localhost:8126: Connection refused (os error 111)";

fn lose(ledger: &Ledger, reason: DropReason, traces: usize, spans: usize) {
    ledger.drop_spans(reason, spans);
    ledger.drop_chunks(reason, traces);
}

fn due(report: &mut Report, ledger: &Ledger, seconds: u64) -> Vec<String> {
    report.due(&ledger.snapshot(0), at(seconds))
}

#[test]
fn first_loss_is_told_with_address_and_cause() {
    let (ledger, mut report) = report();
    assert!(due(&mut report, &ledger, 0).is_empty());
    report.failed(&unreachable(), &AgentSettings::default(), LIMIT, at(0));
    lose(&ledger, DropReason::Net, 2, 3);
    let expected = format!("{UNREACHABLE}{HINT}; lost 2 traces, 3 spans: net 3");
    assert_eq!(due(&mut report, &ledger, 0), [expected]);
}

#[test]
fn each_kind_has_a_minute_of_its_own() {
    let (ledger, mut report) = report();
    lose(&ledger, DropReason::QueueFull, 1, 1);
    assert_eq!(due(&mut report, &ledger, 0), ["lost 1 trace, 1 span: queue_full 1"]);
    lose(&ledger, DropReason::QueueFull, 1, 2);
    lose(&ledger, DropReason::Timeout, 1, 5);
    lose(&ledger, DropReason::AfterShutdown, 1, 9);
    assert_eq!(due(&mut report, &ledger, 20), ["lost 1 trace, 5 spans: timeout 5"]);
    assert!(due(&mut report, &ledger, 59).is_empty());
    let expected = "lost 1 trace, 2 spans: queue_full 2; 1 like message left out since 2026-07-01T12:00:20Z";
    assert_eq!(due(&mut report, &ledger, 60), [expected]);
    assert!(due(&mut report, &ledger, 9_999).is_empty());
}

/// It used to be counted and not told.
#[test]
fn what_spans_have_too_much_of_is_told_as_losses_are() {
    let (ledger, mut report) = report();
    ledger.leave_out(LeftOut { links: 1, events: 2, attributes: 3, tags: 0 });
    let expected = "left out of spans beyond their limits: links 1, events 2, attributes 3";
    assert_eq!(due(&mut report, &ledger, 0), [expected]);
    ledger.leave_out_unwritten(5, 1);
    assert!(due(&mut report, &ledger, 59).is_empty(), "once a minute");
    lose(&ledger, DropReason::Net, 1, 1);
    let lines = report.rest(&ledger.snapshot(0), at(59));
    let expected = [
        "lost 1 trace, 1 span: net 1",
        "left out of spans beyond their limits: events 1, tags 5; 1 like message left out since \
         2026-07-01T12:00:59Z",
    ];
    assert_eq!(lines, expected);
    assert!(report.rest(&ledger.snapshot(0), at(60)).is_empty());
    ledger.lose_statistics(2);
    assert_eq!(report.rest(&ledger.snapshot(0), at(60)), ["lost 2 payloads of statistics"]);
}

#[test]
fn rest_is_told_however_early_and_once() {
    let (ledger, mut report) = report();
    report.failed(&unreachable(), &AgentSettings::default(), LIMIT, at(0));
    lose(&ledger, DropReason::Net, 1, 1);
    assert_eq!(due(&mut report, &ledger, 0).len(), 1);
    lose(&ledger, DropReason::Net, 1, 3);
    lose(&ledger, DropReason::ShutdownDeadline, 2, 4);
    lose(&ledger, DropReason::TooLarge, 1, 1);
    lose(&ledger, DropReason::Http5xx, 1, 1);
    let server = Failure::Refused { status: 500, retry_after: None, text: String::new() };
    report.failed(&server, &AgentSettings::default(), LIMIT, at(1));
    report.failed(&unreachable(), &AgentSettings::default(), LIMIT, at(2));
    let lines = report.rest(&ledger.snapshot(0), at(3));
    assert_eq!(
        lines,
        [
            format!("{UNREACHABLE}; lost 3 traces, 8 spans: too_large 1, net 3, shutdown_deadline 4"),
            "Agent at http://localhost:8126 refuses spans (status 500); lost 1 trace, 1 span: http_5xx 1"
                .to_owned(),
        ]
    );
    assert!(report.rest(&ledger.snapshot(0), at(4)).is_empty());
}

#[test]
fn messages_between_two_warnings_are_counted_and_recovery_is_one_line() {
    let (ledger, mut report) = report();
    let agent = AgentSettings::default();
    assert_eq!(report.recovered(&agent), None, "nobody was told that it fails");
    for second in 0..59 {
        report.failed(&unreachable(), &agent, LIMIT, at(second));
        lose(&ledger, DropReason::Net, 1, 2);
        assert_eq!(due(&mut report, &ledger, second).len(), usize::from(second == 0), "{second}");
        assert!(due(&mut report, &ledger, second).is_empty(), "nothing new");
    }
    let expected = format!(
        "{UNREACHABLE}; lost 58 traces, 116 spans: net 116; 58 like messages left out since 2026-07-01T12:00:01Z"
    );
    assert_eq!(due(&mut report, &ledger, 60), [expected]);
    let again = "Agent at http://localhost:8126 takes spans again, after 59 failed attempts since \
                 2026-07-01T12:00:00Z";
    assert_eq!([report.recovered(&agent), report.recovered(&agent)], [Some(again.to_owned()), None]);
}

/// The hint was in the line of the start and in the first warning.
#[test]
fn what_can_be_done_is_told_once_until_the_agent_recovers() {
    let (ledger, mut report) = report();
    let agent = AgentSettings::default();
    let hints = |report: &mut Report| {
        report.failed(&unreachable(), &agent, LIMIT, at(0));
        lose(&ledger, DropReason::Net, 1, 1);
        let lines = report.rest(&ledger.snapshot(0), at(0));
        lines.iter().filter(|line| line.contains(HINT)).count()
    };
    report.diagnosed();
    assert_eq!([hints(&mut report), hints(&mut report)], [0, 0]);
    assert!(report.recovered(&agent).is_some());
    assert_eq!([hints(&mut report), hints(&mut report)], [1, 0]);
}

#[test]
fn without_a_period_each_loss_is_told() {
    let (ledger, mut report) = (Ledger::default(), Report::new(Duration::ZERO));
    for _ in 0..3 {
        lose(&ledger, DropReason::Net, 1, 1);
        assert_eq!(due(&mut report, &ledger, 0), ["lost 1 trace, 1 span: net 1"]);
    }
}

#[test]
fn failure_that_lasts_is_told_before_the_loss() {
    let (ledger, mut report) = report();
    report.failed(&Failure::TimedOut, &AgentSettings::default(), LIMIT, at(0));
    assert_eq!(report.retried(Duration::from_millis(999), at(0)), None, "it is lost or delivered soon");
    let text = report.retried(PATIENCE, at(0)).unwrap();
    assert!(text.contains("http://localhost:8126: no answer within 1.5s"), "{text}");
    assert!(text.ends_with("; trying again"), "{text}");
    assert_eq!(report.retried(PATIENCE, at(10)), None);
    lose(&ledger, DropReason::Timeout, 1, 2);
    assert!(due(&mut report, &ledger, 11).is_empty());
    let [line] = &due(&mut report, &ledger, 60)[..] else { panic!("one line") };
    assert!(line.contains("no answer within 1.5s"), "{line}");
    assert!(line.ends_with("; 2 like messages left out since 2026-07-01T12:00:10Z"), "{line}");
}

#[test]
fn agent_that_recovered_is_blamed_for_its_own_losses_only() {
    let (ledger, mut report) = report();
    report.failed(&unreachable(), &AgentSettings::default(), LIMIT, at(0));
    let _ = report.recovered(&AgentSettings::default());
    lose(&ledger, DropReason::Net, 1, 1);
    lose(&ledger, DropReason::TooLarge, 1, 1);
    let [large, net] = &report.rest(&ledger.snapshot(0), at(0))[..] else { panic!("two lines") };
    assert!(net.contains("Connection refused"), "{net}");
    assert_eq!(large, "lost 1 span: too_large 1");
}

#[test]
fn interrupted_attempt_is_a_cause_where_nothing_failed_before() {
    let (ledger, mut report) = report();
    report.interrupted(Duration::from_millis(1_990), &AgentSettings::default());
    lose(&ledger, DropReason::ShutdownDeadline, 1, 24);
    let [line] = &report.rest(&ledger.snapshot(0), at(0))[..] else { panic!("one line") };
    assert!(line.starts_with("Agent at http://localhost:8126 gave no answer in 2.0s, before"), "{line}");
    assert!(line.ends_with("; lost 1 trace, 24 spans: shutdown_deadline 24"), "{line}");
    let (ledger, mut report) = (Ledger::default(), Report::new(PERIOD));
    report.failed(&unreachable(), &AgentSettings::default(), LIMIT, at(0));
    report.interrupted(PATIENCE, &AgentSettings::default());
    lose(&ledger, DropReason::ShutdownDeadline, 1, 1);
    assert!(report.rest(&ledger.snapshot(0), at(0))[0].contains("Connection refused"));
}

#[test]
fn cause_tells_who_refused_and_how() {
    let text = |status, text: &str| {
        let failure = Failure::Refused { status, retry_after: None, text: text.to_owned() };
        cause(&failure, &AgentSettings::default(), LIMIT)
    };
    assert!(text(403, "no\nway").ends_with(r"refuses spans (status 403): no\nway"));
    let told = text(403, r#"{"DD-API-KEY":"s3cret"} Authorization: Bearer s3cret http://me:s3cret@shop/"#);
    assert!(told.contains("status 403") && !told.contains("s3cret"), "{told}");
    assert!(text(500, " ").ends_with("refuses spans (status 500)"));
    assert!(text(302, "").contains("redirect"));
    assert!(text(429, "").contains("overloaded"));
    assert!(cause(&Failure::TimedOut, &AgentSettings::default(), LIMIT).contains("no answer within 1.5s"));
}

/// They used to have a digit of no use, as in `454.0ms`.
#[test]
fn a_time_has_two_or_three_digits() {
    let told = |us| span_of_time(Duration::from_micros(us));
    assert_eq!([told(35), told(454_012), told(999_999), told(2_060_000)], ["35µs", "454ms", "999ms", "2.1s"]);
}
