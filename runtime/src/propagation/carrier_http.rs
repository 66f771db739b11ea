//! `http::HeaderMap` as a carrier.

use super::carrier::{Extract, Inject, Lengths, after_prefix};
use super::{b3, baggage, datadog, traceparent, tracestate};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

/// The names written, so that they need not be checked and copied each time.
static KNOWN: [HeaderName; 13] = {
    let [trace_id, parent_id, priority, origin, tags] = datadog::HEADERS;
    let [b3_trace_id, b3_span_id, b3_sampled, b3_flags, _] = b3::MULTI;
    [
        HeaderName::from_static(trace_id),
        HeaderName::from_static(parent_id),
        HeaderName::from_static(priority),
        HeaderName::from_static(origin),
        HeaderName::from_static(tags),
        HeaderName::from_static(traceparent::HEADER),
        HeaderName::from_static(tracestate::HEADER),
        HeaderName::from_static(baggage::HEADER),
        HeaderName::from_static(b3::SINGLE),
        HeaderName::from_static(b3_trace_id),
        HeaderName::from_static(b3_span_id),
        HeaderName::from_static(b3_sampled),
        HeaderName::from_static(b3_flags),
    ]
};

impl Inject for HeaderMap {
    /// Replaces all values of the name. A name or value that HTTP does not allow is left out; none of ours is such.
    fn set(&mut self, name: &str, value: &str) {
        let known = KNOWN.iter().find(|known| known.as_str() == name).cloned();
        let name = known.or_else(|| HeaderName::from_bytes(name.as_bytes()).ok());
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            // Refused beyond the map's own bound, where `insert` would panic.
            let _ = self.try_insert(name, value);
        }
    }

    fn begin(&mut self, names: &[&str]) {
        if !self.is_empty() {
            for name in names {
                self.remove(*name);
            }
        }
        let _ = self.try_reserve(names.len());
    }
}

impl Extract for HeaderMap {
    /// Values that are not UTF-8 are passed over.
    fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        for value in self.get_all(name) {
            if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                f(value);
            }
        }
    }

    fn for_each_of(&self, names: &[&str], f: &mut dyn FnMut(usize, &str)) {
        let lengths = Lengths::of(names);
        for (found, value) in self {
            let found = found.as_str();
            if !lengths.contains(found) {
                continue;
            }
            // Header names are lowercase in this map, and so are ours.
            let Some(position) = names.iter().position(|name| found == *name) else { continue };
            if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                f(position, value);
            }
        }
    }

    fn for_each_with_prefix(&self, prefix: &str, f: &mut dyn FnMut(&str, &str)) {
        for (found, value) in self {
            let rest = after_prefix(found.as_str(), prefix);
            if let (Some(rest), Ok(value)) = (rest, std::str::from_utf8(value.as_bytes())) {
                f(rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_map_gives_all_values_and_replaces_them() {
        let mut headers = HeaderMap::new();
        headers.append("Tracestate", HeaderValue::from_static("a=1"));
        headers.append("tracestate", HeaderValue::from_static("b=2"));
        headers.append("tracestate", HeaderValue::from_bytes(b"\xff").unwrap());
        let mut values = Vec::new();
        headers.for_each("TraceState", &mut |value| values.push(value.to_owned()));
        headers.for_each_of(&["traceparent", "tracestate"], &mut |position, value| {
            values.push(format!("{position}{value}"));
        });
        assert_eq!(values, ["a=1", "b=2", "1a=1", "1b=2"]);
        headers.set("tracestate", "dd=s:1");
        assert_eq!(headers.get_all("tracestate").iter().collect::<Vec<_>>(), ["dd=s:1"]);
    }

    #[test]
    fn hostile_text_is_left_out() {
        let mut headers = HeaderMap::new();
        headers.set("a b", "1");
        headers.set("a", "1\r\nb: 2");
        assert!(headers.is_empty());
    }

    #[test]
    fn full_map_takes_no_more_and_nobody_panics() {
        let mut headers = HeaderMap::new();
        let mut number = 0;
        while let Ok(name) = HeaderName::from_bytes(format!("x-{number}").as_bytes()) {
            if headers.try_insert(name, HeaderValue::from_static("1")).is_err() {
                break;
            }
            number += 1;
        }
        headers.begin(&["traceparent"]);
        headers.set("traceparent", "00");
        assert_eq!(headers.len(), number);
    }
}
