//! Baggage as older tracers have it: a header `ot-baggage-<key>` for each item, beside those of the style `datadog`. Off by default.
//!
//! Source: `DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED` in `ddtrace/propagation/http.py` of DataDog/dd-trace-py; the encoding,
//! `ddtrace/tracer/textmap.go` of DataDog/dd-trace-go.

use super::baggage::{MAX_BYTES, MAX_ITEMS};
use super::carrier::{Extract, Inject};
use super::percent::{Safe, decoded, encode, encoded_len};
use super::settings::PropagationSettings;
use super::styles::Style;
use super::text::trim_blanks;
use crate::model::Baggage;

const PREFIX: &str = "ot-baggage-";

/// Adds the items of such headers to those of the style `baggage`, which win.
pub(super) fn extract(
    carrier: &dyn Extract,
    settings: &PropagationSettings,
    baggage: Option<Baggage>,
) -> Option<Baggage> {
    if !(settings.has_http_baggage && settings.extract.contains(&Style::Datadog)) {
        return baggage;
    }
    let mut items = baggage.unwrap_or_default();
    let mut count = items.iter().count();
    let mut bytes = items
        .iter()
        .fold(0_usize, |bytes, (key, value)| bytes.saturating_add(key.len()).saturating_add(value.len()));
    carrier.for_each_with_prefix(PREFIX, &mut |key, value| {
        let value = trim_blanks(value);
        if value.is_empty() || count >= MAX_ITEMS || bytes.saturating_add(value.len()) > MAX_BYTES {
            return;
        }
        let key = decoded(key).to_ascii_lowercase();
        let after = bytes.saturating_add(key.len()).saturating_add(value.len());
        if key.is_empty() || after > MAX_BYTES || items.get(&key).is_some() {
            return;
        }
        items.set(&key, &decoded(value));
        (count, bytes) = (count.saturating_add(1), after);
    });
    Some(items).filter(|items| !items.is_empty())
}

/// Names and values of the headers for these items.
pub(super) fn headers(baggage: &Baggage) -> Vec<(String, String)> {
    let mut bytes = 0_usize;
    let mut headers = Vec::new();
    for (key, value) in baggage.iter() {
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        let length = encoded_len(&key, Safe::KEY).saturating_add(encoded_len(value, Safe::VALUE));
        bytes = bytes.saturating_add(length);
        if headers.len() >= MAX_ITEMS || bytes > MAX_BYTES {
            break;
        }
        if key.is_empty() || value.is_empty() {
            continue;
        }
        let (mut name, mut text) = (PREFIX.to_owned(), String::new());
        encode(&key, Safe::KEY, &mut name);
        encode(value, Safe::VALUE, &mut text);
        if !headers.iter().any(|(found, _)| *found == name) {
            headers.push((name, text));
        }
    }
    headers
}

/// Writes the headers, in place of those that are there.
pub(super) fn inject(headers: &[(String, String)], carrier: &mut dyn Inject) {
    for (name, value) in headers {
        carrier.set(name, value);
    }
}
