//! Whether a trace would be kept, and why.

use std::collections::HashMap;

use super::super::arguments::Asked;
use super::super::connection::{Connection, within_reason, worded};
use super::super::finding::{Finding, Verdict};
use super::super::surroundings::Surroundings;
use super::super::tracer::{Answer, DoctorTracer, Taken};
use crate::config::Origin;
use crate::diagnostics::without_secrets;
use crate::export::client::{Content, Failure};
use crate::export::info;
use crate::export::settings::AgentSettings;
use crate::model::{AgentInfo, TraceId};
use crate::sampling::{SamplingStep, WhySampled};
use crate::trace::{SpanContext, extract, span};

/// The operation name where none is given.
const DEFAULT_NAME: &str = "web.request";

/// Makes a span as it is asked about, with the agent's rates where it can be reached, and lets the tracer decide.
pub(super) fn check(surroundings: &Surroundings, asked: &Asked) -> Finding {
    let tracer = DoctorTracer::install(&surroundings.settings);
    let rates = learn_from_agent(surroundings, &tracer);
    let trace_id = finish_span(asked);
    let taken = tracer.take();
    let Some(answer) = taken.first().and_then(Taken::answer) else {
        return Finding::new("sample", Verdict::Warn, "no decision can be had about this span");
    };
    let why = &answer.why;
    let name = asked.name.as_deref().unwrap_or(DEFAULT_NAME);
    let service = taken.first().and_then(Taken::service).unwrap_or(&surroundings.settings.identity.service);
    let (verdict, rates) = match rates {
        Ok(rates) => (Verdict::Ok, rates),
        // Only then is there another answer where the agent is reached.
        Err(why_not) if matches!(why.step(), SamplingStep::Default) => (Verdict::Warn, why_not),
        Err(why_not) => (Verdict::Ok, why_not),
    };
    let (step, rule) = step(why.step());
    let finding = Finding::new("sample", verdict, words(&answer, surroundings.settings.is_enabled))
        .detail("kept", why.is_kept())
        .detail("wanted", answer.is_wanted)
        .detail("single_span_kept", answer.has_single_spans)
        .detail("reason", why.to_string())
        .detail("step", step)
        .detail("rule", rule)
        .detail("rate", why.rate())
        .detail("priority", why.priority())
        .detail("service", service)
        .detail("name", name)
        .detail("resource", asked.resource.as_deref().unwrap_or(name))
        .detail("trace_id", trace_id.to_string())
        .detail("agent_rates", rates);
    let advice = advice(surroundings, asked, why);
    if let Some(advice) = advice { finding.advice(advice) } else { finding }
}

fn advice(surroundings: &Surroundings, asked: &Asked, why: &WhySampled) -> Option<&'static str> {
    let is_of_program = surroundings
        .settings
        .table
        .get("DD_SERVICE")
        .is_none_or(|setting| setting.origin() != Origin::Default);
    if asked.service.is_none() && !is_of_program {
        return Some(
            "DD_SERVICE is unset, and this service is the doctor's own name: --service gives another",
        );
    }
    let is_by_id = why.rate().is_some_and(|rate| rate > 0.0 && rate < 1.0);
    (is_by_id && asked.trace_id.is_none()).then_some(
        "the trace id decides which part of such traces is kept; this one is an example, --trace-id asks for another",
    )
}

fn words(answer: &Answer, is_enabled: bool) -> String {
    let but = match answer {
        _ if !is_enabled => "; but tracing is switched off",
        Answer { is_wanted: false, .. } => "; and the agent's filters leave it out",
        Answer { has_single_spans: true, .. } => "; but its span is kept alone, by DD_SPAN_SAMPLING_RULES",
        _ => "",
    };
    format!("the trace is {}{but}", answer.why)
}

/// The name of the step, and the place of its rule.
fn step(step: SamplingStep) -> (&'static str, Option<u32>) {
    match step {
        SamplingStep::Manual => ("manual", None),
        SamplingStep::Inherited => ("inherited", None),
        SamplingStep::Rule(number) => ("rule", Some(number)),
        SamplingStep::RemoteRule(number) => ("remote_rule", Some(number)),
        SamplingStep::GlobalRate => ("global_rate", None),
        SamplingStep::AgentRate => ("agent_rate", None),
        SamplingStep::Default => ("default", None),
    }
}

/// Asks the agent for its filters, and for its rates by a payload without traces; says which rates came, or why none did.
///
/// Source: a payload without traces is how DataDog/dd-trace-go looks at its start whether the agent is there (`ddtrace/tracer/log.go`).
fn learn_from_agent(surroundings: &Surroundings, tracer: &DoctorTracer) -> Result<String, String> {
    if !surroundings.are_sending() {
        return Err("not asked for: with these settings nothing is sent to an agent".to_owned());
    }
    let agent = &surroundings.settings.agent;
    let answer = ask(agent, tracer)
        .map_err(|failure| format!("not known: {}", worded(&failure, &within_reason(agent))))?;
    tracer.learn(&answer);
    Ok(without_secrets(&tracer.rates().to_string()))
}

fn ask(agent: &AgentSettings, tracer: &DoctorTracer) -> Result<Vec<u8>, Failure> {
    let mut connection = Connection::new(agent)?;
    let info = match connection.ask(Content::Question) {
        Ok(body) => info::read(&body).unwrap_or_default(),
        // It may take traces all the same.
        Err(Failure::Refused { .. }) => AgentInfo::default(),
        Err(failure) => return Err(failure),
    };
    tracer.learn_filters(&info);
    // A payload without traces is never too large.
    let (body, chunks) = tracer.encode(&[], &info).unwrap_or_default();
    connection.ask(Content::Traces { body: body.into(), chunks, told: None })
}

/// Gives the id of its trace.
fn finish_span(asked: &Asked) -> TraceId {
    let Asked { service, name, resource, tags, trace_id } = asked;
    let mut span = span(name.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned()));
    if let Some(service) = service {
        span = span.service(service);
    }
    if let Some(resource) = resource {
        span = span.resource(resource);
    }
    for (key, value) in tags {
        span = span.tag(key, value.as_str());
    }
    if let Some(context) = trace_id.and_then(continued) {
        span = span.child_of(&context);
    }
    let span = span.start();
    let trace_id = span.context().trace_id();
    span.finish();
    trace_id
}

/// A trace of this id that nobody decided about, as it arrives from a caller that decides nothing.
fn continued(trace_id: TraceId) -> Option<SpanContext> {
    let headers = HashMap::from([
        ("x-datadog-trace-id".to_owned(), trace_id.low_u64().to_string()),
        ("x-datadog-parent-id".to_owned(), "1".to_owned()),
        ("x-datadog-tags".to_owned(), format!("_dd.p.tid={:016x}", trace_id.high_u64())),
    ]);
    extract(&headers)
}
