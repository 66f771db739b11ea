//! Whether the agent takes a trace, and which rates come back.

use serde_json::{Value, json};

use super::super::connection::worded;
use super::super::finding::{Finding, Problem, Verdict};
use super::super::surroundings::Surroundings;
use super::super::tracer::{DoctorTracer, Taken};
use super::agent::{OTHER, Reached};
use crate::config::Setting;
use crate::diagnostics::without_secrets;
use crate::export::client::{Content, Failure};
use crate::export::counters::DropReason;
use crate::model::TraceId;
use crate::sampling::{AgentRates, normalized};
use crate::trace::span;

/// The operation name of the test trace.
const NAME: &str = "dd_traced.doctor";
const RESOURCE: &str = "test trace";
/// Rates that are shown.
const MAX_RATES: usize = 100;

pub(super) fn skipped(why: &str) -> Finding {
    finding(Verdict::Skipped, format!("no test trace is sent: {why}"))
}

/// Sends a trace of two spans that is kept.
pub(super) fn check(surroundings: &Surroundings, reached: &mut Reached) -> Finding {
    let tracer = DoctorTracer::install(&surroundings.settings);
    tracer.learn_filters(&reached.info);
    let trace_id = finish_test_trace();
    let taken = tracer.take();
    let service = taken.first().and_then(Taken::service).unwrap_or(&surroundings.settings.identity.service);
    let finding = match (tracer.lost(), tracer.encode(&taken, &reached.info)) {
        (Some(reason), _) => without_room(surroundings, reason),
        (None, None) => beyond_limit(surroundings, tracer.max_payload_bytes(&reached.info)),
        (None, Some((body, chunks))) => {
            let content = Content::Traces { body: body.into(), chunks, told: None };
            match reached.connection.ask(content) {
                Ok(_) if !reached.is_agent => finding(
                    Verdict::Warn,
                    "what took the test trace is no agent, and may have thrown it away".to_owned(),
                ),
                Ok(answer) => {
                    tracer.learn(&answer);
                    reached.rates = answer;
                    let answer = taken.first().and_then(Taken::answer);
                    accepted(&tracer.rates(), answer.is_none_or(|answer| answer.is_wanted))
                }
                Err(failure) => refused(&failure, reached),
            }
        }
    };
    let is_accepted = finding.verdict == Verdict::Ok;
    let finding = finding
        .detail("service", service)
        .detail("operation_name", NAME)
        .detail("resource_name", RESOURCE)
        .detail("trace_id", trace_id.to_string());
    if !is_accepted {
        return finding;
    }
    // As the agent writes it; names have at most 100 characters.
    let searched = normalized(&service.chars().take(100).collect::<String>());
    let site = surroundings.settings.table.get("DD_SITE").map(Setting::value).unwrap_or_default();
    finding
        .detail("search", format!("service:{searched} operation_name:{NAME}"))
        .detail("link", format!("{}/apm/trace/{trace_id}", page(site)))
        .advice("not in Datadog after some minutes? Then the agent does not pass it on: `datadog-agent status` tells of its API key and site")
}

/// Gives its id.
fn finish_test_trace() -> TraceId {
    let root =
        span(NAME).resource(RESOURCE).span_type("custom").tag("doctor.version", env!("CARGO_PKG_VERSION"));
    let root = root.start();
    root.keep();
    let trace_id = root.context().trace_id();
    span("dd_traced.doctor.child").child_of(&root.context()).start().finish();
    root.finish();
    trace_id
}

fn accepted(rates: &AgentRates, is_wanted: bool) -> Finding {
    let of_services = rates.of_services();
    let more = of_services.len().saturating_sub(MAX_RATES);
    let mut shown: Vec<Value> = Vec::new();
    if let Some(rate) = rates.default_rate() {
        shown.push(json!({ "service": "", "env": "", "rate": rate }));
    }
    let of_services = of_services.into_iter().take(MAX_RATES);
    shown.extend(of_services.map(|(service, env, rate)| {
        json!({ "service": without_secrets(service), "env": without_secrets(env), "rate": rate })
    }));
    let words = match shown.len() + more {
        0 => "the agent took the test trace, and gave no rates yet".to_owned(),
        1 => "the agent took the test trace, and gave one rate".to_owned(),
        count => format!("the agent took the test trace, and gave {count} rates"),
    };
    let (verdict, words) = if is_wanted {
        (Verdict::Ok, words)
    } else {
        (Verdict::Warn, format!("{words}; and its filters leave this trace out"))
    };
    let finding = finding(verdict, words).detail("rates", shown);
    if more > 0 { finding.detail("rates_not_shown", more) } else { finding }
}

fn refused(failure: &Failure, reached: &Reached) -> Finding {
    let problem = match failure {
        Failure::Refused { .. } => Problem::Refused,
        Failure::Unreachable(_) | Failure::TimedOut => Problem::Unreachable,
    };
    let words = format!("the test trace is lost: {}", worded(failure, &reached.connection.settings));
    let is_of_another = matches!(failure, Failure::Refused { status: 300..400 | 404 | 405, .. });
    let advice = if is_of_another {
        OTHER
    } else {
        "the log of the agent says why; spans that it does not take are lost"
    };
    finding(Verdict::Problem(problem), words).advice(advice)
}

/// Lost as a program would lose it, before an agent is asked.
fn without_room(surroundings: &Surroundings, reason: DropReason) -> Finding {
    let said = surroundings.said("DD_TRACE_WRITER_BUFFER_SIZE_BYTES");
    let words = format!("the test trace is lost before it is sent: {}, with {said}", reason.as_str());
    finding(Verdict::Problem(Problem::Settings), words).advice("let more bytes of spans wait")
}

fn beyond_limit(surroundings: &Surroundings, max_bytes: usize) -> Finding {
    let own = surroundings.settings.writer.max_payload_bytes;
    let (problem, said) = if max_bytes < own {
        (Problem::Refused, format!("the agent says that it takes {max_bytes} bytes at most"))
    } else {
        (Problem::Settings, surroundings.said("DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES"))
    };
    let words = format!(
        "a span of the test trace is lost before it is sent: {}, {said}",
        DropReason::TooLarge.as_str()
    );
    finding(Verdict::Problem(problem), words).advice("allow larger payloads")
}

fn finding(verdict: Verdict, words: String) -> Finding {
    Finding::new("trace", verdict, words)
}

/// The page of Datadog that belongs to a site.
///
/// Source: Datadog's documentation of its sites: `datadoghq.com` is at `app.datadoghq.com`, `us3.datadoghq.com` at its own name.
fn page(site: &str) -> String {
    let is_site = site.contains('.')
        && site.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let site = if is_site { site } else { "datadoghq.com" };
    let host = if site.matches('.').count() == 1 { format!("app.{site}") } else { site.to_owned() };
    format!("https://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_has_its_page() {
        for (site, expected) in [
            ("datadoghq.com", "https://app.datadoghq.com"),
            ("datadoghq.eu", "https://app.datadoghq.eu"),
            ("ddog-gov.com", "https://app.ddog-gov.com"),
            ("us3.datadoghq.com", "https://us3.datadoghq.com"),
            ("", "https://app.datadoghq.com"),
            ("a/b.c?d", "https://app.datadoghq.com"),
        ] {
            assert_eq!(page(site), expected, "{site}");
        }
    }
}
