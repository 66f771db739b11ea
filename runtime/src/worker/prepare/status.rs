//! Spans that failed by their HTTP status.

use super::text;
use crate::model::{Flags, Record, TagLog};
use crate::worker::rules::SpanRules;

/// Marks a span of kind `server` or `client` as failed where its status says so, unless somebody said that it did not.
pub(super) fn mark(rules: &SpanRules, record: &mut Record, tags: &TagLog) {
    if record.flags.has(Flags::NOT_FAILED) {
        return;
    }
    let errors = match text(record, tags, "span.kind") {
        Some("server") => &rules.server_errors,
        Some("client") => &rules.client_errors,
        _ => return,
    };
    let status = text(record, tags, "http.status_code").and_then(|status| status.trim().parse().ok());
    if status.is_some_and(|status| errors.contains(status)) {
        record.flags = record.flags.with(Flags::ERROR);
    }
}
