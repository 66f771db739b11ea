//! What the ids on log lines look like.

use serde_json::{Map, Value};

use super::super::finding::{Finding, Verdict};
use super::super::surroundings::Surroundings;
use super::super::tracer::DoctorTracer;
use crate::config::Settings;
use crate::log::Correlation;
use crate::trace::span;

/// The start of a line in both forms of the trace id, with ids of an example.
pub(super) fn check(surroundings: &Surroundings) -> Finding {
    let finding = |verdict, words: String| Finding::new("log_lines", verdict, words);
    let settings = &surroundings.settings;
    if !settings.is_enabled {
        return finding(Verdict::Warn, "tracing is switched off, and log lines have no ids".to_owned());
    }
    let ids = example(settings);
    let wide = correlation(settings, true, ids);
    let narrow = correlation(settings, false, ids);
    let (in_force, form) = if settings.logs_128_bit_ids {
        (&wide, "all of the trace id")
    } else {
        (&narrow, "its lower half in decimal")
    };
    let fields = in_force.fields();
    let fields: Map<String, Value> =
        fields.iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
    let (verdict, words) = if settings.correlates_logs {
        (
            Verdict::Ok,
            format!("lines of `dd_log!` and of wrapped loggers carry the ids of the active span, {form}"),
        )
    } else {
        let said = surroundings.said("DD_LOGS_INJECTION");
        (Verdict::Warn, format!("log lines carry no ids unless the program writes them itself: {said}"))
    };
    finding(verdict, words)
        .detail("text", format!("[{in_force}]"))
        .detail("fields", fields)
        .detail("with_128_bits", format!("[{wide}]"))
        .detail("with_64_bits", format!("[{narrow}]"))
}

/// Trace id and span id of a span.
fn example(settings: &Settings) -> (u128, u64) {
    let _tracer = DoctorTracer::install(settings);
    let span = span("dd_traced.doctor").start();
    let context = span.context();
    (context.trace_id().as_u128(), context.span_id().as_u64())
}

fn correlation(settings: &Settings, is_wide: bool, ids: (u128, u64)) -> Correlation {
    let settings = Settings { logs_128_bit_ids: is_wide, ..settings.clone() };
    Correlation::new(Some(DoctorTracer::install(&settings).home()), Some(ids))
}
