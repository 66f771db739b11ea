//! How much the worker holds, when it sends, and what it shows here.

use super::reader::{EXPECTED_DURATION, Reader, parse_duration, parse_flag, row};
use super::source::Source;
use std::time::Duration;

use crate::worker::settings::{LocalView, WriterSettings};

/// Ten minutes.
const ABANDONED_AFTER: Duration = Duration::from_secs(600);

pub(super) fn resolve(read: &mut Reader<'_>) -> WriterSettings {
    let default = WriterSettings::default();
    let buffer_bytes = read.integer("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", 1..=1 << 30, default.buffer_bytes);
    // The agent takes no request above 25 MiB.
    let max_payload_bytes =
        read.integer("DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES", 1..=25 << 20, default.max_payload_bytes);
    let local_view = read.parsed(
        row("DD_TRACE_LOCAL_VIEW").default(default.local_view.name()),
        "a local view: waterfall or off",
        parse_local_view,
    );
    WriterSettings {
        interval: read.seconds("DD_TRACE_WRITER_INTERVAL_SECONDS", 3600.0, default.interval),
        buffer_bytes,
        max_payload_bytes,
        flush_from_bytes: default.flush_from_bytes.min(max_payload_bytes).min(buffer_bytes),
        local_view: local_view.unwrap_or_default(),
        has_colours: has_colours(read.source()),
        report_period: report_period(read),
        abandoned_after: abandoned_after(read),
    }
}

/// The timeout where abandoned spans are looked for. Source: `DD_TRACE_DEBUG_ABANDONED_SPANS` of dd-trace-go.
fn abandoned_after(read: &mut Reader<'_>) -> Option<Duration> {
    let is_on = read.flag("DD_TRACE_DEBUG_ABANDONED_SPANS", false);
    let row = row("DD_TRACE_ABANDONED_SPAN_TIMEOUT").default("10m");
    let timeout = read.parsed(row, EXPECTED_DURATION, parse_duration);
    is_on.then(|| timeout.unwrap_or(ABANDONED_AFTER))
}

/// Seconds, of which 0 is a number too.
fn report_period(read: &mut Reader<'_>) -> Duration {
    let row = row("DD_TRACE_LOGGING_RATE").aliases(&["DD_LOGGING_RATE"]);
    Duration::try_from_secs_f64(read.number(row, 0.0..=1e9, 60.0)).unwrap_or_default()
}

/// Source for `NO_COLOR`: <https://no-color.org>, by which a blank is a value too.
fn has_colours(source: &Source) -> bool {
    let no_color = source.environment.get("NO_COLOR");
    let term = source.environment.get("TERM").map(|term| term.trim());
    no_color.is_none_or(String::is_empty) && term != Some("dumb")
}

fn parse_local_view(text: &str) -> Option<LocalView> {
    match () {
        () if text.eq_ignore_ascii_case(LocalView::Waterfall.name()) => Some(LocalView::Waterfall),
        () if text.eq_ignore_ascii_case(LocalView::Off.name()) || parse_flag(text) == Some(false) => {
            Some(LocalView::Off)
        }
        () => None,
    }
}
